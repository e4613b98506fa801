package uprobe.probe.spec;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What is made of a probe's hits. */
public enum Mode {
    /** Every hit that is not filtered nor sampled out becomes an event. */
    EVENT,
    /** Hits are counted, nothing else: no events of the probe's own, the numbers are in {@code uprobe.ProbeStatistics}. */
    COUNT,
    /** Hits are counted and their durations ({@code c} alone has them) put into a histogram: no events either. */
    HIST;

    /**
     * @param text what {@link #text} gives
     * @throws IllegalArgumentException for anything else; the message is one sentence for the user
     */
    public static Mode parse(String text) {
        String word = text.strip();
        List<String> known = Arrays.stream(values()).map(Mode::text).toList();
        return Arrays.stream(values()).filter(mode -> mode.text().equals(word)).findFirst().orElseThrow(() -> new IllegalArgumentException(
                "unknown mode " + ProbeParser.quote(word) + "; " + ProbeParser.didYouMean(word, known) + "modes are event, count and hist"));
    }

    /** As it stands in the option and in settings: {@code count}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
