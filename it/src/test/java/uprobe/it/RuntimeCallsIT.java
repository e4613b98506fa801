package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.HandsOutEvents;
import uprobe.it.app.RuntimeCalls;

/**
 * Probes on what compiled code and the interpreter call in libjvm. Their return addresses tell HotSpot where the Java frames begin: with a trampoline
 * in its place GC, exceptions and JFR's own stack traces crashed within seconds (SIGSEGV in frame::sender, ShouldNotReachHere in frame.cpp).
 */
class RuntimeCallsIT {
    private static final int ROUNDS = Boolean.getBoolean("storm") ? 20_000 : 600;
    private static final String RUNTIME = "libjvm:{_ZN11OptoRuntime*,_ZN8Runtime1*,_ZN13SharedRuntime*,_ZN14Deoptimization*,_ZN20SafepointSynchronize*,"
            + "_ZN18InterpreterRuntime*}";
    private static final String HISTOGRAM = "c " + RUNTIME + " mode=hist";

    static Stream<Arguments> ways() {
        List<Arguments> ways = new ArrayList<>();
        for (Jdk jdk : Jdk.all()) {
            ways.add(Arguments.of(jdk, "c " + RUNTIME + " mode=event limit=100/s", List.of("-XX:+UseG1GC")));
            ways.add(Arguments.of(jdk, "r " + RUNTIME, List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")));
            ways.add(Arguments.of(jdk, HISTOGRAM, List.of("-XX:+UseParallelGC", "-XX:-TieredCompilation")));
            ways.add(Arguments.of(jdk, HISTOGRAM, List.of("-XX:+UseZGC")));
            ways.add(Arguments.of(jdk, HISTOGRAM, List.of("-XX:+UseShenandoahGC")));
            ways.add(Arguments.of(jdk, HISTOGRAM, List.of("-Xcomp")));
            ways.add(Arguments.of(jdk, HISTOGRAM, List.of("-Xint")));
        }
        return ways.stream();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void theStackIsWalkedPastAProbedFunctionAsWithoutProbes(Jdk jdk, String probe, List<String> options) throws Exception {
        ChildJvm plain = ChildJvm.of(jdk, RuntimeCalls.class).withoutAgent().options("-Xmx300m").options(options.toArray(String[]::new));
        ChildJvm.Outcome unprobed = plain.run("" + ROUNDS).ok();
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, RuntimeCalls.class).options("-Xmx300m").options(options.toArray(String[]::new)).probes(probe, "guard=100/s")
                .seconds(600).run("" + ROUNDS).ok();
        assertEquals(unprobed.out(), outcome.out());
        Map<String, RecordedEvent> last = new HashMap<>();
        outcome.recorded().of("uprobe.ProbeStatistics").stream().sorted(Comparator.comparing(RecordedEvent::getStartTime)).forEach(e -> last.put(e.getString("symbol"), e));
        long hits = 0;
        for (RecordedEvent e : last.values()) {
            hits += e.getLong("hits");
            assertEquals(e.getLong("hits"), Stream.of("recorded", "filtered", "sampledOut", "dropped", "missed", "ownWork", "unfinished").mapToLong(e::getLong).sum(), e::toString);
        }
        long called = last.values().stream().filter(e -> e.getLong("hits") > 0).count();
        System.out.println(jdk + " " + options + ": " + last.size() + " functions, " + called + " of them called, " + hits + " hits");
        assertTrue(called > 20 && hits > ROUNDS, called + " functions called, " + hits + " hits");
        outcome.forget();
        unprobed.forget();
    }

    static Stream<Arguments> virtualThreads() {
        return Jdk.all().stream().filter(jdk -> jdk.version() >= 21)
                .flatMap(jdk -> Stream.of("-XX:+UseG1GC", "-XX:+UseZGC", "-Xint").map(option -> Arguments.of(jdk, option)));
    }

    /**
     * Carriers call natives while they mount and unmount. JDK 25 loses the first event that a carrier writes as itself after one as a virtual thread;
     * such events were counted as recorded, up to all of them, and were in no file.
     */
    @ParameterizedTest
    @MethodSource("virtualThreads")
    void whatCarriersCallBetweenVirtualThreadsIsInTheFileAsOftenAsItIsCounted(Jdk jdk, String option) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, RuntimeCalls.class).options("-Xmx300m", option)
                .probes("c:vm/carriers libjvm:{JVM_SetScopedValueCache,JVM_CurrentCarrierThread,JVM_ScopedValueCache,JVM_SetCurrentThread,JVM_Sleep*,Unsafe_*ark}")
                .run("600").ok();
        Recorded recorded = outcome.recorded();
        Map<String, Long> counted = new HashMap<>(), made = new HashMap<>();
        recorded.of("uprobe.ProbeStatistics").stream().sorted(Comparator.comparing(RecordedEvent::getStartTime)).filter(e -> e.getLong("hits") > 0)
                .forEach(e -> counted.put(e.getString("symbol"), e.getLong("recorded")));
        recorded.of("uprobe.vm.carriers").forEach(e -> made.merge(e.getString("function"), 1L, Long::sum));
        assertEquals(counted, made);
        assertTrue(counted.getOrDefault("JVM_SetScopedValueCache", 0L) > 100, () -> "none of a mount was called: " + counted);
        assertTrue(recorded.of("uprobe.vm.carriers").stream().anyMatch(e -> "carrier without a virtual thread".equals(e.getString("drained"))));
        outcome.forget();
    }

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    /** JFR writes nothing on the threads of a RecordingStream, and commit() does not tell: what they called was counted as recorded. */
    @ParameterizedTest
    @MethodSource("jdks")
    void whatJfrThrowsAwayIsCountedAsFiltered(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, HandsOutEvents.class).probes("c:x/files libnio:Java_sun_nio_fs_*").run().ok();
        Recorded recorded = outcome.recorded();
        Map<String, Long> counted = new HashMap<>(), filtered = new HashMap<>(), made = new HashMap<>();
        recorded.of("uprobe.ProbeStatistics").stream().sorted(Comparator.comparing(RecordedEvent::getStartTime)).forEach(e -> {
            counted.put(e.getString("symbol"), e.getLong("recorded"));
            filtered.put(e.getString("symbol"), e.getLong("filtered"));
        });
        counted.values().removeIf(n -> n == 0);
        recorded.of("uprobe.x.files").forEach(e -> made.merge(e.getString("function"), 1L, Long::sum));
        assertEquals(counted, made);
        assertTrue(filtered.values().stream().mapToLong(n -> n).sum() >= 20, filtered::toString);
        outcome.forget();
    }
}
