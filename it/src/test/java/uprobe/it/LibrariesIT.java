package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sqlite.JDBC;
import uprobe.it.app.Copies;
import uprobe.it.app.OwnJna;
import uprobe.it.app.TwoDatabases;

/** A library is a pattern that lives: every copy that matches is probed, loaded before or later, once or several times, but for the agent's own. */
class LibrariesIT {
    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    /** By event name and library's stem: the newest hits. */
    private static Map<String, Long> hits(Recorded recorded) {
        Map<String, RecordedEvent> last = new TreeMap<>();
        recorded.of("uprobe.ProbeStatistics").stream().sorted(Comparator.comparing(RecordedEvent::getStartTime))
                .forEach(e -> last.put(e.getString("probe") + " " + e.getString("library").replaceAll("0028bc7(.).*-", "$1-"), e));
        Map<String, Long> hits = new TreeMap<>();
        last.forEach((key, e) -> hits.put(key, e.getLong("hits")));
        return hits;
    }

    /** What was said of a probe, but for the first line: that there was no library yet. */
    private static List<String> lines(ChildJvm.Outcome outcome, String probe) {
        List<String> all = outcome.err().lines().filter(line -> line.startsWith("uprobe: " + probe + ": ")).toList();
        assertTrue(all.get(0).contains(": no loaded library matches") && all.get(0).endsWith("; the probe waits for it"), all.get(0));
        return all.stream().skip(1).map(line -> line.substring("uprobe: ".length())
                .replaceAll("0028bc7(.)\\S*-lib", "$1-lib").replaceAll(" by \\w+", "")).toList();
    }

