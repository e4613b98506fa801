package uprobe.probe;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import uprobe.probe.spec.Condition;
import uprobe.probe.spec.Mode;
import uprobe.probe.spec.ProbeType;

/**
 * Which of a probe's hits become events. Immutable.
 *
 * @param mode events, or only counters, or counters and durations
 * @param threshold the shortest call that becomes an event, in units of {@link ProbeEngine#clock()}; 0: all. Events of {@code p} and {@code r} are
 *     instants of one unit
 * @param condition null for none
 * @param oneOf of so many hits one, drawn at random, becomes an event; 1: all
 * @param perSecond so many events a second at most; {@link Long#MAX_VALUE}: no limit
 * @param until so many hits since the probe was defined, and no more; {@link Long#MAX_VALUE}: no end
 * @param times whether calls of {@code c} that are not filtered are timed, for {@link Probe#durations()}; in mode count none are
 */
public record ProbeSettings(Mode mode, long threshold, Condition condition, long oneOf, long perSecond, long until, boolean times) {
    /** Every hit an event, and nothing is timed. */
    public static final ProbeSettings ALL = new ProbeSettings(Mode.EVENT, 0, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, false);

    /** How long an event of {@code p} or {@code r} lasts, in units of {@link ProbeEngine#clock()}. */
    public static final long INSTANT = 1;

    /** {@code sizeof(struct up_settings)}, {@code sizeof(struct up_if_step)}. */
    static final int SIZE = 56, STEP_SIZE = 16;

    public ProbeSettings {
        if (threshold < 0 || oneOf < 1 || perSecond < 0 || until < 0) {
            throw new IllegalArgumentException("negative: threshold " + threshold + ", one of " + oneOf + ", per second " + perSecond + ", until " + until);
        }
    }

    public ProbeSettings withMode(Mode other) {
        return new ProbeSettings(other, threshold, condition, oneOf, perSecond, until, times);
    }

    /** null: none. */
    public ProbeSettings withCondition(Condition other) {
        return new ProbeSettings(mode, threshold, other, oneOf, perSecond, until, times);
    }

    /** With durations for {@link Probe#durations()}. */
    public ProbeSettings timed() {
        return new ProbeSettings(mode, threshold, condition, oneOf, perSecond, until, true);
    }

    /** The condition's steps. */
    byte[] steps(double clockPerNano) {
        return condition == null ? new byte[0] : condition.program(clockPerNano);
    }

    /** {@code struct up_settings}. */
    byte[] pack(ProbeType type, int steps, double clockPerNano) {
        boolean events = mode == Mode.EVENT;
        boolean atReturn = condition != null && (type == ProbeType.RETURN || condition.atReturn());
        return ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder()).putLong(threshold).putLong(oneOf).putLong(events ? perSecond : Long.MAX_VALUE).putLong(until)
                .putLong(Math.round(clockPerNano * 1e9)).putInt(mode.ordinal()).putInt(steps / STEP_SIZE).putInt(atReturn ? 1 : 0)
                .putInt(times && type == ProbeType.CALL && mode != Mode.COUNT ? 1 : 0).array();
    }
}
