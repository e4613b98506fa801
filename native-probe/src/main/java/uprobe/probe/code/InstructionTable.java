package uprobe.probe.code;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import uprobe.probe.helper.Helper;

/**
 * A stretch of code, decoded by the helper (Zydis) in one call. Rows are {@code struct up_insn}, in the order of addresses.
 */
public final class InstructionTable {
    /** Bytes of a row. */
    static final int ROW = 16;
    /** Bytes of the longest instruction: SDM vol. 2A, 2.3.11. */
    public static final int LONGEST = 15;

    public static final int RIP_RELATIVE = 1, BRANCH = 2, CALL = 4, RETURN = 8, TRAP = 16, PRIVILEGED = 32, SYSCALL = 64, INDIRECT = 128, FAR = 256,
            TRANSACTION = 512, RELATIVE = 1024;

    /**
     * @param address of the instruction's first byte
     * @param length in bytes; 0 if the byte there begins no instruction
     * @param displacementAt offset of the four-byte rip-relative displacement inside the instruction; 0 if it has none
     * @param flags bits above
     * @param target absolute address of a relative branch or rip-relative operand, else 0
     */
    public record Instruction(long address, int length, int displacementAt, int flags, long target) {
        public boolean is(int flag) {
            return (flags & flag) != 0;
        }

        /** A row; base: what its offset is counted from. */
        static Instruction read(ByteBuffer rows, int at, long base) {
            return new Instruction(base + Integer.toUnsignedLong(rows.getInt(at)), rows.get(at + 4) & 0xff, rows.get(at + 5) & 0xff,
                    rows.getShort(at + 6) & 0xffff, rows.getLong(at + 8));
        }
    }

    private final long address;
    private final ByteBuffer rows;
    private final int count;

    private InstructionTable(long address, ByteBuffer rows, int count) {
        this.address = address;
        this.rows = rows;
        this.count = count;
    }

    /**
     * @param code bytes as they are without any probe
     * @param address of the first byte
     */
    public static InstructionTable decode(byte[] code, long address) {
        byte[] rows = new byte[code.length * ROW];
        int count = Helper.up_decode(code, code.length, address, rows, code.length);
        if (count < 0) {
            throw new IllegalStateException("decoding " + code.length + " bytes at 0x" + Long.toHexString(address) + " failed: " + count);
        }
        return new InstructionTable(address, ByteBuffer.wrap(rows).order(ByteOrder.nativeOrder()), count);
    }

    /** The code of many slots, decoded in one call: a table for each. */
    static List<InstructionTable> decode(List<SlotCode> slots) {
        int[] lengths = slots.stream().mapToInt(slot -> slot.code().length).toArray();
        long[] addresses = slots.stream().mapToLong(SlotCode::address).toArray();
        ByteBuffer code = ByteBuffer.allocate(Arrays.stream(lengths).sum());
        slots.forEach(slot -> code.put(slot.code()));
        ByteBuffer rows = ByteBuffer.allocate(code.capacity() * ROW).order(ByteOrder.nativeOrder());
        int count = Helper.up_decode_pieces(code.array(), lengths, addresses, lengths.length, rows.array(), code.capacity());
        if (count < 0) {
            throw new IllegalStateException("decoding " + lengths.length + " slots failed: " + count);
        }
        List<InstructionTable> tables = new ArrayList<>(lengths.length);
        for (int row = 0, next; row < count; row = next) {
            for (next = row + 1; next < count && rows.getInt(next * ROW) != 0; next++) { }      /* offset 0 begins a slot */
            ByteBuffer its = rows.slice(row * ROW, (next - row) * ROW).order(ByteOrder.nativeOrder());
            tables.add(new InstructionTable(addresses[tables.size()], its, next - row));
        }
        return tables;
    }

    public int size() {
        return count;
    }

    public Instruction get(int row) {
        return Instruction.read(rows, row * ROW, address);
    }

    /** The instruction that holds the byte at this address, or null if the address lies outside. */
    Instruction containing(long where) {
        int row = rowHolding(where);
        return row < 0 ? null : get(row);
    }

    /** The row of the instruction that begins at this address, or -1. */
    int row(long where) {
        int row = rowHolding(where);
        return row >= 0 && get(row).address() == where ? row : -1;
    }

    private int rowHolding(long where) {
        int low = 0, high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Instruction at = get(middle);
            if (where < at.address()) {
                high = middle - 1;
            } else if (where >= at.address() + Math.max(1, at.length())) {
                low = middle + 1;
            } else {
                return middle;
            }
        }
        return -1;
    }
}
