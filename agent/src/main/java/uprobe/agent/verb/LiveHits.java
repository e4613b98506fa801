package uprobe.agent.verb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import uprobe.probe.CommitMethod;
import uprobe.probe.HitRecordDescriptor;
import uprobe.probe.HitRun;
import uprobe.probe.ProbePoint;
import uprobe.probe.spec.ProbeSpec;

/**
 * Hits of a command's probes, handed to it on the thread that made them, when the native method returns that led there: the Java stack below is the
 * hit's. Those of native threads come on the drain thread.
 */
final class LiveHits {
    /** Gets hits, of any thread at any time: it waits for nobody, and takes no lock that a thread might hold while it calls native code. */
    @FunctionalInterface
    interface Listener {
        /**
         * @param point the function
         * @param record the hit, as {@link HitRecordDescriptor} tells; of no meaning afterwards
         * @param drained whether the caller is not the thread that made it
         */
        void hit(ProbePoint point, ByteBuffer record, boolean drained);
    }

    private record Wanted(ProbePoint point, Listener listener) {}

    private static final int LONGEST_RECORD = HitRecordDescriptor.VALUES + (HitRecordDescriptor.MAX_FIELDS + 1) * Long.BYTES;
    private static volatile Wanted[] byNumber = {};
    private static volatile ByteBuffer records;

    /** The listener's hits are those of the probe for which this is asked for commit methods. */
    static CommitMethod.Factory to(Listener listener) {
        return new CommitMethod.Factory() {
            @Override
            public CommitMethod make(int probe, ProbeSpec spec, String stem, String symbol, ByteBuffer all) {
                records = all;
                return new CommitMethod(LiveHits.class, "hit");
            }

            @Override
            public void places(ProbeSpec spec, List<ProbePoint> points) {
                add(points, listener);
            }
        };
    }

    private static synchronized void add(List<ProbePoint> points, Listener listener) {
        Wanted[] all = Arrays.copyOf(byNumber, Math.max(byNumber.length, points.stream().mapToInt(ProbePoint::id).max().orElse(0) + 1));
        points.forEach(point -> all[point.id()] = new Wanted(point, listener));
        byNumber = all;
    }

    /** Nobody listens any more. */
    static synchronized void forget(List<ProbePoint> points) {
        Wanted[] all = byNumber.clone();
        points.stream().filter(point -> point.id() < all.length).forEach(point -> all[point.id()] = null);
        byNumber = Arrays.stream(all).anyMatch(wanted -> wanted != null) ? all : new Wanted[0];
    }

    /** The commit method. */
    static void hit() {
        long run = HitRun.now();
        ByteBuffer all = records;
        for (int i = 0, at = HitRun.offset(run); i < HitRun.count(run); i++) {
            int length = all.getShort(at + HitRecordDescriptor.LENGTH);
            try {
                int number = all.getInt(at + HitRecordDescriptor.PROBE);
                Wanted[] now = byNumber;
                Wanted wanted = number < now.length ? now[number] : null;
                if (wanted != null) {
                    wanted.listener.hit(wanted.point, all.slice(at, Math.min(length, LONGEST_RECORD)).order(ByteOrder.nativeOrder()), HitRun.isDrained(run));
                }
            } catch (RuntimeException | Error mustNotLeave) {
                /* below is native code, which knows of no exception */
            }
            all.putInt(at + HitRecordDescriptor.STATE, HitRecordDescriptor.COMMITTED);
            at += length;
        }
    }

    private LiveHits() {}
}
