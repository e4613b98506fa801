package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import java.util.List;
import uprobe.probe.helper.Helper;

/** SIGTRAP: ours, somebody else's, nobody's any more. */
final class TrapScenarios {
    private static final int SIGTRAP = 5, SIGUSR1 = 10, SIGWINCH = 28;
    private static final int IGNORED = -1, DEFAULT = -2;
    /** Killed by signal n, as a shell and java.lang.Process say it. */
    private static final int KILLED_BY_SIGTRAP = 128 + SIGTRAP;

    /** Kept: JNA unloads a library that nobody refers to, and its handler would go with it. */
    private static final NativeLibrary CHAINS = NativeLibrary.getInstance(Odd.folder().resolve("libchains_traps.so").toString());

    private static int call(String function, Object... arguments) {
        return CHAINS.getFunction(function).invokeInt(arguments);
    }

    private static long mask(String function) {
        return CHAINS.getFunction(function).invokeLong(new Object[0]);
    }

    private static int flag(int which) {
        return call("chains_flag", which);
    }

    /** Installs the library's own handler, then the engine's over it, which must be at work. */
    private static void installUnderTheEngine(int flags) throws Exception {
        assertEquals(0, call("chains_install", flags));
        TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1");
        Odd.odd_identity(1999993);
        probe.assertValues(1999993);
    }

    @Scenario(alone = true)
    static void earlierHandlerGetsItsOwnTrapsOnItsOwnTerms() throws Exception {
        installUnderTheEngine(flag(0));
        assertEquals(0, call("chains_seen"), "it got none of ours");
        long outside = mask("chains_mask_outside");
        call("chains_int3");
        assertEquals(1, call("chains_seen"));
        assertEquals(0, mask("chains_ip"), "the address behind its int3");
        assertEquals(0x80, mask("chains_code"), "SI_KERNEL");
        assertEquals(outside | 1L << SIGTRAP | 1L << SIGUSR1 | 1L << SIGWINCH, mask("chains_mask"), "its sa_mask, its signal and what was blocked before");
        assertEquals(outside, mask("chains_mask_outside"), "as before");
        call("chains_int3");
        assertEquals(2, call("chains_seen"));
        Odd.odd_identity(5);
        assertEquals(2, TestProbe.engine().trapStatistics().foreign());
    }

    @Scenario(alone = true, oneJdk = true)
    static void earlierHandlerWithoutSiginfoIsCalledAsWell() throws Exception {
        installUnderTheEngine(0);
        call("chains_int3");
        assertEquals(1, call("chains_seen"));
        assertEquals(0, call("chains_kill_self"));
        assertEquals(2, call("chains_seen"), "sent ones too");
    }

    @Scenario(alone = true, oneJdk = true)
    static void earlierHandlerWithNodeferMayBeTrappedItself() throws Exception {
        installUnderTheEngine(flag(2));
        call("chains_nest_once");
        call("chains_int3");
        assertEquals(2, call("chains_seen"), "its handler's own int3 nested");
        assertEquals(0, mask("chains_mask") & 1L << SIGTRAP);
        assertTrue((mask("chains_mask") & 1L << SIGUSR1) != 0);
    }

    /* Without SA_NODEFER the trap inside the handler comes while its signal is blocked: that kills, as it did before us. */
    @Scenario(alone = true, exit = KILLED_BY_SIGTRAP, oneJdk = true)
    static void earlierHandlerWithoutNodeferDiesOfATrapInside() throws Exception {
        installUnderTheEngine(flag(0));
        call("chains_nest_once");
        call("chains_int3");
    }

    @Scenario(alone = true, exit = KILLED_BY_SIGTRAP, oneJdk = true)
    static void earlierHandlerWithResethandIsCalledOnce() throws Exception {
        installUnderTheEngine(flag(0) | flag(1));
        call("chains_int3");
        if (call("chains_seen") != 1) {
            System.exit(1);
        }
        Odd.odd_identity(1);
        call("chains_int3");
    }

    @Scenario(alone = true, exit = KILLED_BY_SIGTRAP)
    static void aTrapOfNobodysStillKills() throws Exception {
        installUnderTheEngine(DEFAULT);
        call("chains_int3");
    }

    @Scenario(alone = true, exit = KILLED_BY_SIGTRAP, oneJdk = true)
    static void aSentSigtrapKillsByDefault() throws Exception {
        installUnderTheEngine(DEFAULT);
        call("chains_kill_self");
    }

