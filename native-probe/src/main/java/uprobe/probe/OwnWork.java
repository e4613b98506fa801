package uprobe.probe;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import uprobe.probe.helper.Helper;

/**
 * Work of the engine's, or of who uses it to watch others: what it hits on this thread is counted as {@link ProbeCounters#ownWork} and recorded nowhere.
 *
 * <pre>
 *   boolean begun = OwnWork.begin();
 *   try { ... } finally { OwnWork.end(begun); }
 * </pre>
 *
 * Not on a virtual thread, which may go on upon another carrier: its hits stay data, as they are before the engine is there.
 */
public final class OwnWork {
    private static final MethodHandle IS_VIRTUAL = isVirtual();
    private static volatile boolean possible;

    private OwnWork() {}

    /** The helper is loaded. */
    static void possible() {
        possible = true;
    }

    /** The engine is closed: nobody looks whose work it is. */
    static void impossible() {
        possible = false;
    }

    /** To be ended on the same thread. May nest. Returns what {@link #end} has to be told. */
    public static boolean begin() {
        return possible && !isOnAVirtualThread() && Helper.up_own_work(1) == 0;
    }

    public static void end(boolean begun) {
        if (begun) {
            Helper.up_own_work(-1);
        }
    }

    private static boolean isOnAVirtualThread() {
        try {
            return IS_VIRTUAL != null && (boolean) IS_VIRTUAL.invokeExact(Thread.currentThread());
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** There from JDK 21 on. */
    private static MethodHandle isVirtual() {
        try {
            return MethodHandles.publicLookup().findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
        } catch (ReflectiveOperationException older) {
            return null;
        }
    }
}
