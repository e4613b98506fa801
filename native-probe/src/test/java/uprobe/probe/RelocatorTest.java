package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.api.Test;

/** Bytes and address in, bytes or refusal out. All sites are at 0x401000 and all slots at 0x600000, so the numbers can be added by hand. */
class RelocatorTest {
    private static final long SITE = 0x401000, SLOT = 0x600000;
    private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

    @BeforeAll
    static void loadsTheDecoder() throws Exception {
        Helper.load();
    }

    private static InstructionTable.Instruction decoded(String bytes, long site) {
        InstructionTable table = InstructionTable.decode(HEX.parseHex(bytes), site);
        assertEquals(1, table.size(), () -> bytes + " is one instruction");
        assertTrue(table.get(0).length() > 0, () -> bytes + " is an instruction");
        return table.get(0);
    }

    private static String relocated(String bytes, long site, long slot) throws Relocator.NotRelocatable {
        return HEX.formatHex(Relocator.relocate(decoded(bytes, site), HEX.parseHex(bytes), slot));
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
        jmp 0x401012, rel8           | eb 10             | e9 0d 10 e0 ff e9 f8 0f e0 ff
        jmp 0x401012, rel32          | e9 0d 00 00 00    | e9 0d 10 e0 ff e9 fb 0f e0 ff
        jmp 0x401000: itself         | eb fe             | e9 fb 0f e0 ff e9 f8 0f e0 ff
        jmp 0x400f82, farthest back  | eb 80             | e9 7d 0f e0 ff e9 f8 0f e0 ff
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

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
        call rel32            | e8 00 10 00 00       | NOT_BOOSTABLE | it is a call, which would push the slot's address
        call rax              | ff d0                | NOT_BOOSTABLE | it is a call, which would push the slot's address
        call [rip+0x10]       | ff 15 10 00 00 00    | NOT_BOOSTABLE | it is a call, which would push the slot's address
        syscall               | 0f 05                | NOT_BOOSTABLE | it is a system call, which tells the kernel its own address
        sysenter              | 0f 34                | NOT_BOOSTABLE | it is a system call, which tells the kernel its own address
        xbegin rel32          | c7 f8 10 00 00 00    | NOT_BOOSTABLE | it begins a transaction
        loop                  | e2 fe                | NOT_BOOSTABLE | it is a loop, jrcxz or prefixed branch, which reaches 127 bytes only
        loopne                | e0 10                | NOT_BOOSTABLE | it is a loop, jrcxz or prefixed branch, which reaches 127 bytes only
        jrcxz                 | e3 10                | NOT_BOOSTABLE | it is a loop, jrcxz or prefixed branch, which reaches 127 bytes only
        jecxz                 | 67 e3 10             | NOT_BOOSTABLE | it is a loop, jrcxz or prefixed branch, which reaches 127 bytes only
        je with a branch hint | 3e 74 10             | NOT_BOOSTABLE | it is a loop, jrcxz or prefixed branch, which reaches 127 bytes only
        bnd jmp               | f2 e9 10 00 00 00    | NOT_BOOSTABLE | it is a loop, jrcxz or prefixed branch, which reaches 127 bytes only
        int3                  | cc                   | FOREIGN_TRAP  | -
        int1                  | f1                   | FOREIGN_TRAP  | -
        int 0x80              | cd 80                | FOREIGN_TRAP  | -
        ud2                   | 0f 0b                | FOREIGN_TRAP  | -
        hlt                   | f4                   | PRIVILEGED    | -
        wrmsr                 | 0f 30                | PRIVILEGED    | -
        mov cr3, rax          | 0f 22 d8             | PRIVILEGED    | -
        retf                  | cb                   | PRIVILEGED    | -
        jmp far [rax]         | ff 28                | PRIVILEGED    | -
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
    void refusesAnOperandThatIsOneByteTooFar() {
        long slot = 0x401007 - 0x80000000L - 7 + 0x100000000L, site = SITE + 0x100000000L;
        Relocator.NotRelocatable refused = assertThrows(Relocator.NotRelocatable.class, () -> relocated("48 8b 05 00 00 00 00", site, slot));
        assertEquals(Refusal.OUT_OF_REACH, refused.refusal);
        assertEquals("0x100401007 from 0x80401007", refused.getMessage());
    }

    @Test
    void refusesAJumpBackThatIsTooFar() {
        Relocator.NotRelocatable refused = assertThrows(Relocator.NotRelocatable.class, () -> relocated("55", SITE, SITE + 0x80000000L));
        assertEquals(Refusal.OUT_OF_REACH, refused.refusal);
    }

    @Test
    void refusesABranchWhoseTargetIsTooFar() {
        /* The jump back to 0x401005 would reach, the target 0x80001005 above it would not. */
        assertThrows(Relocator.NotRelocatable.class, () -> relocated("e9 00 00 c0 7f", SITE, SITE - 0x40000000L));
    }

    @Test
    void neverNeedsMoreThanASlot() throws Exception {
        /* 15 bytes, the longest there is: lock add qword fs:[rax+disp32], imm32 with a prefix to spare */
        String longest = "66 64 f0 48 81 84 88 78 56 34 12 78 56 34 12";
        assertEquals(15 + 5, HEX.parseHex(relocated(longest, SITE, SLOT)).length);
        assertTrue(15 + 5 <= Relocator.SLOT_SIZE);
    }
}
