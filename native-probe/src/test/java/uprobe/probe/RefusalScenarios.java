package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.helper.Helper;
import uprobe.probe.spec.ProbeParser;
import uprobe.probe.spec.ProbeType;

/** One refusal, one sentence. Afterwards the text is as it was. */
final class RefusalScenarios {
    /** Kept: JNA unloads a library that nobody refers to. */
    private static final List<NativeLibrary> THROWING = Stream.of("libthrows_shared.so", "libthrows_static.so")
            .map(name -> NativeLibrary.getInstance(Odd.folder().resolve(name).toString())).toList();

    private static void assertRefused(Refusal why, String sentence, String probe) throws Exception {
        TestProbe.engine();
        assertEquals("libodd.so", Odd.LIBRARY.getFile().getName());
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm(probe));
        assertEquals(sentence, refused.getMessage());
        assertEquals(why, refused.refusal());
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    private static void assertMatches(Refusal why, String pattern, String probe) throws Exception {
        TestProbe.engine();
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm(probe));
        assertTrue(refused.getMessage().matches(pattern), refused::getMessage);
        assertEquals(why, refused.refusal());
    }

    @Scenario
    static void libraryNotLoaded() throws Exception {
        assertMatches(Refusal.LIBRARY_NOT_LOADED, "libnowhere: no loaded library matches: loaded are .*\\blibc\\.so\\.6, .*libjvm\\.so.*", "p libnowhere:f");
    }

    @Scenario
    static void unknownSymbolWithTheNearestNames() throws Exception {
        assertRefused(Refusal.SYMBOL_UNKNOWN, "libodd.so!odd_sevn: no such function: similar names there: odd_seven", "p libodd:odd_sevn");
        assertRefused(Refusal.SYMBOL_UNKNOWN, "libodd.so!utterly_different_name: no such function: no name there is like it", "p libodd:utterly_different_name");
    }

    @Scenario
    static void anObjectIsNoFunction() throws Exception {
        assertRefused(Refusal.NOT_A_FUNCTION, "libodd.so!odd_object: the symbol is no function: its kind is OBJECT", "p libodd:odd_object");
    }

    @Scenario
    static void whatAResolverChoseOutsideOfItsLibrary() throws Exception {
        assertRefused(Refusal.IFUNC, "libc.so.6!time: the symbol is a resolver (IFUNC) and has chosen a function outside of the library, mostly the kernel's own"
                + " in [vdso]", "p libc:time");
    }

    @Scenario
    static void offsetOutsideTheFunction() throws Exception {
        assertRefused(Refusal.OFFSET_OUTSIDE, "libodd.so!odd_five_bytes+0x6: the offset lies outside the function: it is 0x6 bytes long", "p libodd:odd_five_bytes+6");
        assertRefused(Refusal.OFFSET_OUTSIDE, "libodd.so!odd_five_bytes+0x100000: the offset lies outside the function: it is 0x6 bytes long",
                "p libodd:odd_five_bytes+0x100000");
    }

    @Scenario
    static void offsetInsideAnInstruction() throws Exception {
        for (int inside = 1; inside < 5; inside++) {
            assertRefused(Refusal.MID_INSTRUCTION, "libodd.so!odd_five_bytes+0x" + inside + ": the offset lies inside an instruction: the instructions"
                    + " around it begin at +0x0 and +0x5", "p libodd:odd_five_bytes+" + inside);
        }
        TestProbe.arm("p libodd:odd_five_bytes+5").close();
    }

    /* The trap of a probe that is already there must not be taken for the code. */
    @Scenario
    static void offsetInsideAnInstructionWhoseFirstByteIsOurTrap() throws Exception {
        TestProbe probe = TestProbe.arm("p libodd:odd_five_bytes");
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm("p libodd:odd_five_bytes+1"));
        assertEquals(Refusal.MID_INSTRUCTION, refused.refusal());
        probe.close();
    }

    @Scenario
    static void bytesThatAreNoInstruction() throws Exception {
        assertRefused(Refusal.NOT_AN_INSTRUCTION, "libodd.so!odd_no_instruction: the bytes there are no instruction", "p libodd:odd_no_instruction");
    }

    @Scenario
    static void restartableSequences() throws Exception {
        assertRefused(Refusal.RESTARTABLE_SEQUENCE, "libodd.so!odd_restartable+0x3: the instruction lies in a restartable sequence (rseq), which a trap would"
                + " abort", "p libodd:odd_restartable+3");
        TestProbe.arm("p libodd:odd_restartable").close();
        TestProbe.arm("p libodd:odd_restartable+6").close();
    }

    @Scenario
    static void functionsThatLookAtTheirReturnAddress() throws Exception {
        for (String function : List.of("odd_reads_return", "odd_reads_return_later", "odd_reads_return_framed", "odd_pops_return", "odd_adds_to_return")) {
            for (String type : List.of("r", "c")) {
                assertRefused(Refusal.READS_RETURN_ADDRESS, "libodd.so!" + function + ": the function reads its own return address, which a return probe"
                        + " changes: use p", type + " libodd:" + function);
            }
            TestProbe entry = TestProbe.arm("p libodd:" + function);
            assertThrows(ProbeRefusedException.class, () -> TestProbe.arm("c libodd:" + function), "also where a site is already");
            entry.close();
        }
        TestProbe.arm("c libodd:odd_reads_stack_argument").close();
        TestProbe.arm("c libodd:odd_fences_first").close();
    }

    private static List<String> symbols(Probe probe) {
        return probe.sites().stream().map(ArmedSite::symbol).sorted().toList();
    }

    /* Each .cold part was a refusal of its own, 37 of DuckDB's natives. */
    @Scenario
    static void aPatternDoesNotMeanPartsOfFunctions() throws Exception {
        assertNotNull(Odd.LIBRARY);
        CommitMethod.Factory factory = (id, spec, stem, symbol, memory) -> new CommitMethod(TestProbe.class, "commit");
        for (String type : List.of("c", "r", "p")) {
            Probe probe = TestProbe.engine().define(ProbeParser.parse(type + " libodd:{odd_seven,odd_whole*}"), factory);
            assertEquals(List.of("odd_seven"), symbols(probe));
            assertEquals(1, probe.parts());
            assertEquals(List.of(), probe.refused());
        }
        Probe moved = TestProbe.engine().define(ProbeParser.parse("c libodd:{odd_moved_part,odd_seven}"), factory);
        assertEquals(List.of("odd_seven"), symbols(moved));
        assertEquals(1, moved.parts());
        assertRefused(Refusal.PART_OF_FUNCTION, "libodd.so!odd_whole.cold: what begins there is a part of a function, whose return address lies elsewhere on the stack: use p",
                "p libodd:{odd_whole.cold,odd_none}");
    }

    @Scenario(oneJdk = true)
    static void aPatternShowsTheNameThatPeopleCallWhicheverItMatched() throws Exception {
        CommitMethod.Factory factory = (id, spec, stem, symbol, memory) -> new CommitMethod(TestProbe.class, "commit");
        assertEquals(List.of("calloc", "malloc"), symbols(TestProbe.engine().define(ProbeParser.parse("p libc:{__libc_malloc,__libc_calloc}"), factory)));
        assertEquals(List.of("pthread_mutex_lock"), symbols(TestProbe.engine().define(ProbeParser.parse("c libc:{__,}pthread_mutex_lock*"), factory)));
        assertEquals(List.of("__libc_malloc"), symbols(TestProbe.engine().define(ProbeParser.parse("c libc:__libc_malloc"), factory)), "as it was asked for");
    }

    @Scenario
    static void partsOfFunctions() throws Exception {
        for (String part : List.of("odd_moved_part", "odd_whole.cold")) {
            assertRefused(Refusal.PART_OF_FUNCTION, "libodd.so!" + part + ": what begins there is a part of a function, whose return address lies elsewhere on"
                    + " the stack: use p", "c libodd:" + part);
            TestProbe.arm("p libodd:" + part).close();
        }
    }

    /* A jump table in the text of hand-written code: no branch leads there, and it does not decode to what a compiler emits. */
    @Scenario
    static void dataInText() throws Exception {
        assertMatches(Refusal.DATA_IN_TEXT, "libodd.so!odd_table_in_text\\+0xa: what stands there may be data: no branch leads there, and at \\+0x[0-9a-f]+"
                + " stands what no compiler emits", "p libodd:odd_table_in_text+10");
        TestProbe.arm("p libodd:odd_table_in_text+7").close();
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    @Scenario
    static void somebodysBreakpoint() throws Exception {
        assertRefused(Refusal.FOREIGN_TRAP, "libodd.so!odd_int3: a breakpoint or trap instruction is already there", "p libodd:odd_int3");
        assertRefused(Refusal.FOREIGN_TRAP, "libodd.so!odd_ud2: a breakpoint or trap instruction is already there", "c libodd:odd_ud2");
    }

    @Scenario
    static void whatTheMechanismCannotDo() throws Exception {
        assertRefused(Refusal.NOT_EMULATED, "libodd.so!odd_syscalls_first: the trap handler does not know how to do what the instruction does",
                "p libodd:odd_syscalls_first mechanism=emulate");
        assertRefused(Refusal.NOT_DISPLACEABLE, "libodd.so!odd_syscalls_first: the instruction can not run elsewhere: it ends or holds off the trap of a"
                + " single step", "p libodd:odd_syscalls_first mechanism=step");
        assertRefused(Refusal.NOT_DISPLACEABLE, "libodd.so!odd_begins_transaction: the instruction can not run elsewhere: it begins a transaction, which a"
                + " trap would abort", "p libodd:odd_begins_transaction");
    }

    @Scenario
    static void privilegedInstruction() throws Exception {
        assertRefused(Refusal.PRIVILEGED, "libodd.so!odd_hlt: the displaced instruction is privileged or leaves the code segment", "p libodd:odd_hlt");
    }

    @Scenario
    static void theTrapsOwnWay() throws Exception {
        if (!TestProbe.library("libc.so.6").symbols().find("__restore_rt").isEmpty()) {     /* a name of the debug file's */
            assertRefused(Refusal.HANDLES_SIGNALS, "libc.so.6!__restore_rt: the trap's own return goes through this function", "p libc:__restore_rt");
        }
    }

    @Scenario
    static void codeOfTheVmThatFaultsOnPurpose() throws Exception {
        List<NativeSymbol> functions = TestProbe.library("libjvm.so").symbols().functions();
        for (String part : List.of("SafeFetch", "Unsafe_", "_ZN4Copy")) {
            Set<String> names = functions.stream().map(NativeSymbol::name).filter(n -> n.contains(part)).collect(Collectors.toCollection(TreeSet::new));
            for (String name : names) {
                assertEquals(Refusal.FAULTS_ON_PURPOSE, DeniedFunctions.of("libjvm", name, ProbeType.ENTRY), name);
            }
            assertTrue(!names.isEmpty() || functions.size() < 1000, "a libjvm with all its symbols has functions of " + part);
        }
        assertEquals(null, DeniedFunctions.of("libjvm", "JVM_Sleep", ProbeType.ENTRY));
        assertEquals(null, DeniedFunctions.of("libodd", "Unsafe_thing", ProbeType.ENTRY));
    }

    @Scenario
    static void returnsTwice() throws Exception {
        for (String function : List.of("getcontext", "swapcontext")) {
            assertRefused(Refusal.RETURNS_TWICE, "libc.so.6!" + function + ": the function returns twice or elsewhere, so its return can not be seen",
                    "c libc:" + function);
        }
        TestProbe.arm("p libc:getcontext").close();
        TestProbe.assertTextIsOriginal("libc.so.6");
    }

    @Scenario
    static void readsItsReturnAddress() throws Exception {
        for (String function : List.of("dlsym", "dlopen")) {
            String library = TestProbe.library("libc.so.6").symbols().find(function).isEmpty() ? "libdl" : "libc";
            assertMatches(Refusal.READS_RETURN_ADDRESS, "lib(c|dl)\\.so\\.\\d!" + function
                    + ": the function reads its own return address, which a return probe changes", "c " + library + ":" + function);
        }
    }

    @Scenario
    static void ownCode() throws Exception {
        assertRefused(Refusal.OWN_CODE, "libuprobe: the library is the probe engine's own", "p libuprobe:up_clock");
        String others = "libZydis: no loaded library matches: loaded are (?!.*(libuprobe|libZydis|jna\\d+)).*libjvm\\.so.*";
        assertMatches(Refusal.LIBRARY_NOT_LOADED, others, "c libZydis:ZydisDecoderInit");    /* the application may bring its own */
        assertMatches(Refusal.LIBRARY_NOT_LOADED, others.replace("libZydis: ", "libjnidispatch: "), "c libjnidispatch:*");
        assertMatches(Refusal.NOT_THERE_YET, "\\*:up_(clock|decoder): none of the loaded libraries that match has such a function: .*", "p *:up_clock");
    }

    /** Somebody writes over a site that we know but have not armed, and over one that we have. */
    @Scenario
    static void somebodyChangedTheCode() throws Exception {
        TestProbe probe = TestProbe.arm("p libodd:odd_red_zone");
        long address = probe.armed().sites().get(0).address();
        byte[] original = new byte[1];
        probe.close();
        Helper.up_text_read(address, original, 1);
        Helper.up_code_write(address, new byte[] {(byte) 0xf4}, 1);
        ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm("p libodd:odd_red_zone"));
        assertEquals(Refusal.TEXT_CHANGED, refused.refusal());
        assertTrue(refused.getMessage().startsWith("libodd.so!odd_red_zone: somebody else changed the code there"), refused::getMessage);
        Helper.up_code_write(address, original, 1);
        TestProbe.assertTextIsOriginal("libodd.so");

        TestProbe again = TestProbe.arm("p libodd:odd_red_zone");
        Helper.up_code_write(address, new byte[] {(byte) 0xf4}, 1);
        assertEquals(again.armed().sites(), again.armed().disarm(), "the site that was left alone");
        byte[] now = new byte[1];
        Helper.up_text_read(address, now, 1);
        assertEquals((byte) 0xf4, now[0]);
        Helper.up_code_write(address, original, 1);
        try (TestProbe last = TestProbe.arm("p libodd:odd_red_zone $arg1")) {
            assertEquals(137, Odd.odd_red_zone(1));
            last.assertValues(1);
        }
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    /* A pattern's libraries come one by one; which of them refuses must not depend on the order. */
    @Scenario
    static void aLibraryThatRefusesIsToldAndTheOthersAreArmed() throws Exception {
        assertEquals(2, THROWING.size());
        TestProbe both = TestProbe.arm("p libthrows_*:odd_throws");
        assertEquals(2, both.armed().sites().size());
        both.close();
        LoadedLibrary shared = TestProbe.library("libthrows_shared.so"), last = TestProbe.library("libthrows_static.so");
        if (last.textStart() < shared.textStart()) {
            LoadedLibrary swap = last;
            last = shared;
            shared = swap;
        }
        long address = last.symbols().find("odd_throws").get(0).address();
        byte[] original = new byte[1];
        Helper.up_text_read(address, original, 1);
        Helper.up_code_write(address, new byte[] {(byte) 0xf4}, 1);
        try (TestProbe other = TestProbe.arm("p libthrows_*:odd_throws")) {
            assertEquals(List.of(shared.fileName()), other.armed().sites().stream().map(ArmedSite::library).toList());
            assertEquals(List.of(Refusal.TEXT_CHANGED), other.armed().refused().stream().map(RefusedFunction::refusal).toList());
        }
        TestProbe.assertTextIsOriginal(shared.fileName());
        Helper.up_code_write(address, original, 1);
        TestProbe.assertTextIsOriginal(last.fileName());
    }

    /** Symbols of one address are one function: under another name it must not get through. */
    @Scenario(oneJdk = true)
    static void aDeniedFunctionIsDeniedUnderEveryName() throws Exception {
        TestProbe.engine();
        LoadedLibrary libc = TestProbe.library("libc.so.6");
        Map<Long, List<NativeSymbol>> byAddress = libc.symbols().functions().stream().filter(f -> f.kind() == NativeSymbol.Kind.FUNCTION)
                .collect(Collectors.groupingBy(NativeSymbol::address));
        Set<String> through = new TreeSet<>();
        int tried = 0;
        for (List<NativeSymbol> names : byAddress.values()) {
            if (names.stream().anyMatch(n -> DeniedFunctions.of("libc", n.name(), ProbeType.CALL) != null)) {
                for (NativeSymbol name : names) {
                    tried++;
                    try {
                        TestProbe.arm("c libc:" + name.name()).close();
                        through.add(name.name() + " is " + names);
                    } catch (ProbeRefusedException e) {
                        /* as it should be */
                    }
                }
            }
        }
        assertEquals(Set.of(), through);
        assertTrue(tried > 15, tried + " names");
    }

    /** A sample of libm: what the engine takes can be armed, all at one time, and leaves no trace. */
    @Scenario(oneJdk = true)
    static void everyFunctionOfALibraryIsArmedOrRefusedWithAReason() throws Exception {
        TestProbe.engine();
        List<TestProbe> armed = new ArrayList<>();
        int refused = 0;
        LoadedLibrary libm = TestProbe.library("libm.so.6");
        for (NativeSymbol f : libm.symbols().functions().stream().filter(f -> f.address() % 64 == 0).toList()) {
            try {
                armed.add(TestProbe.arm("p libm:" + f.name()));
            } catch (ProbeRefusedException e) {
                assertTrue(e.getMessage().startsWith("libm.so.6!"), e::getMessage);
                refused++;
            }
        }
        assertEquals(Math.sin(0.5), StrictMath.sin(0.5), 1e-15);
        armed.forEach(TestProbe::close);
        ChildJvm.note(armed.size() + " functions of libm armed at one time, " + refused + " refused");
        assertTrue(armed.size() > 30);
        TestProbe.assertTextIsOriginal("libm.so.6");
    }

    /* Go's runtime gave up the process, "unexpected return pc", as soon as it walked or moved a stack with a probed function on it. */
    @Scenario
    static void gosFunctionsTakeNoProbeOfTheirReturn() throws Exception {
        TestProbe.engine();
        for (String layout : List.of("new", "old", "unknown")) {
            String library = "libgo_" + layout;
            NativeLibrary loaded = NativeLibrary.getInstance(Odd.folder().resolve(library + ".so").toString());
            for (String type : List.of("r ", "c ")) {
                assertMatches(Refusal.GO_FUNCTION, library + "\\.so!odd_go_walked: the function is Go's, whose runtime walks and moves its stacks and must"
                        + " find its own return addresses there: use p; the functions that it exports to C can be probed by r and c", type + library + ":odd_go_walked");
            }
            try (TestProbe entry = TestProbe.arm("p " + library + ":odd_go_walked")) {
                assertEquals(42L, loaded.getFunction("odd_go_walked").invoke(Long.class, new Object[] {41L}));
                assertEquals(1, entry.counters().hits());
            }
            if (layout.equals("unknown")) {
                assertMatches(Refusal.GO_FUNCTION, ".*", "c " + library + ":odd_go_exported");
                continue;
            }
            try (TestProbe call = TestProbe.arm("c " + library + ":odd_go_exported")) {
                assertEquals(43L, loaded.getFunction("odd_go_exported").invoke(Long.class, new Object[] {41L}));
                assertEquals(1, call.counters().hits());
            }
        }
    }

    /** Words in the data of other libraries are not taken for Go's tables. */
    @Scenario
    static void noOtherLibraryIsTakenForGos() throws Exception {
        for (LoadedLibrary library : LoadedLibraries.snapshot().all()) {
            assertEquals(library.fileName().startsWith("libgo_"), library.goCode().isPresent(), library.fileName());
        }
    }

    private RefusalScenarios() {}
}
