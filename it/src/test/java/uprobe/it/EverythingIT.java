package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Comparator;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.Everything;

/**
 * Every function of every library at once: what a new user types first. {@code c *:* mode=hist} killed the JVM in a second. With {@code -Dstorm=true}
 * only, each way for ten minutes.
 */
class EverythingIT {
    private static final int SECONDS = Integer.getInteger("storm.seconds", 600);

    static Stream<Arguments> ways() {
        return Jdk.all().stream().flatMap(jdk -> Stream.of(Arguments.of(jdk, "c *:* mode=hist", "-XX:+UseG1GC"), Arguments.of(jdk, "p *:* mode=count", "-XX:+UseZGC"),
                Arguments.of(jdk, "c *:* mode=event limit=10/s", "-XX:+UseParallelGC")));
    }

    @EnabledIfSystemProperty(named = "storm", matches = "true", disabledReason = "the VM itself runs through 50,000 traps: minutes for each way")
    @ParameterizedTest
    @MethodSource("ways")
    void everyFunctionOfEveryLibrary(Jdk jdk, String probe, String collector) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Everything.class).options("-Xmx1500m", collector)
                .withAllLibraries()
                .probes("p:witness/leaf libprobed:probed_leaf mode=count", probe, "guard=100/s", "ring=64k").seconds(SECONDS + 900).run("" + SECONDS).ok();
        RecordedEvent witness = outcome.recorded().of("uprobe.ProbeStatistics").stream().filter(e -> e.getString("probe").equals("uprobe.witness.leaf"))
                .max(Comparator.comparing(RecordedEvent::getStartTime)).orElseThrow();
        assertEquals(outcome.number("expected probed_leaf"), witness.getLong("hits"));
        assertEquals(witness.getLong("hits"), witness.getLong("recorded"));
        System.out.println(jdk + ", " + probe + ", " + collector + ": " + outcome.number("waves") + " waves of threads, " + outcome.err().lines().filter(line -> line.contains(probe)).toList());
        assertTrue(outcome.number("waves") > 0);
        outcome.forget();
    }
}
