package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.MappedRegion;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.elf.ProcessMaps;
import uprobe.probe.helper.Helper;

/** Children of a probed process: they inherit its traps, and nothing of what makes events of hits. */
final class ForkScenarios {
    private static final int RIGHT = 43, FORKS = 20;
    private static final long FORK = 0, BARE_CLONE = 1;

    private static Pointer countersFunction() throws Exception {
        TestProbe.engine();         /* loaded */
        return NativeLibrary.getInstance(TestProbe.library("libuprobe.so").path().toString()).getFunction("up_probe_counters");
    }

    /** Each child calls probed functions, returns through its parent's awaited returns, and has a child of its own that does the same. */
    @Scenario
    static void aForkedChildDropsItsHitsAndReturnsUnseen() throws Exception {
        Pointer counters = countersFunction();
        try (TestProbe forks = TestProbe.arm("c libodd:odd_forks how=$arg1 pid=$retval"); TestProbe entry = TestProbe.arm("p libodd:odd_identity $arg1");
                TestProbe call = TestProbe.arm("c libodd:odd_identity $arg1 r=$retval"); TestProbe recursion = TestProbe.arm("c libodd:odd_recursion n=$arg1");
                TestProbe run = TestProbe.arm("c libodd:odd_fork_run how=$arg1 r=$retval"); TestProbe seven = TestProbe.arm("p libodd:odd_seven")) {
            for (int i = 0; i < FORKS; i++) {
                assertEquals(RIGHT, Odd.odd_fork_run(i % 2, counters, (i % 4 < 2 ? entry : call).armed().id()),
                        "1..7: the duty that the child failed, 133: killed by a trap, -1: hung");
            }
            /* The parent knows of its own hits only, and all of those. */
            assertEquals(FORKS, forks.hits().size());
            assertEquals(FORKS, run.hits().size());
            assertTrue(run.hits().stream().allMatch(h -> h.values()[2] == RIGHT && !h.unwound()));
            for (TestProbe untouched : List.of(entry, call, recursion, seven)) {
                assertEquals(TestProbe.counters(0, 0, 0, 0), untouched.counters());
            }
            Odd.odd_identity(1999993);
            entry.assertValues(1999993);
        }
    }

    /** The return address of the JNI call itself is swapped: the child comes by the flush and must make no upcall. */
    @Scenario
    static void aForkedChildReturnsIntoJavaWithoutAFlush() throws Exception {
        long self = ProcessHandle.current().pid();
        NativeMethod.leaves(-1);     /* linked: a child must not have to */
        NativeMethod.onlyIn(self);
        TestProbe.meanwhile = () -> NativeMethod.onlyIn(self);
        try (TestProbe forks = TestProbe.arm("c libodd:odd_forks how=$arg1 pid=$retval"); TestProbe jni = TestProbe.arm("c libodd:Java_uprobe_probe_NativeMethod_forks")) {
            for (int i = 0; i < 6; i++) {
                ProbeCounters before = forks.counters();
                long pid = NativeMethod.forks(i % 2);
                if (pid == 0) {
                    NativeMethod.leaves(RIGHT);
                }
                assertEquals(RIGHT, Odd.odd_child_result(pid), "9: a commit method ran in the child");
                assertEquals(before.hits() + 1, forks.counters().hits());
            }
            assertEquals(6, forks.hits().size());
            assertEquals(6, jni.hits().size());
            assertTrue(forks.hits().stream().allMatch(h -> "forks".equals(h.caller())), "each hit once, at the return in the parent");
        } finally {
            TestProbe.meanwhile = null;
        }
    }