    @Scenario(alone = true, oneJdk = true)
    static void aSentSigtrapThatIsIgnoredStaysIgnored() throws Exception {
        installUnderTheEngine(IGNORED);
        for (int i = 0; i < 10; i++) {
            assertEquals(0, call("chains_kill_self"));
        }
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            Odd.odd_identity(1);
            probe.assertValues(1);
        }
    }

    /* The kernel does not let a trap be ignored (kernel/signal.c, force_sig_info). */
    @Scenario(alone = true, exit = KILLED_BY_SIGTRAP, oneJdk = true)
    static void anIgnoredTrapKillsAllTheSame() throws Exception {
        installUnderTheEngine(IGNORED);
        call("chains_int3");
    }

    private static long staleSince(ProbeEngine.TrapStatistics before) throws Exception {
        return TestProbe.engine().trapStatistics().stale() - before.stale();
    }

    /** Traps taken, then disarmed before their handler ran, must resume; those of a site look their slot up. */
    @Scenario
    static void armDisarmStormBesideRunningThreads() throws Exception {
        TestProbe.looksAtStacks = false;
        ProbeEngine.TrapStatistics before = TestProbe.engine().trapStatistics();
        assertEquals(0, Odd.odd_workers_start(4));
        long rounds = 0, toggles = 0, hits = 0, begin = System.nanoTime(), end = begin + 2_000_000_000L, patience = begin + 60_000_000_000L;
        try {
            /* How often a thread comes between a trap and its handler is chance: until enough have. */
            while (System.nanoTime() < end || (rounds < 6 || hits < 1001 || staleSince(before) < 10) && System.nanoTime() < patience) {
                String type = rounds % 3 == 0 ? "c" : "p";
                TestProbe probe = TestProbe.arm(type + " libodd:odd_identity $arg1");
                TestProbe other = rounds % 2 == 0 ? TestProbe.arm("c libodd:odd_seven $arg1 $retval") : null;
                /* The site again and again, without the planning that takes most of a round's time. */
                ArmedSite site = probe.armed().sites().get(0);
                int index = TestProbe.engine().siteIndex(site.address());
                for (int i = 0; i < 500; i++, toggles++) {
                    assertEquals(0, TestProbe.disarm(index));
                    assertEquals(0, TestProbe.arm(index));
                }
                probe.close();
                if (other != null) {
                    other.close();
                }
                hits += probe.counters().hits();
                rounds++;
            }
        } finally {
            long calls = Odd.odd_workers_stop();
            assertTrue(calls > 0, "every result was right");
            assertTrue(hits <= calls, hits + " hits of " + calls + " calls");
        }
        TestProbe.looksAtStacks = true;
        long stale = staleSince(before);
        ChildJvm.note(rounds + " rounds, " + toggles + " toggles, " + hits + " hits, " + stale + " stale traps");
        assertTrue(rounds > 5 && toggles > 1000 && hits > 1000, rounds + " rounds, " + toggles + " toggles, " + hits + " hits");
        assertTrue(stale >= 10, "too few stale traps for the storm to mean something: " + stale);
        assertEquals(before.foreign(), TestProbe.engine().trapStatistics().foreign());
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    /** One disarmed site that threads keep coming by: all hits counted while armed are the callee's own calls. */
    @Scenario
    static void countsEveryCallOfEveryThread() throws Exception {
        TestProbe.looksAtStacks = false;
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, Odd.odd_workers_start(4));
            Thread.sleep(150);
            long calls = Odd.odd_workers_stop();
            probe.assertNothingLostSilently();
            assertEquals(calls, probe.counters().hits());
        } finally {
            TestProbe.looksAtStacks = true;
        }
    }

    @Scenario(alone = true)
    static void aThreadThatBlocksSigtrapIsNamedAndWaitedFor() throws Exception {
        assertEquals(0, Odd.odd_blocker_start());
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm("p libodd:odd_identity"));
        assertEquals(Refusal.SIGNAL_BLOCKED, refused.refusal());
        assertTrue(refused.getMessage().matches("libodd:.*odd_identity.*: a thread has SIGTRAP blocked and would be killed by the trap:"
                + " thread \"deaf-to-traps\" \\(tid \\d+\\); attach opens it, where this process may be traced"), refused::getMessage);
        TestProbe.assertTextIsOriginal("libodd.so");
        Odd.odd_blocker_end();
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            Odd.odd_identity(3);
            assertEquals(List.of(3L), probe.hits().stream().map(h -> h.values()[0]).toList());
        }
    }

    private TrapScenarios() {}
}
