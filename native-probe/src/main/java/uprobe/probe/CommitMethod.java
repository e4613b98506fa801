package uprobe.probe;

import java.nio.ByteBuffer;
import java.util.List;
import uprobe.probe.spec.ProbeSpec;

/**
 * Who makes events of a probe's records: two static methods of one name
 *
 * <pre>
 *   void NAME(int offset, int count)
 *   void NAME(int offset, int count, long nativeThreadId, String nativeThreadName, long javaThreadId, String drained)
 * </pre>
 *
 * called by the helper itself. Below the first one's frame stands the native method whose call made the hits; the second is the drain thread's, and its
 * last four arguments tell the thread of the hits (javaThreadId 0: none or unknown) and why they were left to it. {@code offset} is where the first of
 * {@code count} records lies in {@link ProbeEngine#records()}; they follow each other by their {@link HitRecordDescriptor#LENGTH}. The methods take no
 * locks, as they run wherever a native method returns, and throw nothing.
 *
 * <p>If the class also declares
 *
 * <pre>
 *   static native void NAME(long)
 * </pre>
 *
 * the helper binds that method, and calls of the probe's function that have not returned yet (of {@code r} and {@code c} probes) are frames of it, between
 * the commit method of a hit that they led to and the native method. Nobody else may call it.
 *
 * @param owner its class, initialised and linked
 * @param name of the methods
 */
public record CommitMethod(Class<?> owner, String name) {
    /** Makes the commit method of a probe before its first hit can come. */
    @FunctionalInterface
    public interface Factory {
        /**
         * @param probe the number of the probe
         * @param stem of its library
         * @param symbol its function, with {@code +0x..} if it is inside
         * @param records the memory of all rings
         */
        CommitMethod make(int probe, ProbeSpec spec, String stem, String symbol, ByteBuffer records);

        /** Called before the first {@link #make}, with all places, one number each, that there will be commit methods for. */
        default void places(ProbeSpec spec, List<ProbePoint> points) {}
    }
}
