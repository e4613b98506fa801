package uprobe.it;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A command of the agent's jar, as a user types it: in a terminal of its own ({@code script} of util-linux makes the pseudo-terminal), or with its output in
 * a file.
 */
final class Command {
    private static final int ROWS = 40, COLUMNS = 160, SECONDS = 120;
    private static final char CTRL_C = 3;
    /** What was started in the background ignores SIGINT, and so would all that it starts, which no shell takes back (POSIX, trap). */
    private static final String HEARS_CTRL_C = "env --default-signal=INT ";
    /** What moves the cursor and colours: ECMA-48, CSI. */
    private static final Pattern CONTROL = Pattern.compile("\\u001b\\[[0-9;?]*[A-Za-z]|\\u001b[=>]|\\r");

    private final Process process;
    private final Path output;

    /** What a command printed, and its exit code. */
    record Outcome(int exit, String out) {
        Outcome ok() {
            return exits(0);
        }

        Outcome exits(int code) {
            if (exit != code) {
                throw new AssertionError("exit code " + exit + " instead of " + code + ":\n" + out);
            }
            return this;
        }

        Outcome says(String text) {
            if (!out.contains(text)) {
                throw new AssertionError("'" + text + "' is not in:\n" + out);
            }
            return this;
        }

        /** The line that has this. */
        String line(String text) {
            return out.lines().filter(line -> line.contains(text)).findFirst().orElseThrow(() -> new AssertionError("'" + text + "' is not in:\n" + out));
        }
    }

    private Command(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /** Standard output and error together, nothing of which is a terminal. */
    static Outcome run(Jdk jdk, String... words) throws IOException, InterruptedException {
        return plain(words(jdk, words)).finish();
    }

    static Command plain(List<String> words) throws IOException {
        Path output = Files.createTempFile("command", ".txt");
        return new Command(new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(output.toFile()).start(), output);
    }

    /** In a terminal. */
    static Command inTerminal(Jdk jdk, String... words) throws IOException {
        String line = words(jdk, words).stream().map(word -> "'" + word.replace("'", "'\\''") + "'").collect(Collectors.joining(" "));
        Path output = Files.createTempFile("command", ".txt");
        ProcessBuilder builder = new ProcessBuilder("script", "-qefc", "stty rows " + ROWS + " cols " + COLUMNS + "; exec " + HEARS_CTRL_C + line, "/dev/null");
        builder.environment().put("TERM", "xterm-256color");
        return new Command(builder.redirectErrorStream(true).redirectOutput(output.toFile()).start(), output);
    }

    /** A line as a page shows it, by the shell of a terminal in this folder, in which {@code java} is this JDK's and {@code uprobe-agent.jar} the agent. */
    static Command typed(Jdk jdk, Path folder, String line) throws IOException {
        Path jar = folder.resolve("uprobe-agent.jar"), output = Files.createTempFile("command", ".txt");
        if (!Files.exists(jar)) {
            Files.createSymbolicLink(jar, ChildJvm.agentJar());
        }
        ProcessBuilder builder = new ProcessBuilder("script", "-qefc", "stty rows " + ROWS + " cols " + COLUMNS + "; exec " + HEARS_CTRL_C + line, "/dev/null").directory(folder.toFile());
        builder.environment().putAll(java.util.Map.of("TERM", "xterm-256color", "SHELL", "/bin/bash"));
        builder.environment().merge("PATH", jdk.home().resolve("bin").toString(), (old, own) -> own + ":" + old);
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        return new Command(builder.redirectErrorStream(true).redirectOutput(output.toFile()).start(), output);
    }

    static List<String> words(Jdk jdk, String... words) {
        return wordsOf(ChildJvm.agentJar(), jdk, words);
    }

    static List<String> wordsOf(Path jar, Jdk jdk, String... words) {
        List<String> all = new ArrayList<>(List.of(jdk.tool("java").toString(), "-jar", jar.toString()));
        all.addAll(List.of(words));
        return all;
    }

    Process process() {
        return process;
    }

    /** All that was printed so far, without what moves the cursor. */
    String out() throws IOException {
        return CONTROL.matcher(Files.readString(output, StandardCharsets.UTF_8)).replaceAll("");
    }

    /** Waits until what it printed is so. */
    Command waitFor(Predicate<String> printed) throws IOException, InterruptedException {
        for (long end = System.nanoTime() + SECONDS * 1_000_000_000L; System.nanoTime() < end;) {
            if (printed.test(out())) {
                return this;
            } else if (!process.isAlive()) {
                break;
            }
            Thread.sleep(20);
        }
        throw new AssertionError("never printed that, but:\n" + out());
    }

    Command type(char c) throws IOException {
        OutputStream in = process.getOutputStream();
        in.write(c);
        in.flush();
        return this;
    }

    Outcome interrupt() throws IOException, InterruptedException {
        type(CTRL_C);
        return finish();
    }

    Outcome finish() throws IOException, InterruptedException {
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("did not end:\n" + out());
        }
        Outcome outcome = new Outcome(process.exitValue(), out());
        Files.delete(output);
        return outcome;
    }
}
