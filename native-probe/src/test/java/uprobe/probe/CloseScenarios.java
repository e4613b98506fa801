package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.MappedRegion;
import uprobe.probe.elf.ProcessMaps;
import uprobe.probe.helper.Helper;
import uprobe.probe.patch.SignalGuard;
import uprobe.probe.spec.ProbeParser;

/** An engine that is closed, in a process that goes on, and opened again. */
final class CloseScenarios {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final int SIGTRAP = 5, SIGSEGV = 11, SIGRTMIN = 34, SIGNALS = 64;
    /** SIGRTMAX - 2: libnet and libnio set it, each when it is first used. */
    private static final int OF_THE_JDK = 62;

    private static int callInt(String function, Object... arguments) {
        return Odd.LIBRARY.getFunction(function).invokeInt(arguments);
    }

    private static long call(String function, Object... arguments) {
        return Odd.LIBRARY.getFunction(function).invokeLong(arguments);
    }

    /** What the kernel has, for each signal: handler, flags, restorer, mask. */
    private static long[] actions() {
        try (Memory memory = new Memory(SIGNALS * 4L * Long.BYTES)) {
            Odd.LIBRARY.getFunction("odd_raw_actions").invokeVoid(new Object[] {memory});
            long[] actions = memory.getLongArray(0, SIGNALS * 4);
            java.util.Arrays.fill(actions, (OF_THE_JDK - 1) * 4, OF_THE_JDK * 4, 0);
            return actions;
        }
    }

    /** Every byte of every library's code is its file's. */
    private static void assertTextIsTheFiles() throws IOException {
        List<String> different = new ArrayList<>();
        for (LoadedLibrary library : LoadedLibraries.snapshot().all()) {
            int length = (int) (library.textEnd() - library.textStart());
            byte[] memory = new byte[length], file;
            try {
                file = library.fileBytes(library.textStart(), length);
            } catch (IOException | IllegalArgumentException noFile) {
                continue;
            }
            assertEquals(length, Helper.up_text_read(library.textStart(), memory, length));
            for (int i = 0; i < length; i++) {
                if (memory[i] != file[i]) {
                    different.add(library.fileName() + "+0x" + Long.toHexString(library.textStart() - library.loadBias() + i));
                }
            }
        }
        assertEquals(List.of(), different);
    }

