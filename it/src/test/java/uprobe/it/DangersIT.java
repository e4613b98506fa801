package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.Recorded.Counters;
import uprobe.it.app.AllKindsOfNatives;
import uprobe.it.app.AttachDetach;
import uprobe.it.app.BootAppendClasses;
import uprobe.it.app.CallbacksRunIntoProbes;
import uprobe.it.app.ForeignBytes;
import uprobe.it.app.MakeBootJar;
import uprobe.it.app.NativeThreads;
import uprobe.it.app.NearTheStacksEnd;
import uprobe.it.app.NoFilesLeft;
import uprobe.it.app.ThrowsThroughProbes;
import uprobe.it.app.Waiters;

/** What crashed a naive version: each a place where a return address must not be swapped, or a thread is not what it was. */
class DangersIT {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final int CALLBACK_THREADS = 4, CALLBACK_ROUNDS = STORM ? 10_000 : 100;
    private static final int BOOT_CLASSES = 500, BEFORE_ARMING = 5_000;

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    static Stream<Arguments> jdksAndCollectors() {
        return Jdk.all().stream().flatMap(jdk -> Stream.of("Serial", "Parallel", "G1", "Z", "Shenandoah").map(gc -> Arguments.of(jdk, gc)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("jdksAndCollectors")
    void callbacksOfAnotherAgentRunIntoProbes(Jdk jdk, String collector) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, CallbacksRunIntoProbes.class).seconds(1200)
                .options("-XX:+UnlockExperimentalVMOptions", "-XX:+Use" + collector + "GC",
                        "-agentpath:" + ChildJvm.nativeFolder().resolve("libjvmti_hits.so"))
                .probes("c:it/callback libprobed:probed_in_callback kind=$arg1:s64 ret=$retval:s64", "ring=4m", "rings=256")
                .run("" + CALLBACK_THREADS, "" + CALLBACK_ROUNDS).ok();
        Recorded recorded = outcome.recorded();
        List<RecordedEvent> callbacks = recorded.of("uprobe.it.callback");
        Counters counters = recorded.counters("uprobe.it.callback");
        counters.assertWhole();
        assertEquals(counters.recorded(), callbacks.size());
        long before = outcome.number("expected probed_in_callback") - counters.hits();
        assertTrue(before >= 0 && before < BEFORE_ARMING, "all but those of the JVM's start, before the probe was armed: " + before);
        Map<Long, Long> kinds = callbacks.stream().collect(Collectors.groupingBy(e -> e.getLong("kind"), Collectors.counting()));
        assertTrue(kinds.keySet().containsAll(Set.of(1L, 2L, 3L, 4L, 5L)), "exceptions, classes, collections, monitors: " + kinds);
        for (RecordedEvent event : callbacks) {
            assertEquals(event.getLong("kind") * 13, event.getLong("ret"));
            assertFlushedOnlyBelowNatives(event);
        }
        outcome.forget();
    }

    /** Where no native method was called, a flush means that a return address of the VM's own was swapped. */
    private static void assertFlushedOnlyBelowNatives(RecordedEvent event) {
        if (event.getString("drained") == null && !event.getStackTrace().getFrames().get(1).getType().equals("Native")) {
            throw new AssertionError("flushed where no native method was called: " + event);
        }
    }

    /* A debugger's breakpoint over our trap ends the probe; before the patrol nobody was told. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("jdks")
    void aTrapThatSomebodyWritesOverIsToldOnce(Jdk jdk) throws Exception {
        for (boolean quiet : new boolean[] {false, true}) {
            ChildJvm child = ChildJvm.of(jdk, ForeignBytes.class).probes("p:it/leaf libprobed:probed_leaf i=$arg1:s64");
            ChildJvm.Outcome outcome = (quiet ? child.probes("quiet") : child).run().ok();
            String address = outcome.out().lines().filter(l -> l.startsWith("written ")).findFirst().orElseThrow().substring("written ".length());
            String begin = "libprobed.so!probed_leaf: somebody else changed the code there: at 0x" + address + " is f4";
            assertEquals(quiet ? 0 : 1, outcome.err().lines().filter(l -> l.startsWith("uprobe: " + begin)).count(), outcome.err());
            List<RecordedEvent> told = outcome.recorded().of("uprobe.ProbeRefused");
            assertEquals(1, told.size(), told::toString);
            assertTrue(told.get(0).getString("reason").startsWith(begin), told::toString);
            assertEquals(Long.parseUnsignedLong(address, 16), told.get(0).getLong("address"));
            outcome.forget();
        }
    }

    static Stream<Arguments> jdksCollectorsAndCompilation() {
        return jdksAndCollectors().flatMap(a -> Stream.of("-Xmixed", "-Xcomp").filter(mode -> mode.equals("-Xmixed") || a.get()[1].equals("G1"))
                .map(mode -> Arguments.of(a.get()[0], a.get()[1], mode)));
    }

    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("jdksCollectorsAndCompilation")
    void classesFromAppendedBootJarsAreInflatedUnderAProbe(Jdk jdk, String collector, String mode) throws Exception {
        ChildJvm jvm = ChildJvm.of(jdk, BootAppendClasses.class);
        Path jar = jvm.folder().resolve("boot.jar");
        ChildJvm.of(jdk, MakeBootJar.class).withoutAgent().run(jar.toString(), "" + BOOT_CLASSES).ok().forget();
        ChildJvm.Outcome outcome = jvm.options("-XX:+UnlockExperimentalVMOptions", "-XX:+Use" + collector + "GC", mode, "-XX:TieredStopAtLevel=" + (mode.equals("-Xcomp") ? 1 : 4),
                        "-Xbootclasspath/a:" + jar)
                .probes("c:it/inflate {libz.so*,libzip.so}:inflate ret=$retval:s32").run("" + BOOT_CLASSES).ok();
        Recorded recorded = outcome.recorded();
        List<RecordedEvent> inflated = recorded.of("uprobe.it.inflate");
        recorded.counters("uprobe.it.inflate").assertWhole();
        long dangerous = inflated.stream().filter(e -> "runtime call of the VM".equals(e.getString("drained"))).count();
        assertTrue(dangerous >= BOOT_CLASSES / 2, "inflate ran above calls of the VM's own: " + dangerous);
        inflated.forEach(DangersIT::assertFlushedOnlyBelowNatives);
        outcome.forget();
    }

    static Stream<Arguments> jdksAndAttachments() {
        return Jdk.all().stream().flatMap(jdk -> Stream.of(Arguments.of(jdk, "as others", 25_000), Arguments.of(jdk, "daemon", 2_500)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("jdksAndAttachments")
    void threadsThatAttachAndDetachAreSeenAsWhatTheyAreAtEachMoment(Jdk jdk, String attachment, int rounds) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, AttachDetach.class).environment("MALLOC_PERTURB_", "165")
                .probes("p:it/detached libattach_detach:probed_detached i=$arg1:s64 tid=$arg2:s32",
                        "c:it/attached libattach_detach:probed_attached i=$arg1:s64 tid=$arg2:s32 java=$arg3:s64",
                        "p:it/destructor libattach_detach:probed_in_destructor", "ring=1m")
                .run("4", "" + rounds, "destructor", attachment).ok();
        Recorded recorded = outcome.recorded();
        for (String function : List.of("detached", "attached", "destructor")) {
            Counters counters = recorded.counters("uprobe.it." + function).assertWhole();
            assertEquals(outcome.number("expected probed_" + function.replace("destructor", "in_destructor")), counters.hits());
            assertEquals(counters.recorded(), recorded.of("uprobe.it." + function).size());
        }
        for (String function : List.of("detached", "destructor")) {
            for (RecordedEvent event : recorded.of("uprobe.it." + function)) {
                assertEquals("native thread", event.getString("drained"));
                assertEquals(0, event.getLong("javaThreadId"));
                assertTrue(event.getString("nativeThreadName").startsWith("comer-"), event::toString);
            }
        }
        for (RecordedEvent event : recorded.of("uprobe.it.detached")) {
            assertEquals(event.getLong("tid"), event.getLong("nativeThreadId"));
        }
        long withStack = 0;
        for (RecordedEvent event : recorded.of("uprobe.it.attached")) {
            if (event.getString("drained") == null) {
                assertEquals("uprobe.it.app.AttachDetach.attached uprobe.it.app.AttachDetach.fromNative", Recorded.frame(event, 1) + " " + Recorded.frame(event, 2));
                assertEquals(3, event.getStackTrace().getFrames().size());
                /* JDK 17's JFR does not know the thread of an event, its own events included, once the thread was attached and is detached again; now and
                 * then it takes it for one that never was Java's. */
                if (jdk.version() > 17 || event.getThread() != null && event.getThread().getJavaThreadId() > 0) {
                    assertEquals(event.getLong("java"), event.getThread().getJavaThreadId());
                }
                withStack++;
            } else {
                assertEquals("native thread", event.getString("drained"));
                assertEquals(event.getLong("java"), event.getLong("javaThreadId"), "attached, so it is a Java thread");
                assertEquals(event.getLong("tid"), event.getLong("nativeThreadId"));
            }
        }
        assertEquals(outcome.number("expected withJavaStack"), withStack, "hits below a Java frame, and only they, have its stack");
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void aFlushNearTheEndOfTheStackIsLeftToTheDrain(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, NearTheStacksEnd.class)
                .probes("c:it/deep libprobed:probed_deep i=$arg1:s64 ret=$retval:s64").run("20").ok();
        Recorded recorded = outcome.recorded();
        Counters counters = recorded.counters("uprobe.it.deep").assertWhole();
        assertEquals(outcome.number("expected probed_deep"), counters.hits());
        assertEquals(counters.recorded(), recorded.of("uprobe.it.deep").size());
        long near = 0;
        for (RecordedEvent event : recorded.of("uprobe.it.deep")) {
            assertEquals(event.getLong("i") * 2 + 9, event.getLong("ret"));
            if (event.getString("drained") != null) {
                near++;
            } else {
                assertEquals("uprobe.it.app.Probed.atDepth", Recorded.frame(event, 1));
            }
        }
        assertTrue(near >= 20, "some lay near the end: " + near);
        assertTrue(near < counters.recorded(), "and some did not");
        outcome.forget();
    }

    static Stream<Arguments> jdksAndUnwinders() {
        return Jdk.all().stream().flatMap(jdk -> Stream.of("shared", "static").map(unwinder -> Arguments.of(jdk, unwinder)));
    }

    @ParameterizedTest(name = "{0}, {1} libgcc")
    @MethodSource("jdksAndUnwinders")
    void exceptionsOfCppPassThroughProbedFrames(Jdk jdk, String unwinder) throws Exception {
        String library = "libthrows_" + unwinder;
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ThrowsThroughProbes.class)
                .probes("c:it/inner " + library + ":throws_inner a=$arg1", "c:it/middle " + library + ":throws_middle a=$arg1",
                        "c:it/outer " + library + ":throws_outer a=$arg1")
                .run("throws_" + unwinder, "7000", "2").ok();
        Recorded recorded = outcome.recorded();
        for (String function : List.of("inner", "middle", "outer")) {
            String type = "uprobe.it." + function;
            assertEquals(Counters.allRecorded(outcome.number("expected throws_" + function)), recorded.counters(type));
            long left = recorded.of(type).stream().filter(e -> "duration".equals(e.getString("missing"))).count();
            assertEquals(outcome.number("unwound throws_" + function), left, type + " left by an exception");
            recorded.of(type).forEach(event -> assertEquals("Native", event.getStackTrace().getFrames().get(1).getType()));
        }
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void nativesOfEveryKindGiveTheSameResultsAndExactCounts(Jdk jdk) throws Exception {
        List<String> functions = List.of("probed_leaf", "probed_values", "probed_before_throw", "probed_enter", "probed_leave", "probed_first",
                "probed_second", "probed_many", "probed_floats", "probed_float", "probed_narrow", "probed_bool", "probed_pointer", "probed_text",
                "probed_in_critical", "probed_locked", "probed_tail", "Java_uprobe_it_app_Probed_direct");
        ChildJvm jvm = ChildJvm.of(jdk, AllKindsOfNatives.class).options("-Xcheck:jni").probes("ring=1m");
        functions.stream().filter(f -> !f.equals("probed_values")).forEach(f -> jvm.probes("c:it/" + f + " libprobed:" + f + " a=$arg1 ret=$retval"));
        jvm.probes("c:it/probed_values libprobed:probed_values a=$arg1:s64 text=+0($arg2):u32 b=$arg3:s32 c=$arg4:u8 id=+0($arg5):s32"
                + " length=+8($arg5):s64 name=+0(+16($arg5)):u32 kind=+0(+32($arg5)):s16 tag=+11(+32($arg5)):u8 reg=%rdi:s64");
        ChildJvm.Outcome outcome = jvm.run("2", "1000").ok();
        Recorded recorded = outcome.recorded();
        int longCalls = 0;
        for (String function : functions) {
            assertEquals(Counters.allRecorded(outcome.number("expected " + function)), recorded.counters("uprobe.it." + function), function);
            for (RecordedEvent event : recorded.of("uprobe.it." + function)) {
                assertEquals("libprobed." + function, Recorded.frame(event, 0));
                if ("long call".equals(event.getString("drained"))) {
                    longCalls++;
                    continue;
                }
                assertEquals(null, event.getString("drained"), function);
                assertEquals("Native", event.getStackTrace().getFrames().get(1).getType(), function);
            }
        }
        assertTrue(longCalls <= 100, longCalls + " calls took more than half a second: more than a busy machine explains");
        for (RecordedEvent event : recorded.of("uprobe.it.probed_values")) {
            assertEquals(1999993, event.getLong("a"));
            assertEquals(1999993, event.getLong("reg"));
            assertEquals('s' | 'e' << 8 | 'v' << 16 | 'e' << 24, event.getLong("text"));
            assertEquals(-42, event.getLong("b"));
            assertEquals(238, event.getLong("c"));
            assertEquals(-1234567, event.getLong("id"));
            assertEquals(987654321098L, event.getLong("length"));
            assertEquals('r' | 'e' << 8 | 'q' << 16 | 'u' << 24, event.getLong("name"));
            boolean hasPart = event.getString("missing") == null;
            assertEquals(hasPart ? -321 : 0, event.getLong("kind"));
            assertEquals(hasPart ? 244 : 0, event.getLong("tag"));
            assertEquals(hasPart ? null : "kind,tag", event.getString("missing"));
        }
        long parts = recorded.of("uprobe.it.probed_values").stream().filter(e -> e.getString("missing") == null).count();
        assertEquals(outcome.number("expected probed_values") / 2, parts, "the other half has a null pointer there");
        String printed = outcome.out() + outcome.err();
        assertTrue(!printed.contains("uprobe.it.app.AllKindsOfNatives") && !printed.contains("SIGTRAP")
                && !printed.contains("\tat uprobe.probe.helper.Helper.up_"), "-Xcheck:jni is content: " + printed);
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void threadsOfTheLibrarysOwnWithTheSmallestStacksAreDrainedWithTheirNames(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, NativeThreads.class)
                .probes("c:it/worker libnative_threads:probed_worker i=$arg1:s64", "p libnative_threads:probed.part.0 i=$arg1", "ring=1m")
                .run("8", "500").ok();
        Recorded recorded = outcome.recorded();
        assertEquals(Counters.allRecorded(outcome.number("expected probed_worker")), recorded.counters("uprobe.it.worker"));
        Map<String, Long> names = recorded.of("uprobe.it.worker").stream()
                .collect(Collectors.groupingBy(e -> e.getString("nativeThreadName"), Collectors.counting()));
        assertEquals(8, names.size(), "" + names);
        names.forEach((name, count) -> assertTrue(name.startsWith("worker-") && count == 500, "" + names));
        for (RecordedEvent event : recorded.of("uprobe.it.worker")) {
            assertEquals("native thread", event.getString("drained"));
            assertEquals(0, event.getLong("javaThreadId"));
            assertTrue(event.getLong("nativeThreadId") > 0);
            assertEquals(1, event.getStackTrace().getFrames().size(), "the native function alone");
            assertEquals("libnative_threads.probed_worker", Recorded.frame(event, 0));
        }
        List<RecordedEvent> odd = recorded.of("uprobe.libnative_threads.probed_part_0");
        assertEquals(8, odd.size(), "a symbol that is no Java name is still an event's and a frame's");
        assertEquals("libnative_threads.probed\u00b7part\u00b70", Recorded.frame(odd.get(0), 0));
        assertEquals("probed.part.0", odd.get(0).getEventType().getLabel());
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void virtualThreadsFrozenInObjectWaitOnceCrashedHere(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Waiters.class).options("-Xmx256m")
                .probes("p:it/wait libjvm:JVM_MonitorWait", "p:it/notify libjvm:JVM_MonitorNotifyAll").run("3000").ok();
        Recorded recorded = outcome.recorded();
        for (String type : List.of("uprobe.it.wait", "uprobe.it.notify")) {
            assertTrue(recorded.of(type).size() > 100, type);
            assertEquals(recorded.counters(type).recorded(), recorded.of(type).size(), type);
        }
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void withNoFileDescriptorLeftLivingThreadsWereOnceTakenForGone(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, NoFilesLeft.class).startedBy("prlimit", "--nofile=200")
                .probes("c:it/sleep libjvm:JVM_Sleep", "c:it/exists libjava:Java_java_io_UnixFileSystem_getBooleanAttributes0").run().ok();
        Recorded recorded = outcome.recorded();
        for (RecordedEvent event : recorded.of("uprobe.it.exists")) {
            assertTrue(!"thread ended".equals(event.getString("drained")), "a living thread lost its ring");
        }
        assertTrue(recorded.of("uprobe.it.exists").size() > 1000);
        outcome.forget();
    }
}
