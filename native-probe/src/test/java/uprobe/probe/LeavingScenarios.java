package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.spec.Condition;
import uprobe.probe.spec.Mode;

/** Probed calls that end where nobody expects it: by every kind of exception, at any instruction, on another thread, or never. */
final class LeavingScenarios {
    private static final boolean STORM = Boolean.getBoolean("storm");
    /** In the order of exceptions.cc's Function. */
    private static final List<String> THROWING = List.of("odd_x_top", "odd_x_middle", "odd_x_bottom", "odd_x_compare", "odd_x_rethrows", "odd_x_catches");

    /** What exceptions.cc counted of one function: its calls, and those that an exception left. */
    private record Seen(long calls, long left) {
        Seen minus(Seen before) {
            return new Seen(calls - before.calls, left - before.left);
        }
    }

    private static NativeLibrary library(String stem) {
        return NativeLibrary.getInstance(Odd.folder().resolve(stem + ".so").toString());
    }

    private static Function odd(String function) {
        return Odd.LIBRARY.getFunction(function);
    }

    private static int callInt(String function, Object... arguments) {
        return odd(function).invokeInt(arguments);
    }

    private static long callLong(String function, Object... arguments) {
        return odd(function).invokeLong(arguments);
    }

    private static List<Seen> seen(NativeLibrary library) {
        List<Seen> all = new ArrayList<>();
        for (int i = 0; i < THROWING.size(); i++) {
            all.add(new Seen(library.getFunction("odd_x_calls").invokeLong(new Object[] {i}), library.getFunction("odd_x_left").invokeLong(new Object[] {i})));
        }
        return all;
    }

