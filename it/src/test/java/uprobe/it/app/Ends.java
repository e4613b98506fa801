package uprobe.it.app;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLongArray;
import jdk.jfr.Recording;

/**
 * A JVM that ends in the way of its argument while threads go on calling, one of them inside a native call that never returns. The agent has a recording,
 * {@link #PROBES}, and the program one of its own, {@code own.jfr}. Prints "made THREAD COUNT" for calls that had returned before the end began.
 */
public final class Ends {
    public static final String LEAF = "uprobe.e.leaf", FIRST = "uprobe.e.first", AROUND = "uprobe.e.around";
    public static final String[] PROBES = {"c:e/leaf libprobed:probed_leaf i=$arg1:s64", "p:e/first libprobed:probed_first id=$arg1:s64", "c:e/around libprobed:Java_*_Probed_around"};
    public static final int CALLERS = 2;
    public static final long THREAD = 1_000_000_000, INSIDE = 77;

    private static final AtomicLongArray made = new AtomicLongArray(CALLERS);

    private static void call(int thread) {
        for (long i = 0;; i++) {
            Probed.leaf(thread * THREAD + i);
            made.set(thread, i + 1);
            if (i % 50 == 49) {
                pause(1);
            }
        }
    }

    private static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException end) {
            throw new IllegalStateException(end);
        }
    }

    private static void daemon(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void tell() {
        for (int i = 0; i < CALLERS; i++) {
            System.out.println("made " + i + " " + made.get(i));
        }
    }

    public static void main(String[] args) throws Exception {
        Probed.leaf(-1);
        Recording own = new Recording();
        own.setDestination(Path.of("own.jfr"));
        own.setDumpOnExit(true);
        own.start();
        for (int i = 0; i < CALLERS; i++) {
            int thread = i;
            daemon("caller-" + i, () -> call(thread));
        }
        CountDownLatch inside = new CountDownLatch(1);
        daemon("inside", () -> Probed.around(INSIDE, () -> {
            inside.countDown();
            pause(600_000);
        }));
        inside.await();
        pause(1000);
        switch (args[0]) {
            case "exit" -> {
                tell();
                System.exit(0);
            }
            case "sigterm" -> {
                tell();
                new ProcessBuilder("kill", "-TERM", "" + ProcessHandle.current().pid()).start().waitFor();
                pause(60_000);
            }
            case "uncaught" -> {
                tell();
                throw new IllegalStateException("meant to be seen");
            }
            case "last" -> new Thread(() -> {
                pause(200);
                tell();
            }, "last").start();
            case "halt" -> {
                tell();
                pause(3000);        /* JFR writes what it has every second */
                Runtime.getRuntime().halt(0);
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private Ends() {}
}
