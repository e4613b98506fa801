package uprobe.it.app;

import java.io.IOException;
import java.util.List;

/**
 * Hits on threads "worker-0", "worker-1", ... that the JVM does not know, with the smallest stacks there are; at its end each calls
 * {@code probed.part.0} once. Arguments: threads, hits per thread, then any of
 * {@code blocks-all} (a thread of that name has every signal blocked, from before "ready" to the end) and {@code wait} (between "ready" and
 * the workers: until standard input ends).
 */
public final class NativeThreads {
    static {
        Fixture.load("native_threads");
    }

    private NativeThreads() {
    }

    private static native long work(int threads, int times);

    private static native boolean startBlocking();

    private static native void endBlocking();

    private static native long calls(String function);

    public static void main(String[] args) throws IOException {
        int threads = Fixture.argument(args, 0, 2), times = Fixture.argument(args, 1, 1_000);
        List<String> more = List.of(args);
        boolean blocking = more.contains("blocks-all");
        if (blocking) {
            Fixture.check(startBlocking(), () -> "the blocking thread did not start");
        }
        System.out.println("ready");
        if (more.contains("wait")) {
            System.in.transferTo(java.io.OutputStream.nullOutputStream());
        }
        Fixture.same(0, work(threads, times), "wrong results in native threads");
        if (blocking) {
            endBlocking();
        }
        Fixture.expected("probed_worker", (long) threads * times, calls("probed_worker"));
        Fixture.ok();
    }
}
