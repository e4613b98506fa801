package uprobe.probe.code;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import capstone.Capstone;
import com.sun.jna.NativeLibrary;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.probe.code.InstructionTable.Instruction;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.helper.Helper;

/** The decoder against binutils over whole libraries, and against Capstone over a sample. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InstructionTableTest {
    /** What the whole of a library must at least give; libz is the smallest. */
    private static final int LEAST = 10_000, LEAST_IN_ALL = 500_000;
    private static final int SAMPLE = 20_000;
    private int comparedInAll;

    @BeforeAll
    static void loadsLibraries() throws Exception {
        Helper.load();
        NativeLibrary.getInstance(library("libc.").path().resolveSibling("libz.so.1").toString());
        NativeLibrary.getInstance(library("libc.").path().resolveSibling("libm.so.6").toString());
    }

    private static LoadedLibrary library(String prefix) throws IOException {
        return LoadedLibraries.snapshot().all().stream().filter(l -> l.fileName().startsWith(prefix)).findFirst()
                .orElseThrow(() -> new IOException("no " + prefix + " is loaded"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        55                         | 1 | 0 | 0
        48 8b 05 d4 03 00 00       | 7 | 3 | 1025
        81 3d 10 00 00 00 57 7e 00 00 | 10 | 2 | 1025
        eb 10                      | 2 | 0 | 1026
        0f 84 0c 00 00 00          | 6 | 0 | 1026
        e2 10                      | 2 | 0 | 1026
        e3 10                      | 2 | 0 | 1026
        e8 00 00 00 00             | 5 | 0 | 1028
        ff d0                      | 2 | 0 | 4
        c3                         | 1 | 0 | 8
        cc                         | 1 | 0 | 16
        0f 0b                      | 2 | 0 | 16
        f4                         | 1 | 0 | 32
        0f 05                      | 2 | 0 | 64
        ff e0                      | 2 | 0 | 128
        ff 25 00 00 00 00          | 6 | 2 | 1153
        06                         | 0 | 0 | 0
        """)
    void saysWhatAnInstructionDoesWithItsAddress(String bytes, int length, int displacementAt, int flags) {
        Instruction i = InstructionTable.decode(HexFormat.ofDelimiter(" ").parseHex(bytes), 0x1000).get(0);
        assertEquals(length, i.length(), "length");
        assertEquals(displacementAt, i.displacementAt(), "displacementAt");
        assertEquals(flags, i.flags(), "flags");
    }

    @Test
    void findsTheInstructionThatHoldsAByte() {
        /* push rbp; mov rbp, rsp; 06; ret */
        InstructionTable table = InstructionTable.decode(HexFormat.of().parseHex("554889e506c3"), 0x1000);
        assertEquals(4, table.size());
        assertEquals(0x1001, table.containing(0x1003).address());
        assertEquals(0, table.containing(0x1004).length());
        assertEquals(0x1005, table.containing(0x1005).address());
        assertNull(table.containing(0x1006));
        assertNull(table.containing(0xfff));
    }

    static Stream<String> libraries() {
        return Stream.of("libz.", "libm.", "libc.", "libjvm.");
    }

    /** Runs in libraries()' order; the last one checks the sum. */
    @ParameterizedTest
    @MethodSource("libraries")
    void agreesWithObjdumpOnEveryInstruction(String name) throws Exception {
        LoadedLibrary library = library(name);
        ObjdumpComparison comparison = new ObjdumpComparison(library);
        comparison.run();
        System.out.println(library.fileName() + ": " + comparison);
        assertEquals(List.of(), comparison.differences, comparison::toString);
        assertTrue(comparison.compared >= LEAST, comparison::toString);
        /* After a byte that begins no instruction the two go on differently until the next symbol: tables in text, and little of it. */
        assertTrue(comparison.passedOver * 500L < comparison.compared, comparison::toString);
        comparedInAll += comparison.compared;
        if (name.equals("libjvm.")) {
            System.out.println("compared with objdump in all: " + comparedInAll);
            assertTrue(comparedInAll >= LEAST_IN_ALL, comparedInAll + " instructions compared");
        }
    }

    /** Lengths from one symbol to the next, where objdump starts afresh as we do. */
    private static final class ObjdumpComparison {
        final LoadedLibrary library;
        final byte[] text;
        final long textStart;
        int compared, passedOver;
        final List<String> differences = new ArrayList<>();
        /** Addresses of the stretch since the last symbol. */
        private long[] stretch = new long[1024];
        private boolean[] bad = new boolean[1024];
        private int count;

        ObjdumpComparison(LoadedLibrary library) throws IOException {
            this.library = library;
            textStart = library.textStart();
            text = library.fileBytes(textStart, (int) (library.textEnd() - textStart));
        }

        void run() throws IOException, InterruptedException {
            Process objdump = new ProcessBuilder("objdump", "-d", "-w", "-z", "--no-show-raw-insn", library.path().toString())
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            try (BufferedReader out = new BufferedReader(new InputStreamReader(objdump.getInputStream(), StandardCharsets.ISO_8859_1), 1 << 20)) {
                for (String line; (line = out.readLine()) != null;) {
                    int colon = line.indexOf(':');
                    if (line.startsWith(" ") && colon > 0 && colon + 1 < line.length() && line.charAt(colon + 1) == '\t') {
                        add(address(line, colon), line.indexOf("(bad)", colon) > 0);
                    } else if (line.endsWith(">:")) {
                        compare(Long.parseLong(line, 0, line.indexOf(' '), 16));
                    } else if (line.startsWith("Disassembly")) {
                        compare(-1);
                    }
                }
            }
            compare(-1);
            assertEquals(0, objdump.waitFor(), "objdump");
        }

        private static long address(String line, int colon) {
            int from = 0;
            while (line.charAt(from) == ' ') {
                from++;
            }
            return Long.parseLong(line, from, colon, 16);
        }

        private void add(long address, boolean isBad) {
            if (count == stretch.length) {
                stretch = Arrays.copyOf(stretch, 2 * count);
                bad = Arrays.copyOf(bad, 2 * count);
            }
            stretch[count] = address;
            bad[count++] = isBad;
        }

        /** @param next where the next stretch begins; -1: unknown, so is the length of the last instruction of this one */
        private void compare(long next) {
            if (count > 1) {
                long start = stretch[0], end = next > stretch[count - 1] ? next : stretch[count - 1];
                int from = (int) (start + library.loadBias() - textStart);
                InstructionTable ours = InstructionTable.decode(Arrays.copyOfRange(text, from, from + (int) (end - start)), start);
                int n = next > stretch[count - 1] ? count : count - 1;
                for (int i = 0, row = 0; i < n; i++, row++) {
                    long length = (i + 1 < count ? stretch[i + 1] : end) - stretch[i];
                    if (bad[i] || row >= ours.size() || ours.get(row).length() == 0) {
                        passedOver += n - i;
                        if (row < ours.size() && bad[i] != (ours.get(row).length() == 0)) {
                            differences.add(describe(i, length, ours.get(row)) + (bad[i] ? ", objdump: (bad)" : ""));
                        }
                        break;
                    }
                    Instruction o = ours.get(row);
                    if (isFwaitAndMore(ours, row, length)) {
                        row++;
                    } else if (o.address() != stretch[i] || o.length() != length) {
                        differences.add(describe(i, length, o));
                        passedOver += n - i;
                        break;
                    }
                    compared++;
                }
            }
            count = 0;
        }

        /** 9b: fwait, an instruction of its own to the processor, though assemblers write fwait and fnstcw as fstcw, and objdump with them. */
        private boolean isFwaitAndMore(InstructionTable ours, int row, long length) {
            Instruction o = ours.get(row);
            return text[(int) (o.address() + library.loadBias() - textStart)] == (byte) 0x9b && row + 1 < ours.size()
                    && ours.get(row + 1).length() + 1 == length;
        }

        private String describe(int i, long length, Instruction ours) {
            int at = (int) (stretch[i] + library.loadBias() - textStart);
            return String.format("%s at 0x%x: objdump %d bytes, ours %d: %s", library.fileName(), stretch[i], length, ours.length(),
                    HexFormat.ofDelimiter(" ").formatHex(text, at, Math.min(text.length, at + 16)));
        }

        @Override
        public String toString() {
            return compared + " instructions compared with objdump, " + passedOver + " behind data in text passed over, " + differences.size()
                    + " differences";
        }
    }

    /* Capstone 4 knows no AVX-512 beyond its beginnings. Bytes in this order: legacy prefixes, then 62 (EVEX), or c4, c5 (VEX) with an opmask opcode. */
    private static boolean isAvx512(byte[] code, int at) {
        int first = code[at] & 0xff;
        if (first == 0x62) {
            return true;
        }
        int opcode = first == 0xc5 ? code[at + 2] & 0xff : first == 0xc4 ? code[at + 3] & 0xff : 0;
        return opcode >= 0x41 && opcode <= 0x4b || opcode >= 0x90 && opcode <= 0x93 || opcode >= 0x98 && opcode <= 0x99
                || opcode >= 0x30 && opcode <= 0x33;
    }

    @Test
    void agreesWithCapstoneOnASample() throws Exception {
        NativeLibrary.addSearchPath("capstone", library("libc.").path().getParent().toString());
        Capstone capstone;
        try {
            capstone = new Capstone(Capstone.CS_ARCH_X86, Capstone.CS_MODE_64);
        } catch (UnsatisfiedLinkError e) {
            fail("the second decoder's native library is missing: install libcapstone4 (" + e.getMessage() + ")");
            return;
        }
        capstone.setDetail(Capstone.CS_OPT_OFF);
        Random random = new Random(20_170_915);
        int compared = 0, avx512 = 0;
        List<String> differences = new ArrayList<>();
        List<LoadedLibrary> libraries = new ArrayList<>();
        for (String name : libraries().toList()) {
            libraries.add(library(name));
        }
        while (compared < SAMPLE) {
            LoadedLibrary library = libraries.get(random.nextInt(libraries.size()));
            List<NativeSymbol> functions = library.symbols().functions().stream().filter(f -> f.size() > 0 && f.size() < 1 << 16).toList();
            NativeSymbol function = functions.get(random.nextInt(functions.size()));
            byte[] code = library.fileBytes(function.address(), (int) function.size());
            InstructionTable table = InstructionTable.decode(code, function.address());
            for (int i = 0; i < table.size() && table.get(i).length() > 0; i++) {
                Instruction ours = table.get(i);
                int at = (int) (ours.address() - function.address());
                byte[] bytes = Arrays.copyOfRange(code, at, at + ours.length());
                Capstone.CsInsn[] theirs = capstone.disasm(bytes, ours.address(), 1);
                compared++;
                if (theirs.length == 0 || theirs[0].size != ours.length()) {
                    if (isAvx512(bytes, 0)) {
                        avx512++;
                    } else {
                        differences.add(String.format("%s!%s+0x%x: %s: Capstone %s", library.fileName(), function.name(), at,
                                HexFormat.ofDelimiter(" ").formatHex(bytes), theirs.length == 0 ? "knows none" : "has " + theirs[0].size + " bytes"));
                    }
                } else if (ours.is(InstructionTable.BRANCH | InstructionTable.CALL) && ours.is(InstructionTable.RELATIVE)
                        && !ours.is(InstructionTable.RIP_RELATIVE)) {
                    assertEquals(Long.toHexString(ours.target()), theirs[0].opStr.replaceFirst("^0x", ""),
                            () -> library.fileName() + "!" + function.name() + ": target of " + theirs[0].mnemonic);
                }
            }
        }
        System.out.println("compared with Capstone: " + compared + " instructions, " + avx512 + " of AVX-512 that it does not know");
        assertEquals(List.of(), differences);
        assertTrue(avx512 * 20 < compared, avx512 + " of " + compared + " unknown to Capstone: the sample says little");
    }
}
