package uprobe.agent.verb;

import java.util.List;
import java.util.regex.Pattern;
import uprobe.probe.spec.ProbeParser;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeSyntaxException;

/** What is given to verbs that look at functions: a probe, or only its place. */
final class Patterns {
    private static final Pattern PROBE = Pattern.compile("[prc](:\\S+)?\\s.*", Pattern.DOTALL);

    /**
     * @param type of the probe, if the text does not say
     * @param more fields and options of it, if the text is only a place
     */
    static ProbeSpec parse(char type, String text, String more) throws ProbeSyntaxException {
        if (PROBE.matcher(text).matches()) {
            return ProbeParser.parse(text);
        }
        return ProbeParser.parse(type + " " + (hasLibrary(text) ? text : "*:" + text) + (more.isEmpty() ? "" : " " + more));
    }

    /** @throws IllegalArgumentException with what is wrong, for what was typed */
    static void check(char type, List<String> texts, String more) {
        for (String text : texts) {
            if (text.length() == 1 && "prc".contains(text)) {
                throw new IllegalArgumentException("'" + text + "' alone is no probe; quote the whole of it, e.g. '" + text + " libc:open'");
            }
            try {
                parse(type, text, more);
            } catch (ProbeSyntaxException e) {
                throw new IllegalArgumentException("column " + e.column() + " of \"" + text + "\": " + e.problem(), e);
            }
        }
    }

    /** A single colon; two are C++'s. */
    private static boolean hasLibrary(String text) {
        return Pattern.compile("(?<!:):(?!:)").matcher(text).find();
    }

    private Patterns() {}
}
