package uprobe.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static uprobe.agent.report.NativeLibrary.LIBZ;
import static uprobe.agent.report.Reported.record;
import static uprobe.agent.report.Reported.row;

import app.Archive;
import com.grack.nanojson.JsonObject;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import jdk.jfr.Event;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.Driver;

/** What the tables say, against what the JDK's own parser reads of the same file. */
class ReportTest {
    /** Two durations of two parsers differ by less, as one of them cuts off. */
    private static final long NANOS_OF_ROUNDING = 2;

    @TempDir
    static Path folder;

    @BeforeAll
    static void inEnglish() {
        Locale.setDefault(Locale.ENGLISH);
    }

    private static Path file(String name) {
        return folder.resolve(name + ".jfr");
    }

    private static List<Long> nanos(Path file, Predicate<RecordedEvent> which) throws Exception {
        return RecordingFile.readAllEvents(file).stream().filter(which).map(event -> event.getDuration().toNanos()).sorted().toList();
    }

    private static Predicate<RecordedEvent> of(String type) {
        return event -> event.getEventType().getName().equals("uprobe." + type);
    }

    private static Predicate<RecordedEvent> calledBy(String method) {
        return event -> event.getStackTrace().getFrames().get(1).getMethod().getName().equals(method);
    }

    private static long sum(List<Long> numbers) {
        return numbers.stream().mapToLong(Long::longValue).sum();
    }

    private static void assertSame(List<Long> nanos, JsonObject row) {
        assertEquals(nanos.size(), row.getInt("calls"), row.toString());
        assertEquals(sum(nanos), row.getLong("totalNanos"), NANOS_OF_ROUNDING * nanos.size());
        assertEquals(nanos.get(nanos.size() - 1), row.getLong("longestNanos"), NANOS_OF_ROUNDING);
        for (int percent : new int[] {50, 90, 99}) {
            long exact = nanos.get((int) Math.ceil(percent / 100.0 * nanos.size()) - 1);
            assertEquals(exact, row.getLong("p" + percent + "Nanos"), NANOS_OF_ROUNDING + exact / 100.0, "p" + percent);
        }
    }

    @Test
    void addsUpCallsByFunctionAndByCaller() throws Exception {
        Path file = record(file("calls"), () -> {
            Archive.pack(300, 1000);
            Archive.packAll(List.of(1999993L, 17L));
            Archive.read(5);
        });
        JsonObject json = Reported.json(file);
        assertSame(nanos(file, of("zlib.deflate")), row(json, "byFunction", "function", "libz.deflate"));
        assertSame(nanos(file, of("zlib.deflate").and(calledBy("pack"))), row(json, "byCaller", "caller", "app.Archive.pack"));
        JsonObject all = row(json, "byBoth", "caller", "app.Archive.packAll");
        assertEquals(2, all.getInt("calls"), "called through the JDK's forEach");
        assertEquals("libz.deflate", all.getString("function"));
        assertEquals("avail_in=1999993 ret=-5", all.getString("longestValues"));
    }

    @Test
    void selfTimeIsWithoutThatOfProbedFunctionsInside() throws Exception {
        Path file = record(file("nested"), () -> Archive.read(100));
        long outer = sum(nanos(file, of("zlib.inflate"))), inner = sum(nanos(file, of("zlib.crc32")));
        JsonObject json = Reported.json(file);
        assertEquals(outer - inner, row(json, "byFunction", "function", "libz.inflate").getLong("selfNanos"), 1000);
        assertEquals(inner, row(json, "byFunction", "function", "libz.crc32").getLong("selfNanos"), 1000);
        JsonObject caller = row(json, "byCaller", "caller", "app.Archive.read");
        assertEquals(outer, caller.getLong("selfNanos"), 1000, "what was inside is counted once");
        assertEquals(300, caller.getInt("calls"));
    }

