package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jdi.Bootstrap;
import com.sun.jdi.ReferenceType;
import com.sun.jdi.VirtualMachine;
import com.sun.jdi.connect.AttachingConnector;
import com.sun.jdi.connect.Connector;
import com.sun.jdi.event.BreakpointEvent;
import com.sun.jdi.event.Event;
import com.sun.jdi.event.EventSet;
import com.sun.jdi.event.StepEvent;
import com.sun.jdi.request.BreakpointRequest;
import com.sun.jdi.request.StepRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.Coexist;
import uprobe.it.app.Trained;

/** Others who look into the process or change its code: gdb, a Java debugger, async-profiler, the kernel's uprobes. */
class CoexistenceIT {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final int PROFILED_SECONDS = STORM ? 10 : 3;
    private static final String LEAF = "c libprobed:probed_leaf i=$arg1:s64 ret=$retval:s64";
    private static final Path TRACEFS = Path.of("/sys/kernel/tracing");

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    /** {@code Coexist} and what it said. */
    private static final class Dialogue implements AutoCloseable {
        final ChildJvm jvm;
        final ChildJvm.Running running;
        private int replies;

        Dialogue(ChildJvm jvm) throws Exception {
            this.jvm = jvm.engineOnly().seconds(120);
            running = this.jvm.start().waitFor("ready\n");
        }

        long pid() {
            return running.process().pid();
        }

        String ask(String line) throws Exception {
            running.process().getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            running.process().getOutputStream().flush();
            for (int i = 0; i < 1200; i++) {
                List<String> lines = running.out().lines().filter(l -> l.startsWith("reply ")).toList();
                if (lines.size() > replies && running.out().endsWith("\n")) {
                    return lines.get(replies++).substring("reply ".length());
                }
                if (!running.process().isAlive()) {
                    running.finish().ok();
                }
                Thread.sleep(25);
            }
            throw new AssertionError("no answer to " + line + ": " + running.out());
        }

        void expect(String answer, String line) throws Exception {
            assertEquals(answer, ask(line), line);
        }

        /** Of the newest probe, and calls that probed_leaf counted. */
        Map<String, Long> counts() throws Exception {
            return Stream.of(ask("counts").split(" ")).filter(w -> w.contains("=")).map(w -> w.split("=")).collect(Collectors.toMap(w -> w[0], w -> Long.valueOf(w[1])));
        }

        ChildJvm.Outcome end() throws Exception {
            running.process().getOutputStream().close();
            return running.finish().ok();
        }

        @Override
        public void close() {
            running.process().destroyForcibly();
        }
    }

