package uprobe.probe.patch;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import uprobe.probe.helper.Helper;

/**
 * Which threads of this process have a signal blocked, as the kernel tells (proc(5), {@code /proc/self/task/TID/status}, SigBlk). A trap taken
 * while its signal is blocked kills the process.
 */
public final class SignalMasks {
    public static final int SIGTRAP = 5;
    private static final int SIGSEGV = 11;
    /** glibc's own (SIGCANCEL): it enters no mask that is set through glibc, but is in the one that the engine's handlers run under. */
    private static final int GLIBC = 32;
    /**
     * libc blocks everything for moments (starting a thread, spawning a process): only what is so at every look counts. A thread that does nothing
     * but start threads is found so at five looks in a row one time in a few; hence many.
     */
    private static final int LOOKS = 50;
    private static final long PAUSE_MS = 10;
    /** Enough for the few instructions between a function's entry and its system call, whatever the processor does meanwhile. */
    private static final long RUN_NS = 100_000;
    private static final long LONGEST_WAIT_NS = 1_000_000_000;
    /** Longer than the kernel's longest tick (10 ms), by which it counts a thread's time: who has run so long has run since it was asked first. */
    private static final long RUN_THROUGH_NS = 12_000_000, LONGEST_RUN_NS = 10_000_000_000L;
    /** Of which most processes have fewer: the kernel takes some 0.1 ms to tell of one. */
    private static final int THREADS = 256;
    /** The kernel's own threads of io_uring appear among ours; they never run code of the process. */
    private static final List<String> KERNEL_WORKERS = List.of("iou-wrk-", "iou-sqp-");

