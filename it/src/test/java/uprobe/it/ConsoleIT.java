package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.Obeys;

/** The verbs of the command line on a JVM that runs: what they print, and what they leave. */
class ConsoleIT {
    private static final String LEAF = "libprobed*:probed_leaf";

    /** A live table is made anew: the traps are there. */
    private static final Predicate<String> RUNS = out -> Pattern.compile("[0-9.]+ s\\n").matcher(out).find();

    private Target target;

    static List<Jdk> jdks() {
        return Jdk.all();
    }

    /** A JVM that does what it is told. */
    private record Target(Jdk jdk, ChildJvm.Running jvm, Writer in) {
        /** @param by a command that starts the JVM in its turn */
        static Target start(Jdk jdk, String... by) throws Exception {
            ChildJvm.Running jvm = ChildJvm.of(jdk, Obeys.class).withoutAgent().options("-XX:+IgnoreUnrecognizedVMOptions", "-XX:+EnableDynamicAgentLoading").startedBy(by)
                    .start().waitFor("ready");
            return new Target(jdk, jvm, jvm.process().outputWriter());
        }

        String pid() {
            return "" + jvm.process().pid();
        }

        /** Returns what it printed. */
        String does(String line) throws Exception {
            int before = jvm.out().length();
            in.write(line + "\n");
            in.flush();
            for (int i = 0; i < 3_000 && !jvm.out().substring(before).contains("done " + line); i++) {
                Thread.sleep(10);
            }
            String printed = jvm.out().substring(before);
            assertTrue(printed.contains("done " + line), printed);
            return printed;
        }

        Command.Outcome command(String verb, String... words) throws Exception {
            return Command.run(jdk, Stream.concat(Stream.of(verb, pid()), Stream.of(words)).toArray(String[]::new));
        }

        Command terminal(String verb, String... words) throws Exception {
            return Command.inTerminal(jdk, Stream.concat(Stream.of(verb, pid()), Stream.of(words)).toArray(String[]::new));
        }

        /** No library but libc and the dynamic linker, whose guards stay, differs from its file. */
        void assertTextIsTheFiles() throws Exception {
            String changed = "";
            for (int i = 0; i < 50; i++) {
                changed = does("text").lines().filter(line -> line.startsWith("changed") && !line.startsWith("changed libc.") && !line.startsWith("changed ld-linux")).reduce("", String::concat);
                if (changed.isEmpty()) {
                    return;
                }
                Thread.sleep(100);
            }
            throw new AssertionError("5 s after the command: " + changed);
        }
    }

