package uprobe.probe;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.opentest4j.TestAbortedException;

/**
 * Runs the {@link Scenario}s of a class in child JVMs, on every JDK that is installed beside the running one, and makes a test of each.
 *
 * <p>Scenarios share a process unless they ask for one of their own. If a process dies, the scenario it died in has failed and those behind it get
 * another process.
 */
final class ChildJvm {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final int LIMIT_SECONDS = STORM ? 1200 : 180;
    /** Begins the lines that are for the parent: BEGIN name, OK name, SKIPPED name, FAILED name, then the trace. */
    private static final String MARK = "@@ ";

    /** The children of one JDK run one after the other, beside those of the others. */
    private static final Map<Path, ExecutorService> LANES = new ConcurrentHashMap<>();

    private record Result(String status, String text) {}

    /** JDKs of version 17 and up, the running one first. */
    static List<Path> javaHomes() throws IOException {
        Path running = Path.of(System.getProperty("java.home")).toRealPath();
        Map<String, Path> byRelease = new TreeMap<>(Comparator.comparing((String r) -> !r.equals(release(running))).thenComparing(r -> r));
        byRelease.put(release(running), running);
        try (Stream<Path> siblings = Files.list(running.getParent())) {
            for (Path home : siblings.sorted().toList()) {
                if (Files.isExecutable(home.resolve("bin/java")) && !release(home).isEmpty()) {
                    byRelease.putIfAbsent(release(home), home.toRealPath());
                }
            }
        }
        return byRelease.values().stream().toList();
    }