    /** No library's data leads to one of the helper's functions that stand in for libc's. */
    private static void assertNobodysTableLeadsToTheHelper() throws IOException {
        List<Long> functions = new ArrayList<>();
        for (int hook = 0; Helper.up_signals_function(hook) > 0; hook++) {
            functions.add(Helper.up_signals_function(hook));
        }
        assertEquals(8, functions.size());
        for (MappedRegion region : ProcessMaps.ofSelf().regions()) {
            if (region.executable() || !region.readable() || region.path() == null || !region.path().contains(".so") || region.path().contains("libuprobe")) {
                continue;
            }
            byte[] bytes = new byte[(int) region.size()];
            if (Helper.up_text_read(region.start(), bytes, bytes.length) < 0) {
                continue;
            }
            java.nio.LongBuffer words = java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN).asLongBuffer();
            for (int i = 0; i < words.limit(); i++) {
                assertFalse(functions.contains(words.get(i)), region.path() + " at 0x" + Long.toHexString(region.start() + 8L * i));
            }
        }
    }

    /** What a process that goes on would notice. */
    private record Footprint(int threads, int descriptors, int mappings, long resident, long heap) {
        static Footprint now() throws Exception {
            long heap = Long.MAX_VALUE;
            for (int i = 0; i < 3; i++) {
                System.gc();
                heap = Math.min(heap, Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
                Thread.sleep(30);
            }
            long resident = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(l -> l.startsWith("RssAnon")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", ""))).sum();
            int threads = 0;
            for (File task : new File("/proc/self/task").listFiles()) {
                try {
                    /* The JDK's own, which wait for another child process for a minute. */
                    threads += Files.readString(task.toPath().resolve("comm")).startsWith("process reaper") ? 0 : 1;
                } catch (IOException ended) {
                    continue;
                }
            }
            return new Footprint(threads, new File("/proc/self/fd").list().length, Files.readAllLines(Path.of("/proc/self/maps")).size(),
                    resident, heap >> 10);
        }
    }

    private static void spawn() throws Exception {
        Process child = new ProcessBuilder("/bin/true").start();
        assertTrue(child.waitFor(30, TimeUnit.SECONDS));
        assertEquals(0, child.exitValue());
    }

    /** Threads that do what must not be disturbed, until they are told to stop. */
    private static final class Crowd {
        private final List<Thread> threads = new ArrayList<>();
        private final AtomicReference<Throwable> failure = new AtomicReference<>();
        private volatile boolean stop;

        interface Work {
            void once() throws Exception;
        }

        Crowd() {
            assertEquals(0, Odd.odd_workers_start(2));
            assertEquals(0, callInt("odd_churn_start"));
            add("spawns", () -> {
                spawn();
                Thread.sleep(5);
            });
            add("begins-and-ends", () -> assertEquals(0, Odd.odd_wave(3, 20)));
            add("java-threads", () -> {
                Thread t = new Thread(() -> Odd.odd_seven(1999993, "seven", 2.5));
                t.start();
                t.join();
            });
            add("vforks", () -> {
                assertEquals(5, Odd.odd_vforks(5));
                Thread.sleep(3);
            });
            add("forks", () -> {
                assertEquals(43, call("odd_fork_works", 30_000L), "what the child ended with");
                Thread.sleep(3);
            });
            add("null-pointers", () -> {
                int thrown = 0;
                for (int i = 0; i < 1000; i++) {
                    try {
                        thrown += ((Object) (i % 10 == 0 ? null : "")).hashCode() == 0 ? 0 : 1;
                    } catch (NullPointerException e) {
                        thrown++;
                    }
                }
                assertEquals(100, thrown);
            });
            add("signals", () -> assertTrue(callInt("odd_sends_signal", SIGRTMIN + 9) > 0));
            add("faults", () -> assertEquals(50, call("odd_wall_hit", 50L)));
        }

        private void add(String name, Work work) {
            Thread thread = new Thread(() -> {
                while (!stop && failure.get() == null) {
                    try {
                        work.once();
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                    }
                }
            }, name);
            thread.start();
            threads.add(thread);
        }

        void check() {
            if (failure.get() != null) {
                throw new AssertionError(failure.get());
            }
        }

        void end() throws Exception {
            stop = true;
            for (Thread thread : threads) {
                thread.join();
            }
            assertTrue(Odd.odd_workers_stop() > 0, "a result was wrong");
            assertEquals(0, call("odd_churn_stop"), "masks or handlers were not as they were set");
            check();
        }
    }

    private static void assertOwnCallsAreCounted(String text, int calls) throws Exception {
        try (TestProbe probe = TestProbe.arm(text)) {
            for (int i = 0; i < calls; i++) {
                assertEquals(654321, Odd.odd_six(1, 2, 3, 4, 5, 6));
            }
            probe.assertNothingLostSilently();
            assertEquals(calls, probe.counters().hits());
            TestProbe.forgetHits();
        }
    }

    private static ProbeEngine define(ProbeEngine engine, String... texts) throws Exception {
        for (String text : texts) {
            engine.arm(ProbeParser.parse(text), (probe, spec, stem, symbol, memory) -> new CommitMethod(TestProbe.class, "commit"));
        }
        return engine;
    }

    /** One after the other, with nothing beside: all as it was. */
    @Scenario(alone = true)
    static void leavesNothingBehindThatItDoesNotTell() throws Exception {
        assertEquals(0, callInt("odd_counts_signal", SIGRTMIN + 9));
        long[] before = actions();
        ProbeEngine engine = define(TestProbe.engine(), "c libodd:odd_identity n=$arg1", "p libc:malloc $arg1", "p libc:pthread_sigmask $arg1", "p libjvm:JVM_CurrentTimeMillis");
        assertEquals(0, callInt("odd_blocks_trap"), "kept open");
        for (int i = 0; i < 100; i++) {
            Odd.odd_identity(i);
        }
        Probe probe = engine.define(ProbeParser.parse("p libodd:odd_six"), (p, spec, stem, symbol, memory) -> new CommitMethod(TestProbe.class, "commit"));
        engine.close();
        System.out.println(engine.leavings());
        assertTextIsTheFiles();
        assertNobodysTableLeadsToTheHelper();
        assertArrayEquals(before, actions());
        assertEquals(1, callInt("odd_blocks_trap"));
        assertTrue(engine.leavings().stream().anyMatch(l -> l.contains("KiB of slots")), engine.leavings()::toString);
        assertEquals(List.of(), failures(engine));
        engine.close();
        assertThrows(IllegalStateException.class, probe::arm);
        assertThrows(IllegalStateException.class, () -> define(engine, "p libodd:odd_six"));
        assertEquals(List.of(), probe.disarm());
        probe.forget();
        assertTrue(engine.drain(true, 1000));
        assertEquals(List.of(), engine.changed());
        engine.guardNewLibraries();
        spawn();
        ProbeEngine next = TestProbe.engine();
        assertNotSame(engine, next);
        assertSame(next, TestProbe.engine());
        assertOwnCallsAreCounted("c libodd:odd_six a=$arg1 r=$retval", 1000);
        next.close();
        assertTextIsTheFiles();
        assertArrayEquals(before, actions());
    }

    @Scenario(alone = true)
    static void closesAndOpensUnderThreadsThatDoEverything() throws Exception {
        assertEquals(0, callInt("odd_counts_signal", SIGRTMIN + 9));
        assertEquals(0, callInt("odd_wall_begin"));
        String[][] probes = {
            {"c libodd:odd_identity n=$arg1 r=$retval", "p libc:write", "p libc:pthread_create", "p libc:execve", "p libc:close"}, {"p libodd:odd_identity mechanism=step", "r libodd:odd_seven"},
            {"c libodd:odd_s*"}, {"p libodd:odd_identity $arg1", "c libc:sigaction signal=$arg1", "p libc:getpid"}, {"p libc:pthread_sigmask $arg1", "p libodd:odd_wall_hit", "c libodd:odd_recursion", "p libc:dup2"}
        };
        long[] before = actions();
        int rounds = STORM ? 1000 : 100, done = 0;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STORM ? 1000 : 90);
        Crowd crowd = new Crowd();
        try {
            for (int i = 0; i < rounds && (i < 15 || System.nanoTime() < end); i++, done++) {
                define(TestProbe.engine(), probes[i % probes.length]);
                assertOwnCallsAreCounted(i % 2 == 0 ? "c libodd:odd_six a=$arg1 r=$retval" : "p libodd:odd_six $arg6", 50);
                ProbeEngine engine = TestProbe.engine();
                engine.close();
                assertEquals(List.of(), failures(engine), "round " + i);
                if (i % 10 == 0) {
                    assertTextIsTheFiles();
                }
                crowd.check();
            }
            assertTextIsTheFiles();
            assertNobodysTableLeadsToTheHelper();
        } finally {
            crowd.end();
        }
        long[] after = actions();
        for (int signal = SIGRTMIN + 3; signal < SIGRTMIN + 7; signal++) {      /* those that the crowd sets */
            System.arraycopy(before, (signal - 1) * 4, after, (signal - 1) * 4, 4);
        }
        assertArrayEquals(before, after);
        ChildJvm.note(done + " rounds");
        assertEquals(0, callInt("odd_wall_end"));
    }

    /** What could not be done, though nothing hinders it here. */
    private static List<String> failures(ProbeEngine engine) {
        return engine.leavings().stream().filter(l -> l.contains("could not") || l.contains("handlers") || l.contains("made into events") || l.contains("rings that")).toList();
    }

    /** The process after a hundred times is the process after the first few. */
    @Scenario(alone = true)
    static void aHundredTimesLeaveAsMuchAsAFew() throws Exception {
        int few = 20, rounds = STORM ? 1000 : 100;
        assertEquals(0, Odd.odd_wave(1, 1));
        Footprint first = null;
        long closing = 0;
        List<String> leavings = null;
        for (int i = 0; i < rounds; i++) {
            ProbeEngine engine = define(TestProbe.engine(), "c libodd:odd_identity n=$arg1 r=$retval", "c libodd:odd_s*", "p libc:mem* $arg1", "p libc:getpid mechanism=step");
            assertEquals(0, Odd.odd_wave(4, 1000));
            spawn();
            long begin = System.nanoTime();
            engine.close();
            closing += System.nanoTime() - begin;
            assertEquals(List.of(), failures(engine), "round " + i);
            if (i == few) {
                first = Footprint.now();
                leavings = engine.leavings();
            } else if (i == rounds - 1) {
                assertEquals(leavings, engine.leavings());
            }
        }
        Footprint last = Footprint.now();
        ChildJvm.note("closing takes " + closing / rounds / 1000 + " us; after " + few + " " + first + ", after " + rounds + " " + last);
        assertTrue(last.descriptors() <= first.descriptors(), "descriptors");
        assertTrue(last.threads() <= first.threads() + 2, "threads");
        assertTrue(last.mappings() <= first.mappings() + 10, "mappings");
        assertTrue(last.resident() <= first.resident() + 25_000, "memory");
        assertTrue(last.heap() <= first.heap() + 2_000, "heap");
    }

    /* Blocked in read(2) below a `c` probe, on a thread of Java's and one of the library's: its return is awaited while there is no engine, and in the next. */
    @Scenario(alone = true)
    static void aCallThatIsInsideReturnsRightlyAfterCloseAndAfterOpen() throws Exception {
        assertEquals(0, callInt("odd_waits_open"));
        for (boolean open : new boolean[] {false, true}) {
            define(TestProbe.engine(), "c libodd:odd_waits_read n=$arg1 r=$retval", "r libodd:odd_waits_read", "c libc:read fd=$arg1");
            long[] result = new long[1];
            Thread java = new Thread(() -> result[0] = call("odd_waits_read", 70L));
            java.start();
            assertEquals(0, callInt("odd_waits_on_thread", 41L));
            while (callInt("odd_waits_waiting") < 2) {
                Thread.sleep(1);
            }
            Thread.sleep(20);
            ProbeEngine engine = TestProbe.engine();
            engine.close();
            assertTrue(engine.leavings().stream().anyMatch(l -> l.matches(".*[1-9][0-9]* calls return.*")), engine.leavings()::toString);
            assertTextIsTheFiles();
            if (open) {
                assertOwnCallsAreCounted("c libodd:odd_six a=$arg1 r=$retval", 100);
            }
            assertEquals(0, callInt("odd_waits_wake"));
            assertEquals(0, callInt("odd_waits_wake"));
            java.join();
            assertEquals(71, result[0]);
            assertEquals(42, call("odd_waits_joined"));
            assertOwnCallsAreCounted("c libodd:odd_six a=$arg1 r=$retval", 100);
            ProbeEngine next = TestProbe.engine();
            next.close();
            assertTrue(Helper.up_returns_awaited() <= 1, Helper.up_returns_awaited() + " returns are awaited");
        }
    }

    /** Set before, while the engine had the signals, and after. */
    @Scenario(alone = true)
    static void aProgramsOwnHandlersAreTheKernelsAfterwards() throws Exception {
        assertEquals(0, callInt("odd_counts_signal", SIGTRAP));
        long[] before = actions();
        define(TestProbe.engine(), "p libodd:odd_identity");
        assertEquals(1, callInt("odd_sends_signal", SIGTRAP));
        TestProbe.engine().close();
        assertArrayEquals(before, actions());
        assertEquals(2, callInt("odd_sends_signal", SIGTRAP));

        define(TestProbe.engine(), "p libodd:odd_identity");
        assertEquals(0, callInt("odd_ignores_signal", SIGTRAP));
        assertEquals(0, callInt("odd_wall_begin"));
        assertEquals(0, callInt("odd_counts_signal", SIGRTMIN + 9));
        assertEquals(10, call("odd_wall_hit", 10L));
        TestProbe.engine().close();
        long[] after = actions();
        assertEquals(1, after[(SIGTRAP - 1) * 4], "ignored");
        assertEquals(-1 & ~(1L << 8 | 1L << 18) & ~(3L << 31), after[(SIGRTMIN + 9 - 1) * 4 + 3] & ~(3L << 31), "all are in its mask, SIGTRAP too");
        assertEquals(2, callInt("odd_sends_signal", SIGTRAP));
        assertEquals(10, call("odd_wall_hit", 10L));
        assertEquals(0, callInt("odd_wall_end"));
        assertEquals(0, callInt("odd_resets_signal", SIGTRAP));
        assertArrayEquals(java.util.Arrays.copyOfRange(before, (SIGSEGV - 1) * 4, SIGSEGV * 4), java.util.Arrays.copyOfRange(actions(), (SIGSEGV - 1) * 4, SIGSEGV * 4));
    }

    /** Taken by somebody past libc while we had it: it stays theirs, and forwards to what it found. */
    @Scenario(alone = true)
    static void whoTookASignalMeanwhileKeepsIt() throws Exception {
        for (int signal : new int[] {SIGTRAP, SIGSEGV}) {
            assertEquals(0, callInt("odd_forward_last", signal));
            for (int i = 0; i < 5; i++) {
                define(TestProbe.engine(), "p libodd:odd_identity");
                assertEquals(0, callInt("odd_forward_install", 0, signal));
                TestProbe.engine().close();
                assertEquals(0, callInt("odd_forward_raise", signal));
                assertEquals(1001, callInt("odd_forward_seen"), "signal " + signal + ", round " + i);
                assertEquals(0, callInt("odd_forward_put_back", 0, signal));
                assertEquals(0, callInt("odd_forward_raise", signal));
                assertEquals(1000, callInt("odd_forward_seen"), "signal " + signal + ", round " + i);
            }
            assertEquals(0, callInt("odd_forward_last_end", signal));
        }
    }

    /** Any number of opens without a name of the engine's in the kernel too many. */
    @Scenario(alone = true)
    static void handlersThatChangeWhileItIsClosedAreFoundEachTime() throws Exception {
        for (int i = 0; i < 150; i++) {
            assertEquals(0, callInt(i % 3 == 0 ? "odd_counts_signal" : i % 3 == 1 ? "odd_ignores_signal" : "odd_resets_signal", SIGTRAP));
            long[] before = actions();
            define(TestProbe.engine(), "p libodd:odd_identity");
            Odd.odd_identity(i);
            if (i % 3 == 0) {
                assertEquals(i / 3 * 2 + 1, callInt("odd_sends_signal", SIGTRAP));
            }
            TestProbe.engine().close();
            assertArrayEquals(before, actions());
            if (i % 3 == 0) {
                assertEquals(i / 3 * 2 + 2, callInt("odd_sends_signal", SIGTRAP));
            }
        }
    }

    /** Nothing keeps a library that the program closes after us, and one that comes is not looked at. */
    @Scenario(alone = true)
    static void librariesComeAndGoAfterwards() throws Exception {
        String file = Odd.folder().resolve("libvariant_a.so").toString();
        for (int i = 0; i < 10; i++) {
            Pointer a = Odd.odd_variant_open(file, 0);
            define(TestProbe.engine(), "c libvariant_a:odd_variant n=$arg1");
            assertEquals(6, Odd.odd_variant_at(Odd.odd_variant_address(a), 5));
            TestProbe.engine().close();
            assertEquals(0, Odd.odd_variant_close(a));
            assertTrue(LoadedLibraries.snapshot().all().stream().noneMatch(l -> l.fileName().equals("libvariant_a.so")), "nothing of ours keeps it");
            Pointer again = Odd.odd_variant_open(file, 0);
            assertEquals(8, Odd.odd_variant_at(Odd.odd_variant_address(again), 7));
            assertEquals(0, Odd.odd_variant_close(again));
            assertTextIsTheFiles();
        }
    }

    /** As in a libc without room for jumps: bits in constants, traps on system calls, entries of tables. */
    @Scenario(alone = true)
    static void whatTakesTheJumpsPlaceIsPutBackToo() throws Exception {
        SignalGuard.withoutJumps = true;
        assertEquals(0, callInt("odd_counts_signal", SIGRTMIN + 9));
        assertEquals(0, callInt("odd_wall_begin"));
        long[] before = actions();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
        Crowd crowd = new Crowd();
        int rounds = 0;
        try {
            for (; rounds < (STORM ? 500 : 40) && (rounds < 8 || System.nanoTime() < end); rounds++) {
                define(TestProbe.engine(), "c libodd:odd_identity n=$arg1 r=$retval", "p libodd:odd_s* mechanism=step");
                assertOwnCallsAreCounted("c libodd:odd_six a=$arg1 r=$retval", 50);
                ProbeEngine engine = TestProbe.engine();
                engine.close();
                assertEquals(List.of(), failures(engine), "round " + rounds);
                assertTextIsTheFiles();
                crowd.check();
            }
            assertNobodysTableLeadsToTheHelper();
        } finally {
            crowd.end();
        }
        ChildJvm.note(rounds + " rounds");
        long[] after = actions();
        for (int signal = SIGRTMIN + 3; signal < SIGRTMIN + 7; signal++) {
            System.arraycopy(before, (signal - 1) * 4, after, (signal - 1) * 4, 4);
        }
        assertArrayEquals(before, after);
    }

    /** Nobody waits for anybody: others define, arm, use, forget and ask, and find the engine closed under their hands. */
    @Scenario(alone = true)
    static void othersAreAtWorkWhenItIsClosed() throws Exception {
        String[] texts = {"c libodd:odd_identity n=$arg1 r=$retval", "p libodd:odd_identity $arg1", "r libodd:odd_se*", "p libodd:odd_six"};
        AtomicReference<Throwable> failure = new AtomicReference<>();
        boolean[] stop = new boolean[1];
        List<Thread> others = new ArrayList<>();
        java.util.concurrent.atomic.AtomicInteger armed = new java.util.concurrent.atomic.AtomicInteger(), refused = new java.util.concurrent.atomic.AtomicInteger();
        assertEquals(0, Odd.odd_workers_start(2));
        for (int n = 0; n < 3; n++) {
            int seed = n;
            Thread other = new Thread(() -> {
                java.util.Random random = new java.util.Random(seed);
                while (!stop[0] && failure.get() == null) {
                    try {
                        ProbeEngine engine = TestProbe.engine();
                        Probe probe = engine.arm(ProbeParser.parse(texts[random.nextInt(texts.length)]), (p, spec, stem, symbol, memory) -> new CommitMethod(TestProbe.class, "commit"));
                        armed.incrementAndGet();
                        probe.use(ProbeSettings.ALL.withMode(random.nextBoolean() ? uprobe.probe.spec.Mode.COUNT : uprobe.probe.spec.Mode.EVENT));
                        probe.counters();
                        probe.extend();
                        engine.changed();
                        engine.guardNewLibraries();
                        if (random.nextInt(3) > 0) {
                            probe.disarm();
                            probe.arm();
                        }
                        if (random.nextInt(3) > 0) {
                            probe.forget();
                        }
                        probe.counters();
                    } catch (IllegalStateException closed) {
                        refused.incrementAndGet();
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                    }
                }
            });
            others.add(other);
            other.start();
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STORM ? 300 : 30);
        int closes = 0;
        for (; System.nanoTime() < end && failure.get() == null; closes++) {
            Thread.sleep(closes % 50);
            TestProbe.engine().close();
        }
        stop[0] = true;
        for (Thread other : others) {
            other.join();
        }
        assertTrue(Odd.odd_workers_stop() > 0, "a result was wrong");
        ChildJvm.note(closes + " closed, " + armed + " armed, " + refused + " found it closed");
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
        TestProbe.engine().close();
        assertTextIsTheFiles();
        assertOwnCallsAreCounted("c libodd:odd_six a=$arg1 r=$retval", 100);
        TestProbe.engine().close();
        assertTrue(refused.get() > 0 && armed.get() > 0);
    }

    /* The record that is being made into an event is in nobody's ring but its own: it is finished with the engine gone, or with the next one there. */
    @Scenario(alone = true)
    static void aCommitMethodThatGoesOnWhileTheEngineIsClosed() throws Exception {
        for (boolean open : new boolean[] {false, true}) {
            java.util.concurrent.CountDownLatch inside = new java.util.concurrent.CountDownLatch(1), goOn = new java.util.concurrent.CountDownLatch(1);
            ProbeEngine engine = TestProbe.engine();
            TestProbe probe = TestProbe.arm("p libodd:odd_six $arg1");
            TestProbe.meanwhile = () -> {
                inside.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            };
            Thread caller = new Thread(() -> assertEquals(654321, Odd.odd_six(1, 2, 3, 4, 5, 6)));
            caller.start();
            inside.await();
            TestProbe.meanwhile = null;
            engine.close();
            assertTrue(engine.leavings().stream().anyMatch(l -> l.startsWith("1 rings that hold")), engine.leavings()::toString);
            assertEquals(1, probe.armed().counters().hits());
            if (open) {
                assertOwnCallsAreCounted("p libodd:odd_six $arg1", 200);
            }
            goOn.countDown();
            caller.join();
            assertOwnCallsAreCounted("c libodd:odd_six $arg1", 200);
            ProbeEngine next = TestProbe.engine();
            next.close();
            assertEquals(List.of(), failures(next));
        }
    }

    /* A thread that waits for its vfork child is neither asleep nor running, and the child may be anywhere in our text. */
    @Scenario(alone = true)
    static void whoCanNotBeWaitedForIsToldAndTheGuardsStay() throws Exception {
        long[] before = actions();
        define(TestProbe.engine(), "p libodd:odd_identity");
        Thread waits = new Thread(() -> assertEquals(0, callInt("odd_vfork_sleeps", 25)));
        waits.start();
        Thread.sleep(500);
        ProbeEngine engine = TestProbe.engine();
        engine.close();
        assertEquals(1, failures(engine).size(), engine.leavings()::toString);
        assertTrue(failures(engine).get(0).contains("has not come to the handler"), engine.leavings()::toString);
        assertEquals(0, callInt("odd_blocks_trap"), "kept open");
        assertOwnCallsAreCounted("c libodd:odd_six a=$arg1 r=$retval", 100);
        waits.join();
        ProbeEngine next = TestProbe.engine();
        next.close();
        assertEquals(List.of(), failures(next));
        assertTextIsTheFiles();
        assertArrayEquals(before, actions());
    }

    /* A handler that knows the faulting instruction by its address must never be shown a slot's. */
    @Scenario(alone = true)
    static void faultsOfADisplacedInstructionAreAlwaysShownAtTheirPlace() throws Exception {
        final int skip = 0;
        assertEquals(0, callInt("odd_fault_handler", SIGSEGV, skip));
        boolean[] stop = new boolean[1];
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Thread thread = new Thread(() -> {
                try {
                    while (!stop[0]) {
                        assertEquals(1999993, call("odd_load_of_page"));
                    }
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        int rounds = 0;
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STORM ? 300 : 20); System.nanoTime() < end && failure.get() == null; rounds++) {
            define(TestProbe.engine(), rounds % 2 == 0 ? "p libodd:odd_load mechanism=boost" : "p libodd:odd_load mechanism=step", "c libodd:odd_load_of_page");
            TestProbe.engine().close();
        }
        stop[0] = true;
        for (Thread thread : threads) {
            thread.join();
        }
        ChildJvm.note(rounds + " rounds, " + call("odd_faults") + " faults");
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
        assertEquals(0, callInt("odd_fault_handler_gone", SIGSEGV));
    }

    /** Sent to a thread at any moment: each comes to the program's handler, whoever has the signal. */
    @Scenario(alone = true)
    static void sigtrapsThatAreSentMeanwhileAllComeToTheProgram() throws Exception {
        assertEquals(0, callInt("odd_counts_signal", SIGTRAP));
        boolean[] stop = new boolean[1];
        int[] sent = new int[1], seen = new int[1];
        Thread sender = new Thread(() -> {
            for (; !stop[0]; sent[0]++) {
                seen[0] = callInt("odd_sends_signal", SIGTRAP);
            }
        });
        sender.start();
        assertEquals(0, Odd.odd_workers_start(1));
        int rounds = 0;
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20); System.nanoTime() < end; rounds++) {
            define(TestProbe.engine(), "p libodd:odd_identity", "p libodd:odd_seven mechanism=step");
            TestProbe.engine().close();
        }
        stop[0] = true;
        sender.join();
        assertTrue(Odd.odd_workers_stop() > 0);
        ChildJvm.note(sent[0] + " sent in " + rounds + " rounds");
        assertEquals(sent[0], seen[0]);
    }

    /* A thread that had just blocked all signals, to start another, died of the trap that was put on the call by which it opens them again. */
    @Scenario(alone = true)
    static void theFirstTrapsOnSystemCallsComeWhileThreadsBegin() throws Exception {
        SignalGuard.withoutJumps = true;
        assertEquals(0, callInt("odd_counts_signal", SIGRTMIN + 9));
        assertEquals(0, callInt("odd_wall_begin"));
        Crowd crowd = new Crowd();
        try {
            Thread.sleep(300);
            define(TestProbe.engine(), "c libodd:odd_identity n=$arg1 r=$retval");
            Thread.sleep(500);
            crowd.check();
        } finally {
            crowd.end();
        }
    }

    private CloseScenarios() {}
}
