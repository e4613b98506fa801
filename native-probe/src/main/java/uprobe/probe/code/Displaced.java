package uprobe.probe.code;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import uprobe.probe.helper.Helper;

/**
 * The instruction under a trap, with what the planner wants to know of it.
 *
 * @param instruction where it stands and where it goes
 * @param bytes as they are without any probe
 * @param detail what the decoder says of its operands
 * @param loopHead whether it is its function's first, and a branch of the function leads back to it
 */
public record Displaced(InstructionTable.Instruction instruction, byte[] bytes, Detail detail, boolean loopHead) {
    /** Stands for no register where a register's number is wanted. */
    public static final int NO_REGISTER = 0xff;

    /** Prefix kinds, {@code enum up_prefix}: LONG are VEX of three bytes, XOP and EVEX, which hold an inverted B in their second byte. */
    static final int PREFIX_NONE = 0, PREFIX_REX = 1, PREFIX_VEX2 = 2, PREFIX_LONG = 3;
    /** Hazards, {@code enum up_hazard}. */
    static final int SHORT_BRANCH = 1, NO_STEP = 2;

    /**
     * {@code struct up_detail}.
     *
     * @param operation what the handler can do itself, {@code enum up_operation}; {@link Way#NO_OPERATION} if nothing
     * @param a general register, as b and c; {@link #NO_REGISTER}
     * @param size of the operands, in bytes
     * @param used bit n: it reads or writes general register n, hidden operands too
     * @param modrmAt offset of the ModRM byte; 0 if it has none
     * @param prefixAt offset of the REX, VEX, EVEX or XOP prefix
     * @param memory whether it has an operand in memory, the stack's included
     * @param opcode its last byte, before ModRM
     */
    public record Detail(int operation, int a, int b, int c, int scale, int size, int condition, int stepFlags, long immediate, int used, int modrmAt,
            int prefixAt, int prefix, boolean memory, int hazards, int opcode) {
        /** Bytes of {@code struct up_detail}. */
        public static final int SIZE = 24;

        private static Detail of(byte[] instruction) {
            byte[] packed = new byte[SIZE];
            if (Helper.up_describe(instruction, instruction.length, packed) < 0) {
                throw new IllegalStateException("not an instruction: " + java.util.HexFormat.ofDelimiter(" ").formatHex(instruction));
            }
            return read(ByteBuffer.wrap(packed).order(ByteOrder.nativeOrder()), 0);
        }

        static Detail read(ByteBuffer in, int at) {
            return new Detail(in.get(at) & 0xff, in.get(at + 1) & 0xff, in.get(at + 2) & 0xff, in.get(at + 3) & 0xff, in.get(at + 4) & 0xff,
                    in.get(at + 5) & 0xff, in.get(at + 6) & 0xff, in.get(at + 7) & 0xff, in.getLong(at + 8), Short.toUnsignedInt(in.getShort(at + 16)),
                    in.get(at + 18) & 0xff, in.get(at + 19) & 0xff, in.get(at + 20) & 0xff, in.get(at + 21) != 0, in.get(at + 22) & 0xff,
                    in.get(at + 23) & 0xff);
        }
    }

    public static Displaced of(InstructionTable.Instruction instruction, byte[] bytes) {
        return of(instruction, bytes, false);
    }

    static Displaced of(InstructionTable.Instruction instruction, byte[] bytes, boolean loopHead) {
        return new Displaced(instruction, bytes, Detail.of(bytes), loopHead);
    }

    public long address() {
        return instruction.address();
    }

    /** Address of the instruction behind it. */
    public long next() {
        return instruction.address() + bytes.length;
    }

    public boolean is(int flag) {
        return instruction.is(flag);
    }

    public boolean uses(int register) {
        return (detail.used() >>> register & 1) != 0;
    }

    boolean has(int hazard) {
        return (detail.hazards() & hazard) != 0;
    }

    public int unsigned(int at) {
        return Byte.toUnsignedInt(bytes[at]);
    }
}
