package uprobe.probe;

/**
 * What a {@link CommitMethod} is called for: asked by it, on its thread, before anything else. Elsewhere there is no record to be told of.
 *
 * <p>The methods take no arguments because a stack trace shows a method with its parameters, and native functions have none of Java's types.
 */
public final class HitRun {
    /** The run of records: what {@link #offset}, {@link #count} and {@link #isDrained} take apart. */
    public static native long now();

    /** Where the first record lies in {@link ProbeEngine#records()}; the others follow by their {@link HitRecordDescriptor#LENGTH}. */
    public static int offset(long run) {
        return (int) (run >>> 32) & Integer.MAX_VALUE;
    }

    /** How many records there are, all of one probe. */
    public static int count(long run) {
        return (int) run;
    }

    /** Whether the drain thread brings them; else the thread that made the hits is the caller, and what follows is 0 or null. */
    public static boolean isDrained(long run) {
        return run < 0;
    }

    /** The kernel's id of the thread that made the hits. */
    public static native long nativeThreadId();

    /** That thread's name, as the kernel has it. */
    public static native String nativeThreadName();

    /** Its java.lang.Thread's id; 0: none or unknown. */
    public static native long javaThreadId();

    /** Why the hits were left to the drain thread. */
    public static native String drained();

    private HitRun() {}
}
