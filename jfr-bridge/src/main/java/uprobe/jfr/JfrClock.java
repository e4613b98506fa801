package uprobe.jfr;

import java.util.function.LongSupplier;
import uprobe.probe.ClockReading;

/**
 * One base of time with JFR's own events. JFR's ticks are the TSC where HotSpot trusts it and CLOCK_MONOTONIC elsewhere, each counted from some
 * moment at the JVM's start (rdtsc_x86.cpp, os_linux.cpp). Hits are stamped by the same counter, so ticks and hits differ by a constant, and
 * nothing can drift.
 */
final class JfrClock {
    /** Long enough to tell a nanosecond clock from any TSC to 0.1 %: readings are some 0.1 us off. */
    private static final long RATE_NS = 2_000_000;
    private static final double RATE_TOLERANCE = 1e-3;
    private static final int RATE_READINGS = 500;
    /** The narrowest of so many readings tells the constant to some ten nanoseconds. */
    private static final int READINGS = 20_000;

    private static long offset;

    /**
     * Whether JFR's ticks are those of the TSC rather than nanoseconds.
     *
     * @throws IllegalStateException if they stand still: no recording runs
     */
    static boolean jfrCountsTsc(LongSupplier jfrTicks) {
        double rate = rate(jfrTicks, System::nanoTime);
        if (!(rate > 0)) {
            throw new IllegalStateException("JFR's clock stands still");
        }
        return Math.abs(rate - 1) > RATE_TOLERANCE;
    }

    /**
     * Finds the constant.
     *
     * @param clock the engine's
     * @throws IllegalStateException if the two do not count alike
     */
    static void calibrate(LongSupplier jfrTicks, LongSupplier clock) {
        double rate = rate(jfrTicks, clock);
        if (Math.abs(rate - 1) > RATE_TOLERANCE) {
            throw new IllegalStateException("JFR's clock runs " + rate + " times as fast as that of the hits");
        }
        ClockReading best = ClockReading.closest(jfrTicks, clock, READINGS);
        offset = best.value() - (best.before() + (best.after() - best.before()) / 2);
    }

    private static double rate(LongSupplier ticks, LongSupplier reference) {
        ClockReading first = ClockReading.closest(ticks, reference, RATE_READINGS);
        long startNs = System.nanoTime();
        while (System.nanoTime() - startNs < RATE_NS) {
            Thread.onSpinWait();
        }
        return first.rateUntil(ClockReading.closest(ticks, reference, RATE_READINGS));
    }

    /** JFR ticks - clock. */
    static long offset() {
        return offset;
    }

    private JfrClock() {}
}
