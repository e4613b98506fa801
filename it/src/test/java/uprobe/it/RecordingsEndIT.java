package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.Chunks;
import uprobe.it.app.Ends;
import uprobe.it.app.Guarded;
import uprobe.it.app.Keeping;

/** No recording loses what has happened, and its file is whole, whatever ends it. */
class RecordingsEndIT {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final long CALLS_AT_FULL_SPEED = STORM ? 5_000_000 : 500_000;

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    private static Stream<Arguments> each(String... cases) {
        return jdks().flatMap(jdk -> Stream.of(cases).map(name -> Arguments.of(jdk, name)));
    }

    static Stream<Arguments> whileItRuns() {
        return each("chunks load limited", "dump", "back thousand", "several", "streams native", "threads");
    }

    static Stream<Arguments> ends() {
        return each("exit", "sigterm", "uncaught", "last");
    }

    private static ChildJvm keeping(Jdk jdk) {
        return ChildJvm.of(jdk, Keeping.class).withoutRecording().probes(Keeping.PROBES).probes("guard=off", "quiet");
    }

    @ParameterizedTest
    @MethodSource("whileItRuns")
    void everyHitIsInItOnce(Jdk jdk, String cases) throws Exception {
        print(jdk, keeping(jdk).seconds(300).run(cases.split(" ")).ok());
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void smallChunksHoldAsMuchAsLargeOnes(Jdk jdk) throws Exception {
        print(jdk, keeping(jdk).options("-XX:FlightRecorderOptions:maxchunksize=1m").run("size", "chunks").ok());
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void atFullSpeedEveryHitIsAnEventOrCounted(Jdk jdk) throws Exception {
        print(jdk, keeping(jdk).options("-Dcalls=" + CALLS_AT_FULL_SPEED).seconds(STORM ? 1800 : 300).run("fast").ok());
    }

    private static void print(Jdk jdk, ChildJvm.Outcome outcome) throws IOException {
        outcome.out().lines().forEach(line -> System.out.println(jdk + ": " + line));
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("ends")
    void whateverEndsTheJvm(Jdk jdk, String end) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Ends.class).probes(Ends.PROBES).probes("guard=off").run(end);
        Map<String, Integer> exits = Map.of("exit", 0, "sigterm", 143, "uncaught", 1, "last", 0);
        assertEquals(exits.get(end), outcome.exit(), outcome.err());
        assertTrue(!Files.exists(outcome.folder().resolve("hs_err.log")), "no crash");
        for (String file : List.of("out.jfr", "own.jfr")) {
            Chunks chunks = Chunks.read(outcome.folder().resolve(file));
            long before = assertAllMade(outcome, chunks, file, file.equals("out.jfr"));
            assertEquals(Set.of(Ends.INSIDE), chunks.distinct(Ends.FIRST, "id"), file);
            RecordedEvent inside = chunks.of(Ends.FIRST).get(0);
            assertEquals("inside", inside.getString("nativeThreadName"));
            assertTrue(inside.getLong("javaThreadId") > 0);
            assertEquals(0, chunks.of(Ends.AROUND).size(), "it never returned");
            assertEquals(1, chunks.last(Ends.AROUND, "hits"), file);
            assertEquals(1, chunks.last(Ends.AROUND, "unfinished"), file);
            /* threads go on while the last numbers are told: what they still make may be in the file, and needs not */
            long recorded = chunks.last(Ends.LEAF, "recorded"), events = chunks.of(Ends.LEAF).size();
            assertTrue(file.equals("own.jfr") || events >= recorded, events + " events of " + recorded + " in " + file);
            assertEquals(0, chunks.last(Ends.LEAF, "dropped") + chunks.last(Ends.LEAF, "missed") + chunks.last(Ends.LEAF, "filtered"), file);
            System.out.println(jdk + ", " + end + ", " + file + ": " + before + " calls before the end, " + events + " events, " + recorded + " told");
        }
        outcome.forget();
    }

    /** Calls that had returned when the end began. Returns how many. */
    private static long assertAllMade(ChildJvm.Outcome outcome, Chunks chunks, String file, boolean fromTheStart) {
        Set<Long> seen = chunks.distinct(Ends.LEAF, "i");
        assertEquals(fromTheStart, seen.contains(-1L), file + " and the call before it");
        long all = 0;
        for (int thread = 0; thread < Ends.CALLERS; thread++) {
            long made = outcome.number("made " + thread);
            assertTrue(made > 100, made + " calls");
            for (long i = 0; i < made; i++) {
                assertTrue(seen.contains(thread * Ends.THREAD + i), file + ": call " + i + " of " + made + " of thread " + thread + " is missing");
            }
            all += made;
        }
        return all;
    }

    /** JFR has no say in it: what it wrote last is in its repository, up to where the last chunk's header says. */
    @ParameterizedTest
    @MethodSource("jdks")
    void haltLosesTheLastSecond(Jdk jdk) throws Exception {
        ChildJvm child = ChildJvm.of(jdk, Ends.class).probes(Ends.PROBES).probes("guard=off");
        Path repository = Files.createDirectories(child.folder().resolve("repository")), file = child.folder().resolve("assembled.jfr");
        ChildJvm.Outcome outcome = child.options("-XX:FlightRecorderOptions:repository=" + repository).run("halt").ok();
        List<Path> folders = new ArrayList<>();
        try (Stream<Path> all = Files.list(repository)) {
            all.forEach(folders::add);
        }
        assertEquals(1, folders.size(), "" + folders);
        Chunks.assemble(folders.get(0), file);
        Recorded recorded = Recorded.read(file);
        Set<Long> seen = new java.util.HashSet<>();
        recorded.of(Ends.LEAF).forEach(e -> assertTrue(seen.add(e.getLong("i")), "twice: " + e));
        for (int thread = 0; thread < Ends.CALLERS; thread++) {
            long made = outcome.number("made " + thread);
            for (long i = 0; i < made; i++) {
                assertTrue(seen.contains(thread * Ends.THREAD + i), "call " + i + " of " + made + " of thread " + thread + " is missing");
            }
        }
        assertEquals(1, recorded.of(Ends.FIRST).size(), "the call that never returns was there for seconds");
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void theGuardStopsOneProbesEventsAndNoMore(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Guarded.class).withoutRecording().probes(Guarded.PROBES).run().ok();
        assertEquals(outcome.number("guarded"), outcome.err().lines().filter(line -> line.startsWith("uprobe: " + Guarded.LEAF + ": guard: ")).count(), outcome.err());
        assertTrue(outcome.err().lines().noneMatch(line -> line.startsWith("uprobe: " + Guarded.OTHER + ": guard: ")), outcome.err());
        outcome.forget();
    }
}