    @Scenario
    static void aChildsTextAndSlotsStayWhileTheParentArmsAndDisarms() throws Exception {
        try (TestProbe stays = TestProbe.arm("c libodd:odd_identity $arg1")) {
            LoadedLibrary odd = TestProbe.library("libodd.so");
            MappedRegion slots = ProcessMaps.ofSelf().regions().stream()
                    .filter(r -> r.executable() && r.inode() == 0 && r.size() == 1 << 20 && Math.abs(r.start() - odd.textStart()) < 1L << 31)
                    .findFirst().orElseThrow();
            assertEquals(0, Odd.odd_watch_start(new Pointer(odd.textStart()), odd.textEnd() - odd.textStart(), new Pointer(slots.start()), 1 << 16));
            int toggles = 0;
            for (int round = 0; round < 10; round++) {
                /* new slots and new sites, and one site again and again */
                try (TestProbe other = TestProbe.arm("p libodd:odd_deep" + (round % 8 + 1)); TestProbe seven = TestProbe.arm("c libodd:odd_seven")) {
                    int index = TestProbe.engine().siteIndex(seven.armed().sites().get(0).address());
                    for (int i = 0; i < 100; i++, toggles++) {
                        assertEquals(0, TestProbe.disarm(index));
                        assertEquals(0, TestProbe.arm(index));
                    }
                    assertEquals(4000001, Odd.odd_seven(1999993, "seven", 2.5));
                    assertEquals(1, seven.counters().hits() + other.counters().hits());
                }
            }
            assertEquals(1000, toggles);
            assertEquals(0, stays.counters().hits());
            long looks = Odd.odd_watch_end();
            assertTrue(looks >= 10, looks + " looks of the child; -1: it saw a change");
        }
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    /** The child's thread id is soon gone; its parent, whose record of a thread it would have been, is not. */
    @Scenario(alone = true)
    static void aThreadWhoseFirstHitIsInAVforkedChildKeepsItsOwnRing() throws Exception {
        long calls = 50_000;
        try (TestProbe probe = TestProbe.arm("c libodd:odd_identity n=$arg1 r=$retval")) {
            assertEquals(0, Odd.LIBRARY.getFunction("odd_first_call_in_vfork").invokeLong(new Object[] {calls}));
            probe.assertNothingLostSilently();
            assertEquals(2 * calls + 1, probe.counters().hits());
            assertTrue(probe.counters().dropped() >= 1, "the child's");
        }
    }

    /** It runs on its parent's stack and memory: its hits are the parent's. */
    @Scenario
    static void aVforkedChildCountsAsItsParent() throws Exception {
        try (TestProbe entry = TestProbe.arm("p libodd:odd_identity $arg1"); TestProbe call = TestProbe.arm("c libodd:odd_recursion n=$arg1 r=$retval")) {
            assertEquals(50, Odd.odd_vforks(50));
            assertEquals(50, entry.hits().size());
            assertEquals(200, call.hits().size());
            assertTrue(call.hits().stream().noneMatch(TestProbe.Hit::unwound));
            entry.assertNothingLostSilently();
            call.assertNothingLostSilently();
        }
    }

    /** posix_spawn's child had its signals blocked and then at their defaults: a trap in it killed it, one in the waiting parent this process. */
    @Scenario(alone = true)
    static void posixSpawnGoesOnWhateverOfLibcIsProbed() throws Exception {
        List<TestProbe> probes = armAllOfLibc();
        for (int i = 0; i < 50; i++) {
            assertEquals(0, Odd.odd_spawns("/bin/true", 0));
            assertEquals(1, Odd.odd_spawns("/bin/false", 0));
            assertEquals(0, Odd.odd_spawns("true", 1), "found through PATH");
            assertEquals(-2, Odd.odd_spawns("/nowhere/at/all", 0), "ENOENT");
            assertEquals(-2, Odd.odd_spawns("nowhere-at-all", 1), "ENOENT");
            assertEquals(0, Odd.odd_on_new_thread(1), "a thread starts and ends with signals blocked as well");
        }
        probes.forEach(TestProbe::close);
    }

    @Scenario(alone = true)
    static void javaStartsProcessesBySpawn() throws Exception {
        javaStartsProcesses("POSIX_SPAWN");
    }

    @Scenario(alone = true)
    static void javaStartsProcessesByVfork() throws Exception {
        javaStartsProcesses("VFORK");
    }

    @Scenario(alone = true)
    static void javaStartsProcessesByFork() throws Exception {
        javaStartsProcesses("FORK");
    }

    /* java.lang.ProcessImpl reads the property when it is first used. */
    private static void javaStartsProcesses(String mechanism) throws Exception {
        System.setProperty("jdk.lang.Process.launchMechanism", mechanism);
        List<TestProbe> probes = armAllOfLibc();
        for (int i = 0; i < 200; i++) {
            ProcessBuilder builder = new ProcessBuilder("/bin/echo", "process", String.valueOf(i), "of", mechanism);
            builder.environment().put("UPROBE_NUMBER", String.valueOf(i));
            Process process = builder.start();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            process.getInputStream().transferTo(out);
            assertTrue(process.waitFor(20, TimeUnit.SECONDS), "process " + i + " hangs");
            assertEquals("process " + i + " of " + mechanism + "\n", out.toString());
            assertEquals(0, process.exitValue());
        }
        long hits = probes.stream().mapToLong(p -> p.counters().hits()).sum();
        ChildJvm.note(probes.size() + " functions of libc probed, " + hits + " hits");
        assertTrue(hits > 2000, hits + " hits");
        probes.forEach(TestProbe::close);
        TestProbe.assertTextIsOriginal("libc.so.6");
    }

    /** Everything on the way and beside it. */
    private static List<TestProbe> armAllOfLibc() throws Exception {
        TestProbe.engine();
        TestProbe.looksAtStacks = false;
        List<TestProbe> probes = new ArrayList<>();
        TreeSet<String> refused = new TreeSet<>();
        for (NativeSymbol function : TestProbe.library("libc.so.6").symbols().functions()) {
            try {
                probes.add(TestProbe.arm("p libc:" + function.name()));
            } catch (ProbeRefusedException e) {
                refused.add(function.name());
            }
        }
        assertTrue(probes.size() > 2000, () -> probes.size() + " armed, refused are " + refused);
        return probes;
    }

    private ForkScenarios() {}
}
