package uprobe.agent.command;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** The JVMs of this machine, by what /proc tells: also those that jcmd does not list, in containers and without performance data. */
final class Jvms {
    /** All but this one, in order of their numbers. Those of other users are only there if this user may look into them. */
    static List<TargetProcess> all() throws IOException {
        List<TargetProcess> found = new ArrayList<>();
        String self = String.valueOf(ProcessHandle.current().pid());
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : all) {
                String pid = process.getFileName().toString();
                if (!pid.equals(self)) {
                    try {
                        TargetProcess target = new TargetProcess(pid);
                        if (target.isJvm()) {
                            found.add(target);
                        }
                    } catch (IOException goneOrNotOurs) {
                        /* nothing to be attached to */
                    }
                }
            }
        }
        found.sort(Comparator.comparingInt(target -> Integer.parseInt(target.pid())));
        return found;
    }

    /**
     * @param wanted a process id, or a main class: whole, its last part, or a part of it that only one has
     * @throws IOException if there is none, or more than one: one sentence that lists them
     */
    static TargetProcess find(String wanted) throws IOException {
        if (wanted.matches("[0-9]+")) {
            if (!Files.isDirectory(Path.of("/proc", wanted))) {
                throw new IOException("there is no process " + wanted + "; `ps` lists the JVMs that can be attached to");
            }
            try {
                return new TargetProcess(wanted);
            } catch (AccessDeniedException e) {
                String owner = Files.getOwner(Path.of("/proc", wanted)).getName();
                throw new IOException(owner.equals(Files.getOwner(Path.of("/proc/self")).getName())
                        ? "process " + wanted + " may not be looked into, though it is this user's; it has more rights than this command, which a container may have fewer of"
                        : "process " + wanted + " belongs to the user " + owner + "; run this command as that user", e);
            }
        }
        List<TargetProcess> all = all(), found = List.of();
        for (Match match : Match.values()) {
            found = all.stream().filter(target -> match.fits(target.mainClass(), wanted)).toList();
            if (!found.isEmpty()) {
                break;
            }
        }
        if (found.size() == 1) {
            return found.get(0);
        }
        String list = (found.isEmpty() ? all : found).stream().map(target -> target.pid() + " " + target.mainClass()).collect(Collectors.joining(", "));
        throw new IOException(found.isEmpty() ? "no JVM has a main class like " + wanted + "; there are " + (list.isEmpty() ? "none" : list)
                : found.size() + " JVMs have a main class like " + wanted + "; which: " + list);
    }

    /** From the strictest on. */
    private enum Match {
        WHOLE, LAST, PART;

        boolean fits(String main, String wanted) {
            return switch (this) {
                case WHOLE -> main.equals(wanted);
                case LAST -> main.endsWith("." + wanted) || main.endsWith("/" + wanted);
                case PART -> main.contains(wanted);
            };
        }
    }

    private Jvms() {}
}
