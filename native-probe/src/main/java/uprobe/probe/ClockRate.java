package uprobe.probe;

/**
 * How fast {@link ProbeEngine#clock()} counts. CLOCK_MONOTONIC counts nanoseconds; the TSC's rate is what both counters say of the time between the
 * engine's start and the first question, at least {@value #AT_LEAST_NS} ns. From then on the answer is the same.
 */
final class ClockRate {
    private static final long AT_LEAST_NS = 10_000_000;
    private static final int READINGS = 20;

    private final long[] begin;
    private double perNano;

    ClockRate(boolean tsc) {
        perNano = tsc ? 0 : 1;
        begin = tsc ? both() : null;
    }

    synchronized double perNano() {
        if (perNano == 0) {
            while (System.nanoTime() - begin[0] < AT_LEAST_NS) {
                Thread.onSpinWait();
            }
            long[] now = both();
            perNano = (double) (now[1] - begin[1]) / (now[0] - begin[0]);
        }
        return perNano;
    }

    /** Nanoseconds and clock of one moment: the closest of some readings. */
    private static long[] both() {
        long[] best = null;
        long closest = Long.MAX_VALUE;
        for (int i = 0; i < READINGS; i++) {
            long before = System.nanoTime(), clock = ProbeEngine.clock(), after = System.nanoTime();
            if (after - before < closest) {
                closest = after - before;
                best = new long[] {before + closest / 2, clock};
            }
        }
        return best;
    }
}
