package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.rocksdb.RocksDB;
import uprobe.it.app.WholeLibraries;

/** All functions of large libraries, ready and armed in batches: the thread that started a recording used to go on unprobed after many seconds. */
class ArmingIT {
    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void allOfRocksdbIsCountedExactlyAndItsTextIsRestored(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, WholeLibraries.class).withLibrary(RocksDB.class).withoutRecording()
                .probes("c librocksdbjni*:* mode=count", "sites=all").seconds(300).run("rocksdb").ok();
        int functions = assertCounted(outcome, "Java_org_rocksdb_RocksDB_put__J_3BII_3BII", "Java_org_rocksdb_RocksDB_get__J_3BII");
        assertTrue(functions > 14_000, functions + " functions");
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void allOfLibjvmIsCountedExactlyAndItsTextIsRestored(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, WholeLibraries.class).withLibrary(RocksDB.class).withoutRecording()
                .probes("c libjvm:* mode=count", "sites=all").seconds(300).run("libjvm").ok();
        int functions = assertCounted(outcome, "JVM_TotalMemory");
        assertTrue(functions > 30_000, functions + " functions");
    }

    /** Returns how many functions there are. No times are asserted: they are printed. */
    private static int assertCounted(ChildJvm.Outcome outcome, String... witnesses) throws Exception {
        Recorded recorded = Recorded.read(outcome.folder().resolve("whole.jfr"));
        for (String witness : witnesses) {
            RecordedEvent last = recorded.lastStatistics("symbol", witness);
            assertEquals(WholeLibraries.CALLS, last.getLong("hits"), witness);
            assertEquals(last.getLong("hits"), last.getLong("recorded"), witness);
        }
        int functions = (int) recorded.of("uprobe.ProbeStatistics").stream().map(e -> e.getString("symbol") + "@" + e.getString("library")).distinct().count();
        System.out.println(outcome.jdk() + ": " + functions + " functions, " + outcome.out().lines().filter(line -> line.startsWith("armed")).findFirst().orElse(""));
        outcome.forget();
        return functions;
    }
}
