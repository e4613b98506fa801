package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Function;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import uprobe.probe.elf.LoadedLibrary;

/** Where records wait, and what becomes of those for which there is no room. */
final class RingScenarios {
    private static final int RING = 4096, RECORD = 64;

    /* The drain may come and take a part of them; until it is done with that, the ring stays full. */
    @Scenario(alone = true)
    static void aFullRingDropsAndCountsExactly() throws Exception {
        ProbeEngine.open(EngineOptions.DEFAULT.withRings(RING, 64));
        Thread caller = Thread.currentThread();
        AtomicBoolean held = new AtomicBoolean();
        TestProbe.meanwhile = () -> {
            while (Thread.currentThread() != caller && held.get()) {
                LockSupport.parkNanos(1_000_000);
            }
        };
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1 $arg1 $arg1")) {
            for (int round = 1; round <= 5; round++) {
                held.set(true);
                assertEquals(0, Odd.odd_many(1000));
                held.set(false);
                List<TestProbe.Hit> hits = probe.hits();
                assertEquals(RING / RECORD * round, hits.size());
                assertEquals(TestProbe.counters(1000 * round, RING / RECORD * round, (1000 - RING / RECORD) * round, 0), probe.counters());
                long[] kept = hits.subList(RING / RECORD * (round - 1), hits.size()).stream().mapToLong(hit -> hit.values()[0]).sorted().toArray();
                assertArrayEquals(LongStream.range(0, RING / RECORD).toArray(), kept, "the first ones are kept");
            }
        }
    }

    @Scenario(alone = true, oneJdk = true)
    static void aRingThatIsLeftEmptyBeginsAnew() throws Exception {
        int ring = 1 << 20, reach = (64 << 10) + 1000 * RECORD, calls = 200;
        ProbeEngine.open(EngineOptions.DEFAULT.withRings(ring, 4));
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1 $arg1 $arg1")) {
            for (int i = 0; i < calls; i++) {
                assertEquals(0, Odd.odd_many(1000));
            }
            assertEquals(TestProbe.counters(1000 * calls, 1000 * calls, 0, 0), probe.counters());
            ByteBuffer memory = TestProbe.engine().records();
            for (int i = 0; i < 4 * ring; i += Long.BYTES) {
                assertTrue(i % ring <= reach || memory.getLong(i) == 0, "the largest call needs " + reach + " bytes; written at " + i);
            }
        }
    }

    /* A handler found the whole ring free, and what was skipped of it once more: its last hits overwrote its first. */
    @Scenario(alone = true, oneJdk = true)
    static void aHandlerFillsTheRingInTheMiddleOfItsNewBeginning() throws Exception {
        int ring = 1 << 17, calls = 1100, inside = 3 * ring / RECORD;
        ProbeEngine.open(EngineOptions.DEFAULT.withRings(ring, 4));
        TestProbe.looksAtStacks = false;
        Function step = Odd.LIBRARY.getFunction("odd_step_into"), steps = Odd.LIBRARY.getFunction("odd_step_steps");
        LoadedLibrary helper = TestProbe.library("libuprobe.so");
        long start = helper.symbols().functions().stream().filter(f -> f.name().equals("up_ring_rewind")).findFirst().orElseThrow().address();
        long instruction = 1, last;
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1 $arg1 $arg1")) {
            boolean atItsEnd = false;
            while (!atItsEnd) {
                assertEquals(0, Odd.odd_many(calls));       /* the next one ends in the upper half */
                TestProbe.forgetHits();
                ProbeCounters before = probe.counters();
                step.invokeVoid(new Object[] {new Pointer(start), new Pointer(start + 256), instruction, (long) inside});
                assertEquals(0, Odd.odd_many(calls));
                last = steps.invokeLong(new Object[0]);
                boolean interrupted = last == instruction;
                List<TestProbe.Hit> hits = probe.hits();
                ProbeCounters now = probe.counters();
                assertEquals(0, now.unfinished(), "interrupted after " + instruction + " instructions: " + now);
                assertEquals(interrupted ? calls + inside : calls, now.hits() - before.hits());
                assertEquals(now.recorded() - before.recorded(), hits.size());
                long own = hits.stream().map(hit -> hit.values()[0]).filter(value -> value >= calls).count();
                assertEquals(own, hits.stream().map(hit -> hit.values()[0]).filter(value -> value >= calls).distinct().count(), "each once");
                assertTrue(hits.stream().allMatch(hit -> hit.values()[0] == hit.values()[2] && hit.values()[0] < inside));
                if (interrupted) {
                    instruction++;
                    continue;
                }
                /* Through before so many instructions. That was the end, if the ring has begun anew; on a busy machine the drain may be at a long call's
                 * records, so that the ring is not empty, and the way through is a shorter one: this instruction is still to come. */
                TestProbe.newestAt = -1;
                assertEquals(1, Odd.odd_identity(1));
                atItsEnd = TestProbe.newestAt % ring == 0;
            }
            step.invokeVoid(new Object[] {Pointer.NULL, Pointer.NULL, 0L, 0L});
            assertTrue(instruction > 30, instruction + " instructions");
        }
    }

    /* Records of 96 bytes do not divide the ring: at its end a filler lies between two of them. */
    @Scenario(alone = true, oneJdk = true)
    static void recordsNeverWrapAndNoneIsLostAtTheRingsEnd() throws Exception {
        ProbeEngine.open(EngineOptions.DEFAULT.withRings(RING, 64));
        try (TestProbe probe = TestProbe.arm("c libodd:odd_identity $arg1 $arg1 $arg1 $arg1 $retval")) {
            for (int i = 0; i < 300; i++) {
                assertEquals(0, Odd.odd_many(7));
            }
            List<TestProbe.Hit> hits = probe.hits();
            assertEquals(2100, hits.size());
            for (int i = 0; i < 2100; i++) {
                assertEquals(i % 7, hits.get(i).values()[1]);
                assertEquals(i % 7, hits.get(i).values()[5]);
            }
            assertEquals(TestProbe.counters(2100, 2100, 0, 0), probe.counters());
        }
    }

    @Scenario(alone = true, oneJdk = true)
    static void twoProbesShareARingAndKeepTheirCounts() throws Exception {
        ProbeEngine.open(EngineOptions.DEFAULT.withRings(RING, 64));
        try (TestProbe small = TestProbe.arm("p libodd:odd_identity"); TestProbe large = TestProbe.arm("c libodd:odd_identity $arg1 $arg1 $arg1 $arg1 $retval")) {
            int calls = 0;
            while (calls < 50_000 && (small.counters().dropped() == 0 || large.counters().dropped() == 0)) {      /* the drain may keep up for a while */
                assertEquals(0, Odd.odd_many(500));
                calls += 500;
            }
            small.assertNothingLostSilently();
            large.assertNothingLostSilently();
            assertEquals(calls, small.counters().hits());
            assertEquals(calls, large.counters().hits());
            assertEquals(small.hits().size(), small.counters().recorded());
            assertEquals(large.hits().size(), large.counters().recorded());
            assertTrue(small.counters().dropped() > 0 && large.counters().dropped() > 0, calls + " calls: " + small.counters() + ", " + large.counters());
        }
    }

    @Scenario(alone = true, oneJdk = true)
    static void threadsWithoutARingAreCountedAsDropped() throws Exception {
        ProbeEngine.open(EngineOptions.DEFAULT.withRings(RING, 2));
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            Odd.odd_identity(0);
            /* This thread and the drain thread have the two rings there are. */
            assertTrue(TestProbe.engine().drain(false, 5000));
            assertEquals(0, Odd.odd_on_new_thread(10));
            assertEquals(TestProbe.counters(11, 1, 10, 0), probe.counters());
            assertTrue(TestProbe.engine().flushStatistics().threadsRefused() > 0);
        }
    }

    @Scenario(alone = true)
    static void ringsOfEndedThreadsAreUsedAgain() throws Exception {
        ProbeEngine.open(EngineOptions.DEFAULT.withRings(RING, 4));
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            for (int i = 0; i < 20; i++) {
                assertEquals(0, Odd.odd_on_new_thread(5));
                long end = System.nanoTime() + 20_000_000_000L;        /* the kernel may take its time with a thread that was joined */
                do {
                    assertTrue(TestProbe.engine().drain(true, 5000));
                } while (TestProbe.engine().flushStatistics().threadsRecycled() < i + 1 && System.nanoTime() < end);
            }
            assertEquals(100, probe.hits().size());
            assertEquals(TestProbe.counters(100, 100, 0, 0), probe.counters());
            assertEquals(20, TestProbe.engine().flushStatistics().threadsRecycled());
        }
    }

    @Scenario
    static void hitsThatTheFlushCausesAreMissedAndCounted() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            TestProbe.meanwhile = () -> Odd.odd_identity(7);
            Odd.odd_identity(1);
            TestProbe.meanwhile = null;
            probe.assertValues(1);
            assertEquals(TestProbe.counters(2, 1, 0, 1), probe.counters());
            Odd.odd_identity(2);
            assertEquals(TestProbe.counters(3, 2, 0, 1), probe.counters());
        } finally {
            TestProbe.meanwhile = null;
        }
    }

    @Scenario
    static void aCommitMethodThatThrowsIsTriedOnceMoreByTheDrain() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            long failed = TestProbe.engine().flushStatistics().failed();
            TestProbe.meanwhile = () -> {
                throw new StackOverflowError();
            };
            Odd.odd_identity(1);
            TestProbe.meanwhile = null;
            Odd.odd_identity(2);
            probe.assertNothingLostSilently();
            assertEquals(2, probe.hits().size());
            assertEquals(failed + 1, TestProbe.engine().flushStatistics().failed());
        } finally {
            TestProbe.meanwhile = null;
        }
    }

    private RingScenarios() {}
}
