package uprobe.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import jdk.jfr.Recording;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeCallTableTest {
    private static final String SQUEEZE = "uprobe.sample.squeeze";

    private final NativeCallTable table = new NativeCallTable();

    private void call(String event, long nanos, String caller) {
        table.add(new NativeCallTable.Call(event, Instant.ofEpochSecond(1), Duration.ofNanos(nanos), caller, "n=" + nanos));
    }

    private void count(long second, long hits, long recorded) {
        table.add(SQUEEZE, "libsample!squeeze", Instant.ofEpochSecond(second), new NativeCallTable.Statistics(hits, recorded, 0, 0, hits - recorded, 0, 0, 0));
    }

    private static String lineWith(Object table, String text) {
        return table.toString().lines().filter(line -> line.contains(text)).findFirst().orElseThrow(() -> new AssertionError(text + " in\n" + table));
    }

    @Test
    void groupsByEventTypeWithMeanLongestShareAndTopCaller() {
        call("uprobe.z.pack", 1_000_000, "app.A.a");
        call("uprobe.z.pack", 5_000_000, "app.B.b");
        call("uprobe.z.unpack", 2_000_000, "app.C.c");
        assertEquals("uprobe.z.pack               2   3.00 ms   5.00 ms   75 %   83 %  app.B.b", lineWith(table, "uprobe.z.pack "));
        assertEquals(" ".repeat(58) + " 17 %  app.A.a", lineWith(table, "app.A.a"));
        assertEquals("uprobe.z.unpack             1   2.00 ms   2.00 ms   25 %  100 %  app.C.c", lineWith(table, "uprobe.z.unpack "));
        assertEquals("3 calls on 0 threads took 8.00 ms in all (share is of that), waits for a processor included", lineWith(table, "3 calls"));
        assertEquals("  longest  5.00 ms by app.B.b", lineWith(table, "longest  5"));
        assertEquals("           n=5000000", lineWith(table, "n=5"));
    }

    @Test
    void ranksEventsAndCallersByTimeNotByNumber() {
        for (int i = 0; i < 100; i++) {
            call("uprobe.a.often", 10, "app.Often.f");
            call("uprobe.a.both", 10, "app.Often.f");
        }
        call("uprobe.a.both", 1_000_000, "app.Once.g");
        assertTrue(table.toString().indexOf("uprobe.a.both") < table.toString().indexOf("uprobe.a.often"));
        assertTrue(lineWith(table, "uprobe.a.both ").endsWith("app.Once.g"));
    }

    @Test
    void countsCallersBeyondTheFourthTogether() {
        for (int i = 1; i <= 7; i++) {
            call(SQUEEZE, i * 1_000, "app.Caller" + i + ".f");
        }
        assertTrue(lineWith(table, "3 others").endsWith(" 21 %  3 others"));
        assertTrue(table.toString().lines().noneMatch(line -> line.contains("Caller3")));
    }

    @Test
    void noLineIsLongerThanAHundredColumns() {
        String deep = "com.example." + "deeply.".repeat(20) + "Nested.call";
        table.add(new NativeCallTable.Call("uprobe." + "g".repeat(60) + ".event", Instant.EPOCH, Duration.ofSeconds(90_000), deep, "field=1 ".repeat(30)));
        count(0, 0, 0);
        count(1, 1L << 62, 1L << 62);
        assertTrue(lineWith(table, "100 %  ...").endsWith("Nested.call"));
        table.toString().lines().forEach(line -> assertTrue(line.length() <= NativeCallTable.WIDTH, line));
    }

    @Test
    void anEmptyRecordingIsATableWithoutRows() {
        assertTrue(table.toString().contains("0 calls"));
        assertEquals(List.of("the recording has no event uprobe.sample.squeeze; its probe was not armed"), table.problems(List.of(SQUEEZE)));
    }

    @Test
    void saysWhenTheAgentCountedMoreThanTheRecordingHas() {
        call(SQUEEZE, 1, "app.A.a");
        count(0, 0, 0);
        count(2, 9, 8);
        assertEquals(List.of("the recording has 1 events uprobe.sample.squeeze, but uprobe.ProbeStatistics counted 8"),
                table.problems(List.of(SQUEEZE)));
    }

    @Test
    void aRecordingCountsFromItsFirstStatisticsToItsLastInWhateverOrderTheyAreRead() {
        call(SQUEEZE, 1, "app.A.a");
        count(2, 8, 8);
        count(1, 7, 7);
        count(0, 7, 7);
        assertEquals(List.of(), table.problems(List.of(SQUEEZE)));
    }

    /** Statistics go on over all recordings: the second one in a JVM began with what the first had counted, and was said not to be whole. */
    @Test
    void whatEarlierRecordingsCountedIsNotMissing() {
        count(0, 1_000, 999);
        call(SQUEEZE, 1, "app.A.a");
        count(2, 1_001, 1_000);
        assertEquals(List.of(), table.problems(List.of(SQUEEZE)));
        assertEquals("  hits     1 = 1 recorded + 0 dropped + 0 missed", lineWith(table, "  hits  "));
        count(3, 1_002, 1_001);
        assertEquals(List.of("the recording has 1 events uprobe.sample.squeeze, but uprobe.ProbeStatistics counted 2"), table.problems(List.of(SQUEEZE)));
    }

    /** While another recording runs, calls end in the chunk before its first statistics are made. */
    @Test
    void callsBeforeTheFirstStatisticsAreCountedThereOrWereUnfinished() {
        call(SQUEEZE, 1, "app.A.a");
        call(SQUEEZE, 1, "app.A.a");
        table.add(SQUEEZE, "libsample!squeeze", Instant.ofEpochSecond(2), new NativeCallTable.Statistics(100, 99, 0, 0, 0, 0, 0, 1));
        table.add(SQUEEZE, "libsample!squeeze", Instant.ofEpochSecond(3), new NativeCallTable.Statistics(100, 100, 0, 0, 0, 0, 0, 0));
        assertEquals(List.of(), table.problems(List.of(SQUEEZE)));
        table.add(SQUEEZE, "libsample!squeeze", Instant.ofEpochSecond(4), new NativeCallTable.Statistics(102, 102, 0, 0, 0, 0, 0, 0));
        assertEquals(1, table.problems(List.of(SQUEEZE)).size());
    }

    @Test
    void aProbeThatOnlyCountsHasNoEvents() {
        count(0, 0, 0);
        count(1, 5, 5);
        assertEquals(List.of(), table.problems(List.of()));
    }

    @Test
    void functionsOfAPatternAreCountedTogether() {
        for (String function : List.of("libsample!squeeze", "libsample!squash")) {
            table.add(SQUEEZE, function, Instant.ofEpochSecond(0), new NativeCallTable.Statistics(0, 0, 0, 0, 0, 0, 0, 0));
            table.add(SQUEEZE, function, Instant.ofEpochSecond(2), new NativeCallTable.Statistics(6, 1, 2, 1, 0, 0, 2, 0));
            call(SQUEEZE, 1, "app.A.a");
        }
        assertEquals(List.of(), table.problems(List.of(SQUEEZE)));
        assertEquals("  hits     12 = 2 recorded + 0 dropped + 0 missed + 4 filtered + 2 sampled out + 4 by the agent", lineWith(table, "  hits  "));
    }

    @Test
    void saysWhenNobodyCounted() {
        call(SQUEEZE, 1, "app.A.a");
        assertEquals(List.of("the recording has 1 events uprobe.sample.squeeze, but no uprobe.ProbeStatistics for them"),
                table.problems(List.of(SQUEEZE)));
    }

    @Test
    void theAgentsOwnEventsAreNoCalls() {
        assertTrue(NativeCallTable.isCall("uprobe.zlib.deflate"));
        assertTrue(NativeCallTable.isCall("uprobe.NativeCall"));
        assertTrue(!NativeCallTable.isCall("uprobe.ProbeStatistics"));
        assertTrue(!NativeCallTable.isCall("jdk.GCHeapSummary"));
    }

    @Test
    void durationsHaveThreeDigitsAndAUnit() {
        assertEquals("0 ns", NativeCallTable.duration(0));
        assertEquals("999 ns", NativeCallTable.duration(999));
        assertEquals("1.00 us", NativeCallTable.duration(1_000));
        assertEquals("45.4 us", NativeCallTable.duration(45_400));
        assertEquals("999 us", NativeCallTable.duration(999_499));
        assertEquals("1.00 ms", NativeCallTable.duration(999_500));
        assertEquals("10.0 ms", NativeCallTable.duration(9_996_000));
        assertEquals("2.50 s", NativeCallTable.duration(2_500_000_000L));
        assertEquals("5000 s", NativeCallTable.duration(5_000_000_000_000L));
    }

    @Test
    void readsARecordingAndBlamesTheFirstFrameOutsideTheJdk(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("sample.jfr");
        try (Recording recording = new Recording()) {
            recording.start();
            library().statistics(0, 0, 0);
            library().squeeze(1_999_993, Duration.ofMillis(20), null);
            List.of(7L).forEach(n -> library().squeeze(n, Duration.ofMillis(1), null));
            library().squeeze(8, Duration.ofMillis(1), "the thread has no Java frame");
            library().statistics(6, 3, 1);
            recording.stop();
            recording.dump(file);
        }
        NativeCallTable read = NativeCallTable.of(file);
        assertEquals(List.of(), read.problems(List.of(SQUEEZE)));
        String row = lineWith(read, ".sample.squeeze");
        assertTrue(row.startsWith("...be.sample.squeeze        3 "), row);
        assertTrue(row.endsWith("%  ...BlamesTheFirstFrameOutsideTheJdk"), row);
        assertEquals("           avail_in=1,999,993 ret=-5", lineWith(read, "avail_in"));
        assertEquals("  hits     6 = 3 recorded + 1 dropped + 2 missed", lineWith(read, "  hits  "));
        assertTrue(lineWith(read, "no Java frame").endsWith("%  ...k: the thread has no Java frame)"), read.toString());
    }

    /** A class without a package can be reached by its name only. */
    private static NativeLibrary library() {
        try {
            return (NativeLibrary) Class.forName("libsample").getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }
}
