package uprobe.agent.verb;

import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import uprobe.agent.console.Amounts;
import uprobe.probe.Durations;
import uprobe.probe.ProbeEngine;

/** Durations drawn with characters, a line for each power of two. */
final class Histogram {
    private static final int BAR = 50;

    /** From the shortest to the longest; empty lines between are drawn too. Empty if there was no call. */
    static String of(Durations durations, ProbeEngine engine) {
        SortedMap<Integer, Long> counts = new TreeMap<>();
        durations.forEach((middle, count) -> counts.merge(power(engine.nanos(middle)), count, Long::sum));
        if (counts.isEmpty()) {
            return "";
        }
        long most = counts.values().stream().mapToLong(Long::longValue).max().orElse(1);
        StringBuilder text = new StringBuilder();
        for (int power = counts.firstKey(); power <= counts.lastKey(); power++) {
            long count = counts.getOrDefault(power, 0L);
            text.append(String.format(Locale.ROOT, "%10s .. %-10s %14s |%-" + BAR + "s|%n", Amounts.time(1L << power), Amounts.time(2L << power), Amounts.count(count),
                    "#".repeat((int) Math.ceil((double) count * BAR / most))));
        }
        return text.toString();
    }

    private static int power(long nanos) {
        return 63 - Long.numberOfLeadingZeros(Math.max(1, nanos));
    }

    private Histogram() {}
}
