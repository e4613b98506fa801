package uprobe.probe;

import java.util.Arrays;
import uprobe.probe.helper.Helper;

/**
 * How long calls took: a histogram whose buckets are at most 1.6 % wide (uprobe.h, UP_SUB_BUCKETS), so that their middles are at most 0.8 % off.
 * Immutable.
 */
public final class Durations {
    private static final int SUB_BUCKETS = 64, SUB_BITS = 6;
    static final int BUCKETS = 3072;

    private final long[] counts;

    Durations(long[] counts) {
        this.counts = counts;
    }

    static Durations of(int probe) {
        long[] counts = new long[BUCKETS];
        Helper.up_probe_durations(probe, counts, BUCKETS);
        return new Durations(counts);
    }

    public long count() {
        return Arrays.stream(counts).sum();
    }

    /** Gets buckets that are not empty, the shortest durations first. */
    @FunctionalInterface
    public interface Visitor {
        /** @param middle of the bucket, in units of {@link ProbeEngine#clock()} */
        void bucket(long middle, long count);
    }

    public void forEach(Visitor visitor) {
        for (int i = 0; i < BUCKETS; i++) {
            if (counts[i] > 0) {
                visitor.bucket(middle(i), counts[i]);
            }
        }
    }

    /**
     * The duration that a share of the calls did not exceed, in units of {@link ProbeEngine#clock()}; at most 1 % off. 0 if there were no calls.
     *
     * @param share above 0, up to 1
     */
    public long atMost(double share) {
        long rank = Math.max(1, (long) Math.ceil(share * count())), seen = 0;
        for (int i = 0; i < BUCKETS; i++) {
            seen += counts[i];
            if (seen >= rank) {
                return middle(i);
            }
        }
        return 0;
    }

    /** The middle of a bucket: up to 127 each value has its own, above that each power of two has 64. */
    static long middle(int bucket) {
        if (bucket < 2 * SUB_BUCKETS) {
            return bucket;
        }
        int shift = bucket / SUB_BUCKETS - 1;
        long low = (long) (bucket % SUB_BUCKETS + SUB_BUCKETS) << shift;
        return low + (1L << shift) / 2;
    }

    /** {@code UP_SUB_BUCKETS}, for the comparison with the helper's. */
    static int subBuckets() {
        return 1 << SUB_BITS;
    }
}
