package uprobe.probe;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import uprobe.probe.ProbeEngine.SiteOutcome;
import uprobe.probe.ProbeEngine.SiteRequest;
import uprobe.probe.code.InstructionTable;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.helper.Helper;
import uprobe.probe.patch.SignalGuard;
import uprobe.probe.spec.Mechanism;

/**
 * The differential exam of one library, in a JVM of its own (main): a reference run tells how often each instruction is reached and in which
 * states; then batches of instructions are probed and the workload runs again, which must come to the same results, reach every probe as often
 * and in the same states. exam.h says how runs are made the same.
 */
final class Exam {
    /** How the expectation is made: by single-stepping, which needs nothing of what is examined, or crossed. */
    private static final boolean STEPPED = Boolean.getBoolean("exam.stepped");
    /** Names of the words of struct exam_state. */
    private static final String[] WORDS = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
        "rip", "rflags", "mxcsr", "x87", "xmm", "ymm (upper halves)", "opmask", "zmm (upper halves)", "zmm16-31"};
    private static final int TIMEOUT_SECONDS = Integer.getInteger("exam.timeout", 600);

    /** Instructions of the library, by ascending address; those of functions, and those that were reached outside of any. */
    private record Code(long[] address, byte[] length, long[] functionStart, long[] functionEnd, int functions, long functionBytes) {}

    private final Map<String, Long> tally = new TreeMap<>();
    private final List<String> mismatches = new ArrayList<>();
    private final ProbeEngine engine;
    private final ExamNative exam;
    private final LoadedLibrary library;
    private final long textStart;
    private final int textLength;
    private final byte[] text;
    private final int workload;
    private final boolean full;
    private final int cpu;
    private final Random random;
    private final String name;
    /** libm.c says why the states of one workload are not compared. */
    private final boolean states;
    private Code code;
    private ExamNative.Run reference;
    private long[] counts, sums;
    private final BitSet unstable = new BitSet();
    private int mismatchCount;

    /** args: library file, workload, full or ci, seed, cpu, libexam.so, result file */
    public static void main(String[] args) throws Exception {
        Exam exam = new Exam(args[0], args[1], args[2].equals("full"), Long.parseLong(args[3]), Integer.parseInt(args[4]), Path.of(args[5]));
        exam.examine();
        exam.write(Path.of(args[6]));
        System.out.flush();
        System.exit(0);
    }

    private Exam(String file, String workload, boolean full, long seed, int cpu, Path libexam) throws IOException, ProbeRefusedException {
        this.full = full;
        this.cpu = cpu;
        this.name = workload;
        states = !workload.equals("libm-x87");
        random = new Random(seed);
        engine = ProbeEngine.open(EngineOptions.DEFAULT.withRings(4096, 64));
        exam = new ExamNative(libexam);
        long bias = exam.open(file);
        LoadedLibraries loaded = LoadedLibraries.snapshot();
        library = loaded.containing(bias).orElseThrow();
        LoadedLibrary libc = loaded.containing(exam.symbol("malloc")).orElseThrow();
        textStart = library.textStart();
        textLength = (int) (library.textEnd() - textStart);
        text = new byte[textLength];
        Helper.up_text_read(textStart, text, textLength);
        SignalGuard.restore(textStart, text);
        boolean itself = libc.loadBias() == library.loadBias();
        exam.select(textStart, textStart + textLength, itself ? 0 : libc.textStart(), itself ? 0 : libc.textEnd());
        this.workload = exam.workload(workload);
        say("%s at 0x%x, %d bytes of text", library.path(), library.loadBias(), textLength);
    }

    /** What differs from run to run gets about: where one instruction of a function was seen with it, another may be next time. */
    private void spreadOverFunctions() {
        BitSet seen = (BitSet) unstable.clone();
        for (int i = 0; i < code.address.length; i++) {
            int from = (int) (code.functionStart[i] - textStart), first = seen.nextSetBit(Math.max(0, from));
            if (first >= 0 && first < code.functionEnd[i] - textStart) {
                unstable.set((int) (code.address[i] - textStart));
            }
        }
    }

    private void examine() throws IOException, ProbeRefusedException {
        ExamNative.Run plain = exam.run(ExamNative.PLAIN, workload, full, cpu, List.of(), TIMEOUT_SECONDS);
        require(plain.whole(), "the workload without probes: " + plain);
        say("without probes: %d results in %d ms", plain.notes(), plain.millis());
        code = decode();
        if (STEPPED) {
            stepReference(plain);
            addWhatWasReachedOutsideFunctions();
        } else {
            crossReference(plain, List.of());
        }
        long reached = Arrays.stream(counts).filter(c -> c > 0).count();
        add("functions", code.functions);
        add("instructions", code.address.length);
        add("reached", reached);
        add("functionBytes", code.functionBytes);
        add("executedBytes", executed().cardinality());
        say("%d functions, %d instructions, %d of them reached %d times, %.1f %% of %d bytes executed", code.functions, code.address.length, reached,
                Arrays.stream(counts).sum(), 100.0 * executed().cardinality() / code.functionBytes, code.functionBytes);
        if (Boolean.getBoolean("exam.profile")) {
            profile();
        }
        if (full) {
            for (int half = 0; STEPPED && half < 2; half++) {
                int odd = half;
                pass("every second, from " + odd, null, i -> i % 2 == odd);
            }
            pass("all at once", null, i -> true);
            for (Mechanism mechanism : Mechanism.values()) {
                BitSet chosen = sample(mechanism.name().equals("STEP") ? 16 : 1);
                pass("all of " + mechanism.text() + (mechanism.name().equals("STEP") ? ", one in 16" : ""), mechanism, chosen::get);
            }
        } else {
            BitSet dense = sampleFunctions(3);
            pass("every instruction of one function in 3", null, dense::get);
            for (Mechanism mechanism : Mechanism.values()) {
                BitSet chosen = sample(mechanism.name().equals("STEP") ? 64 : 16);
                pass("a sample of " + mechanism.text(), mechanism, chosen::get);
            }
        }
    }

    private BitSet sample(int oneIn) {
        BitSet chosen = new BitSet();
        for (int i = 0; i < code.address.length; i++) {
            chosen.set(i, oneIn == 1 || random.nextInt(oneIn) == 0);
        }
        return chosen;
    }

    private BitSet sampleFunctions(int oneIn) {
        BitSet chosen = new BitSet();
        boolean take = false;
        for (int i = 0; i < code.address.length; i++) {
            if (i == 0 || code.functionStart[i] != code.functionStart[i - 1]) {
                take = random.nextInt(oneIn) == 0;
            }
            chosen.set(i, take);
        }
        return chosen;
    }

    private void stepReference(ExamNative.Run plain) {
        reference = exam.run(ExamNative.REFERENCE, workload, full, cpu, List.of(), TIMEOUT_SECONDS);
        require(reference.whole(), "the reference run: " + reference);
        require(reference.result() == plain.result() && reference.notes() == plain.notes(),
                "stepping changed the workload's results: " + plain + ", " + reference);
        say("reference: %d steps in %d ms", reference.traps(), reference.millis());
        long[][] table = table(ExamNative.REFERENCE);
        counts = table[0];
        sums = table[1];
    }

    /**
     * Without single-stepping, which a virtual machine makes ten times dearer than a probe: every second instruction is probed, then the others. So
     * the state at an instruction is taken while the one before it runs unprobed, and a probe that leaves a wrong state behind is seen when both are
     * probed at once. What no mechanism takes has no expectation, and is never compared.
     *
     * @return the states at the watched addresses
     */
    private Map<Long, List<long[]>> crossReference(ExamNative.Run plain, List<Long> watched) throws IOException, ProbeRefusedException {
        counts = new long[textLength];
        sums = new long[textLength];
        Map<Long, List<long[]>> states = new TreeMap<>();
        for (int half = 0; half < 2; half++) {
            List<SiteRequest> requests = new ArrayList<>();
            for (int i = half; i < code.address.length; i += 2) {
                requests.add(request(i, null));
            }
            List<SiteOutcome> outcomes = engine.armSites(requests);
            ExamNative.Run run = exam.run(ExamNative.PROBED, workload, full, cpu, watched, TIMEOUT_SECONDS);
            engine.disarmSites(outcomes);
            require(run.whole(), "a run with every second instruction probed: " + run);
            if (run.result() != plain.result() || run.notes() != plain.notes()) {
                mismatch("every second instruction, from " + half + ": the workload's results differ: " + run + ", without probes " + plain);
            }
            states.putAll(exam.log());
            long[][] table = table(ExamNative.PROBED);
            for (int i = 0; i < textLength; i++) {
                counts[i] += table[0][i];
                sums[i] += table[1][i];
            }
            say("every second instruction, from %d: %d hits in %d ms", half, run.traps(), run.millis());
        }
        reference = plain;
        return states;
    }

    private SiteRequest request(int i, Mechanism mechanism) {
        return new SiteRequest(library, code.functionStart[i], code.functionEnd[i], code.address[i], mechanism);
    }

    /** Counts and sums by offset in the text. */
    private long[][] table(int mode) {
        ByteBuffer rows = exam.rows(mode, textLength);
        long[][] table = new long[2][textLength];
        for (int i = 0; i < textLength; i++) {
            table[0][i] = rows.getLong(i * ExamNative.ROW);
            table[1][i] = table[0][i] == 0 ? 0 : rows.getLong(i * ExamNative.ROW + 8);
        }
        return table;
    }

    /**
     * A second reference run, made when states differ: a state that differs without probes as well says nothing with them. Such a count would be a
     * fault of the workload.
     *
     * @return the states at the watched addresses
     */
    private Map<Long, List<long[]>> lookForUnstable(List<Long> watched) throws IOException, ProbeRefusedException {
        long[] countsBefore = counts, sumsBefore = sums;
        Map<Long, List<long[]>> states;
        if (STEPPED) {
            ExamNative.Run again = exam.run(ExamNative.REFERENCE, workload, full, cpu, watched, TIMEOUT_SECONDS);
            require(again.whole() && again.result() == reference.result(), "the second reference run: " + again);
            states = exam.log();
            long[][] table = table(ExamNative.REFERENCE);
            counts = table[0];
            sums = table[1];
        } else {
            states = crossReference(reference, watched);
        }
        int before = unstable.cardinality();
        for (int i = 0; i < textLength; i++) {
            require(counts[i] == countsBefore[i],
                    String.format("two reference runs reached %s %d and %d times", at(textStart + i), countsBefore[i], counts[i]));
            unstable.set(i, unstable.get(i) || sums[i] != sumsBefore[i]);
        }
        spreadOverFunctions();
        add("unstable", unstable.cardinality() - before);
        say("%d states differ between reference runs", unstable.cardinality() - before);
        return states;
    }

    /** Where the workload spends its steps: for whoever makes it wider and shorter. */
    private void profile() {
        Map<Long, Long> steps = new TreeMap<>();
        for (int i = 0; i < code.address.length; i++) {
            steps.merge(code.functionStart[i], counts[(int) (code.address[i] - textStart)], Long::sum);
        }
        steps.entrySet().stream().sorted((a, b) -> Long.compare(b.getValue(), a.getValue())).limit(25)
                .forEach(e -> System.out.println("    " + e.getValue() + " " + at(e.getKey())));
    }

    private Code decode() {
        TreeMap<Long, Long> ranges = new TreeMap<>();
        long[] unwound = exam.functions(textStart);
        for (int i = 0; i < unwound.length; i += 2) {
            ranges.merge(unwound[i], unwound[i + 1], Math::max);
        }
        for (NativeSymbol symbol : library.symbols().functions()) {
            Map.Entry<Long, Long> below = ranges.floorEntry(symbol.address());
            if (symbol.size() > 0 && (below == null || below.getValue() <= symbol.address())) {
                ranges.put(symbol.address(), symbol.end());
            }
        }
        List<long[]> instructions = new ArrayList<>();
        int functions = 0;
        long bytes = 0, done = textStart;
        for (Map.Entry<Long, Long> range : ranges.entrySet()) {
            Long next = ranges.higherKey(range.getKey());
            long start = Math.max(range.getKey(), done), end = Math.min(Math.min(range.getValue(), next == null ? Long.MAX_VALUE : next), textStart + textLength);
            if (start < textStart || start >= end) {
                continue;
            }
            functions++;
            bytes += end - start;
            done = end;
            addInstructions(instructions, start, end, range.getKey(), range.getValue());
        }
        return code(instructions, functions, bytes);
    }

    private static Code code(List<long[]> instructions, int functions, long bytes) {
        instructions.sort((a, b) -> Long.compare(a[0], b[0]));
        int n = instructions.size();
        Code found = new Code(new long[n], new byte[n], new long[n], new long[n], functions, bytes);
        for (int i = 0; i < n; i++) {
            found.address[i] = instructions.get(i)[0];
            found.length[i] = (byte) instructions.get(i)[1];
            found.functionStart[i] = instructions.get(i)[2];
            found.functionEnd[i] = instructions.get(i)[3];
        }
        return found;
    }

    /** Reached, but no instruction of a function begins there: assembly without unwind data, or data that was decoded as code. */
    private void addWhatWasReachedOutsideFunctions() {
        List<long[]> instructions = new ArrayList<>();
        BitSet known = new BitSet();
        for (int i = 0; i < code.address.length; i++) {
            instructions.add(new long[] {code.address[i], code.length[i], code.functionStart[i], code.functionEnd[i]});
            known.set((int) (code.address[i] - textStart));
        }
        int before = instructions.size();
        for (int i = 0; i < textLength; i++) {
            if (counts[i] > 0 && !known.get(i)) {
                InstructionTable.Instruction one = InstructionTable.decode(Arrays.copyOfRange(text, i, Math.min(i + 16, textLength)), textStart + i).get(0);
                instructions.add(new long[] {textStart + i, one.length(), textStart + i, textStart + i + one.length()});
            }
        }
        add("outsideFunctions", instructions.size() - before);
        code = code(instructions, code.functions, code.functionBytes);
    }

    private void addInstructions(List<long[]> to, long start, long end, long functionStart, long functionEnd) {
        InstructionTable table = InstructionTable.decode(Arrays.copyOfRange(text, (int) (start - textStart), (int) (end - textStart)), start);
        for (int i = 0; i < table.size(); i++) {
            InstructionTable.Instruction instruction = table.get(i);
            if (instruction.length() > 0) {
                to.add(new long[] {instruction.address(), instruction.length(), functionStart, functionEnd});
            }
        }
    }

    /** Bytes of the text that were executed, by offset. */
    private BitSet executed() {
        BitSet bytes = new BitSet();
        for (int i = 0; i < code.address.length; i++) {
            int offset = (int) (code.address[i] - textStart);
            if (counts[offset] > 0) {
                bytes.set(offset, offset + code.length[i]);
            }
        }
        return bytes;
    }

    private void pass(String title, Mechanism mechanism, java.util.function.IntPredicate chosen) throws IOException, ProbeRefusedException {
        long begin = System.nanoTime();
        String key = mechanism == null ? "best" : mechanism.text();
        List<SiteRequest> requests = new ArrayList<>();
        for (int i = 0; i < code.address.length; i++) {
            if (chosen.test(i)) {
                requests.add(request(i, mechanism));
            }
        }
        List<SiteOutcome> outcomes = engine.armSites(requests), armed = new ArrayList<>();
        for (SiteOutcome outcome : outcomes) {
            add("tried " + key, 1);
            if (outcome.refusal() != null) {
                add("refused " + key + " " + outcome.refusal(), 1);
            } else {
                add("armed " + key + (mechanism == null ? " " + outcome.mechanism().text() : ""), 1);
                armed.add(outcome);
            }
        }
        long armMillis = (System.nanoTime() - begin) / 1_000_000;
        exam.probes(armed.stream().mapToInt(SiteOutcome::probe).toArray());
        List<Long> differ = new ArrayList<>();
        Map<Long, String> otherStates = new TreeMap<>();
        ExamNative.Run run = exam.run(ExamNative.PROBED, workload, full, cpu, List.of(), TIMEOUT_SECONDS);
        if (!run.whole()) {
            mismatch(title + ": the probed run ended badly: " + run);
        } else {
            if (run.result() != reference.result() || run.notes() != reference.notes()) {
                mismatch(title + ": the workload's results differ: " + run + ", without probes " + reference);
            }
            long[] hits = compare(title, armed, differ, otherStates);
            add("hits " + key, hits[0]);
            add("hitSites " + key, hits[1]);
        }
        List<Long> watched = differ.subList(0, Math.min(ExamNative.WATCHED, differ.size()));
        Map<Long, List<long[]>> seen = Map.of();
        if (!watched.isEmpty()) {
            exam.run(ExamNative.PROBED, workload, full, cpu, watched, TIMEOUT_SECONDS);
            seen = exam.log();
        }
        engine.disarmSites(outcomes);
        if (!differ.isEmpty()) {
            Map<Long, List<long[]>> expected = lookForUnstable(watched);
            for (long address : watched) {
                System.out.println("    " + at(address) + ": " + difference(expected.getOrDefault(address, List.of()), seen.getOrDefault(address, List.of())));
            }
        }
        otherStates.forEach((address, what) -> {
            if (!unstable.get((int) (address - textStart))) {
                mismatch(what);
            }
        });
        byte[] after = new byte[textLength];
        Helper.up_text_read(textStart, after, textLength);
        SignalGuard.restore(textStart, after);
        if (!Arrays.equals(text, after)) {
            mismatch(title + ": after disarming the text differs at " + at(textStart + Arrays.mismatch(text, after)));
        }
        say("%s: %d asked, %d armed in %d ms, %d hits in %d ms, %d mismatches", title, requests.size(), armed.size(), armMillis, run.traps(), run.millis(),
                mismatchCount);
    }

    /** Total hits, and how many sites had any. */
    private long[] compare(String title, List<SiteOutcome> armed, List<Long> differ, Map<Long, String> otherStates) {
        ByteBuffer rows = exam.rows(ExamNative.PROBED, textLength);
        long total = 0, sites = 0;
        for (int i = 0; i < armed.size(); i++) {
            SiteOutcome outcome = armed.get(i);
            long address = outcome.request().address();
            int offset = (int) (address - textStart);
            long count = rows.getLong(offset * ExamNative.ROW), sum = rows.getLong(offset * ExamNative.ROW + 8), hits = exam.hitsOf(i);
            total += count;
            sites += count > 0 ? 1 : 0;
            String what = count != counts[offset] ? "reached " + count + " times, expected " + counts[offset]
                    : hits != count ? "the engine counted " + hits + " of " + count + " hits"
                    : null;
            if (what != null) {
                mismatch(where(title, outcome) + what);
                differ.add(address);
            } else if (states && sum != sums[offset] && !unstable.get(offset)) {
                otherStates.put(address, where(title, outcome) + "reached " + count + " times, in other states");
                differ.add(address);
            }
        }
        return new long[] {total, sites};
    }

    private String where(String title, SiteOutcome outcome) {
        return title + ": " + at(outcome.request().address()) + " by " + outcome.mechanism().text() + ": ";
    }

    private static String difference(List<long[]> expected, List<long[]> seen) {
        for (int i = 0; i < Math.min(expected.size(), seen.size()); i++) {
            for (int w = 0; w < WORDS.length; w++) {
                if (expected.get(i)[w] != seen.get(i)[w]) {
                    return String.format("at arrival %d %s is 0x%x, expected 0x%x", i + 1, WORDS[w], seen.get(i)[w], expected.get(i)[w]);
                }
            }
        }
        return expected.size() == seen.size() ? "no difference in " + seen.size() + " logged arrivals"
                : "the logged arrivals are equal, but there are " + seen.size() + ", expected " + expected.size();
    }

    private void mismatch(String what) {
        if (mismatchCount++ < 200) {
            mismatches.add(what);
        }
        if (mismatchCount <= 20) {
            say("MISMATCH %s", what);
        }
    }

    /** Address as the library's file has it, the function, and the instruction's bytes. */
    private String at(long address) {
        int offset = (int) (address - textStart);
        InstructionTable.Instruction one = InstructionTable.decode(Arrays.copyOfRange(text, offset, Math.min(offset + 16, textLength)), address).get(0);
        String symbol = library.symbols().containing(address).map(s -> s.name() + "+0x" + Long.toHexString(address - s.address())).orElse("?");
        return String.format("%s 0x%x (%s) [%s]", library.fileName(), address - library.loadBias(), symbol,
                HexFormat.ofDelimiter(" ").formatHex(text, offset, offset + Math.max(1, one.length())));
    }

    private void add(String key, long n) {
        tally.merge(key, n, Long::sum);
    }

    private void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalStateException(name + ": " + message);
        }
    }

    private void say(String format, Object... values) {
        System.out.println("  " + name + ": " + String.format(format, values));
        System.out.flush();
    }

    /** For the report: the tally, the mismatches, and which bytes were executed. */
    private void write(Path file) throws IOException {
        add("mismatches", mismatchCount);
        Properties properties = new Properties();
        tally.forEach((key, n) -> properties.setProperty(key, Long.toString(n)));
        for (int i = 0; i < mismatches.size(); i++) {
            properties.setProperty("mismatch " + i, mismatches.get(i));
        }
        Files.createDirectories(file.getParent());
        Files.write(file.resolveSibling(file.getFileName() + ".executed"), executed().toByteArray());
        BitSet reached = new BitSet();
        for (int i = 0; i < textLength; i++) {
            reached.set(i, counts[i] > 0);
        }
        Files.write(file.resolveSibling(file.getFileName() + ".reached"), reached.toByteArray());
        try (java.io.Writer out = Files.newBufferedWriter(file)) {
            properties.store(out, name);
        }
    }
}
