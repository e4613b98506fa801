package uprobe.probe.code;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import uprobe.probe.Refusal;
import uprobe.probe.code.SlotCode.Where;

/**
 * Makes the code of a slot: the displaced instruction, so changed that it does at the slot's address what it did at the site's, then a jump back.
 *
 * <pre>
 * site 0x401000: 48 8b 05 d4 03 00 00    mov rax, [rip+0x3d4]       reads 0x4013db
 * slot 0x600000: 48 8b 05 d4 13 e0 ff    mov rax, [rip-0x1fec2c]    reads 0x4013db; disp += site - slot
 *      0x600007: e9 fb 0f e0 ff          jmp 0x401007
 *
 * site 0x401000: 74 10                   je 0x401012
 * slot 0x600000: 0f 84 0c 10 e0 ff       je 0x401012                rel8 becomes rel32
 *
 * site 0x401000: e8 0b 10 00 00          call 0x402010
 * slot 0x600000: 68 05 10 40 00          push 0x401005              what the callee returns to
 *      0x600005: c7 44 24 04 00 00 00 00 mov dword [rsp+4], 0       push extends the sign: the upper half is written by itself
 *      0x60000d: e9 fe 1f e0 ff          jmp 0x402010
 *
 * out of reach of [rip+x], with a register that the instruction does not use, saved below the red zone:
 *      48 8d 64 24 80                    lea rsp, [rsp-128]
 *      50                                push rax
 *      48 b8 imm64                       mov rax, the operand's address
 *      48 2b 08                          sub rcx, [rax]
 *      58                                pop rax
 *      48 8d a4 24 80 00 00 00           lea rsp, [rsp+128]
 * </pre>
 *
 * None of the added instructions changes a flag. Encodings: SDM vol. 2A chapter 2 and the instructions' own pages.
 */
final class Relocator {
    private static final int RSP = 4;
    /** Registers that ModRM names without an extension bit and that need no SIB or displacement: rax rcx rdx rbx rsi rdi. */
    private static final int[] SCRATCH = {0, 1, 2, 3, 6, 7};
    private static final int RED_ZONE = 128, WORD = 8;

    /** An instruction that can not be carried out by the mechanism; its sentence names the reason. */
    static final class NotRelocatable extends Exception {
        private static final long serialVersionUID = 1;
        final Refusal refusal;

        NotRelocatable(Refusal refusal, String why) {
            super(why);
            this.refusal = refusal;
        }
    }

    /** Whatever the mechanism: these are never displaced. */
    static void refuseWhatNoneCanDo(Displaced d) throws NotRelocatable {
        if (d.is(InstructionTable.PRIVILEGED) || d.is(InstructionTable.FAR)) {
            throw new NotRelocatable(Refusal.PRIVILEGED, "");
        } else if (d.is(InstructionTable.TRAP)) {
            throw new NotRelocatable(Refusal.FOREIGN_TRAP, "");
        } else if (d.is(InstructionTable.TRANSACTION)) {
            throw new NotRelocatable(Refusal.NOT_DISPLACEABLE, "it begins a transaction, which a trap would abort");
        } else if (d.is(InstructionTable.SYSCALL) && d.unsigned(1) != 0x05) {
            throw new NotRelocatable(Refusal.NOT_DISPLACEABLE, "sysenter does not come back to where it was called");
        } else if (d.has(Displaced.SHORT_BRANCH)) {
            throw new NotRelocatable(Refusal.NOT_DISPLACEABLE, "processors differ in what a branch with an operand-size prefix does");
        }
    }

    /**
     * Code that runs in the slot by itself.
     *
     * @param slot address at which the result will stand
     * @return at most two slots' worth of code, which {@link SlotVerifier} looks at before it is used
     */
    static SlotCode boost(Displaced d, long slot) throws NotRelocatable {
        refuseWhatNoneCanDo(d);
        SlotCode.Writer out = new SlotCode.Writer(slot);
        if (d.is(InstructionTable.CALL)) {
            return call(d, out);
        } else if (d.is(InstructionTable.BRANCH)) {
            return branch(d, out);
        } else if (d.is(InstructionTable.SYSCALL)) {
            return systemCall(d, out);
        } else if (d.is(InstructionTable.RIP_RELATIVE) && !SlotCode.reaches(slot + d.bytes().length, d.instruction().target())) {
            return farOperand(d, out);
        }
        out.mark(Where.SITE).bytes(moved(d, slot)).mark(Where.NEXT).jump(d.next());
        return out.done(d.bytes().length, Displaced.NO_REGISTER);
    }

