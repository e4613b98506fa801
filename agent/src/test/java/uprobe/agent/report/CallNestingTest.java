package uprobe.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import uprobe.agent.report.EventType.Field;
import uprobe.agent.report.EventType.Kind;
import uprobe.agent.report.EventType.Unit;

class CallNestingTest {
    private static final EventType TYPE = new EventType(1, "uprobe.a.b", List.of(new Field("startTime", "long", false, Kind.VARINT, Unit.TICKS),
            new Field("duration", "long", false, Kind.VARINT, Unit.TICKS)));
    private static final Chunk CHUNK = new Chunk(Path.of("none"), 0, 0, 0, 0, 0, 0, 1_000_000_000);

    private record Call(String function, long start, long end) {}

    private static double self(List<Call> calls, String function) {
        CallNesting nesting = new CallNesting();
        CallRow row = new CallRow("t", function, "c", 0), others = new CallRow("t", "others", "c", 0);
        StackNode node = new StackNode(null, null);
        for (Call call : calls) {
            Hit hit = new Hit(TYPE, CHUNK);
            hit.set(0, call.start);
            hit.set(1, call.end - call.start);
            nesting.add(7, hit, call.end - call.start, call.function.equals(function) ? row : others, node);
        }
        return row.selfNanos;
    }

    @Test
    void theOrderInWhichCallsComeDoesNotMatter() {
        List<Call> calls = new ArrayList<>(List.of(new Call("inflate", 0, 100), new Call("adler32", 10, 60), new Call("adler32_z", 15, 60), new Call("crc32", 70, 90),
                new Call("deflate", 110, 150), new Call("adler32_z", 120, 130)));
        for (int seed = 0; seed < 200; seed++) {
            Collections.shuffle(calls, new Random(seed));
            assertEquals(30, self(calls, "inflate"));
            assertEquals(5, self(calls, "adler32"));
            assertEquals(45 + 10, self(calls, "adler32_z"));
            assertEquals(30, self(calls, "deflate"));
        }
    }

    @Test
    void anOuterCallMayComeAfterVeryManyInner() {
        List<Call> calls = new ArrayList<>();
        calls.add(new Call("inner", 0, 5));
        for (int i = 1; i <= 1_000_000; i++) {
            calls.add(new Call("inner", 10L * i, 10L * i + 4));
        }
        calls.add(new Call("outer", 9, 10_000_010));
        assertEquals(10_000_001 - 4_000_000, self(calls, "outer"), 60_000, "within a percent: some became one with a call before");
        Collections.reverse(calls);
        assertEquals(10_000_001 - 4_000_000, self(calls, "outer"));
    }
}
