package uprobe.probe.code;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import uprobe.probe.code.InstructionTable.Instruction;
import uprobe.probe.code.Objdump.Line;
import uprobe.probe.code.Objdump.Text;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.helper.Helper;
import uprobe.probe.spec.Mechanism;

/**
 * The decoder and the relocator against objdump over the code of real libraries: each instruction is put into four slots, near and far, to run and to
 * be stepped, and what stands there is judged by objdump's text of it ({@link SlotJudge}).
 *
 * <p>A sample of functions, another each time; -Dseed=N repeats one, -Dexam=full takes all there is.
 */
class RelocatorAgainstObjdumpTest {
    private static final boolean FULL = "full".equals(System.getProperty("exam")) || Boolean.getBoolean("storm");
    private static final int SAMPLE = 60_000, LEAST_IN_FULL = 2_000_000;
    /** Bytes of code taken at a time from where an exported function begins. */
    private static final int WINDOW = 8 << 10;
    private static final int BATCH = FULL ? 50_000 : 10_000, STRETCH = 4096;
    private static final long NEAR = 16 << 20;
    private static final int NOP = 0x90, SHOWN = 40;
    private static final HexFormat HEX = HexFormat.ofDelimiter(" ");
    private static final byte[] FAR_JUMP = {(byte) 0xff, 0x25, 0, 0, 0, 0};

    private static final Pattern LOCKABLE = Pattern.compile(
            "(add|adc|and|btc|btr|bts|cmpxchg|dec|inc|neg|not|or|sbb|sub|xor|xadd|xchg)[bwlq]?|cmpxchg(8|16)b");

    @TempDir
    static Path folder;

    private final Map<String, Integer> kinds = new TreeMap<>(), decoder = new TreeMap<>(), forms = new TreeMap<>(), refusals = new TreeMap<>();
    private final List<String> wrong = new ArrayList<>();
    private int wrongs;
    private final long seed = Long.getLong("seed", System.nanoTime());
    private final Random random = new Random(seed);
    /** Where the library is thought to be loaded, and slots that 32 bits do not reach from there. */
    private final long bias = 0x7f00_0000_0000L + ((long) random.nextInt(1 << 24) << 12);
    private final long far = 0x6000_0000_0000L + ((long) random.nextInt(1 << 24) << 12);
    private long end;
    private final List<Line> stretch = new ArrayList<>();
    private final List<Site> batch = new ArrayList<>();
    private String library;

    private record Site(Line line, Text text, Displaced displaced) {}

    /** @param code null if the relocator refused */
    private record Cell(Site site, boolean step, SlotCode code) {}

    @BeforeAll
    static void loadsTheDecoder() throws Exception {
        Helper.load();
    }

    private static List<Path> libraries() throws IOException {
        List<LoadedLibrary> loaded = LoadedLibraries.snapshot().all();
        List<Path> all = new ArrayList<>();
        for (String name : List.of("libjvm.so", "libjava.so", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "libZydis")) {
            all.add(loaded.stream().filter(l -> l.fileName().startsWith(name)).findFirst()
                    .orElseThrow(() -> new IOException("no " + name + " is loaded")).path());
        }
        Path system = all.get(2).getParent(), java = all.get(1).getParent();
        for (Path more : List.of(system.resolve("libz.so.1"), system.resolve("libstdc++.so.6"), system.resolve("libcrypto.so.3"),
                java.resolve("libjsvml.so"))) {
            if (Files.exists(more)) {
                all.add(more);
            } else {
                System.out.println("RelocatorAgainstObjdumpTest: there is no " + more);
            }
        }
        return all;
    }

