package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.Ledger;

/** What was allocated and not freed, by Java caller: equal to the planted leak, of eight threads that reuse each other's addresses. */
class LedgerIT {
    private static final int THREADS = 8, ROUNDS = 200;

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    /** An address is taken when the call returns, and given back when free begins: so the entries of one address follow each other. */
    private record Entry(Instant when, long address, boolean taken, RecordedEvent event) {}

    @ParameterizedTest
    @MethodSource("jdks")
    void whatIsNotFreedIsThePlantByJavaCaller(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Ledger.class).options("-Xmx200m")
                .probes("ring=4m", "c:heap/malloc libc:malloc bytes=$arg1 at=$retval", "c:heap/calloc libc:calloc bytes=$arg2 at=$retval",
                        "c:heap/realloc libc:realloc from=$arg1 at=$retval", "c:heap/aligned libc:aligned_alloc bytes=$arg2 at=$retval",
                        "c:heap/memalign libc:posix_memalign bytes=$arg3", "p:heap/memaligned libledger:ledger_aligned at=$arg1", "p:heap/free libc:free at=$arg1")
                .run("" + THREADS, "" + ROUNDS).ok();
        Recorded recorded = outcome.recorded();
        List<Entry> entries = new ArrayList<>();
        for (String taking : List.of("malloc", "calloc", "realloc", "aligned", "memaligned")) {
            recorded.of("uprobe.heap." + taking).forEach(e -> entries.add(new Entry(e.getEndTime(), e.getLong("at"), true, e)));
        }
        recorded.of("uprobe.heap.free").forEach(e -> entries.add(new Entry(e.getStartTime(), e.getLong("at"), false, e)));
        recorded.of("uprobe.heap.realloc").forEach(e -> entries.add(new Entry(e.getStartTime(), e.getLong("from"), false, e)));
        entries.sort(Comparator.comparing(Entry::when));
        Map<Long, RecordedEvent> live = new HashMap<>();
        for (Entry entry : entries) {
            if (entry.taken()) {
                live.put(entry.address(), entry.event());
            } else {
                live.remove(entry.address());
            }
        }
        Map<String, Long> left = new TreeMap<>();
        live.values().stream().filter(e -> e.getStackTrace() != null).forEach(e -> caller(e).ifPresent(name -> left.merge(name, 1L, Long::sum)));
        assertEquals(Map.of("forgets", outcome.number("kept forgets"), "loses", outcome.number("kept loses")), left);
        for (String probe : List.of("malloc", "calloc", "realloc", "aligned", "memalign", "free")) {
            Recorded.Counters counters = recorded.counters("uprobe.heap." + probe);
            assertEquals(0, counters.dropped(), probe + ": " + counters);
            assertTrue(counters.hits() > 50, probe + ": " + counters);
        }
        System.out.println(jdk + ": " + entries.size() + " entries, left " + left);
        outcome.forget();
    }

    /** The method of {@link Ledger} that called the native; of its calls only. */
    private static java.util.Optional<String> caller(RecordedEvent event) {
        List<RecordedFrame> frames = event.getStackTrace().getFrames();
        for (int i = 0; i + 1 < frames.size(); i++) {
            String method = frames.get(i).getMethod().getName();
            if (frames.get(i).getMethod().getType().getName().equals(Ledger.class.getName()) && (method.equals("keep") || method.equals("borrow"))) {
                return java.util.Optional.of(method.equals("keep") ? frames.get(i + 1).getMethod().getName() : method);
            }
        }
        return java.util.Optional.empty();
    }
}
