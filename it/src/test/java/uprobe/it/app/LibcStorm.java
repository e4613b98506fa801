package uprobe.it.app;

import java.util.List;

/**
 * All that libc does with every signal blocked: {@code LibcStorm THREADS CHILDREN}. Threads end sixty at a time; each kind of child is made so
 * often, the other things a tenth of that. Java's own threads and processes run beside. Meanwhile somebody reads the masks of all threads.
 */
public final class LibcStorm {
    private static final int TOGETHER = 60;
    private static final List<String> WHAT = List.of("posix_spawn", "vfork", "fork", "system", "popen", "abort", "SIGEV_THREAD", "aio", "getaddrinfo_a", "raise",
            "pthread_cancel", "swapcontext");
    private static final int KINDS_OF_CHILDREN = 5;

    private static native void lookBegin();

    private static native long lookEnd();

    private static native int threads(int together);

    private static native int run(int what);

    private static native long witnessed();

    private LibcStorm() {
    }

    public static void main(String[] args) throws Exception {
        int threads = Fixture.argument(args, 0, 120), children = Fixture.argument(args, 1, 10);
        Fixture.load("whole_libc");
        lookBegin();
        for (int born = 0; born < threads; born += TOGETHER) {
            Fixture.same(0, threads(TOGETHER), "wrong results in threads");
        }
        Fixture.together(TOGETHER, thread -> Fixture.check(new byte[1 << 10].length > 0, () -> "no memory"));
        for (int what = 0; what < WHAT.size(); what++) {
            for (int i = 0, times = what < KINDS_OF_CHILDREN ? children : Math.max(1, children / 10); i < times; i++) {
                Fixture.same(0, run(what), WHAT.get(what));
            }
        }
        for (int i = 0; i < children; i++) {
            int number = i;
            Process echo = new ProcessBuilder("echo", "child " + number).start();
            String said = new String(echo.getInputStream().readAllBytes());
            Fixture.check(said.equals("child " + number + "\n"), () -> "echo said " + said);
            Fixture.same(0, echo.waitFor(), "ProcessBuilder");
        }
        long looks = lookEnd();
        Fixture.check(looks > 0, () -> "SIGTRAP was blocked in " + -looks + " of the masks that were read");
        System.out.println("looks " + looks);
        System.out.println("expected storm_witness " + witnessed());
        Fixture.ok();
    }
}