    /** Waits until every hit of the probe is accounted for: what a thread had under way at its end is written when the kernel says it is gone. */
    static void awaitFinished(TestProbe probe) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        do {
            assertTrue(TestProbe.engine().drain(true, 30_000), "the drain thread is not done within 30 s");
            if (probe.counters().unfinished() == 0) {
                return;
            }
            Thread.sleep(20);
        } while (System.nanoTime() < end);
    }

    private static void settle(TestProbe... probes) throws Exception {
        for (TestProbe probe : probes) {
            awaitFinished(probe);
        }
        for (TestProbe probe : probes) {
            probe.assertNothingLostSilently();
        }
    }

    /** One kind after the other on one thread: each function's hits and unwound returns are those it counted itself. */
    private static void exceptionsOfEveryKind(String stem) throws Exception {
        NativeLibrary library = library(stem);
        Function check = library.getFunction("odd_x_check");
        int kinds = library.getFunction("odd_x_kinds").invokeInt(new Object[0]);
        for (long kind = 0; kind < kinds; kind++) {
            assertEquals(0, check.invokeInt(new Object[] {kind, 1999993L}), "unprobed, kind " + kind);
        }
        for (long kind = 0; kind < kinds; kind++) {
            List<TestProbe> calls = new ArrayList<>(), returns = new ArrayList<>();
            List<Seen> before = seen(library);
            for (String function : THROWING) {
                String target = " " + stem + ":" + function;
                calls.add(TestProbe.arm("c" + target + (function.endsWith("compare") ? " n=$arg1" : " kind=$arg1") + " r=$retval"));
                returns.add(TestProbe.arm("r" + target + " r=$retval"));
            }
            assertEquals(0, check.invokeInt(new Object[] {kind, 1999993L}), "kind " + kind + "; 1: caught wrongly, 2: not destroyed once");
            List<Seen> after = seen(library);
            long left = 0;
            for (int i = 0; i < THROWING.size(); i++) {
                Seen own = after.get(i).minus(before.get(i));
                for (TestProbe probe : List.of(calls.get(i), returns.get(i))) {
                    String what = "kind " + kind + ": " + probe.armed() + " " + probe.counters();
                    List<TestProbe.Hit> hits = probe.hits();
                    assertEquals(TestProbe.counters(own.calls, own.calls, 0, 0), probe.counters(), what);
                    assertEquals(own.calls, hits.size(), what);
                    assertEquals(own.left, hits.stream().filter(TestProbe.Hit::unwound).count(), what);
                    probe.close();
                }
                left += own.left;
            }
            assertTrue(left >= 3, "the exception leaves at least three probed functions: " + left);
        }
        TestProbe.assertTextIsOriginal(stem + ".so");
    }

    @Scenario
    static void exceptionsOfEveryKindWithASharedUnwinder() throws Exception {
        exceptionsOfEveryKind("libexceptions_shared");
    }

    @Scenario
    static void exceptionsOfEveryKindWithAStaticUnwinder() throws Exception {
        exceptionsOfEveryKind("libexceptions_static");
    }

    @Scenario
    static void exceptionsOfEveryKindWithLlvmLibunwind() throws Exception {
        exceptionsOfEveryKind(ReturnScenarios.llvm("libexceptions_llvm"));
    }

    /* Sixteen threads, ten thousand throws each, through three to five probed functions at a time. */
    private static void sixteenThreadsThrow(String stem) throws Exception {
        NativeLibrary library = library(stem);
        Function throwing = library.getFunction("odd_x_on_threads");
        assertEquals(0, throwing.invokeLong(new Object[] {16, 100L}), "unprobed");
        List<TestProbe> probes = new ArrayList<>();
        for (String function : THROWING) {
            probes.add(TestProbe.arm("c " + stem + ":" + function + " kind=$arg1 r=$retval"));
        }
        List<Seen> before = seen(library);
        long unwound = TestProbe.engine().flushStatistics().unwound();
        assertEquals(0, throwing.invokeLong(new Object[] {16, 10_000L}), "caught wrongly, or not destroyed once");
        List<Seen> after = seen(library);
        settle(probes.toArray(new TestProbe[0]));
        long left = 0, dropped = 0;
        for (int i = 0; i < THROWING.size(); i++) {
            Seen own = after.get(i).minus(before.get(i));
            ProbeCounters counters = probes.get(i).counters();
            assertEquals(own.calls, counters.hits(), THROWING.get(i));
            assertEquals(0, counters.missed(), "return slots for 16 threads are plenty");
            left += own.left;
            dropped += counters.dropped();
            probes.get(i).close();
        }
        assertEquals(left, TestProbe.engine().flushStatistics().unwound() - unwound);
        ChildJvm.note(stem + ": " + left + " calls left by exceptions on 16 threads, " + dropped + " records dropped");
    }

    @Scenario(alone = true)
    static void sixteenThreadsThrowAtOnceWithASharedUnwinder() throws Exception {
        sixteenThreadsThrow("libexceptions_shared");
    }

    @Scenario(alone = true)
    static void sixteenThreadsThrowAtOnceWithAStaticUnwinder() throws Exception {
        sixteenThreadsThrow("libexceptions_static");
    }

    @Scenario(alone = true, oneJdk = true)
    static void sixteenThreadsThrowAtOnceWithLlvmLibunwind() throws Exception {
        sixteenThreadsThrow(ReturnScenarios.llvm("libexceptions_llvm"));
    }

    /* A handler's hit clears away what an exception left, while the interrupted return is doing just that: slots were given back twice, and the JVM
     * crashed in up_hit_complete. */
    @Scenario(alone = true)
    static void handlersHitWhileExceptionsLeaveFrames() throws Exception {
        int signals = STORM ? 500_000 : 8_000;
        NativeLibrary library = library("libexceptions_shared");
        Function beneath = library.getFunction("odd_x_beneath_signals");
        assertEquals(0, beneath.invokeLong(new Object[] {1000, 1}), "unprobed");
        for (int ownStack = 0; ownStack < 2; ownStack++) {
            List<TestProbe> probes = new ArrayList<>();
            for (String function : THROWING) {
                probes.add(TestProbe.arm("c libexceptions_shared:" + function + " kind=$arg1 r=$retval"));
                probes.add(TestProbe.arm("r libexceptions_shared:" + function + " r=$retval"));
            }
            List<Seen> before = seen(library);
            assertEquals(0, beneath.invokeLong(new Object[] {signals, ownStack}), "wrong results; below 0: signals lost");
            List<Seen> after = seen(library);
            settle(probes.toArray(new TestProbe[0]));
            for (int i = 0; i < probes.size(); i++) {
                assertEquals(after.get(i / 2).minus(before.get(i / 2)).calls, probes.get(i).counters().hits(), THROWING.get(i / 2));
                assertEquals(0, probes.get(i).counters().missed(), "slots are given back");
                probes.get(i).close();
            }
        }
    }

    /* The cancellation may interrupt the trap, the record being written, or the trampoline on its way back. */
    @Scenario(alone = true)
    static void asynchronousCancellationAtAnyInstruction() throws Exception {
        int rounds = STORM ? 20_000 : 500;
        assertEquals(0, callInt("odd_cancel_anywhere", 20), "unprobed");
        try (TestProbe frame = TestProbe.arm("c libodd:odd_leave_frame n=$arg1 r=$retval"); TestProbe leaf = TestProbe.arm("c libodd:odd_leave_leaf n=$arg1 r=$retval")) {
            long leafs = callLong("odd_leave_leaf_calls"), frames = callLong("odd_leave_frame_calls");
            assertEquals(0, callInt("odd_cancel_anywhere", rounds), "threads not cancelled, or whose handlers did not run once each");
            leafs = callLong("odd_leave_leaf_calls") - leafs;
            frames = callLong("odd_leave_frame_calls") - frames;
            settle(frame, leaf);
            /* A thread may go between a trap and the first instruction behind it: a hit, and no call that counted itself. */
            long extra = leaf.counters().hits() - leafs + frame.counters().hits() - frames;
            assertTrue(leaf.counters().hits() >= leafs && frame.counters().hits() >= frames && extra <= rounds,
                    leaf.counters() + " of " + leafs + ", " + frame.counters() + " of " + frames);
            ChildJvm.note(rounds + " threads cancelled, " + leafs + " calls, " + extra + " of them cancelled at their trap");
        }
    }

    /* A hit that is only counted is counted once: the thread may go, or jump away, between the counting and whatever says that it has been. */
    @Scenario(alone = true)
    static void leftForGoodWhileReturnsAreOnlyCounted() throws Exception {
        int rounds = STORM ? 20_000 : 2_000;
        callInt("odd_leave_jumper_end");
        try (TestProbe leaf = TestProbe.arm("c libodd:odd_leave_leaf n=$arg1 r=$retval")) {
            leaf.armed().use(new ProbeSettings(Mode.COUNT, Long.MAX_VALUE, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, false));
            long leafs = callLong("odd_leave_leaf_calls");
            assertEquals(0, callInt("odd_cancel_anywhere", rounds), "threads not cancelled, or whose handlers did not run once each");
            assertEquals(rounds, callInt("odd_leave_anywhere", (long) rounds));
            callInt("odd_leave_jumper_end");
            leafs = callLong("odd_leave_leaf_calls") - leafs;
            awaitFinished(leaf);
            ProbeCounters counters = leaf.counters();
            assertEquals(counters.hits(), counters.filtered() + counters.dropped(), counters::toString);
            assertTrue(counters.hits() >= leafs && counters.hits() <= leafs + 2 * rounds, counters + " of " + leafs);
        }
    }

    /* Nobody ever took that hit up again: the coroutine's thread took it for being recorded elsewhere. */
    @Scenario(alone = true)
    static void leftForGoodWhereACoroutineReturnsOnAnotherThread() throws Exception {
        TestProbe.engine();
        LoadedLibrary helper = TestProbe.library("libuprobe.so");
        try (TestProbe inner = TestProbe.arm("c libodd:odd_co_inner n=$arg1 r=$retval");
                TestProbe outer = TestProbe.arm("c libodd:odd_co_outer n=$arg1 r=$retval")) {
            int left = callInt("odd_co_left_elsewhere", new Pointer(helper.textStart()), new Pointer(helper.textEnd()), STORM ? 2000 : 100);
            ChildJvm.note("left " + left + " times");
            assertTrue(left >= 0);
            Odd.odd_identity(1);
            settle(inner, outer);
        }
    }

    /* The drain took a call that was just returning for one that still waited, and both recorded it. */
    @Scenario(alone = true)
    static void coroutinesReturnWhileTheDrainDropsWhatTheirDeadThreadAwaited() throws Exception {
        int rounds = STORM ? 20_000 : 500;
        AtomicBoolean over = new AtomicBoolean();
        try (TestProbe inner = TestProbe.arm("c libodd:odd_co_inner n=$arg1 r=$retval");
                TestProbe outer = TestProbe.arm("c libodd:odd_co_outer n=$arg1 r=$retval")) {
            Thread drains = new Thread(() -> {
                while (!over.get()) {
                    assertDoesNotThrow(() -> TestProbe.engine().drain(false, 30_000));
                }
            });
            drains.start();
            for (int i = 0; i < rounds; i++) {
                assertEquals(64, callInt("odd_co_start_on_ended_thread"));
                callInt("odd_co_resume", 1, 0, i % 2);
                callInt("odd_co_resume", 1, 0, i % 2);
                assertEquals(64, callInt("odd_co_end"), "every result is its own coroutine's");
            }
            over.set(true);
            drains.join();
            settle(inner, outer);
            assertEquals(64L * rounds, inner.counters().hits());
            assertEquals(inner.counters().hits(), inner.counters().recorded() + inner.counters().dropped(), inner.counters()::toString);
            assertEquals(outer.counters().hits(), outer.counters().recorded() + outer.counters().dropped(), outer.counters()::toString);
        }
    }

    /* The handler's stack pointer is above that of the call it interrupted, on the same Java thread's stack: the call was dropped, and the
     * trampoline that it returned by led elsewhere. */
    @Scenario(alone = true)
    static void hitsInAHandlerWhoseStackIsAPartOfTheJavaThreads() throws Exception {
        assertEquals(0, callLong("odd_leave_handler_of_caller", 100L, 1), "unprobed");
        try (TestProbe leaf = TestProbe.arm("c libodd:odd_leave_leaf n=$arg1 r=$retval")) {
            long leafs = callLong("odd_leave_leaf_calls"), unwound = TestProbe.engine().flushStatistics().unwound();
            assertEquals(0, callLong("odd_leave_handler_of_caller", 3000L, 1), "wrong results; -1: signals lost");
            settle(leaf);
            assertEquals(callLong("odd_leave_leaf_calls") - leafs, leaf.counters().hits());
            assertEquals(0, TestProbe.engine().flushStatistics().unwound() - unwound, "every call returned");
        }
    }

    /* The first of a JNI call's hits whose Java frame is looked for comes in the handler: it dropped the calls below that frame. */
    @Scenario(alone = true)
    static void firstEventOfAJavaCallInAHandlerThatInterruptedACountedCall() throws Exception {
        try (TestProbe leaf = TestProbe.arm("c libodd:odd_leave_leaf n=$arg1 r=$retval:s64"); TestProbe beside = TestProbe.arm("p libodd:odd_leave_beside n=$arg1")) {
            Condition result = Condition.parse("r == r", leaf.armed().spec().fields(), leaf.armed().spec().type(), 1);
            leaf.armed().use(new ProbeSettings(Mode.COUNT, 0, result, 1, Long.MAX_VALUE, Long.MAX_VALUE, false));
            long[] wrong = {-1};
            long leafs = callLong("odd_leave_leaf_calls");
            for (int i = 0; i < 200; i++) {
                Thread thread = new Thread(() -> wrong[0] = callLong("odd_leave_handler_of_caller", 5L, 0), "above");
                thread.start();
                thread.join();
                assertEquals(0, wrong[0], "wrong results; -1: signals lost, -2: the handlers' stack is not above the thread's");
            }
            leafs = callLong("odd_leave_leaf_calls") - leafs;
            settle(beside);
            assertEquals(1000, beside.counters().recorded());
            assertEquals(leafs, leaf.counters().recorded(), () -> leaf.counters() + ": every call returned");
        }
    }

    /* What could not be read for want of a permission was taken for gone: calls that go on were dropped, and returned by trampolines of others. */
    @Scenario(alone = true)
    static void callsGoOnThoughTheirStacksMayNotBeReadSafely() throws Exception {
        TestProbe.engine();
        assertEquals(0, callInt("odd_forbid_memory_access"));
        coroutinesReturnOutOfOrderAndOnOtherThreads();
        coroutinesThatNeverReturn();
        aCoroutineThatOutlivesItsThreadReturnsWhereItWasCalled();
        hitsInAHandlerOnAStackAboveTheThreads();
        jumpsOutOfHandlersAtAnyInstruction();
    }

    @Scenario
    static void aHandlerThatInterruptedAProbedCallJumpsOutOfIt() throws Exception {
        assertEquals(23, callInt("odd_leave_by_handler", 6L), "unprobed");
        try (TestProbe raises = TestProbe.arm("c libodd:odd_leave_raises depth=$arg1 r=$retval")) {
            assertEquals(23, callInt("odd_leave_by_handler", 6L));
            List<TestProbe.Hit> hits = raises.hits();
            assertEquals(List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L), hits.stream().map(h -> h.values()[1]).toList(), "innermost first");
            assertTrue(hits.stream().allMatch(TestProbe.Hit::unwound));
            raises.assertNothingLostSilently();
        }
    }

    /* What was cut off in the middle of the engine's own work must neither be lost nor be in the way of the thread's next records. */
    @Scenario(alone = true)
    static void jumpsOutOfHandlersAtAnyInstruction() throws Exception {
        long rounds = STORM ? 100_000 : 3_000;
        assertEquals(20, callInt("odd_leave_anywhere", 20L), "unprobed");
        callInt("odd_leave_jumper_end");
        try (TestProbe frame = TestProbe.arm("c libodd:odd_leave_frame n=$arg1 r=$retval"); TestProbe leaf = TestProbe.arm("c libodd:odd_leave_leaf n=$arg1 r=$retval")) {
            long leafs = callLong("odd_leave_leaf_calls");
            assertEquals(rounds, callInt("odd_leave_anywhere", rounds));
            leafs = callLong("odd_leave_leaf_calls") - leafs;
            try {
                /* The thread is alive: its records must come through while it is. */
                settle(frame, leaf);
                long extra = leaf.counters().hits() - leafs;
                assertTrue(extra >= 0 && extra <= rounds, leaf.counters() + " of " + leafs);
                assertTrue(frame.counters().hits() <= rounds && frame.counters().hits() >= rounds / 2, frame.counters()::toString);
                ChildJvm.note(rounds + " jumps, " + leafs + " calls, " + leaf.counters() + ", " + frame.counters());
            } finally {
                callInt("odd_leave_jumper_end");
            }
        }
    }

    /* A small number where a return address was once passed for the trampoline's own, of the call that awaited its return by that number. */
    @Scenario(alone = true)
    static void whateverLiesWhereTheReturnAddressWasTheCallIsOver() throws Exception {
        try (TestProbe jumps = TestProbe.arm("c libodd:odd_leave_jumps n=$arg1"); TestProbe leaf = TestProbe.arm("c libodd:odd_leave_leaf n=$arg1")) {
            for (long number = 0; number < 16; number++) {
                assertEquals(1, callInt("odd_leave_number", number));
                try {
                    assertTrue(TestProbe.engine().drain(true, 30_000));
                    assertEquals(number + 1, jumps.counters().hits());
                    assertEquals(number + 1, jumps.counters().recorded(), "with " + number + " there");
                } finally {
                    callInt("odd_leave_jumper_end");
                }
            }
            settle(jumps, leaf);
            assertTrue(jumps.hits().stream().allMatch(TestProbe.Hit::unwound));
        }
    }

    /* The stack pointer in the handler is above the interrupted call's, though that call has not ended. */
    @Scenario(alone = true)
    static void hitsInAHandlerOnAStackAboveTheThreads() throws Exception {
        int signals = STORM ? 500_000 : 30_000;
        assertEquals(0, callLong("odd_leave_handler_stack", 1000), "unprobed");
        try (TestProbe leaf = TestProbe.arm("c libodd:odd_leave_leaf n=$arg1 r=$retval")) {
            long leafs = callLong("odd_leave_leaf_calls"), unwound = TestProbe.engine().flushStatistics().unwound();
            assertEquals(0, callLong("odd_leave_handler_stack", signals), "wrong results; -1: signals lost, or the stacks lie otherwise");
            settle(leaf);
            assertEquals(callLong("odd_leave_leaf_calls") - leafs, leaf.counters().hits());
            assertEquals(0, TestProbe.engine().flushStatistics().unwound() - unwound, "every call returned");
        }
    }

    /** Whoever goes on with it returns by the trampolines of its calls: they stay its own, whatever is called meanwhile. */
    @Scenario(alone = true)
    static void aCoroutineThatOutlivesItsThreadReturnsWhereItWasCalled() throws Exception {
        try (TestProbe inner = TestProbe.arm("c libodd:odd_co_inner n=$arg1 r=$retval"); TestProbe outer = TestProbe.arm("c libodd:odd_co_outer n=$arg1 r=$retval");
                TestProbe other = TestProbe.arm("c libodd:odd_recursion n=$arg1 r=$retval")) {
            assertEquals(64, callInt("odd_co_start_on_ended_thread"));
            long begin = System.nanoTime();
            while (TestProbe.engine().flushStatistics().threadsRecycled() == 0 && System.nanoTime() - begin < 20_000_000_000L) {
                assertTrue(TestProbe.engine().drain(false, 30_000));
            }
            assertTrue(TestProbe.engine().flushStatistics().threadsRecycled() > 0, "the thread's ring has come back");
            assertEquals(300, Odd.odd_recursion(300));
            callInt("odd_co_resume", 1, 0, 0);
            callInt("odd_co_resume", 1, 0, 0);
            assertEquals(64, callInt("odd_co_end"), "every result is its own coroutine's");
            settle(inner, outer, other);
            assertEquals(301, other.counters().recorded());
        }
    }

    @Scenario
    static void coroutinesReturnOutOfOrderAndOnOtherThreads() throws Exception {
        for (int backwards = 0; backwards < 2; backwards++) {
            try (TestProbe inner = TestProbe.arm("c libodd:odd_co_inner n=$arg1 r=$retval"); TestProbe outer = TestProbe.arm("c libodd:odd_co_outer n=$arg1 r=$retval");
                    TestProbe end = TestProbe.arm("r libodd:odd_co_outer r=$retval")) {
                assertEquals(64, callInt("odd_co_start"));
                callInt("odd_co_resume", 3, 1, backwards);
                assertEquals(0, callInt("odd_co_resume_on_new_thread", backwards));
                callInt("odd_co_resume", 2, 0, 1 - backwards);
                assertEquals(0, callInt("odd_co_resume_on_new_thread", 1 - backwards));
                assertEquals(64, callInt("odd_co_end"), "every result is its own coroutine's");
                settle(inner, outer, end);
                assertResults(inner, 64, n -> n * 5 + 2);
                assertResults(outer, 64, n -> n * 12 + 2);
                assertEquals(64, end.hits().stream().filter(h -> !h.unwound()).map(h -> h.values()[0]).distinct().count());
            }
        }
    }

    /* Each argument once, with its result and a duration. */
    private static void assertResults(TestProbe probe, int count, java.util.function.LongUnaryOperator result) throws Exception {
        Map<Long, Long> results = new TreeMap<>();
        for (TestProbe.Hit hit : probe.hits()) {
            assertTrue(!hit.unwound() && hit.missing() == 0 && hit.values()[0] > 0, hit::toString);
            assertEquals(null, results.put(hit.values()[1], hit.values()[2]), "each coroutine once");
            assertEquals(result.applyAsLong(hit.values()[1]), hit.values()[2]);
        }
        assertEquals(count, results.size());
        assertEquals(TestProbe.counters(count, count, 0, 0), probe.counters());
    }

    /* Their stacks are unmapped while their calls wait: they count as left, and the thread's own calls go on. */
    @Scenario
    static void coroutinesThatNeverReturn() throws Exception {
        try (TestProbe inner = TestProbe.arm("c libodd:odd_co_inner n=$arg1 r=$retval"); TestProbe outer = TestProbe.arm("c libodd:odd_co_outer n=$arg1 r=$retval");
                TestProbe own = TestProbe.arm("c libodd:odd_identity n=$arg1 r=$retval")) {
            assertEquals(64, callInt("odd_co_start"));
            assertEquals(5, Odd.odd_identity(5));
            assertEquals(0, inner.counters().recorded(), "they are suspended, not gone");
            assertEquals(0, callInt("odd_co_end"));
            assertEquals(6, Odd.odd_identity(6));
            settle(inner, outer, own);
            assertEquals(64, inner.hits().stream().filter(TestProbe.Hit::unwound).count());
            assertEquals(64, outer.hits().stream().filter(TestProbe.Hit::unwound).count());
            assertEquals(2, own.hits().stream().filter(h -> !h.unwound()).count());
        }
    }

    /** Two functions that jump to each other wait for one and the same return: 16 are recorded, the others counted as missed, nothing else suffers. */
    @Scenario(alone = true)
    static void millionsOfMutualTailCallsLeaveRoomForOthers() throws Exception {
        long calls = STORM ? 10_000_000 : 200_000;
        long refused = TestProbe.engine().flushStatistics().slotsRefused();
        try (TestProbe ping = TestProbe.arm("c libodd:odd_ping n=$arg1 r=$retval"); TestProbe pong = TestProbe.arm("c libodd:odd_pong n=$arg1 r=$retval");
                TestProbe other = TestProbe.arm("c libodd:odd_identity n=$arg1 r=$retval")) {
            long started = System.nanoTime();
            long[] result = new long[1];
            Thread loop = new Thread(() -> result[0] = Odd.odd_ping(calls), "loop");
            loop.start();
            long others = 0;
            do {
                assertEquals(others, Odd.odd_identity(others));
                others++;
                Thread.sleep(1);
            } while (loop.isAlive());
            loop.join();
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
            assertEquals(2, result[0], "an even number ends in odd_pong");
            settle(ping, pong, other);
            assertEquals(calls, ping.counters().hits() + pong.counters().hits());
            long recorded = ping.counters().recorded() + pong.counters().recorded(), missed = ping.counters().missed() + pong.counters().missed();
            assertEquals(calls, recorded + missed);
            assertTrue(recorded >= 1 && recorded <= 16, "the chain of one return address: " + recorded);
            assertEquals(missed, TestProbe.engine().flushStatistics().slotsRefused() - refused);
            assertEquals(TestProbe.counters(others, others, 0, 0), other.counters(), "return slots are left for everybody else");
            ChildJvm.note(calls + " tail calls in " + millis + " ms beside " + others + " calls of another function");
        }
    }

    @Scenario
    static void recursionTenThousandDeepNestsItsDurations() throws Exception {
        int depth = 10_000;
        try (TestProbe probe = TestProbe.arm("c libodd:odd_recursion n=$arg1 r=$retval")) {
            assertEquals(depth, Odd.odd_recursion(depth));
            List<TestProbe.Hit> hits = probe.hits();
            assertEquals(depth + 1, hits.size());
            for (int i = 0; i <= depth; i++) {
                long[] values = hits.get(i).values();
                assertEquals(i, values[1], "the innermost returns first");
                assertEquals(i, values[2]);
                assertEquals(0, hits.get(i).missing());
                if (i > 0) {
                    long[] within = hits.get(i - 1).values();
                    assertTrue(hits.get(i).time() <= hits.get(i - 1).time() && hits.get(i).time() + values[0] >= hits.get(i - 1).time() + within[0],
                            "begins before, ends after what it calls: " + i);
                }
            }
            assertEquals(TestProbe.counters(depth + 1, depth + 1, 0, 0), probe.counters());
        }
    }

    @Scenario
    static void argumentsAndResultsOfEveryRegisterClassArriveUnchanged() throws Exception {
        assertEquals(0, callInt("odd_check_wide"), "unprobed");
        List<String> functions = TestProbe.library("libodd.so").symbols().functions().stream().map(f -> f.name()).filter(n -> n.startsWith("odd_w_")).sorted().toList();
        assertEquals(17, functions.size(), functions::toString);
        List<TestProbe> probes = new ArrayList<>();
        for (String function : functions) {
            for (String probe : List.of("c libodd:%s a=$arg1 r=$retval", "r libodd:%s r=$retval", "p libodd:%s a=$arg1")) {
                probes.add(TestProbe.arm(probe.formatted(function)));
            }
        }
        assertEquals(0, callInt("odd_check_wide"), "a bit for each kind, in the order of odd_check_wide");
        for (TestProbe probe : probes) {
            /* those that the processor can not run have no hits */
            boolean mayLack = probe.armed().toString().matches(".*odd_w_m(256|512).*");
            long hits = probe.counters().hits();
            assertTrue(hits == (probe.armed().toString().contains("varargs") ? 2 : 1) || mayLack && hits == 0, () -> probe.armed() + ": " + probe.counters());
            probe.assertNothingLostSilently();
            probe.close();
        }
    }

    /** The list of the design, under every name that the libraries of this process have for it. */
    @Scenario
    static void whatReturnsTwiceOrReadsItsReturnAddressIsRefusedWithItsReason() throws Exception {
        TestProbe.engine();
        List<NativeLibrary> kept = List.of(library("libexceptions_shared"), library("libexceptions_static"));   /* JNA unloads what nobody refers to */
        Map<Refusal, List<String>> expected = Map.of(
                Refusal.RETURNS_TWICE, List.of("libc:setjmp", "libc:_setjmp", "libc:__sigsetjmp", "libc:getcontext", "libc:swapcontext", "libc:longjmp", "libc:siglongjmp",
                        "libc:_longjmp", "libc:setcontext", "libc:makecontext", "libc:vfork", "libstdc++:__cxa_throw", "libstdc++:__cxa_rethrow", "libgcc_s:_Unwind_RaiseException",
                        "libgcc_s:_Unwind_Resume", "libgcc_s:_Unwind_ForcedUnwind", "libgcc_s:_Unwind_Resume_or_Rethrow", "libexceptions_static:__cxa_throw",
                        "libexceptions_static:__cxa_rethrow", "libexceptions_static:_Unwind_RaiseException", "libexceptions_static:_Unwind_Resume"),
                Refusal.READS_RETURN_ADDRESS, List.of("libc:dlopen", "libc:dlmopen", "libc:dlsym", "libc:dlvsym", "libc:backtrace", "libgcc_s:_Unwind_Backtrace"));
        for (Map.Entry<Refusal, List<String>> why : expected.entrySet()) {
            for (String function : why.getValue()) {
                for (String type : List.of("r", "c")) {
                    ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm(type + " " + function), function);
                    assertEquals(why.getKey(), refused.refusal(), refused::getMessage);
                    assertTrue(refused.getMessage().contains("!" + function.substring(function.indexOf(':') + 1) + ": " + why.getKey().sentence()), refused::getMessage);
                }
            }
        }
        for (String file : List.of("libc.so.6", "libexceptions_static.so", "libgcc_s.so.1")) {
            TestProbe.assertTextIsOriginal(file);
        }
        /* and where only the return is the trouble, the entry can be probed */
        for (String function : List.of("libc:getcontext", "libstdc++:__cxa_throw", "libc:dlsym")) {
            TestProbe.arm("p " + function).close();
        }
        java.lang.ref.Reference.reachabilityFence(kept);
    }

    private LeavingScenarios() {}
}