    /* A library was resolved once: of two class loaders' copies the first was probed, silently; of {libcopied_a,libcopied_b} the first that came. */
    @ParameterizedTest
    @MethodSource("jdks")
    void copiesInClassLoaders(Jdk jdk) throws Exception {
        String one = "c:c/work libcopied_a:copied_work n=$arg1 r=$retval", several = "p {libcopied_a,libcopied_b}:copied_work n=$arg1",
                natives = "p *:Java_uprobe_it_app_Copied_*k mode=count", event = "r:from {libcopied_a,libcopied_b}:copied_wor*";
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Copies.class).probes(one, several, natives, event).run("loaders").ok();
        Recorded recorded = outcome.recorded();
        assertEquals(13, recorded.of("uprobe.c.work").size());
        assertEquals(13, recorded.of("uprobe.libcopied_a.copied_work").size());
        assertEquals(10, recorded.of("uprobe.libcopied_b.copied_work").size());
        assertEquals(Map.of("libcopied_a.copied_work", 13L), frames(recorded, "uprobe.libcopied_a.copied_work"));
        assertEquals(Map.of("libcopied_b.copied_work", 10L), frames(recorded, "uprobe.libcopied_b.copied_work"));
        assertEquals(13, recorded.of("uprobe.libcopied_a.from").size());
        assertEquals(10, recorded.of("uprobe.libcopied_b.from").size());
        String first = "x-1.0.0-1-libcopied_a.so", second = "x-1.0.0-2-libcopied_a.so", other = "libcopied_b.so";
        assertEquals(Map.of("uprobe.c.work " + first, 13L, "uprobe.libcopied_a.copied_work " + first, 13L, "uprobe.libcopied_b.copied_work " + other, 10L,
                "uprobe.NativeCall " + first, 6L, "uprobe.NativeCall " + second, 7L, "uprobe.NativeCall " + other, 10L,
                "uprobe.libcopied_a.from " + first, 6L, "uprobe.libcopied_a.from " + second, 7L), without(hits(recorded), "uprobe.libcopied_b.from " + other));
        assertEquals(List.of(one + ": armed at " + first + "!copied_work", one + ": armed at " + second + "!copied_work"), lines(outcome, one));
        assertEquals(List.of(several + ": armed at " + first + "!copied_work",
                several + ": armed at " + second + "!copied_work", several + ": armed at " + other + "!copied_work"), lines(outcome, several));
        assertFalse(outcome.err().contains("refused"), outcome.err());
        outcome.forget();
    }

    private static Map<String, Long> without(Map<String, Long> all, String key) {
        assertEquals(10, all.remove(key));
        return all;
    }

    private static Map<String, Long> frames(Recorded recorded, String type) {
        return recorded.of(type).stream().collect(Collectors.groupingBy(e -> Recorded.frame(e, 0), Collectors.counting()));
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void copiesInNamespacesComeAndGo(Jdk jdk) throws Exception {
        String probe = "p libcopied_a:copied_work mode=count", pattern = "c libcopied_a:copied_* mode=hist";
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Copies.class).probes(probe, pattern).run("namespaces").ok();
        Map<String, Long> hits = hits(outcome.recorded());
        assertEquals(3 + 4 + 4 + 5 + 1 + 6, hits.get("uprobe.libcopied_a.copied_work libcopied_a.so"), hits::toString);
        String armed = ": armed at libcopied_a.so!copied_work", gone = ": libcopied_a.so was unloaded", last = gone + "; the probe waits for it";
        for (String each : List.of(probe, pattern)) {
            assertEquals(Stream.of(armed, armed, gone, armed, gone, last, armed).map(each::concat).toList(), lines(outcome, each));
        }
        List<Long> numbers = outcome.recorded().of("uprobe.ProbeStatistics").stream().filter(e -> e.getString("probe").equals("uprobe.NativeCall"))
                .collect(Collectors.groupingBy(RecordedEvent::getStartTime, TreeMap::new, Collectors.toList())).values().stream()
                .flatMap(List::stream).map(e -> e.getLong("hits")).toList();
        long inAll = numbers.subList(numbers.size() - 2, numbers.size()).stream().mapToLong(n -> n).sum();
        assertEquals(3 + 4 + 4 + 5 + 1 + 6, inAll, "a copy that comes takes the numbers of one that went: " + numbers);
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void unloadedAndLoadedAgain(Jdk jdk) throws Exception {
        String probe = "c:c/work libcopied_a:copied_work n=$arg1";
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Copies.class).withoutRecording().probes(probe, "c:c/all *:copied_work").run("again").ok();
        Recorded first = Recorded.read(outcome.folder().resolve("first.jfr")), second = Recorded.read(outcome.folder().resolve("second.jfr"));
        assertEquals(List.of(7, 7, 5, 5), List.of(first.of("uprobe.c.work").size(), first.of("uprobe.c.all").size(), second.of("uprobe.c.work").size(),
                second.of("uprobe.c.all").size()));
        assertEquals(12, hits(second).get("uprobe.c.work libcopied_a.so"));
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void sqliteInTwoClassLoaders(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, TwoDatabases.class).probes("c:db/step libsqlitejdbc:Java_org_sqlite_core_NativeDB_step")
                .run("" + JDBC.class.getProtectionDomain().getCodeSource().getLocation()).ok();
        assertEquals(Recorded.Counters.allRecorded(22), outcome.recorded().counters("uprobe.db.step"));
        assertEquals(22, outcome.recorded().of("uprobe.db.step").size());
        outcome.forget();
    }

    /* libjnidispatch meant the agent's own copy, which was named in messages, and never the application's. */
    @ParameterizedTest
    @MethodSource("jdks")
    void theApplicationsJnaBesideTheAgents(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, OwnJna.class).withLibrary(NativeLibrary.class)
                .probes("p libjnidispatch:Java_com_sun_jna_Native_* mode=count", "c:jna/longs *:Java_com_sun_jna_Native_invokeLong").run().ok();
        assertEquals(OwnJna.CALLS, outcome.recorded().of("uprobe.jna.longs").size());
        Map<String, Long> hits = outcome.recorded().of("uprobe.ProbeStatistics").stream().filter(e -> e.getString("symbol").endsWith("_invokeLong"))
                .collect(Collectors.groupingBy(e -> e.getString("library"), Collectors.reducing(0L, e -> e.getLong("hits"), Long::max)));
        assertEquals(1, hits.size(), hits::toString);
        assertEquals(List.of((long) OwnJna.CALLS), List.copyOf(hits.values()));
        assertEquals(2, outcome.err().lines().filter(line -> line.contains("armed at ")).count(), outcome.err());
        assertFalse(outcome.err().contains("deleted"), outcome.err());
        outcome.forget();
    }

    /** A slip of the pen in the function's name is told as soon as the library is there, a pattern's may yet come. */
    @ParameterizedTest
    @MethodSource("jdks")
    void aFunctionThatTheLibraryDoesNotHave(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Copies.class).probes("p libcopied_a:copied_wrok", "p libcopied_*:copied_wrok").run("loaders").ok();
        assertEquals(1, outcome.err().lines().filter(line -> line.contains("refused: ")).count(), outcome.err());
        assertEquals(1, outcome.err().lines().filter(line -> line.matches(
                "uprobe: p libcopied_a:copied_wrok: refused: x-1\\.0\\.0-.*-libcopied_a\\.so!copied_wrok: no such function: similar names there: copied_work")).count(), outcome.err());
        outcome.forget();
    }
}