    /** Code of which the first instruction is single-stepped. Where a branch goes is told by where in the slot it ends. */
    static SlotCode step(Displaced d, long slot) throws NotRelocatable {
        refuseWhatNoneCanDo(d);
        if (d.has(Displaced.NO_STEP)) {
            throw new NotRelocatable(Refusal.NOT_DISPLACEABLE, "it ends or holds off the trap of a single step");
        }
        SlotCode.Writer out = new SlotCode.Writer(slot).mark(Where.SITE);
        int scratch = Displaced.NO_REGISTER;
        if (d.is(InstructionTable.RELATIVE) && !d.is(InstructionTable.RIP_RELATIVE)) {
            shortBranch(d, out, 1);
        } else if (d.is(InstructionTable.RIP_RELATIVE) && !SlotCode.reaches(slot + d.bytes().length, d.instruction().target())) {
            scratch = scratchFor(d, false);
            out.bytes(throughRegister(d, scratch));
        } else {
            out.bytes(moved(d, slot));
        }
        int copy = out.position();
        return out.bytes(0xcc, 0xcc).done(copy, scratch);
    }

    /** @throws NotRelocatable if the handler does not know the instruction */
    static void refuseWhatIsNotEmulated(Displaced d) throws NotRelocatable {
        refuseWhatNoneCanDo(d);
        if (d.detail().operation() == Way.NO_OPERATION) {
            throw new NotRelocatable(Refusal.NOT_EMULATED, "");
        }
    }

    /** The instruction itself, its rip-relative operand aimed at what it was aimed at before. */
    private static byte[] moved(Displaced d, long slot) {
        byte[] copy = d.bytes().clone();
        if (d.is(InstructionTable.RIP_RELATIVE)) {
            ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(d.instruction().displacementAt(), (int) (d.instruction().target() - (slot + copy.length)));
        }
        return copy;
    }

    /** Hint and bnd prefixes are left out: they say nothing that a processor without MPX hears. */
    private static SlotCode branch(Displaced d, SlotCode.Writer out) {
        out.mark(Where.SITE);
        int opcode = d.detail().opcode();
        if (isLoop(opcode)) {
            int copy = shortBranch(d, out, jumpLength(out.here() + 2 + prefix67(d), d.next()));
            out.mark(Where.NEXT).jump(d.next()).mark(Where.TARGET).jump(d.instruction().target());
            return out.done(copy, Displaced.NO_REGISTER);
        } else if (opcode == 0xe9 || opcode == 0xeb) {
            return out.jump(d.instruction().target()).done();
        }
        return out.jumpIf(opcode & 15, d.instruction().target()).mark(Where.NEXT).jump(d.next()).done();
    }

    private static boolean isLoop(int opcode) {
        return opcode >= 0xe0 && opcode <= 0xe3;
    }

    private static int prefix67(Displaced d) {
        return isLoop(d.detail().opcode()) && d.detail().size() == 4 ? 1 : 0;
    }

    private static int jumpLength(long from, long to) {
        return new SlotCode.Writer(from).jump(to).position();
    }

    /** The branch or call with a displacement of its own; returns its length. */
    private static int shortBranch(Displaced d, SlotCode.Writer out, int displacement) {
        int before = out.position(), opcode = d.detail().opcode();
        if (opcode == 0xe8) {
            out.bytes(0xe8).int32(displacement);
        } else {
            if (prefix67(d) == 1) {
                out.bytes(0x67);
            }
            out.bytes(opcode == 0xe9 ? 0xeb : opcode >= 0x80 && opcode <= 0x8f ? opcode - 0x10 : opcode, displacement);
        }
        return out.position() - before;
    }

    private static SlotCode call(Displaced d, SlotCode.Writer out) throws NotRelocatable {
        byte[] jump = null;
        if (!d.is(InstructionTable.RELATIVE) || d.is(InstructionTable.RIP_RELATIVE)) {
            if (d.is(InstructionTable.RIP_RELATIVE) && !SlotCode.reaches(out.here() + 13 + d.bytes().length, d.instruction().target())) {
                throw new NotRelocatable(Refusal.OUT_OF_REACH, "of the pointer that it calls through");
            }
            jump = asJump(d, out.here() + 13);
        }
        out.mark(Where.SITE).bytes(0x68).int32(d.next());
        out.mark(Where.SITE, WORD, false).bytes(0xc7, 0x44, 0x24, 0x04).int32(d.next() >> 32);
        if (jump == null) {
            return out.mark(Where.TARGET).jump(d.instruction().target()).done();
        }
        return out.mark(Where.SITE, WORD, false).bytes(jump).done();
    }

    /** {@code call r/m} as {@code jmp r/m} that runs when the return address has been pushed. */
    private static byte[] asJump(Displaced d, long at) throws NotRelocatable {
        byte[] copy = moved(d, at);
        int modrm = d.detail().modrmAt();
        copy[modrm] = (byte) (copy[modrm] & ~0x38 | 4 << 3);    /* ff /2 is call, ff /4 is jmp */
        if (!d.uses(RSP) || !usesStackAsOperand(d)) {
            return copy;
        }
        int mod = d.unsigned(modrm) >> 6;
        if (mod == 3) {
            throw new NotRelocatable(Refusal.NOT_DISPLACEABLE, "call rsp");
        }
        /* ModRM, SIB with base rsp, displacement: eight more, as rsp is eight less now. */
        int displacementAt = modrm + 2;
        long displacement = mod == 0 ? 0 : mod == 1 ? copy[displacementAt] : ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).getInt(displacementAt);
        if (displacement < 0) {
            throw new NotRelocatable(Refusal.NOT_DISPLACEABLE, "it calls through memory below rsp, where the return address is pushed");
        }
        ByteBuffer out = ByteBuffer.allocate(displacementAt + Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.put(copy, 0, displacementAt).putInt((int) displacement + WORD);
        out.put(modrm, (byte) (out.get(modrm) & 0x3f | 2 << 6));
        return out.array();
    }