    private static String run(Path log, int seconds, List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).redirectInput(Path.of("/dev/null").toFile()).start();
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError(command + " did not end: " + Files.readString(log, StandardCharsets.ISO_8859_1));
        }
        return Files.readString(log, StandardCharsets.ISO_8859_1);
    }

    /* gdb 13 takes a process for a 32-bit one until it has read the program, and sets threads back to half an address: hence the architecture. */
    private static List<String> gdbCommand(Dialogue child, String... commands) {
        List<String> command = new ArrayList<>(List.of("gdb", "-nx", "-batch", "-iex", "set architecture i386:x86-64", "-iex", "set auto-solib-add off",
                "-iex", "set debuginfod enabled off", "-iex", "handle SIGTRAP nostop noprint pass", "-iex", "handle SIGSEGV nostop noprint pass", "-p", "" + child.pid(),
                "-ex", "sharedlibrary probed"));
        for (String text : commands) {
            command.addAll(List.of("-ex", text));
        }
        return command;
    }

    private static String gdb(Dialogue child, String... commands) throws Exception {
        return mayAttach(run(child.jvm.folder().resolve("gdb.txt"), 60, gdbCommand(child, commands)));
    }

    private static String mayAttach(String said) {
        Assumptions.assumeFalse(said.contains("Operation not permitted"), "gdb may not attach here: " + said);
        return said;
    }

    /** Threads that have just trapped when gdb comes or goes get their signal anew, and not as the processor sent it: that killed the JVM. */
    @ParameterizedTest
    @MethodSource("jdks")
    void gdbComesAndGoesWhileThreadsTrap(Jdk jdk) throws Exception {
        try (Dialogue child = new Dialogue(ChildJvm.of(jdk, Coexist.class))) {
            child.expect("armed", "arm " + LEAF);
            long before = child.counts().get("calls");
            child.expect("load true", "load on");
            for (int i = 0; i < (STORM ? 200 : 10); i++) {
                String said = gdb(child, "thread apply all -q backtrace 3", "detach");
                assertTrue(said.contains("detached") && said.contains("#2"), said);
            }
            child.expect("load false", "load off");
            Map<String, Long> counts = child.counts();
            assertTrue(counts.get("calls") - before > 1000, counts::toString);
            assertEquals(counts.get("calls") - before, counts.get("hits"));
            child.expect("disarmed 0", "disarm");
            child.end().forget();
        }
    }

    /** With one thread in probes at a time; docs/limits.md tells why not with more. */
    @ParameterizedTest
    @MethodSource("jdks")
    void gdbBreaksOnAnUnprobedFunctionAndLetsTheThreadRun(Jdk jdk) throws Exception {
        try (Dialogue child = new Dialogue(ChildJvm.of(jdk, Coexist.class))) {
            child.expect("armed", "arm " + LEAF);
            Path log = child.jvm.folder().resolve("gdb.txt");
            Process gdb = new ProcessBuilder(gdbCommand(child, "break probed_calls", "continue", "backtrace 2", "delete", "signal 0", "handle SIGTRAP nopass", "detach"))
                    .redirectErrorStream(true).redirectOutput(log.toFile()).redirectInput(Path.of("/dev/null").toFile()).start();
            for (int i = 0; i < 600 && gdb.isAlive() && !Files.readString(log, StandardCharsets.ISO_8859_1).contains("Breakpoint 1 at"); i++) {
                Thread.sleep(50);
            }
            mayAttach(Files.readString(log, StandardCharsets.ISO_8859_1));
            child.expect("called 500", "calls 500");
            assertEquals(500, child.counts().get("hits"), "after the breakpoint in probed_calls");
            child.expect("called 500", "calls 500");
            new ProcessBuilder("kill", "-INT", "" + gdb.pid()).start().waitFor();
            assertTrue(gdb.waitFor(30, TimeUnit.SECONDS), "gdb does not end");
            String said = Files.readString(log, StandardCharsets.ISO_8859_1);
            assertTrue(said.contains("hit Breakpoint 1, probed_calls (function=") && said.contains("Java_uprobe_it_app_Probed_calls") && said.contains("detached"), said);
            child.expect("called 500", "calls 500");
            assertEquals(1500, child.counts().get("hits"));
            child.expect("disarmed 0", "disarm");
            child.end().forget();
        }
    }

    /** gdb takes our trap for the program's byte, puts its own over it, which is the same, and leaves ours behind. */
    @ParameterizedTest
    @MethodSource("jdks")
    void gdbsBreakpointOnAProbedByte(Jdk jdk) throws Exception {
        try (Dialogue child = new Dialogue(ChildJvm.of(jdk, Coexist.class))) {
            child.expect("armed", "arm " + LEAF);
            String said = gdb(child, "set breakpoint always-inserted on", "break *probed_leaf", "detach");
            assertTrue(said.contains("Breakpoint 1 at"), said);
            child.expect("called 100", "calls 100");
            Map<String, Long> counts = child.counts();
            assertEquals(100, counts.get("hits"), "gdb has put back what it found, and that was our trap");
            child.expect("disarmed 0", "disarm");
            child.expect("called 100", "calls 100");
            assertEquals(100, child.counts().get("hits"));
            child.end().forget();
        }
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void aJavaDebuggerStepsOverACallThatRunsIntoAProbe(Jdk jdk) throws Exception {
        ChildJvm jvm = ChildJvm.of(jdk, Coexist.class).options("-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:0");
        try (Dialogue child = new Dialogue(jvm)) {
            child.expect("armed", "arm " + LEAF);
            String port = child.running.out().lines().filter(l -> l.startsWith("Listening for transport dt_socket")).findFirst().orElseThrow().replaceAll(".*: *", "");
            AttachingConnector connector = Bootstrap.virtualMachineManager().attachingConnectors().stream()
                    .filter(c -> c.name().equals("com.sun.jdi.SocketAttach")).findFirst().orElseThrow();
            Map<String, Connector.Argument> arguments = connector.defaultArguments();
            arguments.get("hostname").setValue("127.0.0.1");
            arguments.get("port").setValue(port.strip());
            VirtualMachine vm = connector.attach(arguments);
            int rounds = STORM ? 2000 : 100, stepped = 0;
            ReferenceType type = vm.classesByName(Coexist.class.getName()).get(0);
            int callLine = lineOf("long result = Probed.leaf(i);");
            BreakpointRequest breakpoint = vm.eventRequestManager().createBreakpointRequest(type.locationsOfLine(callLine).get(0));
            breakpoint.enable();
            Thread asking = new Thread(() -> {
                try {
                    child.expect("called " + rounds, "calls " + rounds);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            asking.start();
            while (stepped < rounds) {
                EventSet events = vm.eventQueue().remove(30_000);
                assertTrue(events != null, "no event in 30 s after " + stepped + " steps");
                for (Event event : events) {
                    if (event instanceof BreakpointEvent at) {
                        assertEquals(callLine, at.location().lineNumber());
                        StepRequest step = vm.eventRequestManager().createStepRequest(at.thread(), StepRequest.STEP_LINE, StepRequest.STEP_OVER);
                        step.addCountFilter(1);
                        step.enable();
                    } else if (event instanceof StepEvent at) {
                        assertEquals(callLine + 1, at.location().lineNumber(), "the line behind the call");
                        long i = number(at, "i"), result = number(at, "result");
                        assertEquals(stepped, i);
                        assertEquals(i * 3 + 1, result);
                        vm.eventRequestManager().deleteEventRequest(at.request());
                        stepped++;
                    }
                }
                events.resume();
            }
            breakpoint.disable();
            asking.join();
            assertEquals(rounds, child.counts().get("hits"));
            child.expect("load true", "load on");
            for (int i = 0; i < (STORM ? 1000 : 50); i++) {
                vm.suspend();
                assertTrue(vm.allThreads().stream().anyMatch(t -> t.name().equals("load-0")));
                vm.resume();
                Thread.sleep(5);
            }
            vm.dispose();
            child.expect("load false", "load off");
            Map<String, Long> counts = child.counts();
            assertEquals(counts.get("calls") - 1, counts.get("hits"), "but the one before arming");
            child.end().forget();
        }
    }

    private static long number(StepEvent at, String local) throws Exception {
        return ((com.sun.jdi.LongValue) at.thread().frame(0).getValue(at.thread().frame(0).visibleVariableByName(local))).value();
    }

    private static int lineOf(String text) throws IOException {
        List<String> lines = Files.readAllLines(Path.of("src/test/java/uprobe/it/app/Coexist.java"));
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).contains(text)) {
                return i + 1;
            }
        }
        throw new AssertionError(text);
    }

    /** All pairs of three choices; {@code -Dstorm=true}: all triples. */
    static Stream<Arguments> profiles() {
        List<String> stacks = List.of("fp", "dwarf", "vm"), events = List.of("cpu", "wall"), orders = List.of("before", "after");
        return jdks().flatMap(jdk -> IntStream.range(0, stacks.size() * events.size() * orders.size())
                .filter(i -> STORM || (i / 4 + i / 2 + i) % 2 == 0)
                .mapToObj(i -> Arguments.of(jdk, stacks.get(i / 4), events.get(i / 2 % 2), orders.get(i % 2))));
    }

    /** An agent before ours, or one that comes when the probes are armed; wall is sampled in threads that wait as well. */
    @ParameterizedTest(name = "{0}, cstack={1}, event={2}, profiler {3} the engine")
    @MethodSource("profiles")
    void asyncProfilerSamplesACallStorm(Jdk jdk, String stacks, String event, String order) throws Exception {
        ChildJvm jvm = ChildJvm.of(jdk, Coexist.class);
        Path library = jvm.folder().resolve("libasyncProfiler.so"), samples = jvm.folder().resolve("samples.txt");
        try (InputStream in = CoexistenceIT.class.getResourceAsStream("/linux-x64/libasyncProfiler.so")) {
            Files.copy(in, library);
        }
        /* perf events where the kernel grants them, else the signal of a timer: both interrupt threads anywhere */
        String options = "start,event=" + (event.equals("cpu") && !perfEvents() ? "itimer" : event) + ",interval=" + (event.equals("cpu") ? "200us" : "1ms") + ",cstack=" + stacks
                + ",collapsed,threads,file=" + samples;
        if (order.equals("before")) {
            jvm.options("-agentpath:" + library + "=" + options);
        }
        try (Dialogue child = new Dialogue(jvm)) {
            child.expect("armed", "arm " + LEAF);
            child.expect("armed", "arm c libprobed:Java_uprobe_it_app_Probed_direct");
            child.expect("armed", "arm r libprobed:probed_deep");
            child.expect("armed", "arm " + LEAF);
            if (order.equals("after")) {
                profiler(jdk, child, library, options);
            }
            child.expect("load true", "load on");
            Thread.sleep(PROFILED_SECONDS * 1000);
            profiler(jdk, child, library, "stop,file=" + samples + ",collapsed");
            child.expect("load false", "load off");
            Map<String, Long> counts = child.counts();
            assertEquals(counts.get("calls") - 1, counts.get("hits"), "but the one before arming");
            ChildJvm.Outcome outcome = child.end();
            List<String> lines = Files.readAllLines(samples);
            long all = lines.stream().mapToLong(l -> Long.parseLong(l.substring(l.lastIndexOf(' ') + 1))).sum();
            long ours = lines.stream().filter(l -> l.contains("uprobe/it/app/Coexist.callAllTheTime")).mapToLong(l -> Long.parseLong(l.substring(l.lastIndexOf(' ') + 1))).sum();
            System.out.println(jdk + " " + options.replaceAll("file=.*", "") + " " + order + ": " + all + " samples, " + ours + " of them with the Java caller, " + counts);
            assertTrue(all >= 100, all + " samples");
            assertTrue(ours > 0, "none shows the method that calls");
            assertTrue(outcome.number("with caller") > 1000);
            outcome.forget();
        }
    }

    private static boolean perfEvents() throws IOException {
        return Files.readString(Path.of("/proc/self/status")).contains("Uid:\t0\t") || Integer.parseInt(Files.readString(Path.of("/proc/sys/kernel/perf_event_paranoid")).strip()) <= 1;
    }

    private static void profiler(Jdk jdk, Dialogue child, Path library, String options) throws Exception {
        String said = run(child.jvm.folder().resolve("jcmd.txt"), 60, List.of(jdk.tool("jcmd").toString(), "" + child.pid(), "JVMTI.agent_load", library.toString(), "\"" + options + "\""));
        assertTrue(said.contains("return code: 0"), said);
    }

    private static void tracefs(String file, String text) throws IOException {
        Files.writeString(TRACEFS.resolve(file), text, java.nio.file.StandardOpenOption.WRITE, java.nio.file.StandardOpenOption.APPEND);
    }

    /** How often the kernel's probe was hit, and missed. */
    private static long kernelHits(String name) throws IOException {
        return Files.readAllLines(TRACEFS.resolve("uprobe_profile")).stream().map(String::strip).filter(l -> l.contains(" " + name + " "))
                .mapToLong(l -> Long.parseLong(l.split("\\s+")[2])).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void aKernelUprobeOnTheSameInstruction(Jdk jdk) throws Exception {
        Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "kernel uprobes are for root");
        if (!Files.exists(TRACEFS.resolve("uprobe_events"))) {
            new ProcessBuilder("mount", "-t", "tracefs", "nodev", TRACEFS.toString()).start().waitFor();
        }
        Assumptions.assumeTrue(Files.exists(TRACEFS.resolve("uprobe_events")), "this kernel has no uprobe_events");
        Path library = ChildJvm.nativeFolder().resolve("libprobed.so");
        String offset = run(Files.createTempFile("nm", ".txt"), 10, List.of("nm", library.toString())).lines().filter(l -> l.endsWith(" T probed_leaf")).findFirst().orElseThrow().split(" ")[0];
        String name = "leaf" + ProcessHandle.current().pid() + "_" + jdk.version();
        try (Dialogue child = new Dialogue(ChildJvm.of(jdk, Coexist.class))) {
            tracefs("uprobe_events", "p:uprobe_it/" + name + " " + library + ":0x" + offset + "\n");
            Path enable = TRACEFS.resolve("events/uprobe_it/" + name + "/enable");
            try {
                /* the kernel's first: its trap is no code of the library's, so ours is refused; without it ours is taken */
                Files.writeString(enable, "1");
                assertTrue(child.ask("arm " + LEAF).startsWith("refused FOREIGN_TRAP "));
                child.expect("called 10", "calls 10");
                assertEquals(10, kernelHits(name));
                Files.writeString(enable, "0");
                child.expect("armed", "arm " + LEAF);
                child.expect("called 100", "calls 100");
                assertEquals(100, child.counts().get("hits"));

                /* ours first: the kernel finds a trap where it wants one, and takes the hits from then on */
                Files.writeString(enable, "1");
                child.expect("called 1000", "calls 1000");
                assertEquals(1010, kernelHits(name), "the kernel's");
                assertEquals(100, child.counts().get("hits"), "none of ours");
                /* when it goes it writes the file's byte: our trap is gone, which disarming tells */
                Files.writeString(enable, "0");
                child.expect("called 50", "calls 50");
                assertEquals(100, child.counts().get("hits"));
                child.expect("disarmed 1", "disarm");
                /* nothing is broken for good */
                child.expect("armed", "arm " + LEAF);
                child.expect("called 70", "calls 70");
                assertEquals(70, child.counts().get("hits"));
                child.expect("disarmed 0", "disarm");

                /* under load, on and off, with ours armed: results stay right */
                child.expect("armed", "arm " + LEAF);
                child.expect("load true", "load on");
                for (int i = 0; i < (STORM ? 500 : 20); i++) {
                    Files.writeString(enable, i % 2 == 0 ? "1" : "0");
                    Thread.sleep(5);
                }
                child.expect("load false", "load off");
                child.expect("disarmed 1", "disarm");
            } finally {
                Files.writeString(enable, "0");
                tracefs("uprobe_events", "-:uprobe_it/" + name + "\n");
            }
            child.end().forget();
        }
    }

    static Stream<Jdk> jdksWithAotCache() {
        return jdks().filter(jdk -> jdk.version() >= 25);
    }

    /* JDK 25's training data keep methods of classes that JFR has redefined, and freed. A plain program that uses an event before its first recording dies of it;
     * the agent's bridge had a recording of its own before that of record=, which enables more. */
    @ParameterizedTest
    @MethodSource("jdksWithAotCache")
    void anAotTrainingEndsWellBesideTheAgentsRecording(Jdk jdk) throws Exception {
        Path folder = ChildJvm.of(jdk, Trained.class).folder(), jar = folder.resolve("trained.jar");
        String main = Trained.class.getName();
        run(folder.resolve("jar.txt"), 60, List.of(jdk.tool("jar").toString(), "cf", jar.toString(), "-C", Path.of("target/test-classes").toAbsolutePath().toString(),
                main.replace('.', '/') + ".class"));
        for (int i = 0; i < 3; i++) {
            String cache = folder.resolve("cache" + i).toString(), recording = folder.resolve("out" + i + ".jfr").toString();
            String out = run(folder.resolve("out" + i + ".txt"), 180, List.of(jdk.tool("java").toString(), "-XX:AOTCacheOutput=" + cache,
                    "-XX:ErrorFile=" + folder.resolve("hs_err.log"), "-javaagent:" + ChildJvm.agentJar() + "=record=" + recording + ";c libz:deflate", "-cp", jar.toString(), main));
            assertTrue(out.contains("AOTCache creation is complete"), out);
            assertTrue(Files.notExists(folder.resolve("hs_err.log")), out);
            assertTrue(Files.size(Path.of(recording)) > 0, out);
        }
    }
}
