package uprobe.probe.code;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.helper.Helper;

/** What the helper says of many functions at once is what {@link FunctionCode} finds in each by itself. */
class EntriesTest {
    @BeforeAll
    static void loadsTheDecoder() throws Exception {
        Helper.load();
    }

    @Test
    void manyFunctionsAtOnceAreAsEachByItself() throws Exception {
        int functions = 0, loopHeads = 0, users = 0;
        List<String> wrong = new ArrayList<>();
        for (LoadedLibrary library : LoadedLibraries.snapshot().all()) {
            List<NativeSymbol> symbols = library.symbols().functions().stream()
                    .filter(s -> s.size() > 0 && s.size() < 1 << 16 && s.end() <= library.codeEnd(s.address())).toList();
            if (symbols.isEmpty() || library.codeEnd(symbols.get(0).address()) < symbols.get(symbols.size() - 1).end()) {
                continue;
            }
            long[] starts = symbols.stream().mapToLong(NativeSymbol::address).toArray(), ends = symbols.stream().mapToLong(NativeSymbol::end).toArray();
            try (CodeText text = CodeText.read(starts[0], (int) (library.codeEnd(starts[0]) - starts[0]))) {
                Entries entries = Entries.of(text, starts, ends);
                for (int i = 0; i < starts.length; i++) {
                    int length = (int) symbols.get(i).size();
                    FunctionCode alone = new FunctionCode(text.bytes(starts[i], length + InstructionTable.LONGEST), starts[i], length);
                    String here = first(entries, i) + " " + entries.usesReturnAddress(i), there = at(alone) + " " + alone.usesReturnAddress();
                    if (!here.equals(there)) {
                        wrong.add(library.fileName() + "!" + symbols.get(i).name() + ": " + here + ", by itself " + there);
                    }
                    functions++;
                    loopHeads += here.contains("loopHead=true") ? 1 : 0;
                    users += entries.usesReturnAddress(i) ? 1 : 0;
                }
            }
        }
        System.out.printf("%,d functions, %d begin with a loop, %d use their return address%n", functions, loopHeads, users);
        assertEquals(List.of(), wrong.subList(0, Math.min(10, wrong.size())));
        assertTrue(functions > 10_000 && loopHeads > 10 && users > 10);
    }

    /** All but the array, which has no text of its own. */
    private static String text(Displaced d) {
        return d.instruction() + " " + java.util.HexFormat.of().formatHex(d.bytes()) + " " + d.detail() + " loopHead=" + d.loopHead();
    }

    private static String first(Entries entries, int i) {
        try {
            return text(entries.first(i, ""));
        } catch (ProbeRefusedException e) {
            return e.refusal().name();
        }
    }

    private static String at(FunctionCode function) {
        try {
            return text(function.at(function.start(), ""));
        } catch (ProbeRefusedException e) {
            return e.refusal().name();
        }
    }

    @Test
    void whatLiesOutsideOfTheTextHasNoInstruction() throws Exception {
        LoadedLibrary libc = LoadedLibraries.snapshot().all().stream().filter(l -> l.fileName().startsWith("libc.so")).findFirst().orElseThrow();
        try (CodeText text = CodeText.read(libc.textStart() + 4096, 4096)) {
            long[] starts = {text.start() - 1, text.end(), text.start()}, ends = {text.start() + 10, text.end() + 10, text.start() - 10};
            Entries entries = Entries.of(text, starts, ends);
            for (int i = 0; i < starts.length; i++) {
                int at = i;
                assertEquals(Refusal.NOT_AN_INSTRUCTION, assertThrows(ProbeRefusedException.class, () -> entries.first(at, "")).refusal());
            }
        }
    }
}
