package uprobe.probe;

import java.util.function.LongSupplier;

/**
 * A reading of one clock between two of another.
 *
 * @param value of the clock
 * @param before what the reference said just before
 * @param after and just after
 */
public record ClockReading(long value, long before, long after) {
    /** The closest of some: the first ones link and load, any may be interrupted. */
    public static ClockReading closest(LongSupplier clock, LongSupplier reference, int readings) {
        ClockReading best = null;
        for (int i = 0; i < readings; i++) {
            long before = reference.getAsLong(), value = clock.getAsLong(), after = reference.getAsLong();
            if (best == null || after - before < best.after - best.before) {
                best = new ClockReading(value, before, after);
            }
        }
        return best;
    }

    /** What the reference said when the clock was read. */
    public double middle() {
        return before + (after - before) / 2.0;
    }

    /** Units of the clock in one of the reference, by this reading and a later one. */
    public double rateUntil(ClockReading later) {
        return (later.value - value) / (later.middle() - middle());
    }
}
