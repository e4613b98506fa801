package uprobe.agent.verb;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import uprobe.agent.console.Lines;
import uprobe.agent.console.Output;

/** All verbs, and how a line of words becomes one of them. */
public final class Verbs {
    private static final List<Supplier<Verb>> ALL = List.of(AttachVerb::new, LibrariesVerb::new, FunctionsVerb::new, CountVerb::new, LatencyVerb::new,
            TraceVerb::new, RecordVerb::new, ListVerb::new, SetVerb::new, RemoveVerb::new, StatusVerb::new, DetachVerb::new);

    /** Nothing by itself. */
    @Command(name = "uprobe", mixinStandardHelpOptions = true, version = Version.TEXT, description = "Inside of a process PID is left out.")
    private static final class Root {}

    /** A fresh one of each. */
    public static List<Verb> all() {
        return ALL.stream().map(Supplier::get).toList();
    }

    /** Adds them as subcommands. */
    public static void addTo(CommandLine line) {
        all().forEach(line::addSubcommand);
        /* -:GROUP/EVENT is no option */
        List.of("attach", "remove").forEach(verb -> line.getSubcommands().get(verb).setUnmatchedOptionsArePositionalParams(true));
    }

    /**
     * Does what the words say, in this process.
     *
     * @param words a verb and its parameters, without PID
     * @param looksOn whether somebody looks on, who can end what has no end by itself
     * @return exit code
     */
    public static int execute(List<String> words, Target target, Output out, boolean looksOn) throws Exception {
        List<String> all = new ArrayList<>(words);
        if (!all.isEmpty() && !all.get(0).startsWith("-")) {
            all.add(1, Verb.SELF);
        }
        CommandLine line = new CommandLine(new Root());
        addTo(line);
        StringWriter usage = new StringWriter();
        line.setOut(new PrintWriter(usage)).setExpandAtFiles(false);
        CommandLine.ParseResult parsed;
        try {
            parsed = line.parseArgs(all.toArray(String[]::new));
        } catch (CommandLine.ParameterException e) {
            out.problem(e.getMessage());
            return Verb.USAGE;
        }
        if (CommandLine.printHelpIfRequested(parsed) || !parsed.hasSubcommand()) {
            for (String text : (usage.toString().isEmpty() ? line.getUsageMessage() : usage.toString()).split("\n")) {
                out.line(text);
            }
            return Verb.OK;
        }
        Verb verb = (Verb) parsed.subcommand().commandSpec().userObject();
        if (!looksOn && !verb.endsByItself()) {
            out.problem("here nobody could end it: add --duration 10s");
            return Verb.USAGE;
        }
        try (AsOwnWork own = new AsOwnWork(target)) {
            return verb.run(own, verb.json() && out instanceof Lines lines ? lines.asJson() : out);
        } catch (IllegalStateException e) {
            if (target.bridgeIfOpen().isPresent()) {
                throw e;
            }
            out.problem("the agent was detached meanwhile");
            return Verb.FAILED;
        }
    }

    /**
     * Does what a line of the agent's argument says; nobody looks on.
     *
     * @param problems get what went wrong, or is worth a warning
     * @return whether it was done
     */
    public static boolean act(String line, Target target, Consumer<String> said, Consumer<String> problems) {
        try {
            return execute(words(line), target, new Lines(said, problems), false) == Verb.OK;
        } catch (Exception e) {
            problems.accept(line + ": " + Lines.said(e));
            return false;
        }
    }

    /** Words between blanks; one that begins with a quote ends with the next such quote. What stands between quotes inside of a word belongs to it whole. */
    public static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        for (int i = 0; i < line.length(); i++) {
            if (Character.isWhitespace(line.charAt(i))) {
                continue;
            }
            int from = i;
            for (; i < line.length() && !Character.isWhitespace(line.charAt(i)); i++) {
                char c = line.charAt(i);
                if ((c == '\'' || c == '"') && line.indexOf(c, i + 1) > 0) {
                    i = line.indexOf(c, i + 1);
                    if (line.charAt(from) == c && line.indexOf(c, from + 1) == i) {
                        words.add(line.substring(from + 1, i));
                        from = i + 1;
                    }
                }
            }
            if (from < i) {
                words.add(line.substring(from, i));
            }
        }
        return words;
    }

    private Verbs() {}
}
