package uprobe.it.app;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import jdk.jfr.Event;
import jdk.jfr.Name;

/**
 * The natives of libways.so, each of which runs way_taken(id): id * 3 + 1. With an odd id it then calls {@link #witness}. Public, since callers
 * come from class loaders of their own.
 */
public final class NativeWays {
    /** Ids of calls that are made from within other calls belong to the next way. */
    static final long WAY = 1L << 20;

    /** As JFR has it; StackWalker and Throwable give -2 for natives. */
    static final int NO_LINE = -1;
    private static final StackWalker WALKER = StackWalker.getInstance(StackWalker.Option.SHOW_HIDDEN_FRAMES);
    private static final Map<String, Integer> stacks = new ConcurrentHashMap<>();
    private static final ThreadLocal<Runnable> whileInNative = new ThreadLocal<>();

    static {
        Fixture.load("ways");
    }

    private NativeWays() {
    }

    /** JFR's own stack of the call, less its first frame, and the name of the one that StackWalker saw there. */
    @Name("it.Witness")
    static final class Witness extends Event {
        long id;
        int walked;
    }

    /** What StackWalker sees: {@code Class.method:line} of each frame, innermost first, joined by blanks; hidden frames included. */
    @Name("it.Walked")
    static final class Walked extends Event {
        int walked;
        String frames;
    }

    /** An inner class with a native of its own. */
    static final class Inner {
        native long ofInner(long id);
    }

    static final NativeWays INSTANCE = new NativeWays();

    /** How often way_taken was entered, as it counted itself. */
    static native long calls();

    public static native long byName(long id);

    static native long registered(long id);

    native long ofInstance(long id);

    static synchronized native long locked(long id);

    /** The id is the array's first element. */
    static native long pinning(long[] id);

    /** Calls {@link #again} after the hit. */
    static native long upAndDown(long id);

    /** Ends with an IllegalStateException. */
    static native long throwing(long id);

    /** Sleeps after the hit. */
    static native long sleeping(long id, int ms);

    /** What the next witness on this thread is to do as well: it happens while the caller waits for its native. */
    public static void whileInNative(Runnable action) {
        whileInNative.set(action);
    }

    /** Called by native code. */
    private static void witness(long id) {
        Witness event = new Witness();
        event.id = id;
        String frames = WALKER.walk(all -> all.skip(1)
                .map(frame -> frame.getClassName() + "." + frame.getMethodName() + ":" + Math.max(NO_LINE, frame.getLineNumber()))
                .collect(Collectors.joining(" ")));
        event.walked = numberOf(frames);
        event.commit();
        Runnable action = whileInNative.get();
        if (action != null) {
            whileInNative.remove();
            action.run();
        }
    }

    private static int numberOf(String frames) {
        Integer known = stacks.get(frames);
        if (known == null) {
            synchronized (stacks) {
                known = stacks.computeIfAbsent(frames, f -> stacks.size());
            }
        }
        return known;
    }

    /** Called by native code: down again. */
    private static long again(long id) {
        return byName(id + WAY);
    }

    /** The same for those who pass it as a callback. */
    static long up(long id) {
        return again(id);
    }

    static void commitWalked() {
        stacks.forEach((frames, walked) -> {
            Walked event = new Walked();
            event.walked = walked;
            event.frames = frames;
            event.commit();
        });
    }
}
