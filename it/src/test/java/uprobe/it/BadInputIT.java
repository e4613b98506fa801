package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.DiesAtAttach;
import uprobe.it.app.NativeThreads;
import uprobe.it.app.ZipRounds;

/** What a user may get wrong: one clear line each, and the application runs on. */
class BadInputIT {
    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void eachMistakeIsOneClearLineAndTheApplicationRunsOn(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class)
                .probes("p:a/ok {libz.so*,libzip.so}:deflate", "p nosuchlibrary:deflate", "p norsuchlibrary:inflate", "p {libz.so*,libzip.so}:deflat", "p {libz.so*,libzip.so}:deflate+0xfffff",
                        "p:m/one libc:qsort_r+1", "p:m/two libc:qsort_r+2", "p:m/three libc:qsort_r+3", "p:m/four libc:qsort_r+4", "p libz:deflate a=%foo",
                        "p libz:deflate a=+8($arg1", "@no/such/file", "c libc:setjmp", "c libc:dlsym", "p libc:time", "nonsense")
                .run("rounds", "5").ok();
        outcome.number("sum");
        List<String> lines = outcome.err().lines().filter(line -> line.startsWith("uprobe: ")).toList();
        has(lines, "p nosuchlibrary:deflate: nosuchlibrary: no loaded library matches: loaded are ");
        has(lines, "p norsuchlibrary:inflate: norsuchlibrary: no loaded library matches; the probe waits for it");
        has(lines, "deflat: none of the loaded libraries that match has such a function: similar names there: ");
        has(lines, "deflate+0xfffff: the offset lies outside the function: it is 0x");
        has(lines, "the offset lies inside an instruction: the instructions around it begin at +0x");
        has(lines, "unknown register '%foo'; registers are %rax ");
        has(lines, "column ");
        has(lines, "no/such/file");
        has(lines, "time: the symbol is a resolver (IFUNC) and has chosen a function outside of the library");
        has(lines, "dlsym: the function reads its own return address, which a return probe changes");
        has(lines, "\"nonsense\"");
        assertEquals(15, outcome.recorded().of("uprobe.a.ok").size(), "the probe beside the mistakes works");
        assertTrue(!outcome.err().contains("\tat "), "no stack traces: " + outcome.err());
        outcome.forget();
    }

    private static void has(List<String> lines, String part) {
        assertTrue(lines.stream().anyMatch(line -> line.contains(part)), () -> "no line with '" + part + "' in\n" + String.join("\n", lines));
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void onAnUnsupportedPlatformItSaysSoAndTheApplicationRunsOn(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class).options("-Dos.arch=riscv64").withoutRecording()
                .probes("p {libz.so*,libzip.so}:deflate").run("rounds", "5").ok();
        assertTrue(outcome.err().contains("uprobe: no probes: Linux on riscv64: this platform is not supported: Linux on x86-64 with glibc is"), outcome.err());
        outcome.forget();
    }

    /** JNA's native part passes names in this encoding; all that was said was ExceptionInInitializerError. */
    @ParameterizedTest
    @MethodSource("jdks")
    void whereJnaCanNotBeginTheReasonIsToldAndTheApplicationRunsOn(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class).options("-Dfile.encoding=UTF-16", "-Dsun.stdout.encoding=UTF-8", "-Dsun.stderr.encoding=UTF-8")
                .withoutRecording().probes("p {libz.so*,libzip.so}:deflate").run("rounds", "5").ok();
        assertTrue(outcome.err().startsWith("uprobe: no probes: java.lang.NullPointerException"), outcome.err());
        outcome.number("sum");
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void withoutTheModuleOfFlightRecorderItSaysSoAndTheApplicationRunsOn(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class).options("--limit-modules", "java.base,java.instrument,java.logging,java.desktop").withoutRecording()
                .probes("p {libz.so*,libzip.so}:deflate").run("rounds", "5").ok();
        assertEquals("uprobe: this JVM has no Flight Recorder (module jdk.jfr): probes have nowhere to record to", outcome.err().strip());
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void nothingButOurOwnLinesIsPrinted(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class).probes("quiet", "c {libz.so*,libzip.so}:deflate").run("rounds", "5").ok();
        assertEquals("", outcome.err(), "no warning of the JDK's either");
        outcome.forget();
    }

    /** Such a thread had every probe of the process refused. */
    @ParameterizedTest
    @MethodSource("jdks")
    void aThreadThatBlocksTheSignalIsOpenedByAttach(Jdk jdk) throws Exception {
        Path scope = Path.of("/proc/sys/kernel/yama/ptrace_scope");
        Assumptions.assumeTrue(!Files.exists(scope) || Files.readString(scope).strip().equals("0") || System.getProperty("user.name").equals("root"),
                "a process may trace only its children here");
        ChildJvm.Running running = ChildJvm.of(jdk, NativeThreads.class).withoutAgent().start("1", "10", "blocks-all", "wait").waitFor("ready");
        Path recording = Files.createTempDirectory("uprobe-it-").resolve("opened.jfr");
        String said = attach(jdk, 0, "" + running.process().pid(), "p libnative_threads:probed_worker mode=count", "record=" + recording);
        assertEquals(1, said.lines().count(), "no warning of the JDK's: " + said);
        running.process().getOutputStream().close();
        running.finish().ok().forget();
    }

    private static String attach(Jdk jdk, int exit, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(jdk.tool("java").toString(), "-jar", ChildJvm.agentJar().toString(), "attach"));
        command.addAll(List.of(arguments));
        Process attach = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(attach.getInputStream().readAllBytes());
        assertEquals(exit, attach.waitFor(), said);
        return said;
    }

    /* It said "Premature EOF; the JVM must be yours, alive, and not started with -XX:+DisableAttachMechanism". */
    @ParameterizedTest
    @MethodSource("jdks")
    void aTargetThatDiesWhileItIsAttachedToIsToldAsThatWithItsCrashReport(Jdk jdk) throws Exception {
        ChildJvm.Running running = ChildJvm.of(jdk, DiesAtAttach.class).options("-XX:-CreateCoredumpOnCrash").withoutAgent().start("crash").waitFor("ready");
        String pid = "" + running.process().pid(), said = attach(jdk, 1, pid, "p libz:deflate");
        ChildJvm.Outcome outcome = running.finish();
        assertTrue(said.contains("uprobe: the JVM " + pid + " died while the agent was being attached; its crash report is " + outcome.folder().resolve("hs_err.log") + " ("), said);
        assertTrue(said.contains("Unsafe_Put") || said.contains("libjvm.so"), said);
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void aTargetThatEndsWithoutAWordWhileItIsAttachedToIsToldAsThat(Jdk jdk) throws Exception {
        ChildJvm.Running running = ChildJvm.of(jdk, DiesAtAttach.class).withoutAgent().start("halt").waitFor("ready");
        String pid = "" + running.process().pid(), said = attach(jdk, 1, pid, "p libz:deflate");
        ChildJvm.Outcome outcome = running.finish();
        assertEquals(7, outcome.exit(), said);
        assertTrue(said.contains("uprobe: the JVM " + pid + " died while the agent was being attached; it left no crash report (looked for "
                + outcome.folder().resolve("hs_err.log")), said);
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void whatIsNoJvmOrLetsNobodyInIsToldSo(Jdk jdk) throws Exception {
        Process sleeps = new ProcessBuilder("sleep", "60").start();
        try {
            String said = attach(jdk, 1, "" + sleeps.pid(), "p libz:deflate");
            assertTrue(said.contains("it is no JVM that can be attached to: no libjvm.so is mapped in it; `ps` lists those that can"), said);
        } finally {
            sleeps.destroyForcibly();
        }
        ChildJvm.Running running = ChildJvm.of(jdk, DiesAtAttach.class).options("-XX:+DisableAttachMechanism").withoutAgent().start("halt").waitFor("ready");
        try {
            String said = attach(jdk, 1, "" + running.process().pid(), "p libz:deflate");
            assertTrue(said.contains("it was started with -XX:+DisableAttachMechanism; start it with -javaagent:uprobe-agent.jar=... instead"), said);
        } finally {
            running.process().destroyForcibly();
        }
    }

    /** A temporary folder whose files may not be mapped executable, or that is full: Flight Recorder ends the JVM when it can not write. */
    @ParameterizedTest
    @MethodSource("jdks")
    void aTemporaryFolderThatIsNoexecOrFull(Jdk jdk) throws Exception {
        ChildJvm.Outcome noexec = ChildJvm.of(jdk, ZipRounds.class).startedBy(inOwnMounts("mount -t tmpfs -o noexec tmpfs /tmp")).probes("c:it/crc libz*:crc32").run("rounds", "1").ok();
        assertTrue(noexec.err().contains("armed at libz"), noexec::err);
        noexec.forget();
        ChildJvm.Outcome full = ChildJvm.of(jdk, ZipRounds.class).startedBy(inOwnMounts("mount -t tmpfs -o size=100k tmpfs /tmp")).probes("c:it/crc libz*:crc32").run("rounds", "1").ok();
        assertTrue(full.err().contains("uprobe: no probes: /tmp, where Flight Recorder keeps its data, has ") && full.err().contains("make room, or start the JVM with"), full::err);
        full.forget();
    }

    private static String[] inOwnMounts(String command) {
        return new String[] {"unshare", "--user", "--map-root-user", "--mount", "sh", "-c", command + "; exec \"$@\"", "sh"};
    }
}
