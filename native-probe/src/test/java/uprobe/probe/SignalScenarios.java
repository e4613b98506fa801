package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import uprobe.probe.helper.Helper;
import uprobe.probe.patch.SignalGuard;

/** Masks, handlers and faults of others, with probes where they come by. */
final class SignalScenarios {
    private static final int SIGHUP = 1, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGURG = 23;
    private static final int SKIP = 0, LEAVE = 1, REPAIR = 2;
    private static final int EINTR = 4;
    /** Killed by signal n, as a shell and java.lang.Process say it. */
    private static final int KILLED_BY_SIGSEGV = 128 + SIGSEGV, KILLED_BY_SIGFPE = 128 + SIGFPE;

    private static long call(String function, Object... arguments) {
        return Odd.LIBRARY.getFunction(function).invokeLong(arguments);
    }

    private static int callInt(String function, Object... arguments) {
        return Odd.LIBRARY.getFunction(function).invokeInt(arguments);
    }

    private static boolean has(long mask, int signal) {
        return (mask & 1L << signal) != 0;
    }

    // ---- handlers that came past libc

    /** A transaction, in which handlers are looked at. */
    private static void look() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            Odd.odd_identity(1);
            assertEquals(1, probe.counters().hits());
        }
    }

    /** How often the last handler and those that forward saw what is raised, before the next look and behind it. */
    private static void assertSeen(int digits, int signal) throws Exception {
        for (int i = 0; i < 3; i++) {
            assertEquals(0, callInt("odd_forward_raise", signal));
            assertEquals(digits, callInt("odd_forward_seen"), "signal " + signal + ", look " + i);
            look();
        }
    }

    /* The engine took who had found its own handler for the next one to forward to, who forwarded to it: round and round until the stack ended. */
    @Scenario(alone = true)
    static void handlersThatForwardToWhatTheyFoundSeeAFaultOnce() throws Exception {
        look();
        for (int signal : new int[] {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE}) {
            assertEquals(0, callInt("odd_forward_last", signal));
            assertSeen(1000, signal);
            assertEquals(0, callInt("odd_forward_install", 0, signal));
            assertSeen(1001, signal);
            assertEquals(0, callInt("odd_forward_install", 1, signal));
            assertSeen(1011, signal);
            assertEquals(0, callInt("odd_forward_install", 2, signal));
            assertSeen(1111, signal);
            assertEquals(0, callInt("odd_forward_put_back", 2, signal));
            assertSeen(1011, signal);
            assertEquals(0, callInt("odd_forward_put_back", 1, signal));
            assertSeen(1001, signal);
            /* Who makes sure that it is on top, again and again. */
            for (int i = 0; i < 100; i++) {
                assertEquals(0, callInt("odd_forward_install", 0, signal));
                look();
                assertEquals(0, callInt("odd_forward_raise", signal));
                assertEquals(1001, callInt("odd_forward_seen"), "signal " + signal + ", time " + i);
            }
            assertEquals(0, callInt("odd_forward_install", 1, signal));
            assertSeen(1011, signal);
            assertEquals(0, callInt("odd_forward_put_back", 1, signal));
            assertSeen(1001, signal);
            /* It finds the engine where it stood itself. Until the next look it is asked once more, and not for ever. */
            assertEquals(0, callInt("odd_forward_install", 0, signal));
            assertEquals(0, callInt("odd_forward_raise", signal));
            assertEquals(1002, callInt("odd_forward_seen"), "signal " + signal);
            look();
            assertSeen(1001, signal);
            assertEquals(0, callInt("odd_forward_last_end", signal));
        }
    }

    private static int hashOf(Object object) {
        return object.hashCode();
    }

    /* HotSpot's own faults go through all that forward: each is a NullPointerException. */
    @Scenario(alone = true)
    static void nullPointersOfCompiledCodeComeThroughHandlersThatForward() throws Exception {
        for (int round = 0; round < 6; round++) {
            look();
            if (round < 3) {
                assertEquals(0, callInt("odd_forward_install", round, SIGSEGV));
            }
            int thrown = 0;
            for (int i = 0; i < 40_000; i++) {
                try {
                    thrown += hashOf(i % 1000 == 0 ? null : "") == 0 ? 0 : 1;
                } catch (NullPointerException e) {
                    thrown++;
                }
                if (i == 20_000) {
                    look();
                }
            }
            assertEquals(40, thrown);
        }
    }

    // ---- SIGTRAP that is sent

    private static long sentTraps(long signals, long period, int flags, long[] deepest) {
        try (com.sun.jna.Memory deep = new com.sun.jna.Memory(Long.BYTES)) {
            long seen = call("odd_sent_traps", signals, period, flags, deep);
            deepest[0] = deep.getLong(0);
            return seen;
        }
    }

    /* The thread stood right behind the site, so it was taken for one that a debugger had kept from its trap: the instruction ran once more. */
    @Scenario(alone = true)
    static void aSentSigtrapIsNoTrapOfTheSiteThatTheThreadStandsBehind() throws Exception {
        long[] deepest = new long[1];
        for (String mechanism : List.of("boost", "emulate", "step")) {
            for (int flags : new int[] {0, callInt("odd_sa_nodefer")}) {
                try (TestProbe probe = TestProbe.arm("p libodd:odd_stands_behind n=$arg1 mechanism=" + mechanism)) {
                    assertEquals(300, sentTraps(300, 0, flags, deepest), mechanism + "; -3: a wrong result");
                    assertEquals(List.of(1999993L), probe.hits().stream().map(hit -> hit.values()[0]).toList());
                }
            }
        }
    }

    /* The kernel makes one of a trap and of a signal that waits. */
    @Scenario(alone = true)
    static void sentTrapsAmongTrapsAreNoneOfThem() throws Exception {
        try (TestProbe one = TestProbe.arm("p libodd:odd_stands_for_a_moment n=$arg1"); TestProbe more = TestProbe.arm("c libodd:odd_identity n=$arg1 r=$retval")) {
            long calls = call("odd_sent_among_traps", 10_000L), seen = call("odd_sent_seen");
            assertTrue(calls > 0, calls + ", -2: a wrong result");
            ChildJvm.note(seen + " of 10000 signals came, among " + 2 * calls + " traps");
            assertTrue(seen >= 10 && seen <= 10_000, seen + " signals");
            assertTrue(Math.abs(one.counters().hits() - calls) <= 1 && Math.abs(more.counters().hits() - calls) <= 1, one.counters() + ", " + more.counters() + " of " + calls);
        }
    }

    /* Sent faster than handlers begin they lay one on the other in the engine's handler, which deferred none, until the stack ended. */
    @Scenario(alone = true)
    static void sentTrapsDoNotPileUpWhereTheHandlerDefersThem() throws Exception {
        long[] deepest = new long[1];
        sentTraps(2000, 20_000, 0, deepest);
        long unprobed = deepest[0];
        try (TestProbe probe = TestProbe.arm("c libodd:odd_stands_behind n=$arg1 r=$retval")) {
            assertTrue(sentTraps(20_000, 20_000, 0, deepest) >= 20_000, "-3: a wrong result");
            ChildJvm.note("frames of " + unprobed + " bytes unprobed, " + deepest[0] + " probed");
            assertTrue(deepest[0] < unprobed + (16 << 10), deepest[0] + " bytes, unprobed " + unprobed);
            assertEquals(1, probe.counters().hits());
        }
    }

    /* While such a handler is there the kernel shows SIGTRAP blocked in whoever is just being probed. */
    @Scenario(alone = true)
    static void threadsThatAreJustBeingProbedAreNotTakenForDeafOnes() throws Exception {
        assertEquals(0, callInt("odd_forward_last", SIGTRAP));
        try (TestProbe busy = TestProbe.arm("p libodd:odd_identity")) {
            assertEquals(0, Odd.odd_workers_start(4));
            for (int i = 0; i < 100; i++) {
                TestProbe.arm("p libodd:odd_seven").close();
            }
            long calls = Odd.odd_workers_stop();
            assertTrue(busy.counters().hits() >= calls, busy.counters() + " of " + calls);
        }
    }

    // ---- masks

    @Scenario(alone = true)
    static void nothingIsLeftOpenOnThisLibc() throws Exception {
        assertEquals(List.of(), SignalGuard.limits());
        TestProbe.arm("p libodd:odd_identity $arg1").close();
        assertEquals(List.of(), SignalGuard.limits());
    }

    @Scenario
    static void masksAreKeptAsPosixSaysButForSigtrap() throws Exception {
        TestProbe.arm("p libodd:odd_identity $arg1").close();
        assertEquals(0, callInt("odd_mask_rules"));
    }

    @Scenario
    static void aThreadBornWithAllSignalsBlockedHitsAProbe() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, call("odd_deaf_thread", 1000L));
            long mask = call("odd_mask_of_thread");
            assertTrue(has(mask, SIGHUP) && has(mask, SIGSEGV) && !has(mask, SIGTRAP), Long.toHexString(mask));
            assertEquals(1000, probe.counters().hits());
        }
    }

    @Scenario
    static void aThreadWhoseAttributesBlockAllSignalsHitsAProbe() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, call("odd_deaf_by_attribute", 1000L));
            long mask = call("odd_mask_of_thread");
            assertTrue(has(mask, SIGHUP) && has(mask, SIGSEGV) && !has(mask, SIGTRAP), Long.toHexString(mask));
            assertEquals(1000, probe.counters().hits());
        }
    }

    @Scenario
    static void theSmallestStackIsEnough() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, call("odd_small_stack", 1000L));
            assertEquals(1000, probe.counters().hits());
        }
    }

    @Scenario(alone = true)
    static void aThreadBornDeafBeforeTheFirstProbeIsNamedAndWaitedFor() throws Exception {
        assertEquals(0, callInt("odd_deaf_start"));
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm("p libodd:odd_identity"));
        assertEquals(Refusal.SIGNAL_BLOCKED, refused.refusal());
        assertTrue(refused.getMessage().contains("\"deaf-to-all\""), refused::getMessage);
        call("odd_deaf_end");
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, call("odd_deaf_thread", 10L));
            assertEquals(10, probe.counters().hits());
        }
    }

    /** While threads are inside the functions that get the jumps: nobody sees half of one, nobody keeps SIGTRAP blocked. */
    @Scenario(alone = true)
    static void jumpsAreWrittenWhileThreadsRunThere() throws Exception {
        assertEquals(0, callInt("odd_churn_start"));
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            for (int i = 0; i < 50; i++) {
                assertEquals(0, call("odd_deaf_thread", 10L));
            }
            assertEquals(500, probe.counters().hits());
        } finally {
            assertEquals(0, call("odd_churn_stop"));
        }
    }

    /** What a libc gets whose functions begin with endbr64: constants of its own changed, calls from other libraries led to the helper. */
    @Scenario(alone = true)
    static void aLibcWithoutRoomForJumps() throws Exception {
        SignalGuard.withoutJumps = true;
        assertEquals(0, callInt("odd_full_mask_handler", SIGUSR2));
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            List<String> limits = SignalGuard.limits();
            assertTrue(limits.stream().noneMatch(l -> l.contains("pthread_") || l.startsWith("sigaction") || l.contains("at 0x")), limits::toString);
            for (String function : List.of("sigsuspend", "epoll_pwait", "epoll_pwait2")) {
                assertEquals(1, limits.stream().filter(l -> l.startsWith(function + " can still block SIGTRAP if it is called inside libc or by a library"
                        + " that is loaded later than the last probe: ")).count(), limits::toString);
            }
            assertEquals(0, call("odd_deaf_thread", 1000L));
            long mask = call("odd_mask_of_thread");
            assertTrue(has(mask, SIGHUP) && has(mask, SIGSEGV) && !has(mask, SIGTRAP), Long.toHexString(mask));
            assertEquals(0, call("odd_deaf_by_attribute", 1000L));
            assertEquals(2000, probe.counters().hits());
            assertEquals(0, callInt("odd_raise", SIGUSR2));
            assertEquals(0, callInt("odd_full_mask_handler", SIGURG));
            assertEquals(0, callInt("odd_raise", SIGURG));
            for (int how = 0; how < 5; how++) {
                assertEquals(EINTR, callInt("odd_waits_with_mask", SIGURG, how), "how " + how);
                assertFalse(has(call("odd_mask_in_handler"), SIGTRAP), "how " + how);
            }
            assertEquals(2007, probe.counters().hits());
            TestProbe.assertTextIsOriginal("libc.so.6");
        }
        whoTakesSigtrapAfterUsGetsOnlyItsOwn();     /* a library that is loaded now; the next probe meets its calls */
        aRepairedLoadRunsAgainAndIsOneHit();
    }

    // ---- handlers

    @Scenario(alone = true)
    static void handlersWithFullMasksHitProbesWheneverTheyWereSet() throws Exception {
        assertEquals(0, callInt("odd_full_mask_handler", SIGUSR2));
        assertEquals(0, callInt("odd_raise", SIGUSR2));
        assertTrue(has(call("odd_mask_in_handler"), SIGTRAP), "before the first probe SIGTRAP is blocked there");
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, callInt("odd_raise", SIGUSR2));
            assertEquals(0, callInt("odd_full_mask_handler", SIGURG));
            assertEquals(0, callInt("odd_raise", SIGURG));
            long mask = call("odd_mask_in_handler");
            assertTrue(has(mask, SIGHUP) && has(mask, SIGSEGV) && !has(mask, SIGTRAP), Long.toHexString(mask));
            assertEquals(3, call("odd_handled"));
            assertEquals(List.of((long) SIGUSR2, (long) SIGURG), probe.hits().stream().map(h -> h.values()[0]).toList());
        }
    }

    @Scenario
    static void waitingWithAMaskOfItsOwn() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, callInt("odd_full_mask_handler", SIGURG));
            for (int how = 0; how < 5; how++) {
                assertEquals(EINTR, callInt("odd_waits_with_mask", SIGURG, how), "how " + how);
                assertFalse(has(call("odd_mask_in_handler"), SIGTRAP), "how " + how);
                assertTrue(has(call("odd_mask_in_handler"), SIGHUP), "how " + how);
            }
            assertEquals(5, probe.counters().hits());
        }
    }

    @Scenario
    static void anInterruptedReadStillSaysSo() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, callInt("odd_full_mask_handler", SIGUSR2));
            long handled = call("odd_handled");
            assertEquals(EINTR, callInt("odd_interrupted_read", SIGUSR2));
            assertTrue(call("odd_handled") > handled);
            assertEquals(call("odd_handled") - handled, probe.counters().hits());
        }
    }

    @Scenario
    static void probesOnAnAlternateStack() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(1, callInt("odd_alternate_stack", SIGURG));
            assertEquals(1, probe.counters().hits());
        }
    }

    /** A handler of SIGTRAP set after us gets its own traps, on its own terms; ours go on. */
    @Scenario(alone = true)
    static void whoTakesSigtrapAfterUsGetsOnlyItsOwn() throws Exception {
        NativeLibrary chains = NativeLibrary.getInstance(Odd.folder().resolve("libchains_traps.so").toString());
        int siginfo = chains.getFunction("chains_flag").invokeInt(new Object[] {0}), resethand = chains.getFunction("chains_flag").invokeInt(new Object[] {1});
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, call("odd_handler_of", SIGTRAP), "SIG_DFL, as it was before us");
            assertEquals(0, chains.getFunction("chains_install").invokeInt(new Object[] {siginfo}));
            assertEquals(1, chains.getFunction("chains_is_installed").invokeInt(new Object[] {siginfo}));
            Odd.odd_identity(1999993);
            probe.assertValues(1999993);
            assertEquals(0, chains.getFunction("chains_seen").invokeInt(new Object[0]));
            chains.getFunction("chains_int3").invokeVoid(new Object[0]);
            assertEquals(1, chains.getFunction("chains_seen").invokeInt(new Object[0]));
            assertEquals(0, chains.getFunction("chains_ip").invokeLong(new Object[0]), "the address behind its int3");
            long mask = chains.getFunction("chains_mask").invokeLong(new Object[0]);
            assertTrue(has(mask, SIGUSR1) && has(mask, SIGTRAP), Long.toHexString(mask));
            /* Once, then SIG_DFL, as the kernel does. */
            assertEquals(0, chains.getFunction("chains_install").invokeInt(new Object[] {siginfo | resethand}));
            assertEquals(1, chains.getFunction("chains_is_installed").invokeInt(new Object[] {siginfo | resethand}));
            chains.getFunction("chains_int3").invokeVoid(new Object[0]);
            assertEquals(2, chains.getFunction("chains_seen").invokeInt(new Object[0]));
            assertEquals(0, call("odd_handler_of", SIGTRAP));
            Odd.odd_identity(2);
            assertEquals(2, probe.counters().hits());
        }
    }

    /** Past libc a handler of SIGTRAP can be set; the next transaction takes the signal back, and that handler gets what is its own. */
    @Scenario(alone = true)
    static void whatARawSystemCallTookIsTakenBack() throws Exception {
        NativeLibrary chains = NativeLibrary.getInstance(Odd.folder().resolve("libchains_traps.so").toString());
        int siginfo = chains.getFunction("chains_flag").invokeInt(new Object[] {0});
        TestProbe.arm("p libodd:odd_identity $arg1").close();
        assertEquals(0, chains.getFunction("chains_install_raw").invokeInt(new Object[] {siginfo}));
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            Odd.odd_identity(1999993);
            probe.assertValues(1999993);
            assertEquals(0, chains.getFunction("chains_seen").invokeInt(new Object[0]));
            chains.getFunction("chains_int3").invokeVoid(new Object[0]);
            assertEquals(1, chains.getFunction("chains_seen").invokeInt(new Object[0]));
            assertEquals(1, chains.getFunction("chains_is_installed").invokeInt(new Object[] {siginfo}));
        }
    }

    /** The next transaction took it for the application's, whose handler it forwards to was ours: each called the other until the stack ended. */
    @Scenario(alone = true)
    static void aHandlerThatIsSetPastLibcAndForwardsToTheOneItFound() throws Exception {
        TestProbe.arm("p libodd:odd_identity $arg1").close();
        for (int byLibc = 0; byLibc < 2; byLibc++) {
            assertEquals(0, callInt("odd_forwards_raw", SIGSEGV, byLibc));
            for (int transaction = 0; transaction < 3; transaction++) {
                try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
                    for (int i = 0; i < 50_000; i++) {
                        String none = i % 100 == 0 ? null : "some";
                        assertEquals(none == null, throwsNull(none));
                    }
                    assertEquals(5, Odd.odd_identity(5));
                    assertEquals(1, probe.counters().hits());
                }
            }
            assertTrue(call("odd_forwarded") > 0, "compiled code finds null by a fault");
            assertEquals(0, callInt("odd_forwards_no_more", SIGSEGV, byLibc));
        }
    }

    private static boolean throwsNull(String s) {
        try {
            return lengthOf(s) < 0;
        } catch (NullPointerException e) {
            return true;
        }
    }

    private static int depth;

    private static void deeper() {
        depth++;
        deeper();
    }

    /** HotSpot lives on faults: null checks, guard pages, safepoint polls. */
    @Scenario
    static void hotspotsOwnFaultsAreItsOwn() throws Exception {
        TestProbe.arm("p libodd:odd_identity $arg1").close();
        for (int i = 0; i < 20; i++) {
            depth = 0;
            assertThrows(StackOverflowError.class, SignalScenarios::deeper);
            assertTrue(depth > 500, "depth " + depth);
        }
        for (int i = 0; i < 50_000; i++) {
            assertThrows(NullPointerException.class, () -> lengthOf(null));
            assertThrows(ArithmeticException.class, () -> quotient(1, 0));
        }
        Thread[] busy = new Thread[4];
        boolean[] stop = {false};
        for (int i = 0; i < busy.length; i++) {
            busy[i] = new Thread(() -> {
                for (long n = 0; n < 20_000_000 && !stop[0]; n++) {
                    Thread.onSpinWait();
                }
            });
            busy[i].start();
        }
        for (int i = 0; i < 20; i++) {
            System.gc();    /* every thread is stopped at a poll */
        }
        stop[0] = true;
        for (Thread thread : busy) {
            thread.join();
        }
    }

    private static int quotient(int a, int b) {
        return a / b;
    }

    /** A child's dispositions are its own, also a vfork's, which has our memory; posix_spawn sets all to SIG_DFL. */
    @Scenario
    static void childrenSetHandlersOfTheirOwn() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            long[] before = {call("odd_handler_of", SIGTRAP), call("odd_handler_of", SIGSEGV), call("odd_handler_of", SIGBUS), call("odd_handler_of", SIGFPE)};
            assertEquals(0, callInt("odd_child_sets_handlers", 0), "fork");
            assertEquals(0, callInt("odd_child_sets_handlers", 1), "vfork");
            assertEquals(0, new ProcessBuilder("true").start().waitFor(), "posix_spawn");
            long[] after = {call("odd_handler_of", SIGTRAP), call("odd_handler_of", SIGSEGV), call("odd_handler_of", SIGBUS), call("odd_handler_of", SIGFPE)};
            assertTrue(Arrays.equals(before, after), Arrays.toString(before) + " became " + Arrays.toString(after));
            assertTrue(before[1] != 0 && before[1] == before[2], "HotSpot's");
            Odd.odd_identity(1);
            assertEquals(1, probe.counters().hits());
            for (int i = 0; i < 100_000; i++) {
                assertThrows(NullPointerException.class, () -> lengthOf(null));
            }
        }
    }

    private static int lengthOf(String s) {
        return s.length();
    }

    // ---- faults of the displaced instruction

    private static void assertSeenAtTheSite(int signal, String probed, String function, Object[] arguments, Object[] good, long goodResult)
            throws Exception {
        for (int how : new int[] {SKIP, LEAVE}) {
            try (TestProbe probe = TestProbe.arm(probed)) {
                assertEquals(0, callInt("odd_fault_handler", signal, how));
                long result = call(function, arguments);
                assertEquals(0, callInt("odd_fault_handler_gone", signal));
                assertEquals(how == SKIP ? 1999993 : -23, result);
                assertEquals(1, call("odd_faults"));
                assertEquals(0, call("odd_fault_ip"), "the original instruction's address");
                assertEquals(0, call("odd_fault_address"), "si_addr");
                assertEquals(1, probe.counters().hits());
                if (good != null) {
                    assertEquals(goodResult, call(function, good));
                    assertEquals(2, probe.counters().hits());
                }
            }
        }
    }

    @Scenario
    static void aLoadThatFaultsIsSeenAtTheSite() throws Exception {
        assertSeenAtTheSite(SIGSEGV, "p libodd:odd_load", "odd_load_of_page", new Object[0], null, 0);
    }

    @Scenario
    static void aDivisionByZeroIsSeenAtTheSite() throws Exception {
        assertSeenAtTheSite(SIGFPE, "p libodd:odd_divide+" + Odd.label("odd_divide_at"), "odd_divide_here", new Object[] {1L, 0L}, new Object[] {84L, 2L}, 42);
    }

    @Scenario
    static void aRepairedLoadRunsAgainAndIsOneHit() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_load")) {
            assertEquals(0, callInt("odd_fault_handler", SIGSEGV, REPAIR));
            assertEquals(4000001, call("odd_load_of_page"));
            assertEquals(0, callInt("odd_fault_handler_gone", SIGSEGV));
            assertEquals(1, call("odd_faults"));
            assertEquals(0, call("odd_fault_ip"));
            assertEquals(1, probe.counters().hits());
        }
    }

    @Scenario(alone = true, exit = KILLED_BY_SIGSEGV)
    static void aFaultWithoutHandlerKillsByItsOwnSignal() throws Exception {
        TestProbe.arm("p libodd:odd_load");
        callInt("odd_default_action", SIGSEGV);
        call("odd_load", 8L);
    }

    @Scenario(alone = true, exit = KILLED_BY_SIGFPE)
    static void aDivisionWithoutHandlerKillsByItsOwnSignal() throws Exception {
        TestProbe.arm("p libodd:odd_divide+" + Odd.label("odd_divide_at"));
        callInt("odd_default_action", SIGFPE);
        call("odd_divide", 1L, 0L);
    }

    // ---- HotSpot

    private record Ended(int status, String output, String report) {}

    /** Runs one of the methods below in a JVM of its own and waits for its end. */
    private static Ended run(String method, String... options) throws Exception {
        Path folder = Files.createTempDirectory(Odd.folder(), "ended");
        Path report = folder.resolve("hs_err.log"), output = folder.resolve("output");
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m", "-XX:+UseSerialGC",
                "-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=" + report, "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), ChildJvm.class.getName(), SignalScenarios.class.getName(), method));
        Process child = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        if (!child.waitFor(50, TimeUnit.SECONDS)) {
            child.destroyForcibly();
        }
        return new Ended(child.waitFor(), Files.readString(output, StandardCharsets.ISO_8859_1),
                Files.exists(report) ? Files.readString(report, StandardCharsets.ISO_8859_1) : "");
    }

    static void crashInAProbedInstruction() throws Exception {
        TestProbe.arm("p libodd:odd_load");
        call("odd_load", 8L);
    }

    static void crashWithProbesOnTheWayOfTheReport() throws Exception {
        for (String function : List.of("write", "read", "vsnprintf", "localtime_r", "pthread_mutex_lock", "dladdr", "malloc")) {
            TestProbe.arm("p libc:" + function);
        }
        System.out.println("armed");
        call("odd_load", 8L);
    }

    private static void assertWholeReport(Ended ended, String frame) {
        assertEquals(1, ended.status(), () -> "what HotSpot ends with after a crash without core dump: " + ended.output());
        String report = ended.report();
        assertTrue(report.contains("SIGSEGV (0xb) at pc="), () -> ended.output() + report);
        String problematic = report.lines().dropWhile(l -> !l.startsWith("# Problematic frame:")).skip(1).findFirst().orElse("");
        assertTrue(problematic.matches(frame), problematic);
        assertTrue(report.contains("si_signo: 11 (SIGSEGV)") && report.contains("si_addr: 0x0000000000000008"), report);
        assertTrue(report.contains("Dynamic libraries:") && report.contains("Signal Handlers:"), report);
        assertTrue(report.stripTrailing().endsWith("END."), () -> "the end is missing: " + report.substring(Math.max(0, report.length() - 300)));
    }

    @Scenario
    static void theCrashReportNamesTheProbedFunction() throws Exception {
        Ended ended = run("crashInAProbedInstruction");
        assertWholeReport(ended, "# C  \\[libodd\\.so\\+0x[0-9a-f]+\\]  odd_load\\+0x0");
    }

    /* HotSpot takes SIGTRAP for the time of its report: once it ended there, with nothing written. */
    @Scenario
    static void theCrashReportIsWholeWithProbesOnItsWay() throws Exception {
        Ended ended = run("crashWithProbesOnTheWayOfTheReport");
        assertTrue(ended.output().contains("armed"), ended.output());
        assertWholeReport(ended, "# C  \\[libodd\\.so\\+0x[0-9a-f]+\\]  odd_load\\+0x0");
    }

    static void probesWhereNothingMayBecomeExecutable() throws Exception {
        TestProbe.engine();
        Odd.odd_identity(1);
        /* PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, Linux 6.3; an older kernel refuses, and nothing is different here. */
        int refused = NativeLibrary.getProcess().getFunction("prctl").invokeInt(new Object[] {65, 1L, 0L, 0L, 0L});
        TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1");
        System.out.println("forbidden " + (refused == 0) + ", limits " + SignalGuard.limits() + ", wrong " + call("odd_deaf_thread", 1000L) + ", rules "
                + callInt("odd_mask_rules") + ", hits " + probe.counters().hits());
        probe.close();
        TestProbe.assertTextIsOriginal("libc.so.6");
    }

    /** Jumps then come into libc through /proc/self/mem. Without a compiler, which could not make its code executable. */
    @Scenario
    static void jumpsWhereMprotectIsRefused() throws Exception {
        Ended ended = run("probesWhereNothingMayBecomeExecutable", "-Xint");
        assertEquals(0, ended.status(), ended.output());
        assertTrue(ended.output().contains(", limits [], wrong 0, rules 0, hits 1000"), ended.output());
        assertTrue(ended.output().contains("OK probes"), ended.output());
    }

    static void staysASecondUnderCheckJni() throws Exception {
        System.out.println("before");
        TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1");
        for (int i = 0; i < 30; i++) {
            System.gc();
            Odd.odd_identity(i);
            Thread.sleep(100);
        }
        System.out.println("hits " + probe.counters().hits());
    }

    static void changesAHandlerUnderCheckJni() throws Exception {
        TestProbe.arm("p libodd:odd_identity $arg1");
        callInt("odd_full_mask_handler", 4 /* SIGILL */);
        staysASecondUnderCheckJni();
    }

    @Scenario
    static void checkJniFindsHotspotsHandlersUnchanged() throws Exception {
        Ended ended = run("staysASecondUnderCheckJni", "-Xcheck:jni");
        assertEquals(0, ended.status(), ended.output());
        String after = ended.output().substring(ended.output().indexOf("before"));
        assertTrue(after.contains("hits 30"), after);
        assertFalse(after.contains("handler modified") || after.contains("Warning: SIG"), after);
        Ended changed = run("changesAHandlerUnderCheckJni", "-Xcheck:jni");
        assertTrue(changed.output().contains("SIGILL handler modified"), () -> "the check must be at work for that to say anything: " + changed.output());
    }

    static void opensAndClosesUnderCheckJni() throws Exception {
        System.out.println("before");
        for (int i = 0; i < 6; i++) {
            TestProbe probe = TestProbe.arm("c libodd:odd_identity n=$arg1");
            for (int k = 0; k < 10; k++) {
                Odd.odd_identity(k);
                Thread.sleep(100);
            }
            TestProbe.engine().close();
            System.out.println("hits " + probe.counters().hits());
            Thread.sleep(1000);
        }
    }

    @Scenario
    static void checkJniFindsHotspotsHandlersUnchangedByClosing() throws Exception {
        Ended ended = run("opensAndClosesUnderCheckJni", "-Xcheck:jni");
        assertEquals(0, ended.status(), ended.output());
        String after = ended.output().substring(ended.output().indexOf("before"));
        assertEquals(6, after.lines().filter("hits 10"::equals).count(), after);
        assertFalse(after.contains("handler modified") || after.contains("Warning: SIG"), after);
        /* JNA's own loading is told of. */
        assertEquals(List.of(), after.lines().dropWhile(l -> !l.equals("hits 10")).filter(l -> l.contains("WARNING") || l.contains("FATAL")).toList());
    }

    /** HotSpot decodes the instruction that met the end of a truncated file, to step over it: such a handler is shown the copy, not our trap. */
    @Scenario(alone = true)
    static void aHandlerOfTheVmThatDecodesFindsTheInstruction() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_load")) {
            uprobe.probe.elf.LoadedLibrary odd = TestProbe.library("libodd.so");
            assertEquals(0, Helper.up_signals_vm_text(odd.textStart(), odd.textEnd()));     /* as if it were libjvm */
            assertEquals(1999993, call("odd_load_of_truncated"));
            assertEquals(1, call("odd_faults"));
            assertEquals(1, probe.counters().hits());
        }
    }

    @Scenario
    static void aTruncatedMappedFileIsAnErrorNotACrash() throws Exception {
        TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1");
        Path file = Files.createTempFile("truncated", ".bin");
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(1 << 20);
            MappedByteBuffer memory = access.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, 1 << 20);
            access.setLength(4096);
            byte[] heap = new byte[1 << 19];
            List<Runnable> accesses = List.of(() -> touch(memory, 8192), () -> store(memory, 8192), () -> memory.get(8192, heap, 0, heap.length),
                    () -> memory.put(8192, heap, 0, heap.length));
            for (int i = 0; i < accesses.size(); i++) {
                /* Compiled code throws the error at its next safepoint, wherever that is, or never if the thread ends before: a thread for each. */
                Runnable one = accesses.get(i);
                java.util.concurrent.atomic.AtomicInteger errors = new java.util.concurrent.atomic.AtomicInteger();
                for (int times = 0; times < 200; times++) {
                    Thread thread = new Thread(() -> {
                        for (int n = 0; n < 100; n++) {
                            one.run();
                        }
                    });
                    thread.setUncaughtExceptionHandler((t, e) -> errors.addAndGet(e instanceof InternalError ? 1 : 1000));
                    thread.start();
                    thread.join();
                }
                int count = errors.get();
                assertTrue(count > 0 && count <= 200, "access " + i + ": " + count + " errors");
            }
            assertEquals(0, memory.get(100));
        } finally {
            Files.delete(file);
            probe.close();
        }
    }

    private static int touch(MappedByteBuffer memory, int at) {
        return memory.get(at) + memory.getInt(at + 100);
    }

    private static int store(MappedByteBuffer memory, int at) {
        memory.putLong(at, 1);
        return 0;
    }

    private SignalScenarios() {}
}
