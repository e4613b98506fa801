package uprobe.agent.report;

import java.util.Arrays;
import org.HdrHistogram.IntCountsHistogram;

/** How long calls took: each of them while they are few, then a histogram within one percent. */
final class Durations {
    private static final int FEW = 64, DIGITS = 2;
    private static final long LONGEST = Long.MAX_VALUE / 4;

    private long[] few = new long[4];
    private int size;
    private IntCountsHistogram many;

    void add(double nanos) {
        long value = Math.min(Math.max(0, Math.round(nanos)), LONGEST);
        if (many != null) {
            many.recordValue(value);
            return;
        }
        if (size == FEW) {
            toHistogram();
            many.recordValue(value);
            return;
        }
        if (size == few.length) {
            few = Arrays.copyOf(few, size * 2);
        }
        few[size++] = value;
    }

    void add(Durations other) {
        if (other.many != null) {
            if (many == null) {
                toHistogram();
            }
            many.add(other.many);
            return;
        }
        for (int i = 0; i < other.size; i++) {
            add(other.few[i]);
        }
    }

    private void toHistogram() {
        many = new IntCountsHistogram(DIGITS);
        many.setAutoResize(true);
        for (int i = 0; i < size; i++) {
            many.recordValue(few[i]);
        }
        few = null;
    }

    boolean isEmpty() {
        return many == null && size == 0;
    }

    /** @return in ns, null if there is nothing */
    Double percentile(double percent) {
        if (isEmpty()) {
            return null;
        }
        if (many != null) {
            return (double) many.getValueAtPercentile(percent);
        }
        long[] sorted = Arrays.copyOf(few, size);
        Arrays.sort(sorted);
        return (double) sorted[Math.max(0, (int) Math.ceil(percent / 100 * size) - 1)];
    }
}
