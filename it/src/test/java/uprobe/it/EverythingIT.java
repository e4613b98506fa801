package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.Everything;

/**
 * Every function of every library at once: what a new user types first. {@code c *:* mode=hist} killed the JVM in a second. One recording for each way of
 * CI's; {@code -Dstorm=true} has every collector, each way for ten minutes ({@code -Dstorm.seconds=N}), and the JVM's start under probes as well, which alone
 * takes minutes.
 */
class EverythingIT {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final int SECONDS = Integer.getInteger("storm.seconds", STORM ? 600 : 1);
    private static final String HISTOGRAMS = "c *:* mode=hist", COUNTS = "p *:* mode=count", EVENTS = "c *:* mode=event limit=10/s";
    private static final String WITNESS = "p:witness/leaf libprobed:probed_leaf mode=count";
    private static final String YOUNG = "-Xmn16m";      /* many small collections */
    private static final String ARMED_MS = "2000";
    private static final double REFUSED_SHARE = 0.002;

    private enum Way {
        /** Armed from the first library on. */
        FROM_THE_START,
        /** The agent is there; recordings come and go. */
        RECORDINGS,
        /** The agent comes while all runs, then recordings come and go. */
        ATTACHED
    }

    static Stream<Arguments> ways() {
        List<Arguments> ways = new ArrayList<>();
        for (Jdk jdk : Jdk.all()) {
            ways.add(Arguments.of(jdk, Way.RECORDINGS, HISTOGRAMS, List.of("-XX:+UseSerialGC", YOUNG, "-XX:TieredStopAtLevel=1")));
            ways.add(Arguments.of(jdk, Way.RECORDINGS, COUNTS, List.of("-XX:+UseParallelGC", YOUNG)));
            ways.add(Arguments.of(jdk, Way.ATTACHED, EVENTS, List.of("-XX:+UseG1GC", YOUNG)));
            if (STORM) {
                ways.add(Arguments.of(jdk, Way.ATTACHED, HISTOGRAMS, List.of("-XX:+UseZGC")));
                ways.add(Arguments.of(jdk, Way.ATTACHED, HISTOGRAMS, List.of("-XX:+UseShenandoahGC")));
                ways.add(Arguments.of(jdk, Way.FROM_THE_START, HISTOGRAMS, List.of("-XX:+UseG1GC", YOUNG)));
                ways.add(Arguments.of(jdk, Way.FROM_THE_START, COUNTS, List.of("-XX:+UseZGC")));
                ways.add(Arguments.of(jdk, Way.FROM_THE_START, EVENTS, List.of("-XX:+UseParallelGC", YOUNG)));
            }
        }
        return ways.stream();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void everyFunctionOfEveryLibrary(Jdk jdk, Way way, String probe, List<String> options) throws Exception {
        Assumptions.assumeTrue(knows(jdk, options), () -> jdk + " has no " + options.get(0));
        ChildJvm jvm = ChildJvm.of(jdk, Everything.class).options("-Xmx1500m").options(options.toArray(String[]::new)).withAllLibraries().seconds(SECONDS + 900);
        List<String> items = List.of(probe, WITNESS, "guard=100/s", "ring=64k");      /* the witness last: when it is there, all are */
        ChildJvm.Outcome outcome = switch (way) {
            case FROM_THE_START -> jvm.probes(items.toArray(String[]::new)).run("" + SECONDS).ok();
            case RECORDINGS -> jvm.probes(items.toArray(String[]::new)).withoutRecording().run("" + SECONDS, ARMED_MS).ok();
            case ATTACHED -> {
                ChildJvm.Running running = jvm.withoutAgent().start("" + SECONDS, ARMED_MS).waitFor("running");
                attach(jdk, running, items);
                yield running.finish().ok();
            }
        };
        Recorded recorded = Recorded.read(outcome.folder().resolve(way == Way.FROM_THE_START ? "out.jfr" : "recording-" + outcome.number("recordings") + ".jfr"));
        Recorded.Counters witness = recorded.counters("uprobe.witness.leaf");
        assertEquals(Recorded.Counters.allRecorded(outcome.number("expected probed_leaf")), witness);
        assertTrue(outcome.number("waves") > 0);
        /* A start of a recording had all armed before it had new libraries looked at, which then took minutes. */
        assertTrue(way != Way.RECORDINGS || !outcome.err().contains("have not been looked at"), outcome::err);

        Recorded.Whole all = recorded.whole("uprobe.NativeCall");
        long functions = all.functions();
        assertEquals(all.hits(), all.parts());
        assertTrue(functions > 60_000 && all.hits() > 100_000, all::toString);
        Map<String, String> refused = new TreeMap<>();
        recorded.of("uprobe.ProbeRefused").stream().filter(e -> e.getString("probe").equals(probe))
                .forEach(e -> refused.put(e.getString("library") + "!" + e.getString("symbol") + "@" + e.getLong("address"), reason(e)));
        System.out.println(jdk + ", " + way + ", " + probe + ", " + options + ": " + outcome.number("waves") + " waves of threads, " + functions + " functions, "
                + all.hits() + " hits, refused " + refused.values().stream().collect(Collectors.groupingBy(reason -> reason, TreeMap::new, Collectors.counting())));
        assertTrue(refused.size() < REFUSED_SHARE * functions, refused.size() + " of " + functions + " are refused");
        outcome.forget();
    }

    private static boolean knows(Jdk jdk, List<String> options) throws Exception {
        return new ProcessBuilder(jdk.tool("java").toString(), options.get(0), "-version").redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
    }

    private static void attach(Jdk jdk, ChildJvm.Running running, List<String> items) throws Exception {
        List<String> command = new ArrayList<>(List.of(jdk.tool("java").toString(), "-jar", ChildJvm.agentJar().toString(), "attach", "" + running.process().pid()));
        command.addAll(items);
        Process attach = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(attach.getInputStream().readAllBytes());
        assertEquals(0, attach.waitFor(), said);
    }

    private static String reason(RecordedEvent refused) {
        String reason = refused.getString("reason");
        return reason.substring(reason.indexOf(": ") + 2);
    }
}
