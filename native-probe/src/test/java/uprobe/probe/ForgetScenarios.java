package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import uprobe.probe.spec.Mode;
import uprobe.probe.spec.ProbeParser;

/** Probes that are given up, and what their numbers are used for again. */
final class ForgetScenarios {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final AtomicLong committed = new AtomicLong();

    private static int callInt(String function, Object... arguments) {
        return Odd.LIBRARY.getFunction(function).invokeInt(arguments);
    }

    static void countsRecords() {
        long run = HitRun.now();
        java.nio.ByteBuffer memory = records;
        for (int i = 0, at = HitRun.offset(run); i < HitRun.count(run); i++) {
            memory.putInt(at + HitRecordDescriptor.STATE, HitRecordDescriptor.COMMITTED);
            committed.incrementAndGet();
            at += memory.getShort(at + HitRecordDescriptor.LENGTH) & 0xffff;
        }
    }

    /** Whose calls are frames of the hits inside. */
    static final class Frames {
        static native void countsRecords();
    }

    private static java.nio.ByteBuffer records;

    private static Probe define(String text) throws Exception {
        records = TestProbe.engine().records();
        assertEquals("libodd.so", Odd.LIBRARY.getFile().getName());
        return TestProbe.engine().define(ProbeParser.parse(text), (probe, spec, stem, symbol, memory) -> new CommitMethod(ForgetScenarios.class, "countsRecords", Frames.class));
    }

    private static int highest(Probe probe) {
        return probe.points().stream().mapToInt(ProbePoint::id).max().orElseThrow();
    }

    private static long kilobytes(String line) throws Exception {
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(l -> l.startsWith(line)).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", ""))).sum();
    }

    private static long heap() throws Exception {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(least, Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
            Thread.sleep(20);
        }
        return least >> 10;
    }

    /** What stays: the same after many times as after the first few. */
    @Scenario(alone = true)
    static void whatAPatternTookIsUsedAgainByTheNext() throws Exception {
        int numbers = 0, places = 0;
        long resident = 0, heap = 0, mappings = 0;
        int rounds = STORM ? 300 : 40, settled = 5;
        for (int i = 0; i < rounds; i++) {
            Probe probe = define(i % 3 == 0 ? "c libc:* a=$arg1 r=$retval" : i % 3 == 1 ? "c libc:*" : "p libc:* $arg1 $arg2 +8($arg1)");
            probe.use(ProbeSettings.ALL.withMode(i % 2 == 0 ? Mode.HIST : Mode.EVENT));
            places = probe.points().size();
            int highest = highest(probe);
            probe.forget();
            assertEquals(List.of(), probe.points());
            if (i == settled) {
                numbers = highest;
                heap = heap();
                resident = kilobytes("VmRSS");
                mappings = Files.readAllLines(Path.of("/proc/self/maps")).size();
            } else if (i > settled) {
                assertTrue(highest <= numbers, highest + " after " + i + " rounds, " + numbers + " after " + settled);
            }
        }
        long heapNow = heap(), residentNow = kilobytes("VmRSS"), mappingsNow = Files.readAllLines(Path.of("/proc/self/maps")).size();
        ChildJvm.note(places + " places, " + (numbers + 1) + " numbers; after " + (settled + 1) + " and after " + rounds + " rounds: heap " + heap + " and " + heapNow
                + " KiB, resident " + resident + " and " + residentNow + " KiB, mappings " + mappings + " and " + mappingsNow);
        assertTrue(heapNow < heap + 2048, heapNow + " KiB of heap, before " + heap);
        assertTrue(residentNow < resident + 20_000, residentNow + " KiB resident, before " + resident);
    }

    @Scenario
    static void aForgottenProbeTellsWhatItHadCountedAndDoesNoMore() throws Exception {
        Probe probe = define("p libodd:odd_identity $arg1");
        probe.arm();
        for (int i = 0; i < 17; i++) {
            Odd.odd_identity(i);
        }
        probe.forget();
        probe.forget();
        assertFalse(probe.isArmed());
        assertEquals(17, probe.counters().hits());
        assertEquals(17, probe.counters().recorded());
        assertThrows(IllegalStateException.class, probe::arm);
        assertThrows(IllegalStateException.class, probe::extend);
        assertThrows(IllegalStateException.class, () -> probe.use(ProbeSettings.ALL));
        assertEquals(List.of(), probe.disarm());
        TestProbe.assertTextIsOriginal("libodd.so");
        try (TestProbe next = TestProbe.arm("p libodd:odd_identity $arg1")) {
            Odd.odd_identity(1999993);
            next.assertValues(1999993);
            assertEquals(17, probe.counters().hits());
        }
    }