    /** @return "name" (tid) of a thread that keeps the signal blocked at every look */
    public static Optional<String> threadBlocking(int signal) throws IOException {
        Map<Long, String> blocking = look(signal);
        boolean interrupted = false;
        for (int i = 1; i < LOOKS && !blocking.isEmpty(); i++) {
            try {
                Thread.sleep(PAUSE_MS + i % 7);     /* not in step with anybody */
            } catch (InterruptedException e) {
                interrupted = true;
            }
            blocking.keySet().retainAll(look(signal).keySet());
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return blocking.values().stream().findFirst();
    }

    /**
     * Waits until no thread has the signal blocked, at two looks in a row: a thread that is started by one that has it blocked may be missed by one.
     *
     * @return one that still has it after some seconds, as it does again and again
     */
    static Optional<String> awaitOpen(int signal) throws IOException {
        long end = System.nanoTime() + LONGEST_RUN_NS;
        for (int clean = 0; clean < 2;) {
            Map<Long, String> blocking = look(signal);
            clean = blocking.isEmpty() ? clean + 1 : 0;
            if (!blocking.isEmpty() && System.nanoTime() > end) {
                return blocking.values().stream().findFirst();
            }
            java.util.concurrent.locks.LockSupport.parkNanos(RUN_NS);
        }
        return Optional.empty();
    }

    /**
     * Waits until each thread of now has been seen asleep in the kernel, or has run for a while: then it has left a short stretch of code without
     * system calls that sleep, wherever in it it was. Times are the kernel's (proc(5), {@code task/TID/schedstat}: nanoseconds on a processor).
     *
     * @return false if a thread was neither within a second
     */
    static boolean awaitRun() throws IOException {
        return awaitRun(RUN_NS, LONGEST_WAIT_NS).isEmpty();
    }

    /**
     * Waits until no trap can come any more; there is none in any code. One that a thread ran into before may still be on its way: the kernel has not yet
     * put the signal on the thread, or not yet called the handler, because the thread had to give its processor up there; or the thread steps. So each thread
     * of now is waited for until it is seen asleep, as nobody is there, or has run for {@value #RUN_THROUGH_NS} ns; and then until none has SIGTRAP waiting
     * or the mask under which handlers of the engine's, and its steps, run.
     *
     * @return who could not be seen so within some seconds; empty: no trap comes
     */
    static Optional<String> awaitNoTrap() throws IOException {
        Optional<String> late = awaitRun(RUN_THROUGH_NS, LONGEST_RUN_NS);
        long end = System.nanoTime() + LONGEST_RUN_NS;
        while (late.isEmpty()) {
            Look look = Look.now();
            Optional<String> inside = look.threads().filter(i -> has(look.pending[i], SIGTRAP) || isInOurHandler(look.masks[i])).mapToObj(look::describe).findFirst();
            if (inside.isEmpty() || System.nanoTime() > end) {
                return inside;
            }
            java.util.concurrent.locks.LockSupport.parkNanos(RUN_NS);
        }
        return late;
    }

    /** @return one that did neither in time */
    private static Optional<String> awaitRun(long enough, long longest) throws IOException {
        Map<Path, Long> ranBefore = new TreeMap<>();
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                ranBefore.put(task, timeOnProcessor(task));
            }
        }
        Path self = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName();     /* it is here, and nowhere else */
        ranBefore.keySet().removeIf(task -> task.getFileName().equals(self));
        long end = System.nanoTime() + longest;
        while (true) {
            ranBefore.entrySet().removeIf(e -> sleeps(e.getKey()) || timeOnProcessor(e.getKey()) - e.getValue() >= enough);
            if (ranBefore.isEmpty()) {
                return Optional.empty();
            } else if (System.nanoTime() > end) {
                long tid = Long.parseLong(ranBefore.keySet().iterator().next().getFileName().toString());
                return Optional.of(described(tid));
            }
            java.util.concurrent.locks.LockSupport.parkNanos(RUN_NS);
        }
    }

    /** Of a thread that is gone: for ever. */
    private static long timeOnProcessor(Path task) {
        try {
            return Long.parseLong(Files.readString(task.resolve("schedstat")).split(" ")[0]);
        } catch (IOException | NumberFormatException gone) {
            return Long.MAX_VALUE;
        }
    }

    private static boolean sleeps(Path task) {
        try {
            String stat = Files.readString(task.resolve("stat"), java.nio.charset.StandardCharsets.ISO_8859_1);
            char state = stat.charAt(stat.lastIndexOf(')') + 2);
            return "SZXx".indexOf(state) >= 0;      /* interruptible sleep, or dead; D may be a page fault */
        } catch (IOException gone) {
            return true;
        }
    }

    /** Thread ids of those that block it now, with their descriptions. */
    private static Map<Long, String> look(int signal) throws IOException {
        Map<Long, String> found = new TreeMap<>();
        Look look = Look.now();
        /* The kernel defers SIGTRAP while the engine's own handler runs, if the program's wants that: no trap comes there. */
        look.threads().filter(i -> has(look.masks[i], signal) && !isInOurHandler(look.masks[i])).forEach(i -> {
            if (KERNEL_WORKERS.stream().noneMatch(name(look.tids[i])::startsWith)) {
                found.put(look.tids[i], look.describe(i));
            }
        });
        return found;
    }

    private static boolean isInOurHandler(long mask) {
        return has(mask, GLIBC) && !has(mask, SIGSEGV);
    }

    /** All threads at one moment: their masks, and the signals that wait for them. */
    private record Look(long[] tids, long[] masks, long[] pending, int count) {
        static Look now() throws IOException {
            long[] tids, masks, pending;
            int threads, room = THREADS;
            do {
                tids = new long[room];
                masks = new long[room];
                pending = new long[room];
                threads = Helper.check(Helper.up_tasks_masks(tids, masks, pending, room), "reading the threads' signal masks");
                room = threads + threads / 8;
            } while (threads > masks.length);
            return new Look(tids, masks, pending, threads);
        }

        IntStream threads() {
            return IntStream.range(0, count);
        }

        String describe(int i) {
            return described(tids[i]);
        }
    }

    private static String described(long tid) {
        return "\"" + name(tid) + "\" (tid " + tid + ")";
    }

    private static String name(long tid) {
        try {
            return Files.readString(Path.of("/proc/self/task/" + tid + "/comm"), java.nio.charset.StandardCharsets.ISO_8859_1).strip();
        } catch (IOException ended) {
            return "?";
        }
    }

    private static boolean has(long mask, int signal) {
        return (mask >>> (signal - 1) & 1) != 0;
    }

    private SignalMasks() {}
}
