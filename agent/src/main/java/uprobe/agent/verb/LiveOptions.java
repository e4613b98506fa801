package uprobe.agent.verb;

import java.io.IOException;
import java.util.Locale;
import picocli.CommandLine.Option;
import uprobe.agent.console.Output;
import uprobe.agent.console.Table;

/** How verbs that go on until they are stopped show what they have. */
final class LiveOptions {
    @Option(names = {"-d", "--duration"}, paramLabel = "TIME", description = "ends after so long, with the last table on stdout: 10s, 500ms, 2m (default: never)",
            converter = Millis.class)
    private Long duration;

    @Option(names = {"-i", "--interval"}, paramLabel = "TIME", defaultValue = "1s", description = "how often the table is made anew (default: ${DEFAULT-VALUE})",
            converter = Millis.class)
    private long interval;

    @Option(names = "--top", paramLabel = "N", defaultValue = "20", description = "rows of the table; the rest is one row (default: ${DEFAULT-VALUE})")
    private int top;

    int top() {
        return top;
    }

    boolean endsByItself() {
        return duration != null;
    }

    /** What is shown at a beat. */
    @FunctionalInterface
    interface Frame {
        void show(Clock clock) throws Exception;
    }

    /** Arms the probes and shows what they have until it is the end. Once before the first trap is written, for {@link EngineProbes#arm}'s sake. */
    void run(EngineProbes probes, Output out, Frame frame) throws Exception {
        frame.show(new Clock(false));
        probes.arm();
        Clock clock = new Clock(true);
        while (clock.next(out)) {
            probes.extend();
            frame.show(clock);
        }
    }

    /** Beats once in an interval. */
    final class Clock {
        /** The first table comes soon, so that one sees that it works. */
        private static final long FIRST_MS = 250;

        private final long start = System.nanoTime();
        private long beat = start, before = start;
        private final boolean runs;
        private boolean first = true;

        /** @param runs false: it stands still, nothing is armed yet */
        private Clock(boolean runs) {
            this.runs = runs;
        }

        /** Waits for the next beat. Returns false if there is none any more. */
        boolean next(Output out) {
            if (isLast()) {
                return false;
            }
            long wait = first ? Math.min(FIRST_MS, interval) : interval;
            first = false;
            long left = duration == null ? Long.MAX_VALUE : duration - (System.nanoTime() - start) / 1_000_000;
            boolean there = out.pause(Math.max(0, Math.min(wait, left)));
            before = beat;
            beat = System.nanoTime();
            return there;
        }

        boolean isLast() {
            return runs && duration != null && (beat - start) / 1_000_000 >= duration;
        }

        /** What rates are over: from the beat before to this one; at the last from the first. */
        double seconds() {
            return Math.max(1, beat - (isLast() ? start : before)) / 1e9;
        }

        String text() {
            return !runs ? "arming" : String.format(Locale.ROOT, "%.1f s", (beat - start) / 1e9);
        }
    }

    void show(String head, Table table, Clock clock, Output out) throws IOException {
        if (clock.isLast()) {
            out.live("", null);
            out.line(head);
            out.table(table);
        } else {
            out.live(head, table);
        }
    }
}
