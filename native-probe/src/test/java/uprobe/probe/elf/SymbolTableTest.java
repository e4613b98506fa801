package uprobe.probe.elf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SymbolTableTest {

    private static final List<SymbolTable.CodeRange> CODE = List.of(new SymbolTable.CodeRange(0x1000, 0x2000));

    private static NativeSymbol function(String name, long address, long size, boolean global) {
        return new NativeSymbol(name, address, size, NativeSymbol.Kind.FUNCTION, global, global ? "dynsym" : "symtab");
    }

    private static SymbolTable table(NativeSymbol... symbols) {
        return new SymbolTable(List.of(symbols), CODE);
    }

    private static Optional<String> nameAt(SymbolTable table, long address) {
        return table.containing(address).map(NativeSymbol::name);
    }

    /* Patterns showed whichever name came first: __libc_malloc, __pthread_mutex_lock. */
    @Test
    void ofAllNamesOfAFunctionTheOneThatPeopleCallIsFirst() {
        SymbolTable table = table(function("__libc_malloc", 0x1000, 0x10, true), function("a", 0x1000, 0x10, false), function("malloc", 0x1000, 0x10, true),
                function("__open64", 0x1100, 0x10, true), function("open64", 0x1100, 0x10, true), function("open", 0x1100, 0x10, true),
                function("_ZN1AC2Ev", 0x1200, 0x10, true), function("_ZN1AC1Ev", 0x1200, 0x10, true),
                function("label", 0x1300, 0, true), function("__sized", 0x1300, 0x10, true));
        assertEquals(List.of("malloc", "open", "_ZN1AC1Ev", "__sized"),
                List.of(0x1000L, 0x1100L, 0x1200L, 0x1300L).stream().map(address -> table.aliases(address).get(0).name()).toList());
        assertEquals(Optional.of("open"), nameAt(table, 0x1108));
        assertEquals(0x1000, table.find("__libc_malloc").get(0).address());
    }

    @Test
    void holdsAFunctionsAddressesFromItsStartUpToItsEnd() {
        SymbolTable table = table(function("f", 0x1010, 0x20, true), function("g", 0x1040, 0x10, true));
        assertEquals(Optional.empty(), nameAt(table, 0x100f));
        assertEquals(Optional.of("f"), nameAt(table, 0x1010));
        assertEquals(Optional.of("f"), nameAt(table, 0x102f));
        assertEquals(Optional.empty(), nameAt(table, 0x1030));
        assertEquals(Optional.of("g"), nameAt(table, 0x104f));
    }

    @Test
    void findsTheInnerOfNestedFunctionsAndTheOuterBehindIt() {
        SymbolTable table = table(function("outer", 0x1000, 0x100, true), function("inner", 0x1010, 0x10, false));
        assertEquals(Optional.of("inner"), nameAt(table, 0x1018));
        assertEquals(Optional.of("outer"), nameAt(table, 0x1020));
    }

    @Test
    void namesTheExportedOfTwoAliases() {
        SymbolTable table = table(function("a_local", 0x1000, 0x10, false), function("exported", 0x1000, 0x10, true));
        assertEquals(Optional.of("exported"), nameAt(table, 0x1008));
        assertEquals(2, table.functions().size());
    }

    @Test
    void aFunctionOfUnknownSizeHoldsNothing() {
        assertEquals(Optional.empty(), nameAt(table(function("asm", 0x1000, 0, true)), 0x1000));
    }

    @Test
    void endsAtTheNextFunctionOrAtTheSegmentsEnd() {
        SymbolTable table = table(function("f", 0x1010, 0, true), function("g", 0x1040, 0, true), function("elsewhere", 0x3000, 0, true));
        assertEquals(0x1010, table.nextFunctionStart(0x1000));
        assertEquals(0x1040, table.nextFunctionStart(0x1010));
        assertEquals(0x2000, table.nextFunctionStart(0x1040));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> table.nextFunctionStart(0x2000)).getMessage().contains("0x2000"));
    }

    @Test
    void aVersionInTheQuestionIsIgnored() {
        SymbolTable table = table(function("foo", 0x1000, 1, true), function("foo", 0x1100, 1, true), function("foot", 0x1200, 1, true));
        for (String name : List.of("foo", "foo@V1", "foo@@V2")) {
            assertEquals(List.of(0x1000L, 0x1100L), table.find(name).stream().map(NativeSymbol::address).toList());
        }
        assertEquals(List.of(), table.find("fo"));
    }

    @Test
    void dropsTheVersionOfASymtabName() {
        assertEquals("foo", SymbolTable.withoutVersion("foo@@GLIBC_2.14"));
        assertEquals("foo", SymbolTable.withoutVersion("foo@GLIBC_2.2.5"));
        assertEquals("@odd", SymbolTable.withoutVersion("@odd"));
    }

    @Test
    void suggestsByEditsFirstAndContainmentNext() {
        SymbolTable table = table(function("inflate", 0x1000, 1, true), function("deflate", 0x1001, 1, true),
                function("deflateInit2_", 0x1002, 1, true), function("deflateEnd", 0x1003, 1, true), function("crc32", 0x1004, 1, true));
        assertEquals(List.of("deflate"), table.nearest("defalte", 2));
        assertEquals(List.of("deflate", "inflate", "deflateEnd"), table.nearest("Deflate", 3));
        assertEquals(List.of("crc32"), table.nearest("crc32_fast", 3));
        assertEquals(List.of(), table.nearest("sqlite3_step", 3));
        assertEquals(List.of(), table.nearest("", 3));
        assertEquals(List.of(), table.nearest("crc32", 0));
    }

    @Test
    void suggestsFromManySymbols() {
        List<NativeSymbol> symbols = new ArrayList<>();
        for (int i = 0; i < 125_000; i++) {
            symbols.add(function("_ZN6duckdb" + Integer.toString(i * 7919, 36) + "ExpressionExecutor13ExecuteFilterERNS_9DataChunkE" + i, 0x1000 + i, 1, true));
        }
        symbols.add(function("_ZN6duckdb5QueryEv", 0x9000000, 1, true));
        SymbolTable table = new SymbolTable(symbols, CODE);
        long start = System.nanoTime();
        List<String> found = table.nearest("_ZN6duckdb5QeuryEv", 3);
        System.out.printf("nearest of %,d: %.1f ms%n", symbols.size(), (System.nanoTime() - start) / 1e6);
        assertEquals("_ZN6duckdb5QueryEv", found.get(0));
    }

    @Test
    void keepsTheFirstOfTwoEqualSymbols() {
        NativeSymbol dynsym = new NativeSymbol("f", 0x1000, 16, NativeSymbol.Kind.FUNCTION, true, "dynsym");
        NativeSymbol symtab = new NativeSymbol("f", 0x1000, 16, NativeSymbol.Kind.FUNCTION, true, "symtab");
        NativeSymbol alias = function("g", 0x1000, 16, true), local = function("f", 0x1000, 16, false), other = function("f", 0x1100, 16, false);
        assertEquals(List.of(dynsym, alias, other), table(other, dynsym, local, alias, symtab, alias).all());
    }
}