    @Test
    void driversAreNoCallers() throws Exception {
        Path file = record(file("drivers"), Driver::step);
        String itself = "uprobe.agent.report.ReportTest";
        String caller = Reported.json(file).getArray("byCaller").getObject(0).getString("caller");
        assertFalse(caller.startsWith("org.sqlite"), caller);
        assertEquals("org.sqlite.Driver.step", Reported.json(file, "--driver", "none").getArray("byCaller").getObject(0).getString("caller"));
        assertTrue(Reported.json(file, "--driver", "none", "--driver", "org.sq").getArray("byCaller").getObject(0).getString("caller").startsWith("org.sqlite"),
                "a prefix ends where a name does");
        caller = Reported.json(file, "--driver", itself, "--driver", "uprobe.agent.report.Reported").getArray("byCaller").getObject(0).getString("caller");
        assertTrue(caller.startsWith("org.junit."), caller);
    }

    @Test
    void hitsWithoutTheirCallersStackSayWhy() throws Exception {
        Path file = record(file("drained"), () -> {
            LIBZ.drained("native thread");
            LIBZ.drained("ring full");
        });
        JsonObject json = Reported.json(file);
        assertEquals("libz.drained", row(json, "byBoth", "caller", "(no Java caller: native thread)").getString("function"));
        assertEquals(1, row(json, "byCaller", "caller", "(no Java caller: ring full)").getInt("calls"));
    }

    @Test
    void withoutStacksFunctionsAreNamedByTheirTypeOrField() throws Exception {
        Path file = file("stackless");
        try (Recording recording = new Recording()) {
            recording.enable("uprobe.zlib.deflate").withoutStackTrace();
            recording.enable("uprobe.NativeCall").withoutStackTrace();
            recording.start();
            LIBZ.deflate(10);
            LIBZ.pattern("adler32");
            LIBZ.pattern("adler32_z");
            recording.stop();
            recording.dump(file);
        }
        JsonObject json = Reported.json(file);
        for (String function : List.of("zlib.deflate", "libz.so.1.adler32", "libz.so.1.adler32_z")) {
            assertEquals("(no stack recorded)", row(json, "byBoth", "function", function).getString("caller"));
        }
    }

    @Test
    void instantHitsHaveNoTimes() throws Exception {
        JsonObject row = row(Reported.json(record(file("instant"), () -> LIBZ.free(16))), "byFunction", "function", "libz.free");
        assertEquals(1, row.getInt("calls"));
        assertNull(row.get("totalNanos"));
        assertNull(row.get("longestNanos"));
    }

    @Test
    void sumsFieldsWhereTheyAre() throws Exception {
        Path file = record(file("sums"), () -> {
            Archive.pack(3, 1999993);
            Archive.read(1);
        });
        JsonObject json = Reported.json(file, "--sum", "avail_in", "--sum", "ret");
        JsonObject deflate = row(json, "byFunction", "function", "libz.deflate");
        assertEquals(3 * 1999993, deflate.getLong("sum.avail_in"));
        assertEquals(3 * -5, deflate.getLong("sum.ret"));
        assertNull(row(json, "byFunction", "function", "libz.inflate").get("sum.avail_in"));
        assertTrue(Reported.of(file, "--sum", "avail_in").out().contains(" 6.00 MB "));
    }

    @Test
    void whatCouldNotBeReadIsMarked() throws Exception {
        Path file = record(file("missing"), LIBZ::deflateUnread);
        JsonObject json = Reported.json(file);
        assertEquals("avail_in=? ret=?", json.getArray("byFunction").getObject(0).getString("longestValues"));
        assertTrue(json.getArray("notes").toString().contains("1 events have values that could not be read"), json.toString());
    }

