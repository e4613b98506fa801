package uprobe.probe.code;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uprobe.probe.Refusal;
import uprobe.probe.helper.Helper;
import uprobe.probe.spec.Mechanism;

/** Bytes and address in, bytes or refusal out. All sites are at 0x401000 and all slots at 0x600000, so the numbers can be added by hand. */
class RelocatorTest {
    private static final long SITE = 0x401000, SLOT = 0x600000;
    private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

    @BeforeAll
    static void loadsTheDecoder() throws Exception {
        Helper.load();
    }

    private static Displaced displaced(String bytes, long site) {
        InstructionTable table = InstructionTable.decode(HEX.parseHex(bytes), site);
        assertEquals(1, table.size(), () -> bytes + " is one instruction");
        assertTrue(table.get(0).length() > 0, () -> bytes + " is an instruction");
        return Displaced.of(table.get(0), HEX.parseHex(bytes));
    }

    private static String relocated(String bytes, long site, long slot) throws Relocator.NotRelocatable {
        Displaced displaced = displaced(bytes, site);
        return verified(new Way(Mechanism.BOOST, displaced, Relocator.boost(displaced, slot)));
    }

    private static String stepped(String bytes, long slot) throws Relocator.NotRelocatable {
        Displaced displaced = displaced(bytes, SITE);
        return verified(new Way(Mechanism.STEP, displaced, Relocator.step(displaced, slot)));
    }

    private static String verified(Way way) {
        SlotVerifier.verify(List.of(way));
        return HEX.formatHex(way.slot().code());
    }

