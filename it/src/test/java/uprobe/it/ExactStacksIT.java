package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.Recorded.Counters;
import uprobe.it.app.ExactStacks;

class ExactStacksIT {
    private static final int CALLS = 100_000;
    /** What each of several threads does in continuous integration; with -Dstorm they make as many calls as one alone. */
    private static final int CALLS_OF_MANY = Boolean.getBoolean("storm") ? CALLS : 10_000;
    /** JFR keeps nanoseconds, the calibration of both clocks is good to less than this. */
    private static final Duration CLOCK_ERROR = Duration.ofNanos(1000);

    private record Call(long thread, int stackId, Instant start, Instant end) {}

    private static int callsOf(int threads) {
        return threads > 1 ? CALLS_OF_MANY : CALLS;
    }

    static Stream<Arguments> jdksAndThreads() {
        return Jdk.all().stream().flatMap(jdk -> Stream.of(1, 4, 16).map(threads -> Arguments.of(jdk, threads)));
    }

    @ParameterizedTest(name = "{0}, {1} threads")
    @MethodSource("jdksAndThreads")
    void everyCallIsOneEventWithTheCallersOwnStackItsArgumentResultThreadAndTime(Jdk jdk, int threads) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ExactStacks.class).options("-Xmx1g")
                .probes("c:it/leaf libprobed:probed_leaf i=$arg1:s64 ret=$retval:s64").run("" + threads, "" + callsOf(threads)).ok();
        Path file = outcome.folder().resolve("out.jfr");
        Map<Long, Call> calls = new HashMap<>();
        Map<Integer, String> stacks = new HashMap<>();
        Map<String, Counters> counters = new HashMap<>();
        read(file, event -> {
            switch (event.getEventType().getName()) {
                case "it.Call" -> calls.put(event.getLong("id"),
                        new Call(event.getThread().getJavaThreadId(), event.getInt("stackId"), event.getStartTime(), event.getEndTime()));
                case "it.Stack" -> stacks.put(event.getInt("stackId"), event.getString("frames"));
                case "uprobe.ProbeStatistics" -> counters.merge(event.getString("probe"), new Counters(event.getLong("hits"),
                        event.getLong("recorded"), event.getLong("dropped"), event.getLong("missed"), event.getLong("ownWork")), (x, y) -> x.hits() > y.hits() ? x : y);
                default -> { }
            }
        });
        long expected = (long) threads * callsOf(threads);
        assertEquals(expected, outcome.number("expected probed_leaf"), "the callee's own count");
        assertEquals(Counters.allRecorded(expected), counters.get("uprobe.it.leaf"));
        long[] seen = new long[1];
        Map<RecordedStackTrace, String> compared = new IdentityHashMap<>();
        read(file, event -> {
            if (event.getEventType().getName().equals("uprobe.it.leaf")) {
                check(event, calls.remove(event.getLong("i")), stacks, compared);
                seen[0]++;
            }
        });
        assertEquals(expected, seen[0]);
        assertEquals(Map.of(), calls, "calls without an event");
        outcome.forget();
    }

    private static void check(RecordedEvent event, Call call, Map<Integer, String> stacks, Map<RecordedStackTrace, String> compared) {
        long i = event.getLong("i");
        assertTrue(call != null, () -> "an event that nobody's call explains: " + event);
        assertEquals(i * 3 + 1, event.getLong("ret"));
        assertEquals(call.thread, event.getThread().getJavaThreadId());
        String wanted = stacks.get(call.stackId);
        /* The parser gives equal stacks of a chunk as one object: each is compared once with each that it should be. */
        if (compared.put(event.getStackTrace(), wanted) != wanted) {
            assertEquals("libprobed.probed_leaf", Recorded.frame(event, 0));
            assertEquals("uprobe.it.app.Probed.leaf", Recorded.frame(event, 1));
            assertEquals(wanted, Recorded.stackWithoutLambdas(event, 2));
        }
        if (event.getStartTime().isBefore(call.start.minus(CLOCK_ERROR)) || event.getEndTime().isAfter(call.end.plus(CLOCK_ERROR))) {
            throw new AssertionError("call " + i + " from " + call.start + " to " + call.end + ", its event from " + event.getStartTime() + " to "
                    + event.getEndTime());
        }
        assertEquals(null, event.getString("drained"));
        assertEquals(null, event.getString("missing"));
    }

    private static void read(Path file, Consumer<RecordedEvent> consumer) throws IOException {
        try (RecordingFile in = new RecordingFile(file)) {
            while (in.hasMoreEvents()) {
                consumer.accept(in.readEvent());
            }
        }
    }
}