    /* Its entry of the return table names the probe: whoever had the number meanwhile would be told of a call that is not its own. */
    @Scenario
    static void aCallThatHasNotReturnedKeepsItsNumberAndNoOther() throws Exception {
        assertEquals(0, callInt("odd_waits_open"));
        Probe waits = define("c libodd:odd_waits_read n=$arg1 r=$retval");
        waits.arm();
        int taken = waits.id();
        assertEquals(0, callInt("odd_waits_on_thread", 41L));
        while (callInt("odd_waits_waiting") == 0) {
            Thread.sleep(1);
        }
        waits.forget();
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            Probe other = define("c libodd:odd_identity n=$arg1");
            other.arm();
            assertEquals(i, Odd.odd_identity(i));
            seen.add(other.id());
            assertTrue(other.id() != taken, "the number of an open call");
            other.forget();
            assertEquals(1, other.counters().recorded());
        }
        assertTrue(seen.size() <= 2, seen + ": numbers of a probe that was forgotten right before");
        assertEquals(0, callInt("odd_waits_wake"));
        assertEquals(42, Odd.LIBRARY.getFunction("odd_waits_joined").invokeLong(new Object[0]));
        assertEquals(1, waits.counters().hits());
        assertEquals(1, waits.counters().unfinished());
        boolean used = false;
        for (int i = 0; i < 5 && !used; i++) {
            Probe other = define("c libodd:odd_* n=$arg1"), one = define("c libodd:odd_six");
            used = other.points().stream().anyMatch(point -> point.id() == taken) || one.id() == taken;
            other.forget();
            one.forget();
        }
        assertTrue(used, "it has returned: the number is free");
    }

    /* The records of one JNI call wait for its return; a probe that is forgotten inside loses none, and who comes after it gets none of them. */
    @Scenario
    static void recordsThatWaitForTheirCallKeepTheirNumber() throws Exception {
        assertEquals(0, callInt("odd_waits_open"));
        Probe entry = define("p libodd:odd_waits_read $arg1");
        entry.arm();
        long before = committed.get();
        int[] result = new int[1];
        Thread caller = new Thread(() -> result[0] = Odd.LIBRARY.getFunction("odd_waits_read").invokeInt(new Object[] {7L}));
        caller.start();
        while (callInt("odd_waits_waiting") == 0) {
            Thread.sleep(1);
        }
        int taken = entry.id();
        entry.forget();
        Probe other = define("p libodd:odd_identity $arg1 $arg2 $arg3");
        boolean waited = committed.get() == before;
        assertTrue(!waited || other.id() != taken, "the number of a record that waits");
        assertEquals(0, callInt("odd_waits_wake"));
        caller.join();
        assertEquals(8, result[0]);
        assertEquals(before + 1, committed.get());
        other.forget();
    }

    /** Define, arm, use, forget, while threads call: each probe's counts are those of its own time, and add up. */
    @Scenario
    static void probesComeAndGoUnderThreadsThatCall() throws Exception {
        String[] texts = {"c libodd:odd_identity n=$arg1 r=$retval", "p libodd:odd_identity $arg1", "r libodd:odd_identity $retval", "c libodd:odd_seven n=$arg1",
            "c libodd:odd_identity n=$arg1 if n % 2 == 0".replace(" if n % 2 == 0", " if n > 100"), "p libodd:odd_se*",
            "c libodd:odd_deep* x=$arg1", "c libodd:odd_recursion n=$arg1", "p libodd:odd_recursion", "c libodd:odd_ping n=$arg1", "c libodd:odd_call_chain"};
        boolean[] stop = new boolean[1];
        Thread nested = new Thread(() -> {
            while (!stop[0]) {
                Odd.odd_deep8(3);
                Odd.odd_recursion(12);
                Odd.odd_ping(9);
                Odd.odd_call_chain();
            }
        });
        nested.start();
        Random random = new Random(4242);
        int rounds = STORM ? 4000 : 250, highest = 0;
        long hits = 0, before = committed.get();
        assertEquals(0, Odd.odd_workers_start(3));
        try {
            for (int i = 0; i < rounds; i++) {
                Probe a = define(texts[random.nextInt(texts.length)]), b = define(texts[random.nextInt(texts.length)]);
                a.arm();
                b.arm();
                if (i % 10 == 0) {
                    b.use(ProbeSettings.ALL.withMode(Mode.HIST));
                }
                long end = System.nanoTime() + random.nextInt(2_000_000);
                while (System.nanoTime() < end) {
                    Thread.onSpinWait();
                }
                highest = Math.max(highest, Math.max(highest(a), highest(b)));
                a.forget();
                b.forget();
                for (Probe probe : List.of(a, b)) {
                    ProbeCounters c = probe.counters();
                    hits += c.hits();
                    assertTrue(c.unfinished() >= 0, c::toString);
                }
            }
        } finally {
            stop[0] = true;
            nested.join();
            assertTrue(Odd.odd_workers_stop() > 0, "a result was wrong");
        }
        assertTrue(TestProbe.engine().drain(true, 30_000));
        ChildJvm.note(hits + " hits, " + (committed.get() - before) + " events, numbers up to " + highest + " in " + rounds + " rounds");
        assertTrue(hits > rounds, hits + " hits");
        assertTrue(highest < 500, "numbers up to " + highest);
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    private ForgetScenarios() {}
}
