package uprobe.it.app;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import jdk.jfr.Recording;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/**
 * Has all functions of a library armed by a recording that starts, makes known numbers of calls, and looks at the text once it has stopped. The probes are
 * ready before: what is timed is arming alone.
 */
public final class WholeLibraries {
    public static final int CALLS = 1_000;

    private interface Work {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("rocksdb")) {
            RocksDB.loadLibrary();
            try (Options options = new Options().setCreateIfMissing(true); RocksDB db = RocksDB.open(options, Path.of("db").toAbsolutePath().toString())) {
                recorded(() -> {
                    for (int i = 0; i < CALLS; i++) {
                        db.put(("key" + i).getBytes(), ("value" + i).getBytes());
                    }
                    for (int i = 0; i < CALLS; i++) {
                        Fixture.check(new String(db.get(("key" + i).getBytes())).equals("value" + i), () -> "another value");
                    }
                });
            }
        } else {
            recorded(() -> {
                long most = 0;
                for (int i = 0; i < CALLS; i++) {
                    most = Math.max(most, Runtime.getRuntime().totalMemory());
                }
                Fixture.check(most > 0, () -> "no memory");
            });
        }
        Fixture.ok();
    }

    private static void recorded(Work work) throws Exception {
        Map<String, Integer> before = text();
        try (Recording recording = new Recording()) {
            long start = System.nanoTime();
            recording.start();
            long armed = System.nanoTime();
            work.run();
            long worked = System.nanoTime();
            recording.stop();
            System.out.printf("armed after %d ms, worked for %d ms, stopped after %d ms%n", (armed - start) / 1_000_000, (worked - armed) / 1_000_000,
                    (System.nanoTime() - worked) / 1_000_000);
            recording.dump(Path.of("whole.jfr"));
        }
        Map<String, Integer> after = text();
        after.keySet().removeIf(file -> file.startsWith("libc.so") || file.startsWith("ld-linux"));     /* what keeps SIGTRAP open there stays */
        Fixture.check(before.equals(after), () -> "text differs from the files: " + before + " before, " + after + " now");
    }

    private static Map<String, Integer> text() throws Exception {
        Map<String, Integer> different = new HashMap<>();
        TextOfLibraries.compareAll(different::put);
        different.keySet().removeIf(file -> file.startsWith("libc.so") || file.startsWith("ld-linux"));
        return different;
    }

    private WholeLibraries() {}
}
