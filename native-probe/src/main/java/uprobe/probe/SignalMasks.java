package uprobe.probe;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which threads of this process have a signal blocked, as the kernel tells (proc(5), {@code /proc/self/task/TID/status}, SigBlk). A trap taken
 * while its signal is blocked kills the process.
 */
final class SignalMasks {
    static final int SIGTRAP = 5;
    /** libc blocks everything for moments (starting a thread, spawning a process): only what is still so after a while counts. */
    private static final int LOOKS = 5;
    private static final long PAUSE_MS = 10;
    /** The kernel's own threads of io_uring appear among ours; they never run code of the process. */
    private static final List<String> KERNEL_WORKERS = List.of("iou-wrk-", "iou-sqp-");

    /** @return "name" (tid) of a thread that keeps the signal blocked at every look */
    static Optional<String> threadBlocking(int signal) throws IOException {
        Map<String, String> blocking = look(signal);
        for (int i = 1; i < LOOKS && !blocking.isEmpty(); i++) {
            try {
                Thread.sleep(PAUSE_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
            blocking.keySet().retainAll(look(signal).keySet());
        }
        return blocking.values().stream().findFirst();
    }

    /** Thread ids of those that block it now, with their descriptions. */
    private static Map<String, String> look(int signal) throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                blocks(task, signal).ifPresent(name -> found.put(task.getFileName().toString(), name));
            }
        }
        return found;
    }

    private static Optional<String> blocks(Path task, int signal) {
        String name = "?";
        try {
            for (String line : Files.readAllLines(task.resolve("status"), java.nio.charset.StandardCharsets.ISO_8859_1)) {
                if (line.startsWith("Name:")) {
                    name = line.substring(5).strip();
                } else if (line.startsWith("SigBlk:")) {
                    long mask = Long.parseUnsignedLong(line.substring(7).strip(), 16);
                    boolean worker = KERNEL_WORKERS.stream().anyMatch(name::startsWith);
                    return (mask >>> (signal - 1) & 1) != 0 && !worker
                            ? Optional.of("\"" + name + "\" (tid " + task.getFileName() + ")") : Optional.empty();
                }
            }
        } catch (IOException ended) {
            /* the thread ended while we looked */
        }
        return Optional.empty();
    }

    private SignalMasks() {}
}
