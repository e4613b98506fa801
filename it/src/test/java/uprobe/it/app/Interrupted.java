package uprobe.it.app;

import java.nio.file.Files;
import java.nio.file.Path;
import jdk.jfr.Recording;

/** An interrupted thread loads the library of a probe, and starts recordings while other threads come and go: it waits as any other. */
public final class Interrupted {
    private static final String LEAF = "uprobe.i.leaf";
    public static final String[] PROBES = {"c:i/leaf libprobed:probed_leaf i=$arg1:s64"};
    private static volatile boolean done;

    private static Recording started() {
        Recording r = new Recording();
        r.enable(LEAF);
        Thread.currentThread().interrupt();
        r.start();
        return r;
    }

    private static void ended(Recording r, String what) throws Exception {
        r.stop();
        Fixture.check(Thread.interrupted(), () -> "nobody has taken the interrupt: " + what);
        Path file = Files.createTempFile(Path.of("."), "ended", ".jfr");      /* not before: an interrupted thread's channel closes */
        r.dump(file);
        r.close();
        Fixture.same(1, Chunks.readAndDelete(file).of(LEAF).size(), what);
    }

    public static void main(String[] args) throws Exception {
        Recording first = started();
        Probed.leaf(1);
        ended(first, "the first call of a library that an interrupted thread loads");
        for (int i = 0; i < 2; i++) {
            Thread starter = new Thread(() -> {
                while (!done) {
                    new Thread(() -> { }).start();
                    Thread.yield();
                }
            });
            starter.setDaemon(true);
            starter.start();
        }
        for (int i = 0; i < 40; i++) {
            Recording r = started();
            Probed.leaf(i);
            ended(r, "recording " + i + " that an interrupted thread starts");
        }
        done = true;
        Fixture.ok();
    }

    private Interrupted() {}
}
