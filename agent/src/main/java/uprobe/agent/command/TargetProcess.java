package uprobe.agent.command;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The process that a command is for, as /proc tells of it (proc(5)). What is needed once it has died is read at the start: where it runs, and where
 * HotSpot would write its crash report (-XX:ErrorFile, else the working folder, else /tmp: vmError.cpp, prepare_log_file).
 */
final class TargetProcess {
    private static final String ERROR_FILE = "-XX:ErrorFile=";
    private static final Set<String> TAKES_THE_NEXT = Set.of("-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--add-opens", "--add-exports",
            "--add-reads", "--limit-modules", "--upgrade-module-path", "--source", "--enable-native-access");
    /** JDK-8327114: before, a process whose number is the same inside and outside was looked for in the caller's own /tmp. */
    private static final int FINDS_PRIVATE_TMP = 24;
    /** HotSpot closes the attach socket when it crashes and then writes its report. */
    private static final long DYING_MS = 5_000, LOOK_MS = 50;

    private final String pid;
    private final Path proc;
    private final Path root;
    private final List<Path> reports;
    private final List<String> arguments;
    private final Path folder;

    /** @throws IOException if there is no such process, or it may not be looked at */
    TargetProcess(String pid) throws IOException {
        this.pid = pid;
        proc = Path.of("/proc", pid);
        /* In our own mount namespace the names stay good when the process is gone; in another's only as long as it lives. */
        Path its = proc.resolve("root");
        root = isInOurMounts() && Files.isSameFile(its, Path.of("/")) ? Path.of("/") : its;
        arguments = List.of(Files.readString(proc.resolve("cmdline"), StandardCharsets.ISO_8859_1).split("\0"));
        folder = Files.readSymbolicLink(proc.resolve("cwd"));
        String number = Files.readAllLines(proc.resolve("status"), StandardCharsets.ISO_8859_1).stream().filter(line -> line.startsWith("NSpid:"))
                .map(line -> line.substring(line.lastIndexOf('\t') + 1)).findFirst().orElse(pid);
        reports = Stream.concat(arguments.stream().filter(a -> a.startsWith(ERROR_FILE)).map(a -> a.substring(ERROR_FILE.length())),
                        Stream.of("hs_err_pid%p.log", "/tmp/hs_err_pid%p.log"))
                .map(name -> root.resolve(Path.of("/").relativize(folder.resolve(name.replace("%p", number)).normalize()))).toList();
    }

    /** A mount namespace of its own may begin with the very same root folder, and have another /tmp in it: systemd's PrivateTmp. */
    private boolean isInOurMounts() {
        try {
            return Files.readSymbolicLink(proc.resolve("ns/mnt")).equals(Files.readSymbolicLink(Path.of("/proc/self/ns/mnt")));
        } catch (IOException notToBeSeen) {
            return true;
        }
    }

    String pid() {
        return pid;
    }

    boolean isJvm() {
        return maps("/libjvm.so");
    }

