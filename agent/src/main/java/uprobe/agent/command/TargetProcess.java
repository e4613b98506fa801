package uprobe.agent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The process that a command is for, as /proc tells of it (proc(5)). What is needed once it has died is read at the start: where it runs, and where
 * HotSpot would write its crash report (-XX:ErrorFile, else the working folder, else /tmp: vmError.cpp, prepare_log_file).
 */
final class TargetProcess {
    private static final String ERROR_FILE = "-XX:ErrorFile=";
    /** HotSpot closes the attach socket when it crashes and then writes its report. */
    private static final long DYING_MS = 5_000, LOOK_MS = 50;

    private final String pid;
    private final Path proc;
    private final Path root;
    private final List<Path> reports;
    private final List<String> arguments;

    /** @throws IOException if there is no such process, or it may not be looked at */
    TargetProcess(String pid) throws IOException {
        this.pid = pid;
        proc = Path.of("/proc", pid);
        /* In our own mount namespace the names stay good when the process is gone; in another's only as long as it lives. */
        Path its = proc.resolve("root");
        root = Files.isSameFile(its, Path.of("/")) ? Path.of("/") : its;
        arguments = List.of(Files.readString(proc.resolve("cmdline"), StandardCharsets.ISO_8859_1).split("\0"));
        Path folder = Files.readSymbolicLink(proc.resolve("cwd"));
        String number = Files.readAllLines(proc.resolve("status"), StandardCharsets.ISO_8859_1).stream().filter(line -> line.startsWith("NSpid:"))
                .map(line -> line.substring(line.lastIndexOf('\t') + 1)).findFirst().orElse(pid);
        reports = Stream.concat(arguments.stream().filter(a -> a.startsWith(ERROR_FILE)).map(a -> a.substring(ERROR_FILE.length())),
                        Stream.of("hs_err_pid%p.log", "/tmp/hs_err_pid%p.log"))
                .map(name -> root.resolve(Path.of("/").relativize(folder.resolve(name.replace("%p", number)).normalize()))).toList();
    }

    /** A folder of the target's, as this process sees it. */
    Path seen(Path folder) {
        return root.resolve(Path.of("/").relativize(folder));
    }

    /** Why attaching failed, and the way out: one sentence. */
    String whyNot(Exception failure) {
        String said = failure.getMessage() == null ? failure.toString() : failure.getMessage();
        if (isDying(failure instanceof com.sun.tools.attach.AttachNotSupportedException ? 0 : DYING_MS)) {
            return "the JVM " + pid + " died while the agent was being attached; " + report().map(r -> "its crash report is " + r + firstFrame(r))
                    .orElse("it left no crash report (looked for " + reports.get(0) + "), so it ended by itself or was killed: whoever started it knows its exit code");
        }
        String attaching = "attaching to " + pid + " failed: ";
        if (arguments.contains("-XX:+DisableAttachMechanism")) {
            return attaching + "it was started with -XX:+DisableAttachMechanism; start it with -javaagent:uprobe-agent.jar=... instead";
        } else if (state() == 'T') {
            return attaching + "it is stopped; kill -CONT " + pid + " lets it go on";
        } else if (!isOurs()) {
            return attaching + "it belongs to the user " + owner() + "; run this command as that user (" + said + ")";
        } else if (!mapsLibjvm()) {
            return attaching + "it is no JVM that can be attached to: no libjvm.so is mapped in it; jcmd -l lists those that can (" + said + ")";
        }
        return attaching + said;
    }

    private boolean isDying(long patience) {
        for (long waited = 0; ; waited += LOOK_MS) {
            char state = state();
            if (state == 0 || state == 'Z' || state == 'X') {
                return true;
            } else if (waited >= patience) {
                return false;
            }
            try {
                Thread.sleep(LOOK_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
    }

    /** As in field 3 of /proc/PID/stat; 0: there is none any more. */
    private char state() {
        try {
            String stat = Files.readString(proc.resolve("stat"), StandardCharsets.ISO_8859_1);
            return stat.charAt(stat.lastIndexOf(')') + 2);
        } catch (IOException e) {
            return 0;
        }
    }

    private Optional<Path> report() {
        return reports.stream().filter(Files::exists).findFirst();
    }

    private static String firstFrame(Path report) {
        try (Stream<String> lines = Files.lines(report, StandardCharsets.ISO_8859_1)) {
            return lines.dropWhile(line -> !line.startsWith("# Problematic frame")).skip(1).findFirst().map(line -> " (" + line.replaceFirst("^#\\s*", "") + ")").orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    private boolean isOurs() {
        try {
            int own = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            return own == 0 || own == (int) Files.getAttribute(proc, "unix:uid");
        } catch (IOException | UnsupportedOperationException e) {
            return true;
        }
    }

    private String owner() {
        try {
            return Files.getOwner(proc, LinkOption.NOFOLLOW_LINKS).getName();
        } catch (IOException e) {
            return "?";
        }
    }

    private boolean mapsLibjvm() {
        try (Stream<String> maps = Files.lines(proc.resolve("maps"), StandardCharsets.ISO_8859_1)) {
            return maps.anyMatch(line -> line.contains("/libjvm.so"));
        } catch (IOException e) {
            return true;
        }
    }
}
