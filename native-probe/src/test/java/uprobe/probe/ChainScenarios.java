package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import uprobe.probe.spec.ProbeParser;

/** Commit methods with the native method that makes their function a frame of the hits inside. */
final class ChainScenarios {
    /** Frames of hits as their commit methods saw them, down to the native method; guarded by itself. */
    private static final List<String> STACKS = new ArrayList<>();
    private static volatile Error thrown;
    private static volatile ByteBuffer records;

    private static final class Framed {
        static void commit() {
            long run = HitRun.now();
            record(HitRun.offset(run), HitRun.count(run), HitRun.isDrained(run) ? HitRun.drained() + ": " : "");
        }

        private static void record(int offset, int count, String why) {
            Error error = thrown;
            if (error != null) {
                thrown = null;
                throw error;
            }
            String stack = Stream.of(new Throwable().getStackTrace()).skip(1)
                    .takeWhile(frame -> frame.getClassName().equals(Framed.class.getName()) || frame.isNativeMethod())
                    .map(frame -> frame.getMethodName() + (frame.isNativeMethod() ? "*" : "")).collect(Collectors.joining(" "));
            for (int i = 0, at = offset; i < count; i++, at += records.getShort(at + HitRecordDescriptor.LENGTH) & 0xffff) {
                records.putInt(at + HitRecordDescriptor.STATE, HitRecordDescriptor.COMMITTED);
                synchronized (STACKS) {
                    STACKS.add(why + stack);
                }
            }
        }
    }

    private static final class FrameOf {
        private static native void commit();
    }

    private static Probe arm(String text) throws Exception {
        records = TestProbe.engine().records();
        assertNotNull(Odd.LIBRARY);     /* loaded */
        return TestProbe.engine().arm(ProbeParser.parse(text), (probe, spec, stem, symbol, memory) -> new CommitMethod(Framed.class, "commit", FrameOf.class));
    }

    private static List<String> stacks() throws Exception {
        assertTrue(TestProbe.engine().drain(true, 5000));
        synchronized (STACKS) {
            List<String> copy = List.copyOf(STACKS);
            STACKS.clear();
            return copy;
        }
    }

    private static String stack(int callers) {
        return "commit " + "commit* ".repeat(callers) + "odd_deep8*";
    }

    @Scenario
    static void eachOpenCallIsOneFrame() throws Exception {
        List<Probe> probes = new ArrayList<>();
        for (int i = 1; i <= 8; i++) {
            probes.add(arm("c libodd:odd_deep" + i));
            probes.add(arm("r libodd:odd_deep" + i));
        }
        assertEquals(1999993 + 36, Odd.odd_deep8(1999993));
        probes.forEach(Probe::disarm);
        assertEquals(IntStream.rangeClosed(1, 8).boxed().flatMap(i -> Stream.of(stack(8 - i), stack(8 - i))).toList(), stacks());
    }

    @Scenario
    static void commitMethodsWithoutAFrameAreNone() throws Exception {
        Probe inner = arm("p libodd:odd_deep1"), outer = arm("c libodd:odd_deep3");
        try (TestProbe between = TestProbe.arm("c libodd:odd_deep2"); TestProbe plain = TestProbe.arm("c libodd:odd_deep4")) {
            assertEquals(1999993 + 36, Odd.odd_deep8(1999993));
            assertEquals(List.of(stack(1), stack(0)), stacks());
            assertEquals("commit", between.hit().caller());
            assertEquals("odd_deep8", plain.hit().caller());
        }
        inner.disarm();
        outer.disarm();
    }

    @Scenario
    static void anErrorEndsAllLevelsAndTheHitIsTriedOnceMore() throws Exception {
        long failed = TestProbe.engine().flushStatistics().failed();
        Probe inner = arm("p libodd:odd_deep1"), middle = arm("c libodd:odd_deep2"), outer = arm("c libodd:odd_deep3");
        thrown = new StackOverflowError();
        assertEquals(1999993 + 36, Odd.odd_deep8(1999993));
        assertEquals(failed + 1, TestProbe.engine().flushStatistics().failed());
        List<String> stacks = stacks();
        assertEquals(List.of(stack(1), stack(0), "commit failed: commit commit* commit*"), stacks);
        for (Probe probe : List.of(inner, middle, outer)) {
            assertEquals(TestProbe.counters(1, 1, 0, 0), probe.counters());
            probe.disarm();
        }
    }

    /* Thread.stop of JDK 17 throws at the first place that could: not ours, so it goes on to the application. */
    @Scenario
    static void aThreadDeathPassesAllLevelsToTheApplication() throws Exception {
        Probe inner = arm("p libodd:odd_deep1"), middle = arm("c libodd:odd_deep2"), outer = arm("c libodd:odd_deep3");
        ThreadDeath death = new ThreadDeath();
        thrown = death;
        assertEquals(death, assertThrows(ThreadDeath.class, () -> Odd.odd_deep8(1999993)));
        assertEquals(3, stacks().size());
        assertEquals(List.of(), stacks(), "nothing is left");
        assertEquals(1999993 + 36, Odd.odd_deep8(1999993));
        assertEquals(List.of(stack(2), stack(1), stack(0)), stacks());
        List.of(inner, middle, outer).forEach(Probe::disarm);
    }

    /* Calls that longjmp left are no callers of what is called in their place. */
    @Scenario
    static void callsThatWereLeftAreNoFramesOfTheNext() throws Exception {
        Probe jumper = arm("c libodd:odd_jumper"), later = arm("c libodd:odd_deep8");
        assertEquals(23, Odd.odd_jump_home(7));
        Odd.odd_deep8(1);
        List<String> stacks = stacks();
        jumper.disarm();
        later.disarm();
        assertEquals(9, stacks.size(), stacks::toString);
        assertEquals(stack(0), stacks.get(8));
        assertEquals(8, stacks.stream().limit(8).distinct().count(), stacks::toString);
    }

    private ChainScenarios() {}
}
