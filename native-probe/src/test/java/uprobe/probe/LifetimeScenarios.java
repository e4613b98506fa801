package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.helper.Helper;
import uprobe.probe.spec.ProbeParser;

/** Frames, threads and libraries that end before the engine is done with them. */
final class LifetimeScenarios {
    private static final long LANDINGS = 3000;

    /** Entries of the return table that may be nobody's: those lost before the engine knew that it is left. */
    private static final int LEAKED = 1;

    /** Records left half-written, and jumps inside, that a scenario must have seen; and how often it tries to. */
    private static final int ENOUGH = 10, ROUNDS = 30;

    /** How odd_jump_out does it. */
    private static final int ON_A_NEW_THREAD = 1, ON_AN_ALTERNATE_STACK = 2, NESTED = 4;

    private static void jumpOut(int how) throws Exception {
        boolean onNewThread = (how & ON_A_NEW_THREAD) != 0;
        TestProbe.engine();
        TestProbe.looksAtStacks = false;
        LoadedLibrary helper = TestProbe.library("libuprobe.so");
        FlushStatistics before = TestProbe.engine().flushStatistics();
        try (TestProbe probe = TestProbe.arm("c libodd:odd_leaves_value n=$arg1 v=+0($retval):s64")) {
            long calls = 0, landings = 0, inner = 0, abandoned = 0, awaited = Helper.up_returns_awaited();
            /* Where in the engine a signal comes is chance: until enough of them have left a half-written record. */
            for (int i = 0; i < ROUNDS && (abandoned < ENOUGH || (how & NESTED) != 0 && inner < ENOUGH); i++) {
                assertEquals(0, Odd.odd_jump_out(new Pointer(helper.textStart()), new Pointer(helper.textEnd()), LANDINGS, how), "wrong results");
                assertTrue(Odd.odd_jump_landings() >= LANDINGS, Odd.odd_jump_landings() + " jumps out of the engine");
                calls += Odd.odd_jump_calls();
                landings += Odd.odd_jump_landings();
                inner += Odd.odd_jump_inner_landings();
                abandoned = TestProbe.engine().flushStatistics().abandoned() - before.abandoned();
            }
            if (!onNewThread) {
                for (int i = 0; i < 100; i++, calls++) {
                    Odd.odd_leaves_value(i);
                }
                assertTrue(Helper.up_returns_awaited() <= awaited + LEAKED, (Helper.up_returns_awaited() - awaited) + " returns are still awaited");
            }
            probe.assertNothingLostSilently();
            ProbeCounters c = probe.counters();
            List<TestProbe.Hit> hits = probe.hits();
            abandoned = TestProbe.engine().flushStatistics().abandoned() - before.abandoned();
            long unwound = hits.stream().filter(TestProbe.Hit::unwound).count();
            ChildJvm.note(calls + " calls, " + landings + " and " + inner + " jumps out of the engine, " + abandoned + " records abandoned, " + unwound
                    + " unwound, " + c.dropped() + " dropped");
            assertEquals(calls, c.hits());
            assertEquals(c.recorded(), hits.size());
            assertTrue(abandoned >= ENOUGH, abandoned + " records were abandoned: too few to mean something");
            assertTrue(unwound >= abandoned && unwound <= landings + inner, unwound + " of " + landings + " and " + inner);
            assertTrue((how & NESTED) == 0 || inner >= ENOUGH, inner + " jumps inside");
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
        jumpOut(0);
    }

    @Scenario
    static void siglongjmpOutOfTheReturnPathLosesNoHitOfANativeThread() throws Exception {
        jumpOut(ON_A_NEW_THREAD);
    }

    @Scenario
    static void siglongjmpFromAnAlternateStack() throws Exception {
        jumpOut(ON_AN_ALTERNATE_STACK);
        jumpOut(ON_A_NEW_THREAD | ON_AN_ALTERNATE_STACK);
    }

    /** A frame that is gone lies inside one that goes on: what that one writes must not be passed over. */
    @Scenario
    static void siglongjmpOutOfAFrameInsideAnother() throws Exception {
        jumpOut(NESTED);
        jumpOut(NESTED | ON_A_NEW_THREAD);
        jumpOut(NESTED | ON_A_NEW_THREAD | ON_AN_ALTERNATE_STACK);
    }

    private static String variant(String which) {
        return Odd.folder().resolve("libvariant_" + which + ".so").toString();
    }

    private static boolean isMapped(String which) throws Exception {
        return LoadedLibraries.snapshot().all().stream().anyMatch(l -> l.fileName().equals("libvariant_" + which + ".so"));
    }

    /** Where they lie is the kernel's choice: mostly where the one before has been. */
    private static final int TRIES = 20;

    private interface Round {
        /** @return whether the second library came to lie where the first one was */
        boolean run() throws Exception;
    }

    private static void atTheSameAddress(Round round) throws Exception {
        TestProbe.engine();
        assertEquals("libodd.so", Odd.LIBRARY.getFile().getName());
        int same = 0;
        for (int i = 0; i < TRIES; i++) {
            same += round.run() ? 1 : 0;
        }
        ChildJvm.note(same + " of " + TRIES + " at the same address");
        assertTrue(same > 0, "never at the same address");
    }

    /* The slot of the first library's function, run for the second's, gave the first's result. */
    @Scenario
    static void anotherLibraryWhereAProbedOneWasHasSitesOfItsOwn() throws Exception {
        atTheSameAddress(() -> {
            Pointer a = Odd.odd_variant_open(variant("a"), 0);
            long address = Odd.odd_variant_address(a);
            try (TestProbe probe = TestProbe.arm("c libvariant_a:odd_variant n=$arg1 r=$retval")) {
                assertEquals(1999994, Odd.odd_variant_at(address, 1999993));
                assertEquals(1999994, probe.hit().values()[2]);
            }
            assertEquals(0, Odd.odd_variant_close(a));
            assertFalse(isMapped("a"), "nothing of ours keeps it after its last disarm");
            Pointer b = Odd.odd_variant_open(variant("b"), 0);
            long second = Odd.odd_variant_address(b);
            assertEquals(1999993 * 3 + 2000, Odd.odd_variant_at(second, 1999993), "unprobed");
            try (TestProbe probe = TestProbe.arm("c libvariant_b:odd_variant n=$arg1 r=$retval")) {
                for (int i = 0; i < 10; i++) {
                    assertEquals(i * 3 + 2000, Odd.odd_variant_at(second, i));
                }
                assertEquals(10, probe.hits().size());
                probe.assertNothingLostSilently();
            }
            TestProbe.assertTextIsOriginal("libvariant_b.so");
            assertEquals(0, Odd.odd_variant_close(b));
            assertFalse(isMapped("b"));
            return address == second;
        });
    }

    @Scenario
    static void aLibraryThatIsClosedWhileArmedStaysUntilItsLastDisarm() throws Exception {
        TestProbe.engine();
        Pointer a = Odd.odd_variant_open(variant("a"), 0);
        long address = Odd.odd_variant_address(a);
        TestProbe entry = TestProbe.arm("p libvariant_a:odd_variant n=$arg1"), call = TestProbe.arm("c libvariant_a:odd_variant n=$arg1");
        assertEquals(0, Odd.odd_variant_close(a));
        assertTrue(isMapped("a"));
        assertEquals(6, Odd.odd_variant_at(address, 5));
        entry.assertValues(5);
        entry.close();
        assertTrue(isMapped("a"), "it has another probe");
        assertEquals(8, Odd.odd_variant_at(address, 7));
        call.close();
        assertFalse(isMapped("a"));
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm("p libvariant_a:odd_variant"));
        assertEquals(Refusal.LIBRARY_NOT_LOADED, refused.refusal());
    }