    @Test
    void everyInstructionMeansInItsSlotWhatItMeantAtItsSite() throws Exception {
        System.out.println("RelocatorAgainstObjdumpTest: seed=" + seed + (FULL ? " full" : ""));
        if (FULL) {
            for (Path file : libraries()) {
                examine(file, 0, 0);
            }
        } else {
            List<Path> libraries = libraries();
            while (count(decoder, "instructions") < SAMPLE) {
                Path file = libraries.get(random.nextInt(libraries.size()));
                List<Long> functions = Objdump.functions(file);
                for (int i = 0; i < 4; i++) {
                    long from = functions.get(random.nextInt(functions.size()));
                    examine(file, from, from + WINDOW);
                }
            }
        }
        report();
        assertEquals(0, wrongs, () -> "seed=" + seed + ", the first of them:\n" + String.join("\n", wrong));
        assertTrue(count(decoder, "instructions") >= (FULL ? LEAST_IN_FULL : SAMPLE), "too few instructions to mean something: " + decoder);
    }

    private void report() {
        System.out.println("decoder against objdump");
        decoder.forEach((what, n) -> System.out.printf("  %,12d  %s%n", n, what));
        System.out.println("slots that mean the same");
        forms.forEach((what, n) -> System.out.printf("  %,12d  %s%n", n, what));
        System.out.println("refused, as expected");
        refusals.forEach((what, n) -> System.out.printf("  %,12d  %s%n", n, what));
        kinds.forEach((what, n) -> System.out.printf("  %,12d  wrong: %s%n", n, what));
    }

    private static int count(Map<String, Integer> in, String what) {
        return in.getOrDefault(what, 0);
    }

    private static void add(Map<String, Integer> to, String what) {
        to.merge(what, 1, Integer::sum);
    }

    private void wrong(Line line, String what) {
        wrongs++;
        add(kinds, what.lines().findFirst().orElse("").replaceAll("0x[0-9a-f]+|; slot.*|, put into a slot.*", "") + ": "
                + Objdump.parse(line.text(), 0).mnemonic());
        if (wrong.size() < SHOWN) {
            wrong.add(library + " 0x" + Long.toHexString(line.address()) + ": " + HEX.formatHex(line.bytes()) + "  " + line.text() + "\n  " + what);
        }
    }

    private void examine(Path file, long from, long to) throws Exception {
        library = file.getFileName().toString();
        end = Files.size(file);
        Objdump.library(file, from, to, this::take);
        decodeStretch();
        relocateBatch();
    }

    private void take(Line line) {
        if (line.fresh() || stretch.size() == STRETCH) {
            decodeStretch();
        }
        if (line.isBad() || line.isPrefixAlone()) {
            add(decoder, line.isBad() ? "lines that are bad to objdump, left out" : "prefixes on lines of their own, left out");
            decodeStretch();
            return;
        }
        stretch.add(line);
    }

    /* ---- decoder ---- */

