package uprobe.probe;

import java.nio.ByteBuffer;
import java.util.List;
import uprobe.probe.spec.ProbeSpec;

/**
 * Who makes events of a probe's records: a static method
 *
 * <pre>
 *   void NAME()
 * </pre>
 *
 * called by the helper itself; {@link HitRun} tells it what for. Below its frame stands the native method whose call made the hits, or nothing: the drain
 * thread calls it too. It takes no locks, as it runs wherever a native method returns, and throws nothing.
 *
 * <p>If there is a class with
 *
 * <pre>
 *   static native void NAME()
 * </pre>
 *
 * the helper binds that method, and calls of the probe's function that have not returned yet (of {@code r} and {@code c} probes) are frames of it, between
 * the commit method of a hit that they led to and the native method. Nobody else may call it.
 *
 * @param owner its class, initialised and linked
 * @param name of the methods
 * @param frames the class of the native method; null: the function's calls are no frames of the hits inside
 */
public record CommitMethod(Class<?> owner, String name, Class<?> frames) {
    /** One whose function is no frame. */
    public CommitMethod(Class<?> owner, String name) {
        this(owner, name, null);
    }

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