    /* What dlmopen loads the dynamic linker does not find by its path: nothing keeps it. */
    @Scenario
    static void aLibraryThatVanishesWhileArmedIsForgottenAndItsSuccessorLeftAlone() throws Exception {
        atTheSameAddress(() -> {
            Pointer a = Odd.odd_variant_open(variant("a"), 1);
            long address = Odd.odd_variant_address(a);
            TestProbe probe = TestProbe.arm("p libvariant_a:odd_variant n=$arg1");
            assertEquals(1999994, Odd.odd_variant_at(address, 1999993));
            probe.assertValues(1999993);
            assertEquals(0, Odd.odd_variant_close(a));
            assertFalse(isMapped("a"));
            Pointer b = Odd.odd_variant_open(variant("b"), 1);
            long second = Odd.odd_variant_address(b);
            /* Armed in the newcomer before the vanished one is disarmed, too. */
            TestProbe other = TestProbe.arm("p libvariant_b:odd_variant n=$arg1");
            assertEquals(3 * 7 + 2000, Odd.odd_variant_at(second, 7));
            other.assertValues(7);
            probe.close();
            assertEquals(3 * 8 + 2000, Odd.odd_variant_at(second, 8));
            assertEquals(2, other.hits().size(), "its trap is still there");
            assertEquals(1, probe.counters().hits(), "and is no hit of the other's");
            other.close();
            TestProbe.assertTextIsOriginal("libvariant_b.so");
            assertEquals(0, Odd.odd_variant_close(b));
            return address == second;
        });
    }