    /* jump back: e9, rel32 = site + length - (slot + length of the copy + 5) */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        push rbp                     | 55                         | 55 e9 fb 0f e0 ff
        mov rbp, rsp                 | 48 89 e5                   | 48 89 e5 e9 fb 0f e0 ff
        sub rsp, 0x18                | 48 83 ec 18                | 48 83 ec 18 e9 fb 0f e0 ff
        endbr64                      | f3 0f 1e fa                | f3 0f 1e fa e9 fb 0f e0 ff
        nop word [rax+rax]           | 66 0f 1f 84 00 00 00 00 00 | 66 0f 1f 84 00 00 00 00 00 e9 fb 0f e0 ff
        mov rax, [rsp-8]             | 48 8b 44 24 f8             | 48 8b 44 24 f8 e9 fb 0f e0 ff
        movabs rax, imm64            | 48 b8 88 77 66 55 44 33 22 11 | 48 b8 88 77 66 55 44 33 22 11 e9 fb 0f e0 ff
        lock cmpxchg [rdi], rsi      | f0 48 0f b1 37             | f0 48 0f b1 37 e9 fb 0f e0 ff
        rep movsb                    | f3 a4                      | f3 a4 e9 fb 0f e0 ff
        vmovdqu64 zmm0, [rsi]        | 62 f1 fe 48 6f 06          | 62 f1 fe 48 6f 06 e9 fb 0f e0 ff
        mov rax, fs:[0]              | 64 48 8b 04 25 00 00 00 00 | 64 48 8b 04 25 00 00 00 00 e9 fb 0f e0 ff
        """)
    void copiesWhatDoesNotDependOnItsAddress(String what, String bytes, String expected) throws Exception {
        assertEquals(expected, relocated(bytes, SITE, SLOT));
    }

    /* disp' = disp + site - slot = disp - 0x1ff000 */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        mov rax, [rip+0x3d4]: reads 0x4013db      | 48 8b 05 d4 03 00 00          | 48 8b 05 d4 13 e0 ff e9 fb 0f e0 ff
        lea rdi, [rip-0x7]: the site itself       | 48 8d 3d f9 ff ff ff          | 48 8d 3d f9 0f e0 ff e9 fb 0f e0 ff
        cmp dword [rip+0x10], 0x7e57: imm behind  | 81 3d 10 00 00 00 57 7e 00 00 | 81 3d 10 10 e0 ff 57 7e 00 00 e9 fb 0f e0 ff
        cmp byte [rip+0x10], 0                    | 80 3d 10 00 00 00 00          | 80 3d 10 10 e0 ff 00 e9 fb 0f e0 ff
        vmovaps zmm0, [rip+0x10]: disp is 32 bits | 62 f1 7c 48 28 05 10 00 00 00 | 62 f1 7c 48 28 05 10 10 e0 ff e9 fb 0f e0 ff
        data16 lea rdi, [rip+0x10]: TLS, as in gd | 66 48 8d 3d 10 00 00 00       | 66 48 8d 3d 10 10 e0 ff e9 fb 0f e0 ff
        """)
    void aimsRipRelativeOperandsAtWhatTheyReadBefore(String what, String bytes, String expected) throws Exception {
        assertEquals(expected, relocated(bytes, SITE, SLOT));
    }

    /* rel32 = target - (slot + length of the widened branch); back to the instruction behind the site, wherever the branch goes */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        jmp 0x401012, rel8           | eb 10             | e9 0d 10 e0 ff
        jmp 0x401012, rel32          | e9 0d 00 00 00    | e9 0d 10 e0 ff
        jmp 0x401000: itself         | eb fe             | e9 fb 0f e0 ff
        jmp 0x400f82, farthest back  | eb 80             | e9 7d 0f e0 ff
        bnd jmp: bnd says nothing    | f2 e9 0c 00 00 00 | e9 0d 10 e0 ff
        je with a branch hint        | 3e 74 0f          | 0f 84 0c 10 e0 ff e9 f8 0f e0 ff
        je  0x401012, rel8           | 74 10             | 0f 84 0c 10 e0 ff e9 f7 0f e0 ff
        je  0x401012, rel32          | 0f 84 0c 00 00 00 | 0f 84 0c 10 e0 ff e9 fb 0f e0 ff
        jo  0x401001, rel8           | 70 ff             | 0f 80 fb 0f e0 ff e9 f7 0f e0 ff
        jg  0x401081, rel8           | 7f 7f             | 0f 8f 7b 10 e0 ff e9 f7 0f e0 ff
        jg  0x401005, rel32          | 0f 8f ff ff ff ff | 0f 8f ff 0f e0 ff e9 fb 0f e0 ff
        """)
    void widensBranches(String what, String bytes, String expected) throws Exception {
        assertEquals(expected, relocated(bytes, SITE, SLOT));
    }

    /* They leave for where they always left for; the jump back is never reached. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        ret                   | c3                | c3 e9 fb 0f e0 ff
        rep ret               | f3 c3             | f3 c3 e9 fb 0f e0 ff
        ret 8                 | c2 08 00          | c2 08 00 e9 fb 0f e0 ff
        jmp rax               | ff e0             | ff e0 e9 fb 0f e0 ff
        notrack jmp rax       | 3e ff e0          | 3e ff e0 e9 fb 0f e0 ff
        jmp [rip+0x2fe2]: PLT | ff 25 e2 2f 00 00 | ff 25 e2 3f e0 ff e9 fb 0f e0 ff
        """)
    void copiesReturnsAndIndirectJumps(String what, String bytes, String expected) throws Exception {
        assertEquals(expected, relocated(bytes, SITE, SLOT));
    }

    /* taken: over the jump back to the jump to the target */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        loop 0x401012   | e2 10    | e2 05 e9 fb 0f e0 ff e9 06 10 e0 ff
        loope 0x401000  | e1 fe    | e1 05 e9 fb 0f e0 ff e9 f4 0f e0 ff
        jrcxz 0x401012  | e3 10    | e3 05 e9 fb 0f e0 ff e9 06 10 e0 ff
        jecxz 0x401013  | 67 e3 10 | 67 e3 05 e9 fb 0f e0 ff e9 06 10 e0 ff
        """)
    void letsLoopsJumpOverTheJumpBack(String what, String bytes, String expected) throws Exception {
        assertEquals(expected, relocated(bytes, SITE, SLOT));
    }

    /* push 0x401005 (or what is behind the call); mov dword [rsp+4], 0; jmp */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        call 0x402010             | e8 0b 10 00 00       | 68 05 10 40 00 c7 44 24 04 00 00 00 00 e9 fe 1f e0 ff
        call rax                  | ff d0                | 68 02 10 40 00 c7 44 24 04 00 00 00 00 ff e0
        notrack call r9           | 3e 41 ff d1          | 68 04 10 40 00 c7 44 24 04 00 00 00 00 3e 41 ff e1
        call [rip+0x10]: 0x401016 | ff 15 10 00 00 00    | 68 06 10 40 00 c7 44 24 04 00 00 00 00 ff 25 03 10 e0 ff
        call [rax+8]              | ff 50 08             | 68 03 10 40 00 c7 44 24 04 00 00 00 00 ff 60 08
        call [rsp]                | ff 14 24             | 68 03 10 40 00 c7 44 24 04 00 00 00 00 ff a4 24 08 00 00 00
        call [rsp+124]            | ff 54 24 7c          | 68 04 10 40 00 c7 44 24 04 00 00 00 00 ff a4 24 84 00 00 00
        call [r12]: not rsp       | 41 ff 14 24          | 68 04 10 40 00 c7 44 24 04 00 00 00 00 41 ff 24 24
        """)
    void pushesTheOriginalReturnAddress(String what, String bytes, String expected) throws Exception {
        assertEquals(expected, relocated(bytes, SITE, SLOT));
    }

    @Test
    void pushesBothHalvesOfAReturnAddress() throws Exception {
        assertEquals("68 05 10 40 f0 c7 44 24 04 12 7f 00 00 e9 fe 1f e0 ff", relocated("e8 0b 10 00 00", 0x7f12_f040_1000L, 0x7f12_f060_0000L));
    }

    /* lea rcx, [rip+x]: the address behind the original, 0x401002 */
    @Test
    void leavesTheOriginalsAddressBehindASystemCall() throws Exception {
        assertEquals("0f 05 48 8d 0d f9 0f e0 ff e9 f4 0f e0 ff", relocated("0f 05", SITE, SLOT));
    }

    private static final long FAR = 0x7000_0000_0000L;

    /* Everything that reaches 2 GiB only, from a slot that is farther. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        push rbp                            | 55                         | 55 ff 25 00 00 00 00 01 10 40 00 00 00 00 00
        jmp 0x401012                        | eb 10                      | ff 25 00 00 00 00 12 10 40 00 00 00 00 00
        je 0x401012: jne over it            | 74 10                      | 75 0e ff 25 00 00 00 00 12 10 40 00 00 00 00 00 ff 25 00 00 00 00 02 10 40 00 00 00 00 00
        loop 0x401012                       | e2 10                      | e2 0e ff 25 00 00 00 00 02 10 40 00 00 00 00 00 ff 25 00 00 00 00 12 10 40 00 00 00 00 00
        call 0x402010                       | e8 0b 10 00 00             | 68 05 10 40 00 c7 44 24 04 00 00 00 00 ff 25 00 00 00 00 10 20 40 00 00 00 00 00
        lea r13, [rip+0x10]                 | 4c 8d 2d 10 00 00 00       | 49 bd 17 10 40 00 00 00 00 00 ff 25 00 00 00 00 07 10 40 00 00 00 00 00
        lea r9d, [rip+0x10]                 | 44 8d 0d 10 00 00 00       | 41 b9 17 10 40 00 ff 25 00 00 00 00 07 10 40 00 00 00 00 00
        mov rax, [rip+0x10]: rcx serves     | 48 8b 05 10 00 00 00       | 48 8d 64 24 80 51 48 b9 17 10 40 00 00 00 00 00 48 8b 01 59 48 8d a4 24 80 00 00 00 ff 25 00 00 00 00 07 10 40 00 00 00 00 00
        cmp dword [rip+0x10], 0x7e57        | 81 3d 10 00 00 00 57 7e 00 00 | 48 8d 64 24 80 50 48 b8 1a 10 40 00 00 00 00 00 81 38 57 7e 00 00 58 48 8d a4 24 80 00 00 00 ff 25 00 00 00 00 0a 10 40 00 00 00 00 00
        vmovups xmm3, [rip+0x10], VEX2      | c5 f8 10 1d 10 00 00 00    | 48 8d 64 24 80 50 48 b8 18 10 40 00 00 00 00 00 c5 f8 10 18 58 48 8d a4 24 80 00 00 00 ff 25 00 00 00 00 08 10 40 00 00 00 00 00
        vmovaps zmm0, [rip+0x10], EVEX      | 62 f1 7c 48 28 05 10 00 00 00 | 48 8d 64 24 80 50 48 b8 1a 10 40 00 00 00 00 00 62 f1 7c 48 28 00 58 48 8d a4 24 80 00 00 00 ff 25 00 00 00 00 0a 10 40 00 00 00 00 00
        """)
    void reachesFartherThroughARegisterAndEightBytes(String what, String bytes, String expected) throws Exception {
        assertEquals(expected, relocated(bytes, SITE, FAR));
    }

    /* Branches end at the byte behind the next, which tells the handler that they were taken. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        push rbp            | 55                   | 55 cc cc
        je 0x401012         | 74 10                | 74 01 cc cc
        jg 0x401005, rel32  | 0f 8f ff ff ff ff    | 7f 01 cc cc
        jmp, rel32          | e9 0d 00 00 00       | eb 01 cc cc
        jecxz               | 67 e3 10             | 67 e3 01 cc cc
        call 0x402010       | e8 0b 10 00 00       | e8 01 00 00 00 cc cc
        call [rip+0x10]     | ff 15 10 00 00 00    | ff 15 10 10 e0 ff cc cc
        mov rax, [rip+0x10] | 48 8b 05 10 00 00 00 | 48 8b 05 10 10 e0 ff cc cc
        """)
    void copiesWhatIsStepped(String what, String bytes, String expected) throws Exception {
        assertEquals(expected, stepped(bytes, SLOT));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
        call rsp              | ff d4             | NOT_DISPLACEABLE | call rsp
        call [rsp-8]          | ff 54 24 f8       | NOT_DISPLACEABLE | it calls through memory below rsp, where the return address is pushed
        data16 jmp            | 66 e9 10 00 00 00 | NOT_DISPLACEABLE | processors differ in what a branch with an operand-size prefix does
        sysenter              | 0f 34             | NOT_DISPLACEABLE | sysenter does not come back to where it was called
        xbegin rel32          | c7 f8 10 00 00 00 | NOT_DISPLACEABLE | it begins a transaction, which a trap would abort
        int3                  | cc                | FOREIGN_TRAP     | -
        int1                  | f1                | FOREIGN_TRAP     | -
        int 0x80              | cd 80             | FOREIGN_TRAP     | -
        ud2                   | 0f 0b             | FOREIGN_TRAP     | -
        hlt                   | f4                | PRIVILEGED       | -
        wrmsr                 | 0f 30             | PRIVILEGED       | -
        mov cr3, rax          | 0f 22 d8          | PRIVILEGED       | -
        iretq                 | 48 cf             | PRIVILEGED       | -
        retf                  | cb                | PRIVILEGED       | -
        jmp far [rax]         | ff 28             | PRIVILEGED       | -
        """)
    void refusesWhatCannotRunElsewhere(String what, String bytes, Refusal refusal, String why) {
        Relocator.NotRelocatable refused = assertThrows(Relocator.NotRelocatable.class, () -> relocated(bytes, SITE, SLOT));
        assertEquals(refusal, refused.refusal);
        assertEquals(why == null ? "" : why, refused.getMessage());
    }

    /* 0x7fffffff is the farthest that disp32 reaches forward. */
    @Test
    void reachesOperandsAsFarAs32BitsGo() throws Exception {
        /* reads 0x401007: 0x7fffffff above the instruction behind the slot's copy, which ends at 0x401007 - 0x7fffffff */
        long slot = 0x401007 - 0x7fffffffL - 7 + 0x100000000L, site = SITE + 0x100000000L;
        assertEquals("48 8b 05 ff ff ff 7f e9 fa ff ff 7f", relocated("48 8b 05 00 00 00 00", site, slot));
    }

    @Test
    void takesARegisterForAnOperandThatIsOneByteTooFar() throws Exception {
        long slot = 0x401007 - 0x80000000L - 7 + 0x100000000L, site = SITE + 0x100000000L;
        assertTrue(relocated("48 8b 05 00 00 00 00", site, slot).startsWith("48 8d 64 24 80 51 48 b9 07 10 40 00 01 00 00 00 48 8b 01 59"));
    }

    /* With the stack pointer as an operand it can not be moved out of the red zone's way; a single step needs no stack. */
    @ParameterizedTest
    @CsvSource({"48 3b 25 10 00 00 00, 48 3b 20 cc cc", "ff 35 10 00 00 00, ff 30 cc cc", "ff 25 10 00 00 00, ff 20 cc cc", "ff 15 10 00 00 00, ff 10 cc cc"})
    void stepsWhatIsFarAndUsesTheStack(String bytes, String step) throws Exception {
        Relocator.NotRelocatable refused = assertThrows(Relocator.NotRelocatable.class, () -> relocated(bytes, SITE, FAR));
        assertEquals(Refusal.OUT_OF_REACH, refused.refusal);
        assertEquals(step, stepped(bytes, FAR));
    }

    @ParameterizedTest
    @CsvSource({"0f 05", "8e d0"})
    void stepsNothingThatHoldsOffTheTrap(String bytes) {
        assertEquals(Refusal.NOT_DISPLACEABLE, assertThrows(Relocator.NotRelocatable.class, () -> stepped(bytes, SLOT)).refusal);
    }

    @Test
    void neverNeedsMoreThanASlot() throws Exception {
        /* 15 bytes, the longest there is: lock add qword fs:[rax+disp32], imm32 with a prefix to spare */
        String longest = "66 64 f0 48 81 84 88 78 56 34 12 78 56 34 12";
        assertEquals(15 + 5, HEX.parseHex(relocated(longest, SITE, SLOT)).length);
        assertTrue(15 + 5 <= SlotCode.UNIT);
    }
}
