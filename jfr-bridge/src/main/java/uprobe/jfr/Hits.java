package uprobe.jfr;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import uprobe.probe.ArmedSite;
import uprobe.probe.ProbePoint;

/** What the generated commit methods use. Public because they live in class loaders of their own; nobody else's. */
public final class Hits {
    /** The memory of all rings; a constant for the JIT. */
    public static final ByteBuffer RECORDS = EventBridge.records();

    private static final long OFFSET = JfrClock.offset();

    /** A hit's time in JFR's ticks. Both count alike ({@link JfrClock}), so a difference is enough. */
    public static long ticks(long clock) {
        return clock + OFFSET;
    }

    /** A duration of 0 would make {@code commit()} take now - start: an instant hit lasts one tick. */
    public static long duration(long units) {
        return units > 0 ? units : 1;
    }

    /**
     * @param bits of {@link uprobe.probe.HitRecordDescriptor#MISSING}
     * @param names of the fields in order, then {@code duration}
     * @return the names of what could not be read, with commas between
     */
    public static String missing(int bits, String[] names) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < names.length; i++) {
            int bit = i == names.length - 1 ? uprobe.probe.HitRecordDescriptor.MISSING_DURATION : 1 << i;
            if ((bits & bit) != 0) {
                out.append(out.isEmpty() ? "" : ",").append(names[i]);
            }
        }
        return out.toString();
    }

    /** By the numbers of probes; null but for those of patterns. Replaced as a whole before the first hit of a new one. */
    private static volatile ArmedSite[] places = {};

    static synchronized void places(List<ProbePoint> more) {
        int length = Math.max(places.length, more.stream().mapToInt(ProbePoint::id).max().orElse(0) + 1);
        ArmedSite[] all = Arrays.copyOf(places, length);
        more.forEach(point -> all[point.id()] = point.site());
        places = all;
    }

    public static String library(int probe) {
        return places[probe].library();
    }

    public static String function(int probe) {
        return places[probe].symbol();
    }

    public static long address(int probe) {
        return places[probe].address();
    }

    private Hits() {}
}
