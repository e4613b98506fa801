package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.ZipRounds;

/**
 * Runs everything that docs/recordings.md shows, and looks whether it does what the page says. Each fenced block there has a name behind its language;
 * commands go through a shell, with PID, the agent's jar and {@code -jar app.jar} replaced and nothing else.
 */
class RecordingsPageIT {
    private static final Path PAGE = Path.of("../docs/recordings.md");
    private static final Pattern BLOCK = Pattern.compile("^```(\\w+) (\\S+)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Path CLASSES = Path.of("target/test-classes").toAbsolutePath();
    private static final String DEFLATE = "uprobe.zlib.deflate", INFLATE = "uprobe.zlib.inflate";

    /** What must hold after each Java snippet, in its scope; in the order in which they run. */
    private static final Map<String, String> HOLDS = new java.util.LinkedHashMap<>();

    static {
        HOLDS.put("exact", "same(\"[5000]\", sizes(\"exact.jfr\"));");
        HOLDS.put("recording", """
                List<Long> sizes = sizes("recording.jfr");
                check(sizes.size() > 200 && sizes.size() < 390, "half of 590: " + sizes.size());
                check(sizes.stream().allMatch(size -> size >= 4096), "the filter: " + sizes);
                check(deflates("recording.jfr").stream().allMatch(e -> e.getStackTrace() == null && e.getDuration().toNanos() >= 99),
                        "without stacks, with threshold");
                same(1_001, hits());        /* of exact, of this, and none while it was disabled */
                """);
        HOLDS.put("jmx", "same(\"[7]\", sizes(\"jmx.jfr\"));");
        HOLDS.put("several", """
                same(55, sizes("odd.jfr").size());
                check(sizes("odd.jfr").stream().allMatch(size -> size < 10 || size % 2 == 1), "the filters: " + sizes("odd.jfr"));
                """);
        HOLDS.put("statistics", """
                check(calls >= 100 && calls < 1_000, "100 calls, and those of class loading: " + calls);
                check(of("statistics.jfr", "uprobe.zlib.inflate").isEmpty(), "mode=hist");
                """);
        HOLDS.put("stream", "same(\"[1234]\", seen);");
        HOLDS.put("remote", "same(\"[4321]\", seen);");
    }

    private static final String HARNESS = """
            import java.lang.management.*;
            import java.nio.file.*;
            import java.time.*;
            import java.util.*;
            import java.util.concurrent.*;
            import java.util.zip.*;
            import javax.management.*;
            import jdk.jfr.*;
            import jdk.jfr.consumer.*;
            import jdk.management.jfr.*;

            public class Page {
                static final MBeanServerConnection connection = ManagementFactory.getPlatformMBeanServer();
                static final List<Long> seen = new CopyOnWriteArrayList<>();
                static final byte[] PACKED = new byte[100];

                static int deflate(int size, byte[] out) {
                    Deflater deflater = new Deflater();
                    deflater.setInput(new byte[size]);
                    deflater.finish();
                    int length = deflater.deflate(out);
                    deflater.end();
                    return length;
                }

                static void deflate(int size) {
                    deflate(size, new byte[2_000]);
                }

                static void inflate() throws DataFormatException {
                    Inflater inflater = new Inflater();
                    inflater.setInput(PACKED);
                    same(1_000, inflater.inflate(new byte[1_000]));
                    inflater.end();
                }

                static List<RecordedEvent> of(String file, String type) throws Exception {
                    return RecordingFile.readAllEvents(Path.of(file)).stream().filter(e -> e.getEventType().getName().equals(type)).toList();
                }

                static List<RecordedEvent> deflates(String file) throws Exception {
                    return of(file, "uprobe.zlib.deflate");
                }

                static List<Long> sizes(String file) throws Exception {
                    return deflates(file).stream().map(e -> e.getLong("avail_in")).toList();
                }

                static long hits() throws Exception {
                    try (Recording r = new Recording()) {
                        r.start();
                        r.stop();
                        r.dump(Path.of("hits.jfr"));
                    }
                    return of("hits.jfr", "uprobe.ProbeStatistics").stream().filter(e -> e.getString("probe").equals("uprobe.zlib.deflate"))
                            .mapToLong(e -> e.getLong("hits")).max().orElseThrow();
                }

                static void check(boolean right, String what) {
                    if (!right) {
                        throw new AssertionError(what);
                    }
                }

                static void same(Object expected, Object found) {
                    check(String.valueOf(expected).equals(String.valueOf(found)), "expected " + expected + ", found " + found);
                }

            METHODS
                public static void main(String[] args) throws Exception {
                    deflate(1_000, PACKED);
            CALLS
                    System.out.println("ok");
                }
            }
            """;

    private record Block(String language, String text) {}

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    private static Map<String, Block> blocks() throws IOException {
        String page = Files.readString(PAGE);
        Map<String, Block> blocks = new TreeMap<>();
        for (Matcher block = BLOCK.matcher(page); block.find();) {
            assertEquals(null, blocks.put(block.group(2), new Block(block.group(1), block.group(3))), "a second block " + block.group(2));
        }
        assertEquals(page.lines().filter(line -> line.startsWith("```")).count(), 2 * blocks.size(), "every fenced block has a name");
        Set<String> run = new TreeSet<>(HOLDS.keySet());
        run.addAll(List.of("app.probes", "start", "jcmd", "probes.jfc", "jfc", "option"));
        assertEquals(run, blocks.keySet(), "blocks of the page that are run here");
        return blocks;
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void commandsDoWhatThePageSays(Jdk jdk) throws Exception {
        Map<String, Block> blocks = blocks();
        Path folder = folder(jdk, blocks);
        Process app = start(jdk, folder, blocks.get("start").text(), "-cp " + CLASSES + " " + ZipRounds.class.getName() + " forever");
        try {
            awaitRunning(folder, app);
            String generated = Files.readString(folder.resolve("probes.jfc"));
            for (String event : List.of(DEFLATE, INFLATE)) {
                String settings = generated.replaceAll("(?s).*<event name=\"" + event + "\">(.*?)</event>.*", "$1");
                for (String setting : List.of("enabled", "threshold", "stackTrace", "filter", "sample", "limit", "mode")) {
                    assertTrue(settings.contains("<setting name=\"" + setting + "\">"), event + "#" + setting + " in " + generated);
                }
            }
            String said = jcmds(jdk, folder, blocks.get("jcmd").text(), app.pid());
            assertTrue(said.contains("filter=avail_in > 1k && ret >= 0"), said);
            Recorded slow = Recorded.read(folder.resolve("slow.jfr"));
            assertFalse(slow.of(DEFLATE).isEmpty());
            for (RecordedEvent event : slow.of(DEFLATE)) {
                assertTrue(event.getLong("avail_in") > 1024 && event.getLong("ret") >= 0, event.toString());
                assertTrue(event.getDuration().compareTo(Duration.ofNanos(999)) >= 0, event.toString());
            }
            assertEquals(List.of(), slow.of(INFLATE), "enabled=false");

            Files.writeString(folder.resolve("probes.jfc"), blocks.get("probes.jfc").text());
            jcmds(jdk, folder, blocks.get("jfc").text(), app.pid());
            assertSetUpByFile(Recorded.read(folder.resolve("both.jfr")));
        } finally {
            end(app);
        }
        assertEquals(0, app.exitValue(), said(folder));

        Process other = start(jdk, folder, blocks.get("option").text(), "-cp " + CLASSES + " " + ZipRounds.class.getName() + " forever");
        try {
            awaitRunning(folder, other);
            Thread.sleep(1_500);
        } finally {
            end(other);
        }
        assertEquals(0, other.exitValue(), said(folder));
        assertSetUpByFile(Recorded.read(folder.resolve("option.jfr")));
        forget(folder);
    }

    private static void assertSetUpByFile(Recorded recorded) {
        List<RecordedEvent> calls = recorded.of(DEFLATE);
        assertFalse(calls.isEmpty());
        for (RecordedEvent call : calls) {
            assertTrue(call.getLong("avail_in") > 1024 && call.getStackTrace() != null, call.toString());
        }
        assertEquals(List.of(), recorded.of(INFLATE), "mode=count");
        assertTrue(recorded.of("uprobe.ProbeStatistics").stream().anyMatch(e -> e.getString("probe").equals(INFLATE) && e.getLong("recorded") > 0), "counted");
        long first = calls.stream().mapToLong(e -> e.getStartTime().toEpochMilli()).min().orElseThrow();
        long last = calls.stream().mapToLong(e -> e.getStartTime().toEpochMilli()).max().orElseThrow();
        assertTrue(calls.size() <= 100 * (2 + (last - first) / 1000), calls.size() + " in " + (last - first) + " ms, limit 100/s");
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void snippetsDoWhatThePageSays(Jdk jdk) throws Exception {
        Map<String, Block> blocks = blocks();
        Path folder = folder(jdk, blocks);
        StringBuilder methods = new StringBuilder(), calls = new StringBuilder();
        HOLDS.forEach((name, holds) -> {
            methods.append("    static void ").append(name).append("() throws Exception {\n").append(blocks.get(name).text()).append(holds).append("\n    }\n\n");
            calls.append("        seen.clear();\n        ").append(name).append("();\n        System.out.println(\"ran ").append(name).append("\");\n");
        });
        Path source = Files.writeString(folder.resolve("Page.java"), HARNESS.replace("METHODS\n", methods).replace("CALLS\n", calls));
        assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, "--release", "17", "-d", folder.toString(), source.toString()));
        Process app = start(jdk, folder, blocks.get("start").text(), "-cp . Page");
        end(app);
        assertTrue(app.exitValue() == 0 && Files.readString(folder.resolve("out.txt")).endsWith("ok\n"), said(folder));
        forget(folder);
    }

    private static Path folder(Jdk jdk, Map<String, Block> blocks) throws IOException {
        Path folder = Files.createTempDirectory(Files.createDirectories(Path.of("target/children").toAbsolutePath()), "RecordingsPage-" + jdk.version() + "-");
        Files.writeString(folder.resolve("app.probes"), blocks.get("app.probes").text());
        return folder;
    }

    private static Process start(Jdk jdk, Path folder, String command, String program) throws IOException {
        assertTrue(command.startsWith("java ") && command.contains("uprobe-agent.jar") && command.contains("-jar app.jar"), command);
        return shell(jdk, folder, "exec " + command.replace("uprobe-agent.jar", ChildJvm.agentJar().toString()).replace("-jar app.jar", program))
                .redirectOutput(folder.resolve("out.txt").toFile()).redirectError(folder.resolve("err.txt").toFile()).start();
    }

    private static ProcessBuilder shell(Jdk jdk, Path folder, String command) {
        ProcessBuilder builder = new ProcessBuilder("bash", "-ec", command).directory(folder.toFile());
        builder.environment().merge("PATH", jdk.home().resolve("bin").toString(), (old, own) -> own + ":" + old);
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        return builder;
    }

    private static void awaitRunning(Path folder, Process app) throws IOException, InterruptedException {
        for (int i = 0; i < 1_200 && !Files.readString(folder.resolve("out.txt")).contains("running"); i++) {
            assertTrue(app.isAlive(), said(folder));
            Thread.sleep(50);
        }
    }

    /** jcmd's exit code is 0 also where it could not do what was asked. A second lies between two commands, so that something is recorded. */
    private static String jcmds(Jdk jdk, Path folder, String commands, long pid) throws IOException, InterruptedException {
        String all = commands.lines().map(line -> line.replace("jcmd PID ", "jcmd " + pid + " ")).collect(Collectors.joining("\nsleep 1\n"));
        Process process = shell(jdk, folder, all).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor() == 0 && said.lines()
                .noneMatch(line -> line.matches("(Warning|Could not|Syntax|Illegal|java\\.).*|.*doesn't exist.*")), commands + said);
        return said;
    }

    private static void end(Process app) throws IOException, InterruptedException {
        app.getOutputStream().close();
        if (!app.waitFor(180, TimeUnit.SECONDS)) {
            app.destroyForcibly().waitFor();
        }
    }

    private static String said(Path folder) throws IOException {
        return folder + "\n" + Files.readString(folder.resolve("out.txt")) + Files.readString(folder.resolve("err.txt"));
    }

    private static void forget(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
