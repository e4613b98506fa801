package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.helper.Helper;
import uprobe.probe.patch.SignalGuard;
import uprobe.probe.spec.ProbeParser;
import uprobe.probe.spec.ProbeSyntaxException;

/** A probe whose hits are kept. The commit method is plain Java and copies its records into rows that were there before: it may run anywhere. */
final class TestProbe implements AutoCloseable {
    /**
     * A record as its commit method saw it.
     *
     * @param values with a {@code c} probe's duration first
     * @param caller the method below the commit method's own frame; null on the drain thread
     */
    record Hit(int probe, int flags, int missing, long time, long[] values, long nativeThread, String nativeThreadName, long javaThread,
            String drained, String caller) {
        boolean unwound() {
            return (flags & HitRecordDescriptor.UNWOUND) != 0;
        }
    }

    private static final int ROWS = 400_000, WORDS = 20, FIRST_VALUE = 4;
    private static final long[] rows = new long[ROWS * WORDS];
    private static final Object[] texts = new Object[ROWS * 3];
    private static final AtomicInteger used = new AtomicInteger();
    /** Where the newest records that a JNI call's return committed begin in the rings' memory. */
    static volatile int newestAt;
    private static ByteBuffer records;
    /** Something that commit methods do beside their work. */
    static volatile Runnable meanwhile;
    /** Commit methods look who called the probed function. */
    static volatile boolean looksAtStacks = true;

    private final Probe armed;
    private final int values;

    private TestProbe(Probe armed, int values) {
        this.armed = armed;
        this.values = values;
    }

    /** Of the engine that the first use opens. */
    static EngineOptions options = EngineOptions.DEFAULT.withRings(1 << 20, 256);

    /** Takes the trap of one site out, past its probes. 0 or an error. */
    static int disarm(int site) {
        int[] errors = new int[1];
        int result = Helper.up_sites_disarm(new int[] {site}, 1, errors);
        return result < 0 ? result : errors[0];
    }

    static int arm(int site) {
        int[] error = new int[1];
        Helper.up_sites_arm(new int[] {site}, 1, error);
        return error[0];
    }

    /** Of a probe without settings, which filters nothing. */
    static ProbeCounters counters(long hits, long recorded, long dropped, long missed) {
        return new ProbeCounters(hits, recorded, 0, 0, dropped, missed, 0, 0, 0, 0, 0);
    }

    static ProbeEngine engine() throws IOException, ProbeRefusedException {
        return ProbeEngine.open(options);
    }

    static TestProbe arm(String text) throws ProbeRefusedException, IOException, ProbeSyntaxException {
        ProbeEngine engine = engine();
        assertEquals("", engine.withoutJavaStacks());
        assertNotNull(Odd.LIBRARY);     /* loaded */
        records = engine.records();
        Probe armed = engine.arm(ProbeParser.parse(text), (probe, spec, stem, symbol, memory) -> new CommitMethod(TestProbe.class, "commit"));
        return new TestProbe(armed, armed.spec().fields().size() + (text.startsWith("c") ? 1 : 0));
    }

    /** Called by the helper. */
    static void commit() {
        long run = HitRun.now();
        newestAt = HitRun.isDrained(run) ? newestAt : HitRun.offset(run);
        commit(HitRun.offset(run), HitRun.count(run), HitRun.nativeThreadId(), HitRun.nativeThreadName(), HitRun.javaThreadId(), HitRun.drained());
    }