    @AfterEach
    void theTargetEndsAsEver() throws Exception {
        if (target != null && target.jvm.process().isAlive()) {
            target.in.write("end\n");
            target.in.flush();
            target.jvm.finish().ok().forget();
        }
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void whatThereIs(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        String line = Command.run(jdk, "ps").ok().line("uprobe.it.app.Obeys");
        assertTrue(line.strip().startsWith(target.pid() + " ") && line.contains("" + jdk.version()) && line.stripTrailing().endsWith("yes"), line);
        target.command("libraries").ok().says("libprobed").says("functions PID");
        target.command("attach").ok().says("libprobed").says("functions PID");
        assertTrue(target.command("functions", LEAF).ok().line("probed_leaf").contains("p r c"));
        target.command("functions", "libjava:Java_java_lang_Object_getClas").exits(1).says("similar names there: Java_java_lang_Object_getClass");
        target.command("functions", "libjava:Java_java_lang_Object_getClass").ok().says("java.lang.Object.getClass");
        target.command("functions", "libnothing:x").exits(1).says("no loaded library matches");
        Command.run(jdk, "libraries", "uprobe.it.app.Obeys").ok().says("libprobed");
        Command.run(jdk, "libraries", "NoSuchMainClass").exits(1).says("no JVM has a main class like NoSuchMainClass");
        Process noJvm = new ProcessBuilder("sleep", "60").start();
        Command.run(jdk, "libraries", "" + noJvm.pid()).exits(1).says("no libjvm.so is mapped in it");
        noJvm.destroy();
        target.command("list").ok().says("no probes");
        target.command("list", "--json").ok().says("[]");
        target.command("status").ok().says("version");
        target.assertTextIsTheFiles();
    }

    /** Counted in the engine, in a terminal as a live table; Ctrl-C takes the traps out before the prompt is back. */
    @ParameterizedTest
    @MethodSource("jdks")
    void countsExactlyAndLeavesNothing(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        Command count = target.terminal("count", LEAF, "--interval", "100ms").waitFor(RUNS);
        target.does("leaf 12345");
        Command.Outcome outcome = count.waitFor(out -> Pattern.compile("probed_leaf .* 12,345\\n").matcher(out).find()).interrupt();
        assertEquals(130, outcome.exit(), outcome.out());
        assertFalse(target.does("text").contains("changed libprobed"));
        target.command("count", LEAF + " if i == 3", "-d", "100ms").exits(2);
        target.command("count", "p " + LEAF + " i=$arg1 if j == 3", "-d", "100ms").exits(2).says("j");
        target.command("count", "p " + LEAF + " i=$arg1 if i == 3", "-d", "100ms").ok().says("1 function, 0 called");
        target.command("count", "nothing", "-d", "100ms").exits(1).says("similar");
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void aKilledCommandLeavesNothing(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        Command count = Command.plain(Command.words(jdk, "count", target.pid(), LEAF)).waitFor(RUNS);
        target.does("leaf 10");
        count.process().destroyForcibly().waitFor();
        target.assertTextIsTheFiles();
        List<Long> before = settled(null);
        for (int i = 0; i < 3; i++) {
            Command next = Command.plain(Command.words(jdk, "trace", target.pid(), LEAF)).waitFor(out -> out.contains("tracing 1 function"));
            next.process().destroyForcibly().waitFor();
            target.assertTextIsTheFiles();
        }
        assertEquals(before, settled(before));
    }

    /** Threads and descriptors, once they are these, or do not change any more: a session ends a moment after its command. */
    private List<Long> settled(List<Long> expected) throws Exception {
        List<Long> last = numbers(target.does("state")), now = last;
        for (int i = 0, same = 0; i < 100 && same < 5 && !now.equals(expected); i++) {
            Thread.sleep(50);
            now = numbers(target.does("state"));
            same = now.equals(last) && expected == null ? same + 1 : 0;
            last = now;
        }
        return now;
    }

    private static List<Long> numbers(String state) {
        Matcher numbers = Pattern.compile("threads (\\d+) descriptors (\\d+) mappings (\\d+)").matcher(state);
        assertTrue(numbers.find(), state);
        return List.of(Long.parseLong(numbers.group(1)), Long.parseLong(numbers.group(2)));
    }

    /** Every call a line, with its values and who called. */
    @ParameterizedTest
    @MethodSource("jdks")
    void tracesEachCall(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        Command trace = target.terminal("trace", "c " + LEAF + " i=$arg1:s64 ret=$retval:s64 if i >= 995", "-n", "5").waitFor(out -> out.contains("tracing 1 function"));
        target.does("leaf 1000");
        String out = trace.finish().ok().out();
        for (int i = 995; i < 1000; i++) {
            assertTrue(Pattern.compile("\\d\\d:\\d\\d:\\d\\d\\.\\d{6}  probed_leaf  i=" + i + "  ret=" + (i * 3 + 1) + "  [0-9.]+ [nu]s  \\[main]  uprobe\\.it\\.app\\.Obeys\\.work:\\d+")
                    .matcher(out).find(), out);
        }
        assertEquals(5, out.lines().filter(line -> line.contains("probed_leaf  i=")).count(), out);
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void latenciesByFunctionAndByCaller(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        Command latency = target.terminal("latency", LEAF, "-i", "100ms").waitFor(RUNS);
        target.does("leaf 2000");
        latency.waitFor(out -> Pattern.compile("probed_leaf +2,000 ").matcher(out).find() && out.contains(" .. ") && out.contains("|####")).interrupt();
        latency = target.terminal("latency", LEAF, "-i", "100ms", "--by", "caller").waitFor(RUNS);
        target.does("leaf 3000");
        latency.waitFor(out -> Pattern.compile("uprobe\\.it\\.app\\.Obeys\\.work:\\d+ +probed_leaf +3,000 ").matcher(out).find()).interrupt();
        target.command("latency", "p " + LEAF, "-d", "1s").exits(2).says("only c has a duration");
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void probesAreChangedAndTakenOut(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        target.command("attach", "c:it/leaf " + LEAF + " i=$arg1:s64", "armed=always").ok().says("armed at libprobed");
        target.does("leaf 10");
        assertTrue(target.command("list").ok().line("uprobe.it.leaf").contains("armed"));
        target.command("attach", "c:it/leaf " + LEAF + " i=$arg1:s64").ok().says("is there already");
        target.command("attach", "c:it/leaf " + LEAF + " i=$arg1:s64 twice=$retval").ok().says("armed at libprobed");
        assertEquals(1, target.command("list", "--json").ok().out().split("uprobe.it.leaf").length - 1);
        target.command("set", "it/leaf", "filter=i >= 7").ok().says("filter=i >= 7");
        target.does("leaf 10");
        target.command("list", "--json").ok().says("\"hits\":10,").says("\"filtered\":7,").says("set: filter=i >= 7");
        target.command("set", "it/leaf", "filter=x >= 7").exits(1).says("x");
        target.command("set", "it/leaf", "fliter=i").exits(1).says("there is no setting fliter; there are filter, limit, mode, sample, threshold and enabled");
        target.command("set", "it/laef", "limit=1/s").exits(1).says("the nearest is it.leaf");
        target.command("set", "it/*", "filter=", "enabled=false").ok().says("enabled=false");
        target.does("leaf 10");
        target.command("list", "--json").ok().says("\"hits\":10,").says("no recording wants it");
        target.command("set", "it/leaf", "enabled=").ok().says("as it was written");
        target.command("attach", "-:it/leaf").ok().says("removed: c:it/leaf");
        target.command("remove", "it/leaf").exits(1).says("there are no probes");
        target.assertTextIsTheFiles();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void recordsForAWhile(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        Path file = Files.createTempFile("record", ".jfr");
        Command record = target.terminal("record", "c:it/leaf " + LEAF + " i=$arg1:s64 ret=$retval:s64", "-d", "4s", "-o", file.toString())
                .waitFor(out -> out.contains("recording uprobe.it.leaf"));
        target.does("leaf 1000");
        record.finish().ok().says("in " + file);
        Recorded recorded = Recorded.read(file);
        assertEquals(1000, recorded.of("uprobe.it.leaf").size());
        assertEquals(Recorded.Counters.allRecorded(1000), recorded.counters("uprobe.it.leaf"));
        target.command("list").ok().says("no probes");
        target.assertTextIsTheFiles();
        target.command("record", "c:it/leaf " + LEAF, "-o", "/nowhere/x.jfr").exits(2).says("/nowhere");
        target.command("record", "-d", "1s", "-o", file.toString()).exits(1).says("there is no probe to be recorded");
        Files.delete(file);
    }

    /** What is said where nothing can be done, and within ten seconds. */
    @ParameterizedTest
    @MethodSource("jdks")
    void aTargetThatDoesNotAnswer(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        signal("STOP");
        Command.Outcome stopped = assertWithin(10, () -> target.command("list"));
        stopped.exits(1).says("kill -CONT " + target.pid());
        signal("CONT");
        Command count = target.terminal("count", LEAF).waitFor(RUNS);
        target.jvm.process().destroyForcibly().waitFor();
        assertWithin(10, count::finish).exits(1).says("the JVM " + target.pid() + " died meanwhile");
        Command.run(jdk, "list", "999999").exits(1).says("there is no process 999999");
        try (Stream<Path> left = Files.list(Path.of("/tmp"))) {
            assertEquals(List.of(), left.filter(file -> file.getFileName().toString().startsWith("uprobe-command-") && !Files.isDirectory(file)).toList());
        }
    }

    private void signal(String name) throws IOException, InterruptedException {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, target.pid()).start().waitFor());
    }

    private interface Step {
        Command.Outcome go() throws Exception;
    }

    private static Command.Outcome assertWithin(int seconds, Step step) throws Exception {
        long start = System.nanoTime();
        Command.Outcome outcome = step.go();
        long took = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
        assertTrue(took <= 3 * seconds, took + " s");      /* thrice: other tests run beside */
        return outcome;
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void attachedAndDetachedAgain(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        List<Long> first = null;
        for (int i = 0; i < 3; i++) {
            target.command("attach", "c:it/leaf " + LEAF + " i=$arg1:s64", "armed=always").ok();
            target.does("leaf 100");
            target.command("list", "--json").ok().says("\"hits\":100,");
            target.command("detach").ok().says("detached");
            target.command("list").ok().says("no probes");
            List<Long> state = settled(first);
            assertEquals(first == null ? state : first, state, "round " + i);
            first = state;
            target.assertTextIsTheFiles();
        }
    }

    /** Another file is another version: its classes come once the first are detached; until then the first agent answers. */
    @ParameterizedTest
    @MethodSource("jdks")
    void anotherJarTakesOver(Jdk jdk) throws Exception {
        target = Target.start(jdk);
        Path other = Files.copy(ChildJvm.agentJar(), Files.createTempDirectory("other").resolve("another agent.jar"));
        String[] attach = {"attach", target.pid(), "c:it/leaf " + LEAF + " i=$arg1:s64", "armed=always"}, list = {"list", target.pid(), "--json"};
        target.command("attach", "c:it/leaf " + LEAF, "armed=always").ok();
        target.does("leaf 5");
        Command.plain(Command.wordsOf(other, jdk, list)).finish().ok().says("\"hits\":5,");
        target.command("detach").ok();
        Command.plain(Command.wordsOf(other, jdk, attach)).finish().ok();
        target.does("leaf 7");
        Command.plain(Command.wordsOf(other, jdk, list)).finish().ok().says("\"hits\":7,").says("i=$arg1:s64");
        Command.plain(Command.wordsOf(other, jdk, "detach", target.pid())).finish().ok();
        target.assertTextIsTheFiles();
        target.command("attach", "c:it/leaf " + LEAF, "armed=always").ok();
        target.does("leaf 3");
        target.command("list", "--json").ok().says("\"hits\":3,");
    }

    /** As systemd's PrivateTmp makes it: the root folder is the same, /tmp is another. JDK 17's attach API does not find its socket there. */
    @ParameterizedTest
    @MethodSource("jdks")
    void aTargetWithATmpOfItsOwn(Jdk jdk) throws Exception {
        String[] ownTmp = {"unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs none /tmp; exec \"$@\"", "sh"};
        target = Target.start(jdk, ownTmp);
        Command.Outcome list = target.command("count", LEAF, "-d", "500ms");
        if (jdk.version() < 24) {
            list.exits(1).says("it has a /tmp of its own, where the attach API of JDK " + jdk.version() + " may not find its socket; run this command by JDK 24 or later");
        } else {
            list.ok().says("1 function, 0 called");
            target.command("detach").ok();
            target.assertTextIsTheFiles();
        }
    }
}