    @Test
    void callsWithoutAnEndAreCountedAndSaid() throws Exception {
        Path file = record(file("unreturned"), LIBZ::neverReturns);
        JsonObject json = Reported.json(file);
        assertEquals(1, json.getArray("byFunction").getObject(0).getInt("calls"));
        assertTrue(json.getArray("notes").toString().contains("1 calls were left by an exception"), json.toString());
        assertFalse(json.getArray("notes").toString().contains("could not be read"), json.toString());
    }

    @Test
    void pairsWhatWasOpenedAndNeverClosed() throws Exception {
        Path file = record(file("pairs"), () -> {
            Archive.allocate(1999993, 0x10);
            Archive.allocate(7, 0x20);
            LIBZ.free(0x20);
            LIBZ.free(0);
            Archive.allocateOther(5, 0x20);
            Archive.allocateOther(3, 0);
            Archive.allocate(11, 0x30);
            LIBZ.free(0x30);
        });
        JsonObject json = Reported.json(file, "--pair", "malloc:ret", "libc.free:ptr", "--sum", "size");
        JsonObject row = row(json, "open", "caller", "app.Archive.allocate");
        assertEquals(List.of(3, 1, 1999993), List.of(row.getInt("opened"), row.getInt("open"), row.getInt("open.size")));
        row = row(json, "open", "caller", "app.Archive.allocateOther");
        assertEquals(List.of(1, 1, 5), List.of(row.getInt("opened"), row.getInt("open"), row.getInt("open.size")));
        assertTrue(json.getArray("notes").toString().contains("malloc:ret opened 4, libc.free:ptr closed 2; 2 are open at the end"), json.toString());
    }

    @Test
    void chunksAndFilesAreOne() throws Exception {
        Path two = record(file("chunks"), () -> {
            Archive.pack(10, 100);
            try (Recording begins = new Recording()) {
                begins.start();         /* a new chunk */
                Archive.pack(10, 100);
            }
            Archive.pack(10, 100);
        });
        Path other = record(file("other"), () -> Archive.pack(4, 100));
        JsonObject json = Reported.json(two, other);
        assertEquals(34, row(json, "byCaller", "caller", "app.Archive.pack").getInt("calls"));
        assertTrue(json.getString("header").matches(".*\\(2 files, [4-9] chunks\\)"), json.getString("header"));
    }

