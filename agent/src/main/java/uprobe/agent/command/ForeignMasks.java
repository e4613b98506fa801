package uprobe.agent.command;

import com.sun.jna.Function;
import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Opens SIGTRAP in threads of another process that have it blocked already when the agent comes: helper threads of SIGEV_THREAD timers and the like, which
 * would be killed by the first trap, and would have every probe refused. Only a tracer can do it, for the moment in which it holds the thread
 * (ptrace(2): PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_SETSIGMASK); a call that sleeps in the kernel begins again or, as after a stop, ends with EINTR.
 * All calls are made by one thread, since that is the tracer.
 */
final class ForeignMasks {
    /** linux/include/uapi/linux/ptrace.h. */
    private static final int SEIZE = 0x4206, INTERRUPT = 0x4207, DETACH = 17, GETSIGMASK = 0x420a, SETSIGMASK = 0x420b, EVENT_STOP = 128;
    private static final int WNOHANG = 1, WALL = 0x40000000;
    private static final long TRAP_BIT = 1 << 4;
    private static final int SIGSET_BYTES = 8;
    /** libc blocks everything for moments; only what is so at every look is meant. */
    private static final int LOOKS = 5;
    private static final long PAUSE_MS = 10, LONGEST_STOP_MS = 1_000;

    private final Path tasks;
    /** Looked up only if there is something to open. */
    private Function ptrace, waitpid;

    ForeignMasks(String pid) {
        tasks = Path.of("/proc", pid, "task");
    }

    /** @return why not, one sentence for each thread that still has it blocked */
    List<String> open() throws IOException {
        Map<String, String> blocking = look();
        for (int i = 1; i < LOOKS && !blocking.isEmpty(); i++) {
            pause(PAUSE_MS);
            blocking.keySet().retainAll(look().keySet());
        }
        List<String> left = new ArrayList<>();
        if (!blocking.isEmpty()) {
            ptrace = NativeLibrary.getProcess().getFunction("ptrace", Function.THROW_LAST_ERROR);
            waitpid = NativeLibrary.getProcess().getFunction("waitpid", Function.THROW_LAST_ERROR);
        }
        blocking.forEach((tid, name) -> {
            try {
                open(Integer.parseInt(tid));
            } catch (LastErrorException e) {
                left.add("thread \"" + name + "\" (tid " + tid + ") has SIGTRAP blocked, and ptrace may not open it: " + e.getMessage());
            }
        });
        return left;
    }

    private Map<String, String> look() throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(tasks)) {
            for (Path task : all) {
                String name = "?";
                try {
                    for (String line : Files.readAllLines(task.resolve("status"), StandardCharsets.ISO_8859_1)) {
                        if (line.startsWith("Name:")) {
                            name = line.substring(5).strip();
                        } else if (line.startsWith("SigBlk:") && (Long.parseUnsignedLong(line.substring(7).strip(), 16) & TRAP_BIT) != 0) {
                            found.put(task.getFileName().toString(), name);
                        }
                    }
                } catch (IOException ended) {
                    /* the thread ended while we looked */
                }
            }
        }
        return found;
    }

    private void open(int tid) {
        request(SEIZE, tid, 0, 0L);
        long signal = 0;
        try {
            request(INTERRUPT, tid, 0, 0L);
            int status = awaitStop(tid);
            /* Stopped on the way to a handler instead: it gets its signal when it is let go. */
            signal = status >> 16 == EVENT_STOP ? 0 : status >> 8 & 0xff;
            try (Memory mask = new Memory(SIGSET_BYTES)) {
                request(GETSIGMASK, tid, SIGSET_BYTES, mask);
                mask.setLong(0, mask.getLong(0) & ~TRAP_BIT);
                request(SETSIGMASK, tid, SIGSET_BYTES, mask);
            }
        } finally {
            request(DETACH, tid, 0, signal);
        }
    }

    private int awaitStop(int tid) {
        try (Memory status = new Memory(Integer.BYTES)) {
            long end = System.nanoTime() + LONGEST_STOP_MS * 1_000_000;
            while (waitpid.invokeInt(new Object[] {tid, status, WNOHANG | WALL}) == 0) {
                if (System.nanoTime() > end) {
                    throw new LastErrorException("it did not stop within " + LONGEST_STOP_MS + " ms");
                }
                pause(1);
            }
            return status.getInt(0);
        }
    }

    private void request(int what, int tid, long address, Object data) {
        ptrace.invokeLong(new Object[] {what, tid, address, data});
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
