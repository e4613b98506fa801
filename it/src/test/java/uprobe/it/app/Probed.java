package uprobe.it.app;

/** The natives of libprobed.so (probed_jni.c says what each calls). */
public final class Probed {
    static {
        Fixture.load("probed");
    }

    private Probed() {
    }

    /** How often the function of this name was entered, as it counted itself; -1: there is none. */
    static native long calls(String function);

    /** probed_leaf: i * 3 + 1. */
    static native long leaf(long i);

    /** probed_leaf n times within one call: the sum for first, first + 1, ... */
    static native long times(long first, int n);

    /** As {@link #times}, with a sleep of so many microseconds behind each. */
    static native long paced(long first, int n, int us);

    /** probed_first(id), a call back into Java, probed_second(id): id * 2 + 3. */
    static native long around(long id, Runnable runnable);

    /** probed_values(a, s, b, c, request); c is unsigned. */
    static native long values(long a, String s, int b, int c, long length, boolean withPart);

    /** probed_many(first .. first + 7): two arguments are on the stack. */
    static native long many(long first);

    /** probed_floats: x * 2 + y - i. */
    static native double ofDouble(double x, float y, int i);

    /** probed_float: x * 0.5f - 1. */
    static native float ofFloat(float x);

    /** probed_narrow: x - 1. */
    static native byte ofByte(byte x);

    /** probed_bool: whether i is odd. */
    static native boolean ofBoolean(long i);

    /** probed_pointer of the handle: the same object. */
    static native Object ofObject(Object object);

    /** probed_text: a new string "odd" or "even". */
    static native String ofNewString(long i);

    /** probed_leaf, result ignored. */
    static native void ofNothing(long i);

    /** probed_before_throw, then IllegalStateException(message). */
    static native long throwing(long i, String message);

    /** probed_enter(depth), {@link #again}, probed_leave(depth). */
    static native long nested(int depth, boolean throwingAtTheBottom);

    /** Called from native code: one level deeper. */
    static long again(int depth, boolean throwingAtTheBottom) {
        if (depth > 0) {
            return nested(depth - 1, throwingAtTheBottom) + leaf(depth);
        }
        return throwingAtTheBottom ? throwing(depth, "at the bottom") : 1;
    }

    /** Itself to be probed: a + b + d. */
    static native double direct(long a, int b, double d);

    /** probed_first(id), a sleep, probed_second(id): id * 2 + 3. */
    static native long sleepBetween(long id, int ms);

    /** probed_deep: i * 2 + 9. */
    static native long atDepth(long i);

    /** probed_in_critical between GetPrimitiveArrayCritical and its release: the sum. */
    static native long critical(long[] values);

    /** probed_locked under this class's monitor: i * 17. */
    static synchronized native long locked(long i);

    /** probed_tail, entered by a jump: i * 5 + 2. */
    static native long tailCalled(long i);
}
