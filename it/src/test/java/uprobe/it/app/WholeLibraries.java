package uprobe.it.app;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import jdk.jfr.Recording;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/**
 * Has all functions of a library armed by a recording that starts, makes known numbers of calls, and looks at the text once it has stopped. What it prints:
 * how long loading the library took, and the start of the recording, in which its probes are made ready and armed.
 */
public final class WholeLibraries {
    public static final int CALLS = 1_000;

    private interface Work {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("rocksdb")) {
            loaded(RocksDB::loadLibrary);
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
        } else if (args[0].equals("duckdb")) {      /* its jar is brought by who measures: it has 70 MB */
            Connection[] database = new Connection[1];
            loaded(() -> database[0] = DriverManager.getConnection("jdbc:duckdb:"));
            try (Statement statement = database[0].createStatement()) {
                recorded(() -> {
                    try (ResultSet sum = statement.executeQuery("select sum(range) from range(100000)")) {
                        Fixture.check(sum.next() && sum.getLong(1) == 4_999_950_000L, () -> "another sum");
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

    private static void loaded(Work load) throws Exception {
        long start = System.nanoTime();
        load.run();
        System.out.printf("loaded after %d ms%n", (System.nanoTime() - start) / 1_000_000);
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
        Fixture.check(before.equals(after), () -> "text differs from the files: " + before + " before, " + after + " now");
    }

    private static Map<String, Integer> text() throws Exception {
        Map<String, Integer> different = new HashMap<>();
        TextOfLibraries.compareAll(different::put);
        different.keySet().removeIf(file -> file.startsWith("libc.so") || file.startsWith("ld-linux"));     /* what keeps SIGTRAP open there stays */
        return different;
    }

    private WholeLibraries() {}
}
