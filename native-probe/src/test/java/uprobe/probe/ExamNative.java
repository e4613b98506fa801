package uprobe.probe;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** libexam.so (src/test/exam), loaded into a namespace of its own with copies of its own of all that it needs: exam.h says why. */
final class ExamNative {
    static final int PLAIN = 0, REFERENCE = 1, PROBED = 2;
    /** struct exam_row. */
    static final int ROW = 16;
    /** struct exam_state. */
    static final int STATE_WORDS = 32, LOG = 1 << 16, WATCHED = 8, IP = 16;
    /** enum exam_progress. */
    static final long DONE = 2;
    private static final int RTLD_NOW = 2;
    private static final long LM_ID_NEWLM = -1;

    /** Offsets in struct exam_shared. */
    private static final int COUNTERS = 96, PROBES = 104, RESULT = 128, NOTES = 136, TRAPS = 144, STATE = 152, CRASH_SIGNAL = 160,
            CRASH_IP = 168, CRASH_ADDRESS = 176, LAST_COUNT = 184, LAST = 192, LOG_COUNT = 320, LOG_START = 328;

    /**
     * What a run left behind.
     *
     * @param status of wait(2), -2: killed because it took too long
     * @param result hash of all that the workload found
     * @param traps steps or hits
     */
    record Run(int mode, int status, long state, long result, long notes, long traps, long millis, String end) {
        boolean whole() {
            return status == 0 && state == DONE;
        }
    }

    private final Pointer handle;
    private final Pointer shared;
    private final Pointer probeTable;
    private final int probeCapacity;
    private final Function run;
    private final Memory watch = new Memory(8 * WATCHED);

    ExamNative(Path library) {
        NativeLibrary process = NativeLibrary.getProcess();
        handle = (Pointer) process.getFunction("dlmopen").invoke(Pointer.class, new Object[] {LM_ID_NEWLM, library.toString(), RTLD_NOW});
        if (handle == null) {
            throw new IllegalStateException("dlmopen of " + library + ": " + process.getFunction("dlerror").invokeString(new Object[0], false));
        }
        if (function("exam_init").invokeInt(new Object[0]) != 0) {
            throw new IllegalStateException("no memory for the exam");
        }
        shared = (Pointer) function("exam_shared_memory").invoke(Pointer.class, new Object[0]);
        probeTable = (Pointer) function("exam_probe_table").invoke(Pointer.class, new Object[0]);
        probeCapacity = function("exam_probe_table_capacity").invokeInt(new Object[0]);
        run = function("exam_run");
        shared.setLong(COUNTERS, address("up_probe_counters", NativeLibrary.getInstance(helper())));
    }

    private static String helper() {
        try {
            return uprobe.probe.elf.LoadedLibraries.snapshot().all().stream().filter(l -> l.fileName().equals("libuprobe.so")).findFirst().orElseThrow()
                    .path().toString();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static long address(String name, NativeLibrary library) {
        return Pointer.nativeValue(library.getFunction(name));
    }

    /** Address of a symbol of the namespace: libexam's own, libc's, libm's. */
    long symbol(String name) {
        Pointer found = (Pointer) NativeLibrary.getProcess().getFunction("dlsym").invoke(Pointer.class, new Object[] {handle, name});
        if (found == null) {
            throw new IllegalStateException("the exam's namespace has no " + name);
        }
        return Pointer.nativeValue(found);
    }

    private Function function(String name) {
        return Function.getFunction(new Pointer(symbol(name)));
    }

    /** Opens the library to examine in the namespace; by path, or by the name of one that is there already. Its load bias. */
    long open(String path) {
        try (Memory why = new Memory(8)) {
            long bias = function("exam_open").invokeLong(new Object[] {path, why});
            if (bias == 0) {
                throw new IllegalStateException(path + ": " + why.getPointer(0).getString(0));
            }
            return bias;
        }
    }

    int workload(String name) {
        int index = function("exam_workload").invokeInt(new Object[] {name});
        if (index < 0) {
            throw new IllegalStateException("workload " + name + (index == -1 ? " is unknown" : ": a function it calls is not in the library"));
        }
        return index;
    }

    /** [start, end) pairs. */
    long[] functions(long address) {
        Function functions = function("exam_functions");
        long count = functions.invokeLong(new Object[] {address, Pointer.NULL, 0L});
        try (Memory ranges = new Memory(Math.max(16, 16 * count))) {
            functions.invokeLong(new Object[] {address, ranges, count});
            return ranges.getLongArray(0, (int) (2 * count));
        }
    }

    void select(long textStart, long textEnd, long libcStart, long libcEnd) {
        if (function("exam_select").invokeInt(new Object[] {textStart, textEnd, libcStart, libcEnd}) != 0) {
            throw new IllegalStateException("no memory for the tables of " + (textEnd - textStart) + " bytes of text");
        }
    }

    /** The table of this mode; {@link #ROW} bytes for each byte of text. Replaced by each run of that mode. */
    ByteBuffer rows(int mode, long textLength) {
        Pointer rows = (Pointer) function("exam_rows_of").invoke(Pointer.class, new Object[] {mode});
        return rows.getByteBuffer(0, textLength * ROW).order(ByteOrder.nativeOrder());
    }

    /** The child's engine is asked for the counters of these probes at the end of a probed run. */
    void probes(int[] ids) {
        if (ids.length > probeCapacity) {
            throw new IllegalArgumentException(ids.length + " probes, there is room for " + probeCapacity);
        }
        shared.setLong(PROBES, ids.length);
        for (int i = 0; i < ids.length; i++) {
            probeTable.setLong(8L * i, ids[i]);
        }
    }

    long hitsOf(int index) {
        return probeTable.getLong(8L * (probeCapacity + index));
    }

    Run run(int mode, int workload, boolean full, int cpu, List<Long> watched, int timeoutSeconds) {
        long begin = System.nanoTime();
        for (int i = 0; i < WATCHED; i++) {
            watch.setLong(8L * i, i < watched.size() ? watched.get(i) : 0);
        }
        int status = run.invokeInt(new Object[] {mode, workload, full ? 1 : 0, cpu, watch, timeoutSeconds * 1000});
        long millis = (System.nanoTime() - begin) / 1_000_000;
        StringBuilder end = new StringBuilder();
        if (shared.getLong(CRASH_SIGNAL) != 0) {
            end.append(String.format("signal %d at 0x%x, address 0x%x", shared.getLong(CRASH_SIGNAL), shared.getLong(CRASH_IP), shared.getLong(CRASH_ADDRESS)));
        }
        if (status != 0) {
            long count = shared.getLong(LAST_COUNT);
            end.append("; last traps");
            for (long i = Math.max(0, count - 16); i < count; i++) {
                end.append(String.format(" 0x%x", shared.getLong(LAST + 8 * (i % 16))));
            }
        }
        return new Run(mode, status, shared.getLong(STATE), shared.getLong(RESULT), shared.getLong(NOTES), shared.getLong(TRAPS), millis, end.toString());
    }

    /** The states that the last run logged, by watched address, in the order of arrival. */
    Map<Long, List<long[]>> log() {
        int count = (int) Math.min(LOG, shared.getLong(LOG_COUNT));
        Map<Long, List<long[]>> states = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            long[] state = shared.getLongArray(LOG_START + 8L * STATE_WORDS * i, STATE_WORDS);
            states.computeIfAbsent(state[IP], ip -> new ArrayList<>()).add(state);
        }
        return states;
    }
}
