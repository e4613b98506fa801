package uprobe.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A JVM of its own with the agent in it, as a user would start it; what it printed and recorded is then looked at.
 *
 * <pre>
 * Outcome outcome = ChildJvm.of(jdk, ExactStacks.class).probes("c libprobed:probed_leaf i=$arg1:s64 ret=$retval:s64").run("4", "1000");
 * </pre>
 */
public final class ChildJvm {
    private static final Path NATIVE = Path.of(System.getProperty("native.dir", "target/native")).toAbsolutePath();
    private static final Path AGENT = Path.of(System.getProperty("agent.jar", "../agent/target/uprobe-agent.jar")).toAbsolutePath();
    private static final int DEFAULT_SECONDS = 180;

    private final Jdk jdk;
    private final String main;
    private final List<String> options = new ArrayList<>();
    private final List<String> agentItems = new ArrayList<>();
    private final Map<String, String> environment = new java.util.HashMap<>();
    private List<String> prefix = List.of();
    private String classPath = Path.of("target/test-classes").toAbsolutePath().toString();
    private boolean agent = true;
    private boolean record = true;
    private Path libraries = NATIVE;
    private int seconds = DEFAULT_SECONDS;
    private Path folder;

    private ChildJvm(Jdk jdk, String main) {
        this.jdk = jdk;
        this.main = main;
    }

    public static ChildJvm of(Jdk jdk, Class<?> main) {
        return new ChildJvm(jdk, main.getName());
    }

    public static Path agentJar() {
        return AGENT;
    }

    public static Path nativeFolder() {
        return NATIVE;
    }

    public ChildJvm options(String... more) {
        options.addAll(List.of(more));
        return this;
    }

    /** Where the program's libraries lie, if not in {@link #nativeFolder}. */
    public ChildJvm libraries(Path from) {
        libraries = from;
        return this;
    }

    /** Probes and options of the agent, beside record=. */
    public ChildJvm probes(String... items) {
        agentItems.addAll(List.of(items));
        return this;
    }

    public ChildJvm withoutAgent() {
        agent = false;
        return this;
    }

    /** No agent, but the engine's classes, for a program that uses it as a library. */
    public ChildJvm engineOnly() {
        agent = false;
        classPath = System.getProperty("java.class.path");
        return this;
    }

    /** A jar or folder that this class comes from, for the child's class path as well. */
    public ChildJvm withLibrary(Class<?> part) {
        classPath += java.io.File.pathSeparator + Path.of(java.net.URI.create("" + part.getProtectionDomain().getCodeSource().getLocation()));
        return this;
    }

    /** All that the tests themselves can see, but for the agent's own parts: an application has none of them. */
    public ChildJvm withAllLibraries() {
        Path project = Path.of("..").toAbsolutePath().normalize(), own = Path.of("target").toAbsolutePath();
        classPath = Stream.of(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
                .filter(part -> !Path.of(part).startsWith(project) || Path.of(part).startsWith(own)).collect(Collectors.joining(java.io.File.pathSeparator));
        return this;
    }

    /** The agent, but no record=. */
    public ChildJvm withoutRecording() {
        record = false;
        return this;
    }

    public ChildJvm environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    /** A command that starts the JVM in its turn, such as setpriv. */
    public ChildJvm startedBy(String... command) {
        prefix = List.of(command);
        return this;
    }

    public ChildJvm seconds(int limit) {
        seconds = limit;
        return this;
    }

    /** Where the child runs and leaves its files. */
    public Path folder() throws IOException {
        if (folder == null) {
            Path parent = Files.createDirectories(Path.of("target/children").toAbsolutePath());
            folder = Files.createTempDirectory(parent, main.substring(main.lastIndexOf('.') + 1) + "-" + jdk.version() + "-");
        }
        return folder;
    }

    private List<String> command(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.add(jdk.tool("java").toString());
        command.addAll(options);
        command.add("-XX:ErrorFile=" + folder().resolve("hs_err.log"));
        command.add("-Dnative.dir=" + libraries);
        if (agent) {
            List<String> items = new ArrayList<>(agentItems);
            if (items.stream().noneMatch(item -> item.startsWith("guard="))) {
                items.add("guard=off");     /* tests call as fast as they can */
            }
            if (record) {
                items.add(0, "record=" + folder().resolve("out.jfr"));
            }
            command.add("-javaagent:" + AGENT + "=" + String.join(";", items));
        }
        command.addAll(List.of("-cp", classPath, main));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Starts it and does not wait; {@link Running#finish} does. */
    public Running start(String... arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command(arguments)).directory(folder().toFile());
        builder.environment().putAll(environment);
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        Path out = folder().resolve("out.txt"), err = folder().resolve("err.txt");
        return new Running(this, builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start());
    }

    public Outcome run(String... arguments) throws IOException, InterruptedException {
        return start(arguments).finish();
    }

    /** A child that runs. */
    public static final class Running {
        private final ChildJvm jvm;
        private final Process process;

        private Running(ChildJvm jvm, Process process) {
            this.jvm = jvm;
            this.process = process;
        }

        public Process process() {
            return process;
        }

        public String out() throws IOException {
            return Files.readString(jvm.folder.resolve("out.txt"));
        }

        /** Waits until its standard output holds this text. */
        public Running waitFor(String text) throws IOException, InterruptedException {
            for (int i = 0; i < 600 && process.isAlive(); i++) {
                if (out().contains(text)) {
                    return this;
                }
                Thread.sleep(50);
            }
            throw new AssertionError("never printed '" + text + "': " + out() + Files.readString(jvm.folder.resolve("err.txt")));
        }

        /** Waits for its end; a child that does not end is looked at with jstack and killed. */
        public Outcome finish() throws IOException, InterruptedException {
            if (!process.waitFor(jvm.seconds, TimeUnit.SECONDS)) {
                String stacks = stacks();
                process.destroyForcibly().waitFor();
                throw new AssertionError(jvm.main + " on " + jvm.jdk + " did not end within " + jvm.seconds + " s; its threads:\n" + stacks);
            }
            return new Outcome(jvm.jdk, process.exitValue(), out(), Files.readString(jvm.folder.resolve("err.txt")), jvm.folder);
        }

        private String stacks() throws IOException {
            Process jstack = new ProcessBuilder(jvm.jdk.tool("jstack").toString(), "" + process.pid()).redirectErrorStream(true).start();
            return new String(jstack.getInputStream().readAllBytes());
        }
    }

    /** What came of a child. */
    public record Outcome(Jdk jdk, int exit, String out, String err, Path folder) {
        /** Ended well, and no crash left its report. */
        public Outcome ok() throws IOException {
            Path crash = folder.resolve("hs_err.log");
            String report = Files.exists(crash)
                    ? Files.readAllLines(crash, java.nio.charset.StandardCharsets.ISO_8859_1).stream().limit(80).collect(Collectors.joining("\n")) : "";
            if (exit != 0 || !report.isEmpty()) {
                throw new AssertionError(folder + " ended with " + exit + "\n" + out + "\n" + err + "\n" + report);
            }
            return this;
        }

        public Recorded recorded() throws IOException {
            return Recorded.read(folder.resolve("out.jfr"));
        }

        /** The number behind a word on a line of the output: {@code expected probed_leaf 1000}. */
        public long number(String words) {
            return out.lines().filter(line -> line.startsWith(words + " ")).map(line -> line.substring(words.length()).strip())
                    .mapToLong(Long::parseLong).findFirst().orElseThrow(() -> new AssertionError("no line '" + words + " N' in:\n" + out));
        }

        /** Once looked at, what went well need not stay. */
        public void forget() throws IOException {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