    /* A library was resolved once: sqlite-jdbc in two class loaders gave the calls of the first. */
    @Scenario
    static void aCopyThatComesIsProbedAsTheFirst() throws Exception {
        TestProbe.engine();
        Pointer first = Odd.odd_variant_open(variant("a"), 0);
        TestProbe symbol = TestProbe.arm("p libvariant_a:odd_variant n=$arg1"), pattern = TestProbe.arm("c libvariant_[ab]:odd_variant* n=$arg1 r=$retval");
        int before = pattern.armed().points().size();
        assertTrue(symbol.armed().extend().isNone());
        Pointer second = Odd.odd_variant_open(variant("a"), 1);
        long address = Odd.odd_variant_address(second);
        assertEquals(5, Odd.odd_variant_at(address, 4));
        assertEquals(0, symbol.counters().hits());
        Growth growth = symbol.armed().extend();
        assertEquals(List.of(address), growth.came().stream().map(ArmedSite::address).toList());
        assertEquals(List.of(), growth.went());
        assertEquals(before, pattern.armed().extend().came().size());
        assertEquals(2, symbol.armed().sites().size());
        assertEquals(1, symbol.armed().points().size(), "copies of a library share a symbol's number");
        assertEquals(2 * before, pattern.armed().points().size(), "each place of a pattern has its own");
        assertTrue(symbol.armed().isArmed() && pattern.armed().isArmed());
        assertEquals(1999994, Odd.odd_variant_at(address, 1999993));
        assertEquals(8, Odd.odd_variant_at(Odd.odd_variant_address(first), 7));
        assertEquals(List.of(1999993L, 7L), symbol.hits().stream().map(hit -> hit.values()[0]).toList());
        assertEquals(2, pattern.counters().hits());
        assertEquals(0, Odd.odd_variant_close(second));
        assertEquals(List.of("libvariant_a.so"), symbol.armed().extend().went());
        assertEquals(1, symbol.armed().sites().size());
        assertTrue(symbol.armed().isArmed());
        symbol.close();
        pattern.close();
        assertEquals(0, Odd.odd_variant_close(first));
    }

