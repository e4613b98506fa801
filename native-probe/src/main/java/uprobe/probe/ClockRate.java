package uprobe.probe;

/**
 * How fast {@link ProbeEngine#clock()} counts. CLOCK_MONOTONIC counts nanoseconds; the TSC's rate is what both counters say of the time between the
 * engine's start and the first question, at least {@value #AT_LEAST_NS} ns. From then on the answer is the same.
 */
final class ClockRate {
    private static final long AT_LEAST_NS = 10_000_000;
    private static final int READINGS = 20;

    private final ClockReading begin;
    private double perNano;

    ClockRate(boolean tsc) {
        perNano = tsc ? 0 : 1;
        begin = tsc ? now() : null;
    }

    synchronized double perNano() {
        if (perNano == 0) {
            while (System.nanoTime() - begin.before() < AT_LEAST_NS) {
                Thread.onSpinWait();
            }
            perNano = begin.rateUntil(now());
        }
        return perNano;
    }

    private static ClockReading now() {
        return ClockReading.closest(ProbeEngine::clock, System::nanoTime, READINGS);
    }
}
