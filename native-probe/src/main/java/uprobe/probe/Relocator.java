package uprobe.probe;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import uprobe.probe.InstructionTable.Instruction;

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
 * </pre>
 */
final class Relocator {
    /** A slot holds the longest displaced instruction (15 bytes, or a widened branch) and a jump of five. */
    static final int SLOT_SIZE = 32;
    private static final int JUMP_SIZE = 5;
    /** e9 rel32: jmp. */
    private static final byte JUMP = (byte) 0xe9;
    /** eb rel8: jmp. */
    private static final byte SHORT_JUMP = (byte) 0xeb;

    /** An instruction that can not run elsewhere; its sentence names it. */
    static final class NotRelocatable extends Exception {
        private static final long serialVersionUID = 1;
        final Refusal refusal;

        NotRelocatable(Refusal refusal, String why) {
            super(why);
            this.refusal = refusal;
        }
    }

    /**
     * @param bytes of the displaced instruction
     * @param slot address at which the result will stand
     * @return the slot's code, at most {@link #SLOT_SIZE} bytes, decoded again and found to mean the same
     */
    static byte[] relocate(Instruction displaced, byte[] bytes, long slot) throws NotRelocatable {
        refuseWhatCannotMove(displaced);
        ByteBuffer out = ByteBuffer.allocate(SLOT_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        if (displaced.is(InstructionTable.BRANCH)) {
            branch(displaced, bytes, slot, out);
        } else {
            out.put(bytes);
            if (displaced.is(InstructionTable.RIP_RELATIVE)) {
                out.putInt(displaced.displacementAt(), relative(slot + displaced.length(), displaced.target()));
            }
        }
        long back = displaced.address() + displaced.length();
        out.put(JUMP).putInt(relative(slot + out.position() - 1 + JUMP_SIZE, back));
        byte[] code = Arrays.copyOf(out.array(), out.position());
        verify(displaced, code, slot, back);
        return code;
    }

    private static void refuseWhatCannotMove(Instruction displaced) throws NotRelocatable {
        if (displaced.is(InstructionTable.PRIVILEGED) || displaced.is(InstructionTable.FAR)) {
            throw new NotRelocatable(Refusal.PRIVILEGED, "");
        } else if (displaced.is(InstructionTable.TRAP)) {
            throw new NotRelocatable(Refusal.FOREIGN_TRAP, "");
        } else if (displaced.is(InstructionTable.CALL)) {
            throw new NotRelocatable(Refusal.NOT_BOOSTABLE, "it is a call, which would push the slot's address");
        } else if (displaced.is(InstructionTable.SYSCALL)) {
            throw new NotRelocatable(Refusal.NOT_BOOSTABLE, "it is a system call, which tells the kernel its own address");
        } else if (displaced.is(InstructionTable.TRANSACTION)) {
            throw new NotRelocatable(Refusal.NOT_BOOSTABLE, "it begins a transaction");
        }
    }

    private static void branch(Instruction displaced, byte[] bytes, long slot, ByteBuffer out) throws NotRelocatable {
        int first = bytes[0] & 0xff;
        if (bytes[0] == JUMP || bytes[0] == SHORT_JUMP) {
            out.put(JUMP);
        } else if (first >= 0x70 && first <= 0x7f) {            /* 7x rel8: jcc */
            out.put((byte) 0x0f).put((byte) (first + 0x10));
        } else if (first == 0x0f && (bytes[1] & 0xf0) == 0x80) { /* 0f 8x rel32: jcc */
            out.put(bytes[0]).put(bytes[1]);
        } else {
            throw new NotRelocatable(Refusal.NOT_BOOSTABLE, "it is a loop, jrcxz or prefixed branch, which reaches 127 bytes only");
        }
        out.putInt(relative(slot + out.position() + Integer.BYTES, displaced.target()));
    }

    private static int relative(long from, long to) throws NotRelocatable {
        long distance = to - from;
        if (distance != (int) distance) {
            throw new NotRelocatable(Refusal.OUT_OF_REACH, "0x" + Long.toHexString(to) + " from 0x" + Long.toHexString(from));
        }
        return (int) distance;
    }

    /** The result decodes to one instruction with the same operand or target, and the jump back. */
    private static void verify(Instruction displaced, byte[] code, long slot, long back) {
        InstructionTable table = InstructionTable.decode(code, slot);
        Instruction copy = table.get(0), jump = table.get(1);
        boolean same = table.size() == 2 && copy.target() == displaced.target() && copy.flags() == displaced.flags()
                && jump.target() == back && jump.is(InstructionTable.BRANCH);
        if (!same) {
            throw new IllegalStateException("relocating the instruction at 0x" + Long.toHexString(displaced.address()) + " to 0x"
                    + Long.toHexString(slot) + " gave other code: " + java.util.HexFormat.ofDelimiter(" ").formatHex(code));
        }
    }

    private Relocator() {}
}
