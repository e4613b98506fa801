package uprobe.probe;

import java.util.Arrays;
import uprobe.probe.code.Displaced;
import uprobe.probe.code.Entries;
import uprobe.probe.code.SlotCode;
import uprobe.probe.code.Way;
import uprobe.probe.helper.Helper;
import uprobe.probe.helper.VmLayout;
import uprobe.probe.spec.Condition;

/**
 * Where the parts of a hit record lie in a thread's ring, in bytes from the record's start. The same table stands in {@code uprobe.h}
 * ({@code struct up_hit}); {@link ProbeEngine} compares both when it loads the helper.
 *
 * <pre>
 *   0               4       6       8               12              16              24              32
 *   +---------------+-------+-------+---------------+---------------+---------------+---------------+-----------
 *   |     state     |length |missing|     probe     |     flags     |     time      |     call      | values ...
 *   +---------------+-------+-------+---------------+---------------+---------------+---------------+-----------
 * </pre>
 *
 * A record that is handed to a {@linkplain CommitMethod commit method} has been claimed for it. The method stores {@link #COMMITTED} into
 * {@link #STATE} once it has made its event, {@link #REJECTED} if none was wanted; a record it leaves as it was goes to the drain thread. Numbers are
 * in the processor's byte order.
 */
public final class HitRecordDescriptor {
    /** int: who may touch the record. */
    public static final int STATE = 0;
    /** unsigned short: size in bytes, a multiple of 32; the next record of a run begins there. */
    public static final int LENGTH = 4;
    /** unsigned short: bit <i>i</i> is set if the value of field <i>i</i> could not be read. */
    public static final int MISSING = 6;
    /** int: the probe's number, {@link Probe#id()}. */
    public static final int PROBE = 8;
    /** int: {@link #UNWOUND}, the reason why the hit was left to the drain thread, and the chain of calls that it was made under. */
    public static final int FLAGS = 12;
    /** long: time of the hit (of the return for {@code r}), in units of {@link ProbeEngine#clock()}. */
    public static final int TIME = 16;
    /** long: identity of the JNI call; of no meaning to commit methods. */
    public static final int CALL = 24;
    /** long each: for {@code c} the duration in units of {@link ProbeEngine#clock()}, then the fields, widened to 64 bits. */
    public static final int VALUES = 32;

    /** Value of {@link #STATE}: an event has been made of the record. */
    public static final int COMMITTED = 4;
    /** Value of {@link #STATE}: no recording wanted an event of it. */
    public static final int REJECTED = 5;
    /** Bit of {@link #FLAGS}: the call never returned, an exception or longjmp left it; duration and results are missing. */
    public static final int UNWOUND = 1;
    /** Bit of {@link #MISSING}: the duration of a {@code c} record is not known. */
    public static final int MISSING_DURATION = 1 << 15;
    /** Fields of a probe at most. */
    public static final int MAX_FIELDS = 15;

    private static final int LAYOUT_VERSION = 1;
    private static final int FETCH_SIZE = 8, INSN_SIZE = 16;

    /** The numbers of {@code up_layout}, in its order. */
    static int[] expected() {
        return new int[] {LAYOUT_VERSION, STATE, LENGTH, MISSING, PROBE, FLAGS, TIME, CALL, VALUES, COMMITTED, UNWOUND, MAX_FIELDS,
                MISSING_DURATION, FETCH_SIZE, INSN_SIZE, VmLayout.WORDS * Long.BYTES, FlushStatistics.WORDS * Long.BYTES, ProbeCounters.WORDS * Long.BYTES, Way.SIZE,
                Displaced.Detail.SIZE, SlotCode.UNIT, Way.NO_OPERATION, ProbeSettings.SIZE, ProbeSettings.STEP_SIZE, Condition.Step.values().length,
                Durations.BUCKETS, Durations.subBuckets(), REJECTED, Entries.ROW};
    }

    /** Whether the helper that was loaded has its structures as this jar has them. */
    static void checkHelper() {
        int[] expected = expected(), found = new int[expected.length];
        int count = Helper.up_layout(found, found.length);
        if (count != expected.length || !Arrays.equals(expected, found)) {
            throw new IllegalStateException("libuprobe.so and this jar do not belong together: its layout is "
                    + Arrays.toString(found) + ", expected " + Arrays.toString(expected));
        }
    }

    private HitRecordDescriptor() {}
}