    /** Calls use rsp anyway; this asks whether their operand does: a register, or memory with base rsp (SIB base 100 without REX.B). */
    private static boolean usesStackAsOperand(Displaced d) {
        int modrm = d.detail().modrmAt(), mod = d.unsigned(modrm) >> 6, rm = d.unsigned(modrm) & 7;
        boolean extended = d.detail().prefix() == Displaced.PREFIX_REX && (d.unsigned(d.detail().prefixAt()) & 1) != 0;
        if (rm != RSP || extended) {
            return false;
        }
        return mod == 3 || (d.unsigned(modrm + 1) & 7) == RSP;
    }

    /** The kernel leaves the address behind the instruction in rcx (SDM, SYSCALL): it gets the original's. */
    private static SlotCode systemCall(Displaced d, SlotCode.Writer out) {
        out.mark(Where.SITE).bytes(d.bytes());
        if (SlotCode.reaches(out.here() + 7, d.next())) {
            out.bytes(0x48, 0x8d, 0x0d).int32(d.next() - (out.here() + Integer.BYTES));     /* lea rcx, [rip+x] */
        } else {
            out.bytes(0x48, 0xb9).int64(d.next());                                      /* mov rcx, imm64 */
        }
        return out.mark(Where.NEXT).jump(d.next()).done(d.bytes().length, Displaced.NO_REGISTER);
    }

    private static SlotCode farOperand(Displaced d, SlotCode.Writer out) throws NotRelocatable {
        if (d.detail().operation() == Way.MOVE_IMMEDIATE) {     /* lea: its result is known */
            boolean wide = d.detail().size() == Long.BYTES;
            int register = d.detail().a(), rex = (wide ? 0x48 : 0x40) | register >> 3;
            out.mark(Where.SITE).bytes(rex, 0xb8 | register & 7);
            (wide ? out.int64(d.instruction().target()) : out.int32(d.instruction().target())).mark(Where.NEXT).jump(d.next());
            return out.done();
        } else if (d.is(InstructionTable.INDIRECT)) {
            throw new NotRelocatable(Refusal.OUT_OF_REACH, "of the pointer that it jumps through");
        }
        int scratch = scratchFor(d, true);
        out.mark(Where.SITE).bytes(0x48, 0x8d, 0x64, 0x24, -RED_ZONE);
        out.mark(Where.SITE, RED_ZONE, false).bytes(0x50 + scratch);
        out.mark(Where.SITE, RED_ZONE + WORD, true).bytes(0x48, 0xb8 + scratch).int64(d.instruction().target());
        out.mark(Where.SITE, RED_ZONE + WORD, true).bytes(throughRegister(d, scratch));
        out.mark(Where.NEXT, RED_ZONE + WORD, true).bytes(0x58 + scratch);
        out.mark(Where.NEXT, RED_ZONE, false).bytes(0x48, 0x8d, 0xa4, 0x24).int32(RED_ZONE);
        return out.mark(Where.NEXT).jump(d.next()).done(0, scratch);
    }

    /** @param shiftsStack whether rsp will differ while the instruction runs */
    private static int scratchFor(Displaced d, boolean shiftsStack) throws NotRelocatable {
        if (shiftsStack && d.uses(RSP)) {
            throw new NotRelocatable(Refusal.OUT_OF_REACH, "it uses the stack and memory that no slot reaches");
        }
        return Arrays.stream(SCRATCH).filter(r -> !d.uses(r)).findFirst()
                .orElseThrow(() -> new NotRelocatable(Refusal.OUT_OF_REACH, "it leaves no register free"));
    }

    /** {@code [rip+x]} becomes {@code [register]}: mod stays 00, rm names it, the displacement goes, and so does the extension bit B, which rip ignores. */
    private static byte[] throughRegister(Displaced d, int register) {
        int at = d.instruction().displacementAt(), modrm = d.detail().modrmAt(), prefix = d.detail().prefixAt();
        byte[] copy = new byte[d.bytes().length - Integer.BYTES];
        System.arraycopy(d.bytes(), 0, copy, 0, at);
        System.arraycopy(d.bytes(), at + Integer.BYTES, copy, at, copy.length - at);
        copy[modrm] = (byte) (copy[modrm] & 0x38 | register);
        if (d.detail().prefix() == Displaced.PREFIX_REX) {
            copy[prefix] &= ~1;
        } else if (d.detail().prefix() == Displaced.PREFIX_LONG) {
            copy[prefix + 1] |= 0x20;
        }
        return copy;
    }

    private Relocator() {}
}