    /* Nothing holds what dlmopen loaded; its next copy came without a trap, mostly at the same address, and was never armed. */
    @Scenario
    static void aLibraryThatVanishedWhileArmedIsArmedWhenItComesAgain() throws Exception {
        TestProbe[] probes = new TestProbe[2];
        atTheSameAddress(() -> {
            Pointer a = Odd.odd_variant_open(variant("a"), 1);
            long address = Odd.odd_variant_address(a);
            if (probes[0] == null) {
                probes[0] = TestProbe.arm("p libvariant_a:odd_variant n=$arg1");
                probes[1] = TestProbe.arm("c libvariant_a:odd_* n=$arg1");
            }
            for (TestProbe probe : probes) {
                probe.armed().extend();
            }
            long hits = probes[0].counters().hits(), numbers = probes[1].armed().points().size();
            assertEquals(6, Odd.odd_variant_at(address, 5));
            assertEquals(hits + 1, probes[0].counters().hits());
            assertEquals(0, Odd.odd_variant_close(a));
            Pointer again = Odd.odd_variant_open(variant("a"), 1);
            long second = Odd.odd_variant_address(again);
            for (TestProbe probe : probes) {
                Growth growth = probe.armed().extend();
                assertEquals(List.of("libvariant_a.so"), growth.went());
                assertEquals(probe.armed().sites().size(), growth.came().size());
                assertTrue(probe.armed().isArmed());
            }
            assertEquals(9, Odd.odd_variant_at(second, 8));
            assertEquals(hits + 2, probes[0].counters().hits());
            assertEquals(hits + 2, probes[1].counters().hits());
            assertEquals(numbers, probes[1].armed().points().size(), "the next copy takes the numbers over");
            assertEquals(0, Odd.odd_variant_close(again));
            return address == second;
        });
        for (TestProbe probe : probes) {
            probe.assertNothingLostSilently();
            probe.close();
        }
    }

    @Scenario
    static void aSuccessorsTextIsNotTouchedByADisarm() throws Exception {
        atTheSameAddress(() -> {
            Pointer a = Odd.odd_variant_open(variant("a"), 1);
            long address = Odd.odd_variant_address(a);
            TestProbe probe = TestProbe.arm("p libvariant_a:odd_variant n=$arg1");
            assertEquals(0, Odd.odd_variant_close(a));
            Pointer b = Odd.odd_variant_open(variant("b"), 1);
            long second = Odd.odd_variant_address(b);
            /* Even a byte that looks like our trap is not ours to take out. */
            assertEquals(0, Odd.odd_write_byte(second, 0xcc));
            probe.close();
            assertEquals(0xcc, Odd.odd_read_byte(second));
            assertEquals(0, Odd.odd_variant_close(b));
            return address == second;
        });
    }

