package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.spec.Mode;

/** Swapped return addresses, and everything that leaves a function in another way than by its ret. */
final class ReturnScenarios {
    /** Consumers of one return address: UP_RETURN_CHAIN in awaited.h. */
    private static final int CHAIN = 16;

    @Scenario
    static void tailCallAndItsTargetReturnTogether() throws Exception {
        try (TestProbe first = TestProbe.arm("c libodd:odd_tail_first x=$arg1 r=$retval"); TestProbe second = TestProbe.arm("c libodd:odd_tail_second x=$arg1 r=$retval")) {
            assertEquals(19999937, Odd.odd_tail_first(1999993));
            assertEquals(1999993, first.hit().values()[1]);
            assertEquals(19999937, first.hit().values()[2]);
            assertEquals(5 * 1999993, second.hit().values()[1]);
            assertEquals(19999937, second.hit().values()[2]);
            assertTrue(first.hit().values()[0] >= second.hit().values()[0], "the caller lasts as long as what it called");
        }
    }

    /** A return address has room for so many that wait; the others are counted as missed, and nothing grows. */
    @Scenario
    static void tenThousandMutualTailCallsTakeConstantSpace() throws Exception {
        long refusedBefore = TestProbe.engine().flushStatistics().slotsRefused();
        try (TestProbe ping = TestProbe.arm("c libodd:odd_ping n=$arg1 r=$retval"); TestProbe pong = TestProbe.arm("c libodd:odd_pong n=$arg1 r=$retval")) {
            assertEquals(2, Odd.odd_ping(10_000));
            assertEquals(1, Odd.odd_ping(9_999));
            ping.assertNothingLostSilently();
            pong.assertNothingLostSilently();
            assertEquals(10_000, ping.counters().hits());
            assertEquals(9_999, pong.counters().hits());
            assertEquals(2 * CHAIN, ping.counters().recorded() + pong.counters().recorded());
            assertEquals(19_999 - 2 * CHAIN, TestProbe.engine().flushStatistics().slotsRefused() - refusedBefore);
        }
    }

    private static ProbeSettings settings(Mode mode, long threshold, long sample, long until) {
        return new ProbeSettings(mode, threshold, null, sample, Long.MAX_VALUE, until, false);
    }

    /* Each iteration was a hit: of ten calls with a hundred each 160 were events and 840 missed. */
    @Scenario
    static void aLoopThatBeginsAtTheFirstInstructionIsOneCall() throws Exception {
        Function sum = Odd.LIBRARY.getFunction("odd_loop_sum"), tree = Odd.LIBRARY.getFunction("odd_loop_tree");
        long refused = TestProbe.engine().flushStatistics().slotsRefused();
        List<ProbeSettings> all = List.of(ProbeSettings.ALL, settings(Mode.EVENT, 0, 3, Long.MAX_VALUE), settings(Mode.EVENT, 0, 1, 4),
                settings(Mode.COUNT, 0, 1, Long.MAX_VALUE), settings(Mode.COUNT, Long.MAX_VALUE, 1, Long.MAX_VALUE));
        for (ProbeSettings settings : all) {
            try (TestProbe call = TestProbe.arm("c libodd:odd_loop_sum n=$arg1 sum=$arg2 r=$retval"); TestProbe end = TestProbe.arm("r libodd:odd_loop_sum r=$retval");
                    TestProbe recursive = TestProbe.arm("c libodd:odd_loop_tree n=$arg1 r=$retval:s32")) {
                List.of(call, end, recursive).forEach(probe -> assertDoesNotThrow(() -> probe.armed().use(settings)));
                for (int i = 0; i < 10; i++) {
                    assertEquals(5050 + i, sum.invokeLong(new Object[] {100L, (long) i}));
                }
                assertEquals(7, tree.invokeInt(new Object[] {6L}));
                for (TestProbe probe : List.of(call, end, recursive)) {
                    LeavingScenarios.awaitFinished(probe);
                    ProbeCounters counters = probe.counters();
                    assertEquals(probe == recursive ? 64 : 10, counters.hits(), settings + ": " + counters);
                    assertEquals(counters.hits(), counters.recorded() + counters.filtered() + counters.sampledOut(), settings + ": " + counters);
                    assertFalse(probe.armed().sites().get(0).countsIterations());
                }
                if (settings == ProbeSettings.ALL) {
                    for (int i = 0; i < 10; i++) {
                        assertArrayEquals(new long[] {100, i, 5050 + i}, java.util.Arrays.copyOfRange(call.hits().get(i).values(), 1, 4));
                        assertArrayEquals(new long[] {5050 + i}, end.hits().get(i).values());
                    }
                }
            }
        }
        assertEquals(refused, TestProbe.engine().flushStatistics().slotsRefused());
    }