    private void decodeStretch() {
        int from = 0;
        while (from < stretch.size()) {
            from = decodeFrom(from);
        }
        stretch.clear();
        if (batch.size() >= BATCH) {
            try {
                relocateBatch();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Decodes what is left of the stretch in one call; returns the line behind the first difference, where to begin anew. */
    private int decodeFrom(int from) {
        long start = stretch.get(from).address();
        byte[] code = new byte[(int) (stretch.get(stretch.size() - 1).next() - start)];
        for (Line line : stretch.subList(from, stretch.size())) {
            System.arraycopy(line.bytes(), 0, code, (int) (line.address() - start), line.bytes().length);
        }
        InstructionTable table = InstructionTable.decode(code, bias + start);
        for (int i = from; i < stretch.size(); i++) {
            Line line = stretch.get(i);
            add(decoder, "instructions");
            Text text = Objdump.parse(line.text(), bias);
            Instruction ours = table.get(i - from);
            if (ours.length() != line.bytes().length) {
                String known = knownDifference(line, text, ours.length());
                boolean two = ours.length() > 0 && known != null && (line.bytes()[ours.length() - 1] & 0xff) == 0x9b;
                if (known != null && (!two || table.get(i - from + 1).length() == line.bytes().length - ours.length())) {
                    add(decoder, known);
                } else {
                    wrong(line, ours.length() == 0 ? "the decoder finds no instruction" : "the decoder finds a length of " + ours.length());
                }
                return i + 1;
            }
            add(decoder, "lengths agreed");
            if (ours.target() != text.target() || ours.is(InstructionTable.RELATIVE) != text.hasTarget()
                    || ours.is(InstructionTable.RIP_RELATIVE) != text.relative()) {
                wrong(line, "the decoder finds the target 0x" + Long.toHexString(ours.target() - bias) + ", flags " + ours.flags());
                continue;
            }
            if (text.hasTarget()) {
                add(decoder, text.direct() ? "targets of branches agreed" : "targets of operands relative to rip agreed");
            }
            batch.add(new Site(new Line(bias + line.address(), line.bytes(), line.text(), false), text, Displaced.of(ours, line.bytes())));
        }
        return stretch.size();
    }

    /**
     * Where objdump prints an instruction that the processor does not know, or two as one. The decoder is right in each.
     *
     * @return what the SDM says, or null if the decoder's opinion is not the SDM's
     */
    private static String knownDifference(Line line, Text text, int length) {
        int prefixes = 0;
        boolean forbidsVex = false;
        while (prefixes < line.bytes().length - 1 && isPrefix(line.bytes()[prefixes] & 0xff)) {
            int prefix = line.bytes()[prefixes++] & 0xff;
            forbidsVex |= prefix >> 4 == 4 || prefix == 0x66 || prefix == 0xf0 || prefix == 0xf2 || prefix == 0xf3;
        }
        int opcode = line.bytes()[prefixes] & 0xff;
        if (opcode == 0x9b && length == prefixes + 1) {
            return "FWAIT and the x87 instruction behind it are two (SDM vol. 2A, FSTENV/FNSTENV)";
        } else if (text.mnemonic().endsWith("w") && (opcode == 0xe9 || opcode == 0xe8) && (length == prefixes + 5 || length == 0)) {
            return "66 before a near branch: 32 bits of displacement to Intel, 16 to AMD; refused";
        } else if (length != 0) {
            return null;
        } else if (text.has("lock") && !isLockable(text)) {
            return "LOCK is for some instructions with a memory destination only, else #UD (SDM vol. 2A, LOCK)";
        } else if (opcode == 0x8e && text.operands().endsWith(",%cs") || (opcode == 0x8e || opcode == 0x8c) && text.operands().contains("%?")) {
            return "MOV to CS, and MOV of segment registers 6 and 7, is #UD (SDM vol. 2B, MOV)";
        } else if ((opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62) && forbidsVex) {
            return "VEX or EVEX behind REX, 66, F2, F3 or LOCK is #UD (SDM vol. 2A, 2.3.2 and 2.3.3)";
        } else if (text.mnemonic().equals("frstpm(287")) {
            return "FRSTPM is the 80287's only";
        }
        return null;
    }

    private static boolean isPrefix(int b) {
        return b >> 4 == 4 || (b & 0xe7) == 0x26 || b >= 0x64 && b <= 0x67 || b == 0xf0 || b == 0xf2 || b == 0xf3;
    }

    private static boolean isLockable(Text text) {
        String operands = text.operands(), destination = operands.endsWith(")") ? operands : operands.substring(operands.lastIndexOf(',') + 1);
        boolean memory = destination.endsWith(")") || destination.contains(":") || destination.startsWith("0x");
        return memory && LOCKABLE.matcher(text.mnemonic()).matches();
    }

    /* ---- relocator ---- */

    private void relocateBatch() throws Exception {
        for (long slots : new long[] {bias + (end + NEAR & -SlotCode.UNIT), far}) {
            Path file = folder.resolve("slots");
            List<Cell> cells = new ArrayList<>();
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
                long slot = slots;
                for (Site site : batch) {
                    slot = relocate(site, slot, false, slots == far, cells, out);
                    slot = relocate(site, slot, true, slots == far, cells, out);
                }
            }
            if (!cells.isEmpty()) {
                judge(file, slots, cells, slots == far ? "far, " : "near, ");
            }
        }
        batch.clear();
    }

    /** Returns where the next slot begins. */
    private long relocate(Site site, long slot, boolean step, boolean isFar, List<Cell> cells, OutputStream out) throws IOException {
        Line line = site.line();
        Text text = site.text();
        String expected = SlotJudge.refusal(line, text, slot, step), where = (isFar ? "far, " : "near, ") + (step ? "step: " : "boost: ");
        SlotCode code;
        try {
            code = step ? Relocator.step(site.displaced(), slot) : Relocator.boost(site.displaced(), slot);
            SlotVerifier.verify(List.of(new Way(step ? Mechanism.STEP : Mechanism.BOOST, site.displaced(), code)));
        } catch (Relocator.NotRelocatable refused) {
            if (expected == null || !expected.startsWith(refused.refusal.name())) {
                wrong(line, where + "refused, " + refused.refusal + " " + refused.getMessage() + "; expected " + expected);
            } else {
                add(refusals, where + expected);
            }
            return slot;
        } catch (RuntimeException mistake) {
            wrong(line, where + mistake);
            return slot;
        }
        if (expected != null) {
            wrong(line, where + "not refused for " + expected);
            return slot;
        }
        byte[] cell = Arrays.copyOf(code.code(), code.units() * SlotCode.UNIT);
        hideAddresses(cell, code.code().length);
        /* objdump leaves out zeros in multiples of four. */
        Arrays.fill(cell, code.code().length, code.code().length + 3 & -4, (byte) 0xcc);
        out.write(cell);
        cells.add(new Cell(site, step, code));
        return slot + cell.length;
    }

    /** objdump would take the addresses of far jumps for code: it is given nops in their place. The judge reads them from the slot's code. */
    private static void hideAddresses(byte[] cell, int length) {
        for (int behind : new int[] {0, 5, 14}) {
            int at = length - behind - FAR_JUMP.length - Long.BYTES;
            if (at >= 0 && Arrays.equals(cell, at, at + FAR_JUMP.length, FAR_JUMP, 0, FAR_JUMP.length)) {
                Arrays.fill(cell, at + FAR_JUMP.length, at + FAR_JUMP.length + Long.BYTES, (byte) NOP);
            }
        }
    }

    private void judge(Path file, long slots, List<Cell> cells, String where) throws Exception {
        int[] at = {0};
        List<Line> lines = new ArrayList<>();
        Objdump.raw(file, slots, line -> {
            while (at[0] < cells.size() && line.address() >= endOf(cells.get(at[0]))) {
                judge(cells.get(at[0]++), lines, where);
                lines.clear();
            }
            if (at[0] < cells.size() && line.address() >= cells.get(at[0]).code().address()) {
                lines.add(line);
            }
        });
        while (at[0] < cells.size()) {
            judge(cells.get(at[0]++), lines, where);
            lines.clear();
        }
    }

    private static long endOf(Cell cell) {
        return cell.code().address() + cell.code().code().length;
    }

    private void judge(Cell cell, List<Line> lines, String where) {
        SlotCode code = cell.code();
        Line original = cell.site().line();
        if (lines.isEmpty() || lines.get(0).address() != code.address() || lines.get(lines.size() - 1).next() != endOf(cell)) {
            wrong(original, where + "objdump does not find whole instructions in " + HEX.formatHex(code.code()) + ": "
                    + lines.stream().map(Line::text).toList());
            return;
        }
        try {
            SlotJudge judge = new SlotJudge(original, cell.site().text(), code, lines);
            add(forms, where + (cell.step() ? judge.step() : "boost: " + judge.boost()));
        } catch (SlotJudge.Wrong e) {
            wrong(original, where + (cell.step() ? "step: " : "boost: ") + e.getMessage());
        } catch (RuntimeException e) {
            wrong(original, where + e + " at " + e.getStackTrace()[0] + " " + e.getStackTrace()[Math.min(2, e.getStackTrace().length - 1)]);
        }
    }
}
