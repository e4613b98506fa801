package uprobe.agent;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code attach PID ARGUMENTS}. The arguments go over in a file, as what the attach API carries is limited (1,024 characters with the jar's path on
 * JDK 17), and the agent answers in another: its errors are this command's exit code.
 */
@Command(name = "attach", mixinStandardHelpOptions = true, description = "Puts probes into a running JVM.")
final class AttachCommand implements Callable<Integer> {
    private static final Pattern FILE_OPTION = Pattern.compile("(record|jfc)\\s*=\\s*(.*)");

    @Parameters(index = "0", paramLabel = "PID", description = "process id of the JVM, as jcmd lists them")
    private String pid;

    @Parameters(index = "1..*", paramLabel = "ARGUMENT", description = "probes and options, each as behind -javaagent:uprobe-agent.jar=")
    private List<String> arguments = List.of();

    @Override
    public Integer call() {
        AgentArguments.Result wanted = AgentArguments.parse(String.join(";", arguments));
        if (!wanted.errors().isEmpty()) {
            wanted.errors().forEach(AttachCommand::say);
            return 2;
        }
        if (!pid.matches("[0-9]+") || !Files.isDirectory(Path.of("/proc", pid))) {
            say("there is no process " + pid + "; jcmd -l lists the JVMs you may attach to");
            return 1;
        }
        Path seenHere = null;
        TargetProcess target = null;
        try {
            target = new TargetProcess(pid);
            Path jar = Path.of(System.getProperty("java.class.path")).toAbsolutePath();
            /* The target may have another root (a container) and another user: the files lie where it can see them. */
            seenHere = Files.createTempDirectory(target.seen(Path.of("/tmp")), "uprobe-attach-",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Files.setPosixFilePermissions(seenHere, PosixFilePermissions.fromString("rwxr-xr-x"));
            Path seenThere = Path.of("/tmp").resolve(seenHere.getFileName().toString());
            Path answer = Files.createFile(seenHere.resolve("answer"));
            Files.setPosixFilePermissions(answer, PosixFilePermissions.fromString("rw-rw-rw-"));
            String text = AgentArguments.itemsWithFiles(String.join(";", arguments)).stream().map(AttachCommand::asLine).collect(Collectors.joining("\n"));
            Files.writeString(seenHere.resolve("arguments"), Agent.ANSWER + seenThere.resolve("answer") + "\n" + text + "\n");
            new ForeignMasks(pid).open().forEach(AttachCommand::say);
            VirtualMachine vm = VirtualMachine.attach(pid);
            try {
                vm.loadAgent(jar.toString(), "@" + seenThere.resolve("arguments"));
            } finally {
                vm.detach();
            }
            return print(Files.readString(answer, StandardCharsets.UTF_8));
        } catch (AttachNotSupportedException | com.sun.tools.attach.AgentLoadException | com.sun.tools.attach.AgentInitializationException
                | IOException e) {
            say(target == null ? "the process " + pid + " can not be looked at: " + e.getMessage() + "; run this command as its user" : target.whyNot(e));
            return 1;
        } finally {
            remove(seenHere);
        }
    }

    /** A line of the agent's file, which can name no other file. A name here means the file of this folder, not of the target's. */
    private static String asLine(String item) {
        Matcher option = FILE_OPTION.matcher(item);
        if (!option.matches()) {
            return item.replaceAll("\\R", " ");
        }
        String file = Path.of(AgentArguments.unquoted(option.group(2))).toAbsolutePath().toString();
        String quote = file.indexOf('\'') < 0 ? "'" : "\"";       /* a # behind a blank would begin a comment */
        return option.group(1) + "=" + quote + file + quote;
    }

    private static int print(String answer) {
        if (answer.isEmpty()) {
            say("the agent gave no answer; the JVM's stderr may tell why");
            return 1;
        }
        answer.lines().skip(1).forEach(AttachCommand::say);
        return answer.startsWith("ok") ? 0 : 1;
    }

    private static void remove(Path folder) {
        if (folder == null) {
            return;
        }
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            say(folder + " could not be removed: " + e.getMessage());
        }
    }

    private static void say(String line) {
        System.err.println("uprobe: " + line);
    }
}
