package uprobe.it.app;

import java.util.concurrent.atomic.LongAdder;

/**
 * Native threads attach to the JVM and detach again, with hits before, within and after. Arguments: threads, rounds, then any of
 * {@code daemon} (AttachCurrentThreadAsDaemon) and {@code destructor} (a hit in a TLS destructor of each thread).
 */
public final class AttachDetach {
    static {
        Fixture.load("attach_detach");
    }

    private static final LongAdder fromNative = new LongAdder();

    private AttachDetach() {
    }

    private static native long comeAndGo(int threads, int rounds, boolean daemon, boolean inDestructor);

    private static native long attached(long i, long javaId);

    private static native long calls(String function);

    /** Called by the native threads once they are attached: the number by which JFR and a probe's event name them. */
    private static long javaId() {
        return Thread.currentThread().getId();
    }

    /** Called by the native threads while attached. */
    private static long fromNative(long i) {
        fromNative.increment();
        Fixture.check(Thread.currentThread().getName().startsWith("attached-"), () -> "on " + Thread.currentThread());
        return attached(i, javaId());
    }

    public static void main(String[] args) {
        int threads = Fixture.argument(args, 0, 4), rounds = Fixture.argument(args, 1, 1_000);
        java.util.List<String> more = java.util.List.of(args);
        boolean inDestructor = more.contains("destructor");
        Fixture.same(0, comeAndGo(threads, rounds, more.contains("daemon"), inDestructor), "wrong results in native threads");
        long n = (long) threads * rounds;
        Fixture.same(n, fromNative.sum(), "calls into Java");
        Fixture.expected("probed_detached", 2 * n, calls("probed_detached"));
        Fixture.expected("probed_attached", 3 * n, calls("probed_attached"));
        Fixture.expected("probed_in_destructor", inDestructor ? threads : 0, calls("probed_in_destructor"));
        System.out.println("expected withJavaStack " + n);
        Fixture.ok();
    }
}