    private static String release(Path home) {
        try {
            return Files.readAllLines(home.resolve("release")).stream().filter(l -> l.matches("JAVA_VERSION=\"(1[7-9]|[2-9][0-9]).*"))
                    .map(l -> l.replaceAll(".*\"(.*)\"", "$1")).findFirst().orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    /** One container for each JDK, with a test for each scenario of these classes. */
    static List<DynamicNode> tests(Class<?>... classes) throws IOException {
        List<DynamicNode> nodes = new ArrayList<>();
        boolean first = true;
        for (Path home : javaHomes()) {
            List<DynamicNode> tests = new ArrayList<>();
            for (Class<?> scenarios : classes) {
                tests.addAll(tests(home, scenarios, first));
            }
            nodes.add(DynamicContainer.dynamicContainer("JDK " + release(home), tests));
            first = false;
        }
        return nodes;
    }

    private static List<DynamicNode> tests(Path home, Class<?> scenarios, boolean first) {
        List<Method> methods = Arrays.stream(scenarios.getDeclaredMethods()).filter(m -> m.isAnnotationPresent(Scenario.class))
                .filter(m -> first || !m.getAnnotation(Scenario.class).oneJdk()).sorted(Comparator.comparing(Method::getName)).toList();
        Map<String, CompletableFuture<Result>> outcomes = methods.stream().collect(Collectors.toMap(Method::getName, m -> new CompletableFuture<>()));
        LANES.computeIfAbsent(home, h -> Executors.newSingleThreadExecutor(ChildJvm::daemon)).execute(() -> run(home, scenarios, methods, outcomes));
        return methods.stream().map(m -> (DynamicNode) DynamicTest.dynamicTest(m.getName(), () -> {
            Result result = outcomes.get(m.getName()).get();
            if (result.status().equals("SKIPPED")) {
                Assumptions.abort(result.text());
            } else if (!result.status().equals("OK")) {
                fail(scenarios.getSimpleName() + "." + m.getName() + " on JDK " + release(home) + ": " + result.text());
            }
        })).toList();
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "child-jvms");
        thread.setDaemon(true);
        return thread;
    }

    private static void run(Path home, Class<?> scenarios, List<Method> methods, Map<String, CompletableFuture<Result>> outcomes) {
        List<String> together = methods.stream().filter(m -> !m.getAnnotation(Scenario.class).alone()).map(Method::getName).toList();
        Map<String, Result> results = new HashMap<>();
        for (Method m : methods) {
            Scenario how = m.getAnnotation(Scenario.class);
            try {
                if (how.alone()) {
                    run(home, scenarios, List.of(m.getName()), results, how.exit());
                }
                while (!how.alone() && !results.containsKey(m.getName())) {
                    run(home, scenarios, together.stream().filter(name -> !results.containsKey(name)).toList(), results, 0);
                }
                outcomes.get(m.getName()).complete(results.get(m.getName()));
            } catch (Exception | Error e) {
                outcomes.get(m.getName()).completeExceptionally(e);
            }
        }
    }

    private static void run(Path home, Class<?> scenarios, List<String> names, Map<String, Result> results, int exit) throws Exception {
        Path folder = Files.createDirectories(Odd.folder().resolveSibling("child-jvms"));
        List<String> command = new ArrayList<>(List.of(home.resolve("bin/java").toString(), "-Xmx256m", "-XX:+UseSerialGC",
                "-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=" + folder.resolve("hs_err_%p.log"), "--enable-native-access=ALL-UNNAMED", "-Dstorm=" + STORM, "-cp",
                System.getProperty("java.class.path"), ChildJvm.class.getName(), scenarios.getName()));
        command.addAll(names);
        Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
        child.getOutputStream().close();
        Thread watch = new Thread(() -> {
            try {
                if (!child.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                    child.destroyForcibly();
                }
            } catch (InterruptedException e) {
                child.destroyForcibly();
            }
        });
        watch.setDaemon(true);
        watch.start();
        String running = null;
        StringBuilder text = new StringBuilder();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line; (line = out.readLine()) != null;) {
                if (!line.startsWith(MARK)) {
                    text.append(line).append('\n');
                    continue;
                }
                String[] words = line.substring(MARK.length()).split(" ", 2);
                if (words[0].equals("BEGIN")) {
                    running = words[1];
                    text.setLength(0);
                } else if (words[0].equals("NOTE")) {
                    System.out.println("JDK " + release(home) + " " + running + ": " + words[1]);
                } else {
                    results.put(words[1], new Result(words[0], text.toString()));
                    running = null;
                }
            }
        }
        int status = child.waitFor();
        if (running != null && status == exit) {
            results.put(running, exit == 0 ? new Result("FAILED", "the process ended without a word: " + text) : new Result("OK", ""));
        } else if (running != null) {
            results.put(running, new Result("DIED", "the process ended with " + status + (exit == 0 ? "" : ", expected " + exit) + ": " + text));
        } else if (exit != 0) {
            results.put(names.get(0), new Result("FAILED", "it should have died with " + exit + ", but went on: " + text));
        } else if (status != 0) {
            results.put(names.get(names.size() - 1), new Result("DIED", "the process ended with " + status + " after its last scenario: " + text));
        }
        for (String name : names.subList(0, Math.min(1, names.size()))) {
            results.putIfAbsent(name, new Result("FAILED", "the child JVM did not get so far: exit " + status + ": " + text));
        }
    }

    /** In the child: args are a class and the names of its scenarios. */
    public static void main(String[] args) throws Exception {
        Class<?> scenarios = Class.forName(args[0]);
        for (String name : Arrays.asList(args).subList(1, args.length)) {
            Method method = scenarios.getDeclaredMethod(name);
            method.setAccessible(true);
            say("BEGIN " + name);
            try {
                method.invoke(null);
                say("OK " + name);
            } catch (InvocationTargetException e) {
                Throwable cause = e.getCause();
                if (cause instanceof TestAbortedException) {
                    System.out.println(cause.getMessage());
                    say("SKIPPED " + name);
                } else {
                    StringWriter trace = new StringWriter();
                    cause.printStackTrace(new PrintWriter(trace));
                    System.out.println(trace);
                    say("FAILED " + name);
                }
            }
        }
        System.out.flush();
        System.exit(0);
    }

    /** In the child: a line for the test log. */
    static void note(String text) {
        say("NOTE " + text);
    }

    private static void say(String line) {
        System.out.println(MARK + line);
        System.out.flush();
    }

    private ChildJvm() {}
}
