package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.Steering;

/** Recordings steer the probes, and every number that the agent gives of itself is right. */
class SteeringIT {
    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void probesDoWhatRecordingsWant(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Steering.class).withoutRecording().probes(Steering.PROBES).run().ok();
        for (String bad : List.of("filter=j == 3", "sample=1/0", "limit=many", "mode=sometimes")) {
            assertTrue(outcome.err().contains("uprobe: setting " + bad + " of uprobe.s.leaf: "), bad + " in " + outcome.err());
        }
        assertTrue(outcome.err().contains("uprobe.s.ends has come to its end (until=10)"), outcome.err());
        outcome.forget();
    }
}