    /** A probe has a type for each library's stem, and they may have one name: one.jfr's reader would know the last. */
    @Test
    void typesOfOneNameAreAllRead() throws Exception {
        List<Class<? extends Event>> types = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            types.add(new ClassLoader(ReportTest.class.getClassLoader()) {
                @Override
                protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
                    if (!name.equals("uprobe.agent.report.ProbeEvents$Crc32")) {
                        return super.loadClass(name, resolve);
                    }
                    try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
                        byte[] bytes = in.readAllBytes();
                        return defineClass(name, bytes, 0, bytes.length);
                    } catch (java.io.IOException e) {
                        throw new ClassNotFoundException(name, e);
                    }
                }
            }.loadClass("uprobe.agent.report.ProbeEvents$Crc32").asSubclass(Event.class));
        }
        Path file = record(file("twins"), () -> {
            for (Class<? extends Event> type : types) {
                type.getConstructor().newInstance().commit();
            }
        });
        assertEquals(2, RecordingFile.readAllEvents(file).stream().filter(of("zlib.crc32")).count());
        assertTrue(Reported.json(file).getString("header").startsWith("2 events of 1 probe "));
    }

    /** one.jfr's reader refills its buffer of 2 MB where less than 68 bytes are left: an event of more failed there. */
    @Test
    void longEventsAreReadWhereverTheyLie() throws Exception {
        int events = 40_000;
        Path file = record(file("long"), () -> {
            for (int i = 0; i < events; i++) {
                LIBZ.pattern("_ZN7rocksdb13DBImplReadOnly3GetERKNS_11ReadOptionsEPNS_18ColumnFamilyHandleE" + i);
            }
        });
        assertEquals(events, Reported.json(file).getArray("byFunction").getObject(0).getInt("calls"));
    }

    @Test
    void whatIsLostLeftOutOrRefusedIsSaid() throws Exception {
        Path file = record(file("losses"), () -> {
            statistics(1000, 900, 0);
            statistics(1100, 950, 20);
            Archive.pack(1, 10);
            for (int i = 0; i < 2; i++) {
                ProbeEvents.DataLoss loss = new ProbeEvents.DataLoss();
                loss.count = 10;
                loss.commit();
                new ProbeEvents.ProbeRefused().commit();
            }
        });
        JsonObject json = Reported.json(file);
        JsonObject hits = json.getArray("hits").getObject(0);
        assertEquals(List.of(100, 50, 20, 30, 1), List.of(hits.getInt("hits"), hits.getInt("recorded"), hits.getInt("dropped"), hits.getInt("filtered"),
                hits.getInt("events")), "newest less first");
        assertEquals(20, json.getArray("losses").getObject(0).getInt("count"));
        assertEquals(1, json.getArray("refused").size());
        String text = Reported.of(file).out();
        for (String said : List.of("20 hits were lost", "20 of them were dropped: raise ring=", "30 of 100 hits were left out by a condition",
                "1 probe was refused.", "returns twice", "ring full")) {
            assertTrue(text.contains(said), said + " in " + text);
        }
    }

    private static void statistics(long hits, long recorded, long dropped) {
        ProbeEvents.ProbeStatistics event = new ProbeEvents.ProbeStatistics();
        event.probe = "uprobe.zlib.deflate";
        event.hits = hits;
        event.recorded = recorded;
        event.dropped = dropped;
        event.filtered = hits - recorded - dropped - 100;
        event.sampledOut = 100;
        event.timed = recorded;
        event.totalTime = 1999993;
        event.max = 77;
        event.commit();
    }

    @Test
    void ticksBecomeTime() throws Exception {
        Path file = record(file("ticks"), () -> statistics(1000, 900, 0));
        RecordedEvent event = RecordingFile.readAllEvents(file).stream().filter(of("ProbeStatistics")).findFirst().orElseThrow();
        JsonObject row = Reported.json(file).getArray("latencies").getObject(0);
        assertEquals(event.getDuration("totalTime").toNanos(), row.getLong("totalNanos"), NANOS_OF_ROUNDING);
        assertEquals(event.getDuration("max").toNanos(), row.getLong("longestNanos"), NANOS_OF_ROUNDING);
    }

    @Test
    void theDefaultOutputEndsWithTheWayToMissionControl() throws Exception {
        Path file = record(file("default"), () -> Archive.pack(30, 10));
        Reported reported = Reported.of(file, "--top", "1");
        assertEquals(0, reported.exit());
        assertTrue(reported.out().endsWith("Mission Control shows this as well: put jmc-plugin-*.jar into its dropins folder\n"), reported.out());
        assertTrue(reported.out().contains("By function\n function     | calls | "), reported.out());
        assertTrue(reported.out().contains("whether hits are missing can not be told"), "no statistics, and that is said");
        assertFalse(reported.out().contains("\u001b"), "colours go to terminals only");
        assertFalse(Reported.of(file, "--by", "caller").out().contains("By function"));
    }

    @Test
    void rulesDecideTheExitCode() throws Exception {
        Path file = record(file("rules"), () -> Archive.pack(1, 3_000_000));
        Reported reported = Reported.of(file, "--fail-on", "warning");
        assertTrue(reported.out().contains("app.Archive.pack spends "), reported.out());
        assertEquals(reported.out().contains(" WARNING ") ? 3 : 0, reported.exit());
        assertEquals(3, Reported.of(file, "--fail-on", "info").exit(), reported.out());
        assertEquals(0, Reported.of(file, "--rules").exit());
        Path free = record(file("free"), () -> LIBZ.free(1));
        assertEquals(0, Reported.of(free, "--fail-on", "info").exit());
    }
}
