package uprobe.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveTableTest {
    private static final String PACK = "uprobe.z.pack";
    private static final Instant START = Instant.parse("2024-01-01T00:00:00Z");

    private final LiveTable table = new LiveTable();

    private static Instant at(double seconds) {
        return START.plusNanos(Math.round(seconds * 1e9));
    }

    private void call(double end, double millis, String... stack) {
        table.add(PACK, new LiveTable.Call(at(end), Duration.ofNanos(Math.round(millis * 1e6)), "n=" + millis, List.of(stack)));
    }

    private void counted(double time, long hits) {
        table.counted(PACK, "libz!pack", at(time), hits);
    }

    /** Columns of the rows that are complete, the time left out. */
    private List<String> rows(double now) {
        return table.rows(at(now)).stream().filter(line -> line.contains(PACK)).map(line -> line.substring(10).replaceAll("  +", " | ")).toList();
    }

    @Test
    void aRowHasCallsEventsP99AndTheSlowestWithItsStack() {
        counted(0, 1_000);
        for (int i = 1; i <= 200; i++) {
            call(0.001 * i, i, "libz.pack", "app.A.a:" + i);
        }
        counted(1, 1_300);
        List<String> lines = table.rows(at(4));
        assertEquals(List.of("until", "event", "calls", "events", "p99", "slowest"), List.of(lines.get(0).split(" +")));
        assertTrue(lines.get(1).endsWith("300        200    198 ms    200 ms  n=200.0"), lines.get(1));
        assertEquals(List.of("            libz.pack", "            app.A.a:200"), lines.subList(2, lines.size()));
    }

    /** A call that ended first may be handed out last, in another flush; a row that is closed too early counts it in the wrong second. */
    @Test
    void callsBelongToTheSecondInWhichTheyEndedInWhateverOrderTheyCome() {
        counted(0, 0);
        call(1.2, 1);
        counted(1, 2);
        assertEquals(List.of(), rows(1.1));
        call(0.9, 900);
        counted(2, 3);
        call(0.1, 2);
        assertEquals(List.of(), rows(3.9));
        assertEquals(List.of(PACK + " | 2 | 2 | 900 ms | 900 ms | n=900.0"), rows(4));
        assertEquals(List.of(PACK + " | 1 | 1 | 1.00 ms | 1.00 ms | n=1.0"), rows(5));
        assertEquals(List.of(PACK + ": 3 calls, 3 events in all"), table.end());
    }

    @Test
    void whatComesAfterItsRowIsCountedAsLate() {
        counted(0, 0);
        counted(1, 1);
        assertEquals(List.of(PACK + " | 1 | 0 | - | -"), rows(4));
        call(0.5, 1);
        assertEquals(List.of(PACK + ": 1 calls, 0 events in all; 1 came too late for their row"), table.end());
    }

    @Test
    void statisticsOfAllFunctionsOfAPatternAreOneRow() {
        table.counted(PACK, "libz!a", at(0), 10);
        table.counted(PACK, "libz!b", at(0.01), 20);
        table.counted(PACK, "libz!a", at(1), 11);
        table.counted(PACK, "libz!b", at(1.01), 22);
        assertEquals(List.of(PACK + " | 3 | 0 | - | -"), rows(10));
    }

    /** JFR makes them at the end of a chunk as well, which any recording that starts or stops brings about. */
    @Test
    void statisticsOutOfTurnMakeNoRowOfTheirOwn() {
        counted(0, 0);
        counted(1, 5);
        counted(1.3, 6);
        counted(2.3, 9);
        assertEquals(List.of(PACK + " | 5 | 0 | - | -", PACK + " | 4 | 0 | - | -"), rows(10));
    }

    @Test
    void callsFromBeforeTheFirstStatisticsAreInNoRow() {
        call(0.5, 1);
        counted(1, 7);
        call(1.5, 2);
        counted(2, 8);
        assertEquals(List.of(PACK + " | 1 | 1 | 2.00 ms | 2.00 ms | n=2.0"), rows(10));
    }

    /** Events as the agent's, made by the test; the statistics that JFR would ask the agent for are made here too. */
    @Test
    void aStreamOfTheApplicationsOwnEventsBecomesRows() throws Exception {
        NativeLibrary library = (NativeLibrary) Class.forName("libsample").getDeclaredConstructor().newInstance();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LiveView view = LiveView.start(new PrintStream(out, true));
        try {
            library.statistics(0, 0, 0);
            Thread.sleep(200);
            for (int i = 0; i < 50; i++) {
                library.squeeze(i, Duration.ofMillis(i == 33 ? 20 : 0), null);
            }
            Thread.sleep(1_000);
            library.statistics(60, 50, 0);
        } finally {
            view.close();
        }
        String printed = out.toString();
        assertTrue(printed.contains("uprobe.sample.squeeze: 60 calls, 50 events in all"), printed);
        assertTrue(printed.lines().anyMatch(line -> line.contains("uprobe.sample.squeeze") && line.contains("avail_in=33 ret=-5")), printed);
        assertTrue(printed.contains("libsample.squeeze:")
                && printed.contains("uprobe.samples.LiveTableTest.aStreamOfTheApplicationsOwnEventsBecomesRows:"), printed);
    }
}