    /** A class, or the last part of a jar's name; "?" if the command line tells neither. */
    String mainClass() {
        for (int i = 1; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.equals("-jar") && i + 1 < arguments.size()) {
                return Path.of(arguments.get(i + 1)).getFileName().toString();
            } else if ((argument.equals("-m") || argument.equals("--module")) && i + 1 < arguments.size()) {
                return arguments.get(i + 1);
            } else if (TAKES_THE_NEXT.contains(argument)) {
                i++;
            } else if (!argument.startsWith("-") && !argument.startsWith("@")) {
                return argument;
            }
        }
        return "?";
    }

    /** As in the file `release` of its JDK; empty if that is not there. */
    String javaVersion() {
        try (Stream<String> maps = Files.lines(proc.resolve("maps"), StandardCharsets.ISO_8859_1)) {
            Optional<Path> libjvm = maps.filter(line -> line.endsWith("/libjvm.so")).findFirst().map(line -> seen(Path.of(line.substring(line.indexOf('/')))));
            for (Path folder = libjvm.orElse(null); folder != null; folder = folder.getParent()) {
                Path release = folder.resolve("release");
                if (Files.isRegularFile(release)) {
                    return Files.readAllLines(release).stream().filter(line -> line.startsWith("JAVA_VERSION=")).map(line -> line.substring(13).replace("\"", ""))
                            .findFirst().orElse("");
                }
            }
        } catch (IOException e) {
            /* then it is not known */
        }
        return "";
    }

    /** Whether the agent's helper is mapped in it. */
    boolean hasAgent() {
        return maps("libuprobe");
    }

    /** Why it can not be attached to, as far as can be told without trying. */
    Optional<String> obstacle() {
        if (arguments.contains("-XX:+DisableAttachMechanism")) {
            return Optional.of("it was started with -XX:+DisableAttachMechanism; start it with -javaagent:uprobe-agent.jar=... instead");
        } else if (arguments.contains("-XX:-EnableDynamicAgentLoading")) {
            return Optional.of("it was started with -XX:-EnableDynamicAgentLoading; start it with -javaagent:uprobe-agent.jar=... instead");
        } else if (state() == 'T' || state() == 't') {
            return Optional.of("it is stopped; kill -CONT " + pid + " lets it go on");
        } else if (!isOurs()) {
            return Optional.of("it belongs to the user " + owner() + "; run this command as that user");
        } else if (!isJvm()) {      /* attaching sends SIGQUIT, which ends other programs */
            return Optional.of("it is no JVM that can be attached to: no libjvm.so is mapped in it; `ps` lists those that can");
        }
        return Optional.empty();
    }

    /** In folders that it can write to, as it sees them. */
    List<Path> folders() {
        return Stream.of(Path.of("/tmp"), Path.of("/dev/shm"), Path.of("/var/tmp"), folder).toList();
    }

    /** What may be why the attach mechanism gets no answer: one sentence. */
    String silence() {
        if (obstacle().isPresent()) {
            return obstacle().get();
        } else if (!Files.isWritable(seen(Path.of("/tmp")))) {
            return "its /tmp can not be written to, where a JVM makes the socket that it is attached by";
        } else if (!root.equals(Path.of("/")) && Runtime.version().feature() < FINDS_PRIVATE_TMP) {
            return "it has a /tmp of its own, where the attach API of JDK " + Runtime.version().feature() + " may not find its socket; run this command by JDK "
                    + FINDS_PRIVATE_TMP + " or later";
        }
        return "it may be in a long pause (GC, a dump), or too busy; try again";
    }

    /** Whether a file has the same name there. */
    boolean seesTheSame(Path file) {
        try {
            return Files.isSameFile(file, seen(file));
        } catch (IOException e) {
            return false;
        }
    }

    /** The user whose process it is. */
    UserPrincipal user() throws IOException {
        return Files.getOwner(proc, LinkOption.NOFOLLOW_LINKS);
    }

    /** A folder of the target's, as this process sees it. */
    Path seen(Path folder) {
        return root.resolve(Path.of("/").relativize(folder));
    }

    /** Why attaching failed, and the way out: one sentence. */
    String whyNot(Exception failure) {
        String said = failure.getMessage() == null ? failure.toString() : failure.getMessage();
        if (isDying(failure instanceof com.sun.tools.attach.AttachNotSupportedException ? 0 : DYING_MS)) {
            return "the JVM " + pid + " died while the agent was being attached; " + left(": whoever started it knows its exit code");
        }
        return "attaching to " + pid + " failed: " + obstacle().orElse(said);
    }

    /** What happened when a session ended in the middle: one sentence. */
    String died() {
        if (isDying(DYING_MS)) {
            return "the JVM " + pid + " died meanwhile; " + left("");
        }
        return "the agent in " + pid + " ended the session without an answer; the JVM's stderr may tell why";
    }

    /** @param more about one that did not crash */
    private String left(String more) {
        return report().map(r -> "its crash report is " + r + firstFrame(r))
                .orElse("it left no crash report (looked for " + reports.get(0) + "), so it ended by itself or was killed" + more);
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

    String owner() {
        try {
            return Files.getOwner(proc, LinkOption.NOFOLLOW_LINKS).getName();
        } catch (IOException e) {
            return "?";
        }
    }

    private boolean maps(String library) {
        try (Stream<String> maps = Files.lines(proc.resolve("maps"), StandardCharsets.ISO_8859_1)) {
            return maps.anyMatch(line -> line.contains(library));
        } catch (IOException e) {
            return true;
        }
    }
}