    @Scenario
    static void textThatIsUnmappedUnderAProbeIsNoCrash() throws Exception {
        TestProbe.engine();
        Pointer a = Odd.odd_variant_open(variant("a"), 0);
        long address = Odd.odd_variant_address(a);
        TestProbe probe = TestProbe.arm("p libvariant_a:odd_variant n=$arg1");
        assertEquals(0, Odd.odd_unmap_text(address));
        probe.close();
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm("p libvariant_a:odd_variant n=$arg1"));
        assertEquals(Refusal.LIBRARY_GONE, refused.refusal(), refused::getMessage);
        assertEquals(Helper.GONE, Helper.up_text_read(address, new byte[16], 16));
    }

    private static final int TRAP = 0xcc, HLT = 0xf4, NOP = 0x90;

    @Scenario
    static void aForeignByteIsToldOnceForEachChangeAndLeftAlone() throws Exception {
        ProbeEngine engine = TestProbe.engine();
        TestProbe untouched = TestProbe.arm("p libodd:odd_identity"), probe = TestProbe.arm("p libodd:odd_red_zone"), second = TestProbe.arm("c libodd:odd_red_zone");
        ArmedSite site = probe.armed().sites().get(0);
        byte[] original = new byte[1];
        assertEquals(List.of(), engine.changed());
        assertEquals(0, Odd.odd_write_byte(site.address(), HLT));
        List<ChangedSite> changed = engine.changed();
        assertEquals(1, changed.size());
        assertEquals(site, changed.get(0).site());
        assertEquals(List.of(probe.armed(), second.armed()), changed.get(0).probes());
        assertTrue(changed.get(0).message().matches("libodd\\.so!odd_red_zone: somebody else changed the code there: at 0x[0-9a-f]+ is f4 .*, in the library .*"),
                changed.get(0)::message);
        assertEquals(List.of(), engine.changed(), "told once");
        assertEquals(0, Odd.odd_write_byte(site.address(), NOP));
        assertEquals(1, engine.changed().size(), "another change");
        assertEquals(0, Odd.odd_write_byte(site.address(), TRAP));
        assertEquals(List.of(), engine.changed());
        assertEquals(0, Odd.odd_write_byte(site.address(), NOP));
        assertEquals(1, engine.changed().size(), "once more after it was well");
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm("r libodd:odd_red_zone"));
        assertEquals(Refusal.TEXT_CHANGED, refused.refusal());
        second.close();
        assertEquals(List.of(site), probe.armed().disarm(), "and says which it left alone");
        assertEquals(NOP, Odd.odd_read_byte(site.address()));
        assertEquals(List.of(), engine.changed(), "it is no site of ours any more");
        LoadedLibrary odd = TestProbe.library("libodd.so");
        System.arraycopy(odd.fileBytes(site.address(), 1), 0, original, 0, 1);
        assertEquals(0, Odd.odd_write_byte(site.address(), original[0] & 0xff));
        untouched.close();
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    @Scenario
    static void armingOnAForeignBreakpointIsRefused() throws Exception {
        TestProbe.engine();
        assertEquals("libodd.so", Odd.LIBRARY.getFile().getName());
        LoadedLibrary odd = TestProbe.library("libodd.so");
        for (int round = 0; round < 2; round++) {
            long address = odd.symbols().find("odd_six").get(0).address();
            int original = Odd.odd_read_byte(address);
            assertEquals(0, Odd.odd_write_byte(address, TRAP));
            ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm("p libodd:odd_six"));
            assertEquals(round == 0 ? Refusal.FOREIGN_TRAP : Refusal.TEXT_CHANGED, refused.refusal(), refused::getMessage);
            assertEquals(TRAP, Odd.odd_read_byte(address));
            assertEquals(0, Odd.odd_write_byte(address, original));
            TestProbe.arm("p libodd:odd_six").close();      /* known from now on */
        }
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    private static final int THREADS = 10_000, WAVE = 50, WAVES = THREADS / WAVE, HITS = 5, RINGS = 512;
    private static final long GROWTH = 4 << 20;
    private static ByteBuffer records;

    /** Makes nothing of the records, so that what grows is the engine's. */
    static void commitOnly() {
        long run = HitRun.now();
        for (int i = 0, at = HitRun.offset(run); i < HitRun.count(run); i++) {
            records.putInt(at + HitRecordDescriptor.STATE, HitRecordDescriptor.COMMITTED);
            at += records.getShort(at + HitRecordDescriptor.LENGTH) & 0xffff;
        }
    }

    private interface Wave {
        void run() throws Exception;
    }

    /** Bytes resident now; without transparent huge pages, which the kernel makes when it likes. */
    private static long resident() throws Exception {
        System.gc();
        long bytes = 0;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps_rollup"))) {
            if (line.startsWith("Rss:") || line.startsWith("AnonHugePages:")) {
                long size = Long.parseLong(line.replaceAll("\\D", "")) << 10;
                bytes += line.startsWith("Rss:") ? size : -size;
            }
        }
        return bytes;
    }

    /** Until no more than so many rings are in use. */
    private static void awaitRecycled(ProbeEngine engine, int most) throws Exception {
        for (int i = 0; i < 500; i++) {
            FlushStatistics now = engine.flushStatistics();
            if (now.threadsTaken() - now.threadsRecycled() <= most) {
                return;
            }
            Thread.sleep(20);
            assertTrue(engine.drain(true, 5000));
        }
    }

    private static void comeAndGo(Wave wave) throws Exception {
        ProbeEngine engine = ProbeEngine.open(EngineOptions.DEFAULT.withRings(4096, RINGS));
        assertEquals("libodd.so", Odd.LIBRARY.getFile().getName());
        records = engine.records();
        CommitMethod.Factory factory = (id, spec, stem, symbol, memory) -> new CommitMethod(LifetimeScenarios.class, "commitOnly");
        Probe entry = engine.arm(ProbeParser.parse("p libodd:odd_identity $arg1"), factory);
        Probe call = engine.arm(ProbeParser.parse("c libodd:odd_identity $arg1 $retval"), factory);
        FlushStatistics before = engine.flushStatistics();
        long half = 0;
        for (int i = 0; i < WAVES; i++) {
            wave.run();
            assertTrue(engine.drain(true, 5000));
            awaitRecycled(engine, RINGS / 2);   /* on a busy machine the kernel takes its time with threads that Java has joined */
            if (i == WAVES / 2) {
                half = resident();
            }
        }
        long grown = resident() - half, all = (long) THREADS * HITS;
        for (int i = 0; i < 100 && engine.flushStatistics().threadsRecycled() - before.threadsRecycled() < THREADS; i++) {
            Thread.sleep(20);       /* until the kernel has let the last ones go */
            assertTrue(engine.drain(true, 5000));
        }
        FlushStatistics after = engine.flushStatistics();
        ChildJvm.note("after " + THREADS / 2 + " threads the process grew by " + (grown >> 10) + " KiB over as many again; " + half / (1 << 20) + " MiB resident");
        assertEquals(TestProbe.counters(all, all, 0, 0), entry.counters(), after::toString);
        assertEquals(TestProbe.counters(all, all, 0, 0), call.counters(), after::toString);
        assertEquals(THREADS, after.threadsRecycled() - before.threadsRecycled(), "rings given back");
        assertTrue(after.threadsTaken() - before.threadsTaken() - THREADS <= 2, "this thread's ring and the drain's stay");
        assertEquals(0, after.threadsRefused());
        assertTrue(grown < GROWTH, grown + " bytes more");
        assertEquals(List.of(), entry.disarm());
        assertEquals(List.of(), call.disarm());
    }

    /* Thousands may come and go between two looks of the drain, which learns that so many rings are in use. */
    @Scenario(alone = true)
    static void ringsAreGivenBackBeforeThereAreNone() throws Exception {
        ProbeEngine engine = ProbeEngine.open(EngineOptions.DEFAULT.withRings(4096, RINGS));
        assertEquals("libodd.so", Odd.LIBRARY.getFile().getName());
        records = engine.records();
        Probe probe = engine.arm(ProbeParser.parse("p libodd:odd_identity $arg1"),
                (id, spec, stem, symbol, memory) -> new CommitMethod(LifetimeScenarios.class, "commitOnly"));
        for (int i = 0; i < THREADS; i++) {
            assertEquals(0, Odd.odd_on_new_thread(HITS));
        }
        assertTrue(engine.drain(true, 5000));
        ProbeCounters counters = probe.counters();
        ChildJvm.note(THREADS + " threads one after the other, " + RINGS + " rings: " + counters);
        assertEquals((long) THREADS * HITS, counters.hits());
        assertTrue(counters.dropped() < counters.hits() / 2, counters::toString);
        assertEquals(List.of(), probe.disarm());
    }

    @Scenario(alone = true)
    static void tenThousandShortNativeThreads() throws Exception {
        comeAndGo(() -> assertEquals(0, Odd.odd_wave(WAVE, HITS)));
    }

    @Scenario(alone = true)
    static void tenThousandShortJavaThreads() throws Exception {
        AtomicInteger wrong = new AtomicInteger();
        comeAndGo(() -> {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < WAVE; i++) {
                Thread thread = new Thread(() -> {
                    for (int h = 0; h < HITS; h++) {
                        wrong.addAndGet(Odd.odd_identity(h) == h ? 0 : 1);
                    }
                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
        });
        assertEquals(0, wrong.get());
    }

    private LifetimeScenarios() {}
}
