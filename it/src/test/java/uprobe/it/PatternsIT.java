package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.BusyEverywhere;
import uprobe.it.app.ZipRounds;

/** Probes on every function that a pattern names: all that libjvm exports, all natives of the JDK's libraries, JFR's own among them. */
class PatternsIT {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final int THREADS = 4, STEPS = 200;

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void eventsOfTheApplicationStayWholeAndCountsAreExact(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, BusyEverywhere.class).withoutRecording()
                .probes("c libjvm:{JVM_*,JNI_*,jio_*,jfr_*}", "c {libjava,libnio,libnet,libzip,libjimage}:Java_*", "guard=off", "ring=1m", "rings=256", "quiet")
                .run("" + THREADS, "" + STEPS).ok();
        Recorded recorded = Recorded.read(outcome.folder().resolve("busy.jfr"));
        assertApplicationsEvents(recorded.of("it.Step"));
        Map<String, Long> events = recorded.of("uprobe.NativeCall").stream().collect(Collectors.groupingBy(PatternsIT::key, TreeMap::new, Collectors.counting()));
        Map<String, RecordedEvent> statistics = new HashMap<>();
        recorded.of("uprobe.ProbeStatistics").stream().sorted(Comparator.comparing(RecordedEvent::getStartTime)).forEach(e -> statistics.put(key(e), e));
        List<String> wrong = new ArrayList<>();
        long hits = 0, dropped = 0, missed = 0;
        for (Map.Entry<String, RecordedEvent> entry : statistics.entrySet()) {
            RecordedEvent e = entry.getValue();
            hits += e.getLong("hits");
            dropped += e.getLong("dropped");
            missed += e.getLong("missed");
            long unfinished = e.getLong("unfinished"), made = events.getOrDefault(entry.getKey(), 0L);
            if (e.getLong("recorded") != made || e.getLong("hits") != made + e.getLong("filtered") + e.getLong("dropped") + e.getLong("missed") + e.getLong("ownWork") + unfinished
                    || unfinished > 0 && !entry.getKey().matches(".*(Wait|Park|park|accept|poll|emitEvent|Sleep|sleep|waitFor).*")) {
                wrong.add(e.toString() + made + " events");
            }
        }
        assertTrue(wrong.isEmpty(), wrong.size() + " of " + statistics.size() + " functions: " + wrong);
        System.out.println(jdk + ": " + statistics.size() + " functions, " + events.size() + " of them called, " + hits + " hits, " + recorded.of("uprobe.NativeCall").size()
                + " events, " + dropped + " dropped, " + missed + " missed (called while events were made)");
        assertTrue(statistics.size() > 500 && events.size() > 60, statistics.size() + " functions, " + events.size() + " called");
        assertEquals(0, dropped);
        assertTrue(events.keySet().stream().anyMatch(key -> key.contains("jfr_")), "JFR's own natives are among them: " + events.keySet());
        assertStacks(recorded.of("uprobe.NativeCall"));
        outcome.forget();
    }

    /** More functions than one class has room for: some 44,000 of libjvm on 17. With {@code -Dstorm=true} they are armed and counted as well. */
    @ParameterizedTest
    @MethodSource("jdks")
    void everyFunctionOfLibjvm(Jdk jdk) throws Exception {
        ChildJvm jvm = ChildJvm.of(jdk, ZipRounds.class).options("-Xmx3g").probes("p libjvm:* mode=count").seconds(300);
        ChildJvm.Outcome outcome = (STORM ? jvm : jvm.withoutRecording()).run("rounds", "1").ok();
        Matcher more = Pattern.compile("uprobe: p libjvm:\\* mode=count: " + (STORM ? "armed" : "ready") + " at .* and (\\d+) more").matcher(outcome.err());
        assertTrue(more.find() && Integer.parseInt(more.group(1)) > 30_000, outcome.err());
        if (STORM) {
            Recorded.Whole all = outcome.recorded().whole("uprobe.NativeCall");
            System.out.println(jdk + ": " + all);
            assertTrue(all.hits() > 100_000, all::toString);
            assertEquals(all.hits(), all.parts());
        }
        outcome.forget();
    }

    private static String key(RecordedEvent event) {
        return event.getString("library") + ":" + event.getString(event.hasField("function") ? "function" : "symbol");
    }

    private static void assertApplicationsEvents(List<RecordedEvent> steps) {
        int[] seen = new int[THREADS * STEPS];
        for (RecordedEvent step : steps) {
            int thread = step.getInt("thread"), number = step.getInt("number");
            seen[thread * STEPS + number]++;
            assertEquals(BusyEverywhere.text(thread, number), step.getString("text"));
            assertEquals("the same each time, so JFR pools it", step.getString("same"));
            assertEquals("uprobe.it.app.BusyEverywhere.step", Recorded.frame(step, 0));
            assertEquals("caller-" + thread, step.getThread().getJavaName());
        }
        for (int i = 0; i < seen.length; i++) {
            assertEquals(1, seen[i], "step " + i);
        }
    }

    /** The frame below the function's own is a native method, if there is any. */
    private static void assertStacks(List<RecordedEvent> calls) {
        long withStack = 0;
        for (RecordedEvent call : calls) {
            if (call.getString("drained") == null) {
                assertEquals("Native", call.getStackTrace().getFrames().get(1).getType(), call.toString());
                withStack++;
            }
        }
        assertTrue(withStack > calls.size() / 4, withStack + " of " + calls.size() + " have a Java stack");
    }
}
