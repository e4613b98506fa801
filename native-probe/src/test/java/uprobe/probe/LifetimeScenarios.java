package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Pointer;
import java.util.List;
import uprobe.probe.elf.LoadedLibrary;

/** Frames, threads and libraries that end before the engine is done with them. */
final class LifetimeScenarios {
    private static final long LANDINGS = 2000;

    private static void jumpOut(boolean onNewThread, boolean onAlternateStack) throws Exception {
        TestProbe.engine();
        TestProbe.looksAtStacks = false;
        LoadedLibrary helper = TestProbe.library("libuprobe.so");
        FlushStatistics before = TestProbe.engine().flushStatistics();
        try (TestProbe probe = TestProbe.arm("c libodd:odd_leaves_value n=$arg1 v=+0($retval):s64")) {
            assertEquals(0, Odd.odd_jump_out(new Pointer(helper.textStart()), new Pointer(helper.textEnd()), LANDINGS, onNewThread ? 1 : 0,
                    onAlternateStack ? 1 : 0), "wrong results");
            assertEquals(LANDINGS, Odd.odd_jump_landings(), "jumps out of the engine");
            if (!onNewThread) {
                for (int i = 0; i < 100; i++) {
                    Odd.odd_leaves_value(i);
                }
            }
            long calls = Odd.odd_jump_calls();
            probe.assertNothingLostSilently();
            ProbeCounters c = probe.counters();
            List<TestProbe.Hit> hits = probe.hits();
            FlushStatistics after = TestProbe.engine().flushStatistics();
            long unwound = hits.stream().filter(TestProbe.Hit::unwound).count(), abandoned = after.abandoned() - before.abandoned();
            ChildJvm.note(calls + " calls, " + LANDINGS + " jumps out of the engine, " + abandoned + " records abandoned, " + unwound + " unwound, "
                    + c.dropped() + " dropped");
            assertEquals(calls, c.hits());
            assertEquals(c.recorded(), hits.size());
            assertTrue(abandoned >= 10, abandoned + " records were abandoned: too few to mean something");
            assertTrue(unwound >= abandoned && unwound <= LANDINGS, unwound + " of " + LANDINGS);
            assertTrue(hits.stream().allMatch(h -> h.unwound() ? h.missing() != 0 : h.missing() == 0 && h.values()[2] == 1999993));
            if (!onNewThread) {
                List<Long> later = hits.stream().sorted(java.util.Comparator.comparing(TestProbe.Hit::time)).filter(h -> !h.unwound())
                        .map(h -> h.values()[1]).toList();
                assertEquals(java.util.stream.LongStream.range(0, 100).boxed().toList(), later.subList(later.size() - 100, later.size()),
                        "later hits come as before");
            }
        } finally {
            TestProbe.looksAtStacks = true;
        }
    }

    @Scenario
    static void siglongjmpOutOfTheReturnPathLosesNoHitOfAJavaThread() throws Exception {
        jumpOut(false, false);
    }

    @Scenario
    static void siglongjmpOutOfTheReturnPathLosesNoHitOfANativeThread() throws Exception {
        jumpOut(true, false);
    }

    @Scenario
    static void siglongjmpFromAnAlternateStack() throws Exception {
        jumpOut(false, true);
        jumpOut(true, true);
    }

    private LifetimeScenarios() {}
}