    /* Instructions are what p probes: it says that they are no calls. */
    @Scenario
    static void atTheHeadOfALoopAnEntryProbeSaysThatItCountsIterations() throws Exception {
        try (TestProbe entry = TestProbe.arm("p libodd:odd_loop_sum n=$arg1"); TestProbe inside = TestProbe.arm("p libodd:odd_loop_sum+3");
                TestProbe call = TestProbe.arm("c libodd:odd_loop_sum"); TestProbe plain = TestProbe.arm("p libodd:odd_identity")) {
            assertEquals(15, Odd.LIBRARY.getFunction("odd_loop_sum").invokeLong(new Object[] {5L, 0L}));
            assertEquals(List.of(5L, 4L, 3L, 2L, 1L), entry.hits().stream().map(hit -> hit.values()[0]).toList());
            assertEquals(1, call.hits().size());
            assertEquals(List.of(true, false, false, false),
                    Stream.of(entry, inside, call, plain).map(probe -> probe.armed().sites().get(0).countsIterations()).toList());
        }
    }

    @Scenario
    static void loopsThatJumpToEachOtherAreCountedAsWell() throws Exception {
        try (TestProbe there = TestProbe.arm("c libodd:odd_loop_there n=$arg1 turns=$arg2 r=$retval:s32"); TestProbe back = TestProbe.arm("c libodd:odd_loop_back turns=$arg2")) {
            assertEquals(5, Odd.LIBRARY.getFunction("odd_loop_there").invokeInt(new Object[] {100L, 6L}));
            assertEquals(TestProbe.counters(6, 6, 0, 0), there.counters());
            assertEquals(TestProbe.counters(6, 6, 0, 0), back.counters());
            assertEquals(List.of(100L, 3L, 3L, 3L, 3L, 3L), there.hits().stream().map(hit -> hit.values()[1]).sorted(java.util.Comparator.reverseOrder()).toList());
            assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L), there.hits().stream().map(hit -> hit.values()[2]).sorted().toList());
        }
    }

    @Scenario
    static void recursionTwoThousandDeep() throws Exception {
        try (TestProbe probe = TestProbe.arm("c libodd:odd_recursion n=$arg1 r=$retval")) {
            assertEquals(2000, Odd.odd_recursion(2000));
            List<TestProbe.Hit> hits = probe.hits();
            assertEquals(2001, hits.size());
            for (int i = 0; i <= 2000; i++) {
                assertEquals(i, hits.get(i).values()[1], "the innermost returns first");
                assertEquals(i, hits.get(i).values()[2]);
                assertFalse(hits.get(i).unwound());
            }
            probe.assertNothingLostSilently();
        }
    }

    @Scenario
    static void eightCallsDeepEachWithItsOwnResult() throws Exception {
        List<TestProbe> probes = new ArrayList<>();
        try {
            for (int i = 1; i <= 8; i++) {
                probes.add(TestProbe.arm("c libodd:odd_deep" + i + " x=$arg1 r=$retval"));
            }
            assertEquals(1999993 + 36, Odd.odd_deep8(1999993));
            for (int i = 1; i <= 8; i++) {
                long[] values = probes.get(i - 1).hit().values();
                assertEquals(1999993, values[1]);
                assertEquals(1999993 + i * (i + 1) / 2, values[2]);
                assertTrue(i == 1 || values[0] >= probes.get(i - 2).hit().values()[0], "an outer call is no shorter than an inner one");
            }
        } finally {
            probes.forEach(TestProbe::close);
        }
    }

    @Scenario
    static void resultsOfEveryKindArriveUnchanged() throws Exception {
        assertEquals(0, Odd.odd_check_results(), "unprobed");
        String[] functions = {"odd_pair", "odd_mixed", "odd_doubles", "odd_large", "odd_long_double", "odd_complex", "odd_float", "odd_sum", "odd_vector"};
        List<TestProbe> probes = new ArrayList<>();
        try {
            for (String function : functions) {
                probes.add(TestProbe.arm("c libodd:" + function + " $retval"));
            }
            assertEquals(0, Odd.odd_check_results(), "a bit for each kind, in the order of odd_check_results");
            for (TestProbe probe : probes) {
                assertEquals(1, probe.counters().hits(), () -> probe.armed().toString());
            }
            assertEquals(1999994, probes.get(0).hit().values()[1]);
        } finally {
            probes.forEach(TestProbe::close);
        }
    }

    @Scenario
    static void aNativeMethodItselfReturnsThroughOneTrampolineOnly() throws Exception {
        assertEquals(14, NativeMethod.twice(7), "unprobed");
        String twice = "libodd:Java_uprobe_probe_NativeMethod_twice";
        try (TestProbe call = TestProbe.arm("c " + twice + " n=$arg3:s64 r=$retval:s64"); TestProbe end = TestProbe.arm("r " + twice + " r=$retval:s64");
                TestProbe start = TestProbe.arm("p " + twice + " n=$arg3:s64")) {
            long swaps = TestProbe.engine().flushStatistics().swaps();
            assertEquals(2 * 1999993, NativeMethod.twice(1999993));
            assertEquals(swaps + 1, TestProbe.engine().flushStatistics().swaps());
            assertEquals(1999993, call.hit().values()[1]);
            assertEquals(2 * 1999993, call.hit().values()[2]);
            end.assertValues(2 * 1999993);
            start.assertValues(1999993);
            for (TestProbe probe : List.of(call, end, start)) {
                assertEquals("twice", probe.hit().caller());
            }
        }
    }

    /* Interpreted, then compiled by C1 and C2: each has its own native wrapper. */
    @Scenario
    static void hitsHaveTheirCallerHoweverItWasCompiled() throws Exception {
        try (TestProbe probe = TestProbe.arm("c libodd:odd_identity n=$arg1 r=$retval"); TestProbe twice = TestProbe.arm("c libodd:Java_uprobe_probe_NativeMethod_twice")) {
            for (int i = 0; i < 20_000; i++) {
                assertEquals(i + 1, NativeMethod.calls(i));
            }
            List<TestProbe.Hit> hits = probe.hits();
            assertEquals(20_000, hits.size());
            for (int i = 0; i < 20_000; i++) {
                assertEquals(i, hits.get(i).values()[1]);
                assertEquals("calls", hits.get(i).caller());
            }
            assertEquals(0, twice.counters().hits());
        }
    }

    @Scenario
    static void exceptionsPassWithASharedUnwinder() throws Exception {
        exceptionsPass("libthrows_shared");
    }

    /* A libgcc of the library's own is told nothing by __register_frame of another's. */
    @Scenario
    static void exceptionsPassWithAStaticUnwinder() throws Exception {
        exceptionsPass("libthrows_static");
    }

    /* It knows the frame that catches by its stack pointer, and took a trampoline with a personality for it: abort in unwind_phase2. */
    @Scenario
    static void exceptionsPassWithLlvmLibunwind() throws Exception {
        exceptionsPass(llvm("libthrows_llvm"));
    }

    /** The stem again. */
    static String llvm(String stem) {
        if (!Files.exists(Odd.folder().resolve(stem + ".so"))) {
            throw new TestAbortedException("clang, libc++-dev or libc++abi-dev is not installed here");
        }
        return stem;
    }

    private static NativeLibrary throwing(String library) {
        return NativeLibrary.getInstance(Odd.folder().resolve(library + ".so").toString());
    }

    private static void exceptionsPass(String library) throws Exception {
        Function catches = throwing(library).getFunction("odd_catch");
        assertEquals(0, catches.invokeInt(new Object[] {5L}), "unprobed");
        try (TestProbe thrower = TestProbe.arm("c " + library + ":odd_throws depth=$arg1 r=$retval");
                TestProbe inside = TestProbe.arm("c " + library + ":odd_catches_inside n=$arg1 r=$retval")) {
            assertEquals(0, catches.invokeInt(new Object[] {5L}), "1: not thrown, 2: another exception, 3: destructors, 4 and 5: caught inside");
            List<TestProbe.Hit> hits = thrower.hits();
            assertEquals(6 + 5 + 4, hits.size());
            assertTrue(hits.stream().allMatch(h -> h.unwound() && (h.missing() & HitRecordDescriptor.MISSING_DURATION) != 0
                    && (h.missing() & 0b10) != 0 && h.values()[0] == 0 && h.values()[2] == 0), hits::toString);
            assertEquals(List.of(0L, 1L, 2L, 3L, 4L, 5L), hits.stream().limit(6).map(h -> h.values()[1]).toList(), "arguments are kept");
            List<TestProbe.Hit> caught = inside.hits();
            assertEquals(2, caught.size());
            assertEquals(-4, caught.get(0).values()[2]);
            assertEquals(List.of(false, true), caught.stream().map(TestProbe.Hit::unwound).toList());
            thrower.assertNothingLostSilently();
            inside.assertNothingLostSilently();
        }
    }

    @Scenario
    static void eightThreadsThrowAtOnce() throws Exception {
        for (String library : List.of("libthrows_shared", "libthrows_static")) {
            Function catches = throwing(library).getFunction("odd_catch_on_threads");
            assertEquals(0, catches.invokeInt(new Object[] {8, 2L}), "unprobed");
            try (TestProbe thrower = TestProbe.arm("c " + library + ":odd_throws depth=$arg1"); TestProbe inside = TestProbe.arm("c " + library + ":odd_catches_inside")) {
                assertEquals(0, catches.invokeInt(new Object[] {8, 150L}), library);
                /* odd_catch(d): d + 1 frames, then 5 and 4; d goes round 0..8 in 150 rounds of each thread */
                long frames = 0;
                for (int i = 0; i < 150; i++) {
                    frames += i % 9 + 1 + 5 + 4;
                }
                assertEquals(8 * frames, thrower.counters().hits());
                assertEquals(8 * 150 * 2, inside.counters().hits());
            }
        }
    }

    @Scenario
    static void backtraceShowsTheSameFramesAsUnprobed() throws Exception {
        TestProbe.engine();
        LoadedLibrary engine = TestProbe.library("libuprobe.so");
        List<List<Long>> traces = new ArrayList<>();
        TestProbe probe = null;
        /* in one loop, so that the outermost frames are the same as well */
        for (int i = 0; i < 2; i++) {
            if (i == 1) {
                probe = TestProbe.arm("c libodd:odd_trace depth=$arg1 n=$retval:s32");
            }
            try (Memory frames = new Memory(64 * Long.BYTES)) {
                int n = Odd.odd_trace(5, frames, 64);
                traces.add(java.util.Arrays.stream(frames.getLongArray(0, n)).boxed().toList());
            }
        }
        List<Long> probed = traces.get(1), ours = probed.stream().filter(a -> a >= engine.textStart() && a < engine.textEnd()).toList();
        assertTrue(traces.get(0).size() > 6, "six frames and their caller, unprobed");
        assertTrue(ours.size() >= 6, "a trampoline above each of the six probed frames");
        assertEquals(traces.get(0), probed.stream().filter(a -> !ours.contains(a)).toList(), "and else the same frames");
        assertEquals(6, probe.hits().size());
        assertEquals(probed.size(), probe.hits().get(0).values()[2]);
        probe.close();
    }

    @Scenario
    static void longjmpOverProbedFramesIsReportedAsUnwound() throws Exception {
        assertEquals(23, Odd.odd_jump_home(7), "unprobed");
        try (TestProbe jumper = TestProbe.arm("c libodd:odd_jumper n=$arg1 r=$retval"); TestProbe returning = TestProbe.arm("r libodd:odd_jumper r=$retval")) {
            assertEquals(23, Odd.odd_jump_home(7));
            List<TestProbe.Hit> hits = jumper.hits();
            assertEquals(List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L), hits.stream().map(h -> h.values()[1]).toList());
            assertTrue(hits.stream().allMatch(TestProbe.Hit::unwound));
            assertEquals(8, returning.hits().stream().filter(TestProbe.Hit::unwound).filter(h -> h.missing() == 1).count());
            jumper.assertNothingLostSilently();
            returning.assertNothingLostSilently();
        }
    }

    @Scenario
    static void pthreadCancelUnwindsThroughAProbedCall() throws Exception {
        assertEquals(0, Odd.odd_cancel(), "unprobed");
        try (TestProbe probe = TestProbe.arm("c libodd:odd_waits n=$arg1")) {
            assertEquals(0, Odd.odd_cancel(), "2: not cancelled, 3: its cleanup handler did not run once");
            assertEndedInside(probe, 5);
        }
    }

    @Scenario
    static void pthreadExitUnwindsThroughAProbedCall() throws Exception {
        assertEquals(0, Odd.odd_exit_thread(), "unprobed");
        try (TestProbe probe = TestProbe.arm("c libodd:odd_exits n=$arg1")) {
            assertEquals(0, Odd.odd_exit_thread());
            assertEndedInside(probe, 41);
        }
    }

    /* The thread's ring is looked at once more when the kernel says that it is gone: the call that never returned is in it, or at least counted. */
    private static void assertEndedInside(TestProbe probe, long argument) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(3);
        while (probe.hits().isEmpty() && System.nanoTime() < end) {
            Thread.sleep(20);
        }
        assertEquals(1, probe.counters().hits());
        probe.assertNothingLostSilently();
        TestProbe.Hit hit = probe.hit();
        assertTrue(hit.unwound());
        assertEquals(argument, hit.values()[1]);
    }

    @Scenario
    static void gdbShowsTheCallersOfAProbedFunction() throws Exception {
        Path gdb = Stream.of(System.getenv("PATH").split(":")).map(p -> Path.of(p, "gdb")).filter(Files::isExecutable).findFirst()
                .orElseThrow(() -> new TestAbortedException("gdb is not installed here"));
        try (TestProbe naps = TestProbe.arm("c libodd:odd_naps n=$arg1 r=$retval"); TestProbe caller = TestProbe.arm("c libodd:odd_naps_caller n=$arg1 r=$retval")) {
            long[] result = new long[1];
            Thread sleeper = new Thread(() -> result[0] = Odd.odd_naps_callers_caller(1999993), "sleeper");
            sleeper.start();
            while (caller.counters().hits() == 0 || naps.counters().hits() == 0) {
                Thread.sleep(5);
            }
            Path log = Files.createTempFile("gdb", ".txt");
            try {
                Process process = new ProcessBuilder(gdb.toString(), "-nx", "-batch", "-iex", "set auto-solib-add off", "-iex", "set debuginfod enabled off", "-p",
                        String.valueOf(ProcessHandle.current().pid()), "-ex", "sharedlibrary odd", "-ex", "sharedlibrary uprobe", "-ex", "sharedlibrary libc.so",
                        "-ex", "thread apply all -q backtrace 12").redirectErrorStream(true).redirectOutput(log.toFile()).start();
                boolean done = process.waitFor(30, TimeUnit.SECONDS);
                String text = Files.readString(log, java.nio.charset.StandardCharsets.ISO_8859_1);
                if (!done || text.contains("ptrace: Operation not permitted")) {
                    process.destroyForcibly();
                    throw new TestAbortedException("gdb may not attach here: " + text.lines().filter(l -> l.contains("ptrace")).findFirst().orElse("no end"));
                }
                int at = text.indexOf(" odd_naps (");
                assertTrue(at > 0, text);
                String above = text.substring(at, Math.min(text.length(), at + 1000));
                /* between a probed function and its caller stand the trampoline that the return address leads to, and what hears of exceptions */
                String between = "[^#]*#\\d+ +0x\\w+ in up_return_trampolines \\(\\)[^#]*#\\d+ +0x\\w+ in up_return_passed \\(\\)[^#]*#\\d+ +0x\\w+ in ";
                assertTrue(above.matches("(?s) odd_naps \\(n=1999993\\)" + between + "odd_naps_caller \\(n=[^)]*\\)" + between
                        + "odd_naps_callers_caller \\(n=.*"), above);
            } finally {
                Files.delete(log);
            }
            Odd.odd_wake();
            sleeper.join();
            assertEquals(1999993 + 111, result[0]);
            assertEquals(1999994, naps.hit().values()[2]);
            assertEquals(1999993 + 11, caller.hit().values()[2]);
        }
    }

    private ReturnScenarios() {}
}
