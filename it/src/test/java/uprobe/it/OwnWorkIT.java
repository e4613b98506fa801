package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.OpensFiles;

class OwnWorkIT {
    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    /* 578 of 3,156 opens were the agent's, with frames of its own. */
    @ParameterizedTest
    @MethodSource("jdks")
    void theAgentsOwnWorkIsCountedAndInNobodysData(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, OpensFiles.class).options("-XX:FlightRecorderOptions=stackdepth=256").probes("p libc:open{,64,at,at64,dir}").run().ok();
        Recorded recorded = outcome.recorded();
        List<RecordedEvent> opens = recorded.of("uprobe.NativeCall");
        List<String> ours = opens.stream().map(e -> Recorded.stack(e, 0) + " " + e.getString("nativeThreadName"))
                .filter(stack -> Stream.of(stack.split(" ")).anyMatch(frame -> frame.startsWith("uprobe") && !frame.startsWith("uprobe.it.app."))).toList();
        assertEquals(List.of(), ours);
        long files = opens.stream().filter(e -> Recorded.stack(e, 0).contains("java.nio.file.Files.readAllBytes") && Recorded.stack(e, 0).contains("OpensFiles.main")).count();
        assertEquals(OpensFiles.FILES, files);
        var last = recorded.of("uprobe.ProbeStatistics").stream().collect(Collectors.groupingBy(e -> e.getString("symbol"),
                Collectors.maxBy(Comparator.comparing(RecordedEvent::getStartTime))));
        long hits = 0, parts = 0, own = 0;
        for (var each : last.values()) {
            RecordedEvent e = each.orElseThrow();
            hits += e.getLong("hits");
            own += e.getLong("ownWork");
            parts += Stream.of("recorded", "filtered", "sampledOut", "dropped", "missed", "ownWork", "unfinished").mapToLong(e::getLong).sum();
        }
        assertEquals(hits, parts);
        assertTrue(own > 20, own + " opens of the agent's own");
        outcome.forget();
    }
}
