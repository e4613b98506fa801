package uprobe.jfr;

import uprobe.probe.HitRun;

/** What the drain thread tells of the thread that made the hits: see {@link HitRun}. Public because commit methods live in class loaders of their own. */
public record HitThread(long nativeId, String nativeName, long javaId, String drained) {
    /** null if the hits' own thread commits them. */
    public static HitThread of(long run) {
        return HitRun.isDrained(run) ? new HitThread(HitRun.nativeThreadId(), HitRun.nativeThreadName(), HitRun.javaThreadId(), HitRun.drained()) : null;
    }
}