    /** The same, on the drain thread. */
    static void commit(int offset, int count, long nativeThread, String nativeThreadName, long javaThread, String drained) {
        ByteBuffer memory = records;
        String caller = null;
        if (drained == null && looksAtStacks) {
            StackTraceElement[] frames = new Throwable().getStackTrace();
            caller = frames.length > 2 ? frames[2].getMethodName() : "none";
        }
        for (int i = 0, at = offset; i < count; i++) {
            int row = used.getAndIncrement();
            if (row < ROWS) {
                int length = memory.getShort(at + HitRecordDescriptor.LENGTH) & 0xffff;
                rows[row * WORDS] = memory.getInt(at + HitRecordDescriptor.PROBE);
                rows[row * WORDS + 1] = memory.getInt(at + HitRecordDescriptor.FLAGS);
                rows[row * WORDS + 2] = memory.getShort(at + HitRecordDescriptor.MISSING) & 0xffff | nativeThread << 16;
                rows[row * WORDS + 3] = memory.getLong(at + HitRecordDescriptor.TIME);
                for (int v = 0; v < 16 && HitRecordDescriptor.VALUES + 8 * v < length; v++) {
                    rows[row * WORDS + FIRST_VALUE + v] = memory.getLong(at + HitRecordDescriptor.VALUES + 8 * v);
                }
                texts[row * 3] = nativeThreadName;
                texts[row * 3 + 1] = drained == null ? caller : drained;
                texts[row * 3 + 2] = drained == null ? null : (Long) javaThread;
            }
            memory.putInt(at + HitRecordDescriptor.STATE, HitRecordDescriptor.COMMITTED);
            at += memory.getShort(at + HitRecordDescriptor.LENGTH) & 0xffff;
        }
        Runnable also = meanwhile;
        if (also != null) {
            also.run();
        }
    }

    /** The hits of this probe so far, in the order of their commit; those of unfinished calls too. */
    List<Hit> hits() throws IOException, ProbeRefusedException {
        assertTrue(engine().drain(true, 30_000), "the drain thread is not done within 30 s");
        List<Hit> hits = new ArrayList<>();
        int n = Math.min(used.get(), ROWS);
        for (int row = 0; row < n; row++) {
            if (rows[row * WORDS] == armed.id()) {
                long[] copy = java.util.Arrays.copyOfRange(rows, row * WORDS + FIRST_VALUE, row * WORDS + FIRST_VALUE + values);
                Object java = texts[row * 3 + 2];
                String text = (String) texts[row * 3 + 1];
                hits.add(new Hit((int) rows[row * WORDS], (int) rows[row * WORDS + 1], (int) rows[row * WORDS + 2] & 0xffff, rows[row * WORDS + 3],
                        copy, rows[row * WORDS + 2] >> 16, (String) texts[row * 3], java == null ? 0 : (Long) java, java == null ? null : text,
                        java == null ? text : null));
            }
        }
        return hits;
    }

    /** Of all probes: their hits so far are no longer kept. */
    static void forgetHits() throws IOException, ProbeRefusedException {
        assertTrue(engine().drain(true, 30_000), "the drain thread is not done within 30 s");
        used.set(0);
    }

    /** The only hit there is. */
    Hit hit() throws IOException, ProbeRefusedException {
        List<Hit> hits = hits();
        assertEquals(1, hits.size(), "hits");
        return hits.get(0);
    }

    /** Of the only hit. */
    void assertValues(long... expected) throws IOException, ProbeRefusedException {
        assertArrayEquals(expected, hit().values(), () -> java.util.Arrays.toString(expected));
    }

    Probe armed() {
        return armed;
    }

    ProbeCounters counters() {
        return armed.counters();
    }

    /** Once all is drained: nothing may be lost without a word. */
    void assertNothingLostSilently() throws IOException, ProbeRefusedException {
        hits();
        ProbeCounters c = counters();
        assertEquals(c.hits(), c.recorded() + c.dropped() + c.missed() + c.ownWork(), c::toString);
    }

    @Override
    public void close() {
        assertEquals(List.of(), armed.disarm());
    }

    static LoadedLibrary library(String fileName) throws IOException {
        return LoadedLibraries.snapshot().all().stream().filter(l -> l.fileName().equals(fileName)).findFirst().orElseThrow();
    }

    /** The text in memory is that of the file, but for what keeps SIGTRAP open. */
    static void assertTextIsOriginal(String fileName) throws IOException {
        LoadedLibrary library = library(fileName);
        int length = (int) (library.textEnd() - library.textStart());
        byte[] memory = new byte[length];
        Helper.up_text_read(library.textStart(), memory, length);
        SignalGuard.restore(library.textStart(), memory);
        assertArrayEquals(library.fileBytes(library.textStart(), length), memory, fileName);
    }
}
