package uprobe.jfr;

import java.util.function.LongSupplier;

/**
 * One base of time with JFR's own events. JFR's ticks are the TSC where HotSpot trusts it and CLOCK_MONOTONIC elsewhere, each counted from some
 * moment at the JVM's start (rdtsc_x86.cpp, os_linux.cpp). Hits are stamped by the same counter, so ticks and hits differ by a constant, and
 * nothing can drift.
 */
final class JfrClock {
    /** Long enough to tell a nanosecond clock from any TSC to 0.1 %. */
    private static final long RATE_NS = 5_000_000;
    private static final double RATE_TOLERANCE = 1e-3;
    private static final int RATE_READINGS = 500;
    /** The narrowest of so many readings tells the constant to some ten nanoseconds. */
    private static final int READINGS = 20_000;

    private static long offset;

    /** Whether JFR's ticks are those of the TSC rather than nanoseconds. */
    static boolean jfrCountsTsc(LongSupplier jfrTicks) {
        double rate = rate(jfrTicks, System::nanoTime);
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
        Reading best = Reading.of(jfrTicks, clock);
        for (int i = 0; i < READINGS; i++) {
            Reading next = Reading.of(jfrTicks, clock);
            best = next.after - next.before < best.after - best.before ? next : best;
        }
        offset = best.ticks - (best.before + (best.after - best.before) / 2);
    }

    /** A reading of both clocks; the reference was read before and after. */
    private record Reading(long ticks, long before, long after) {
        static Reading of(LongSupplier ticks, LongSupplier reference) {
            long before = reference.getAsLong(), t = ticks.getAsLong();
            return new Reading(t, before, reference.getAsLong());
        }

        /** The narrowest of some: the first ones link and load, any may be interrupted. */
        static Reading narrow(LongSupplier ticks, LongSupplier reference) {
            Reading best = of(ticks, reference);
            for (int i = 0; i < RATE_READINGS; i++) {
                Reading next = of(ticks, reference);
                best = next.after - next.before < best.after - best.before ? next : best;
            }
            return best;
        }

        double middle() {
            return before + (after - before) / 2.0;
        }
    }

    private static double rate(LongSupplier ticks, LongSupplier reference) {
        Reading first = Reading.narrow(ticks, reference);
        long startNs = System.nanoTime();
        while (System.nanoTime() - startNs < RATE_NS) {
            Thread.onSpinWait();
        }
        Reading second = Reading.narrow(ticks, reference);
        return (second.ticks - first.ticks) / (second.middle() - first.middle());
    }

    /** JFR ticks - clock. */
    static long offset() {
        return offset;
    }

    private JfrClock() {}
}
