package uprobe.probe.code;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The code of a slot, and what a thread that stands between two of its instructions would be without probes.
 *
 * @param address of its first byte
 * @param copyLength of the displaced instruction's copy, in bytes, where it stands first; 0 if it does not
 * @param scratch general register that stands for rip in the copy, or {@link Displaced#NO_REGISTER}
 */
public record SlotCode(long address, byte[] code, List<Mark> marks, int copyLength, int scratch) {
    /** Where the thread would be. */
    public enum Where { SITE, NEXT, TARGET }

    /**
     * {@code struct up_mark}.
     *
     * @param offset from the slot's first byte
     * @param stack bytes that the slot has put on the stack so far
     * @param saved whether the scratch register's own value lies on top of the stack
     */
    public record Mark(int offset, int stack, Where where, boolean saved) {}

    /** Slots begin at multiples of it; one takes up one or two. */
    public static final int UNIT = 32, UNITS = 2;

    int units() {
        return (code.length + UNIT - 1) / UNIT;
    }

    /** Puts a slot together, instruction by instruction. */
    static final class Writer {
        private static final int JUMP_SIZE = 5, JUMP_IF_SIZE = 6, FAR_JUMP_SIZE = 14;

        private final long address;
        private final ByteBuffer out = ByteBuffer.allocate(UNIT * UNITS).order(ByteOrder.LITTLE_ENDIAN);
        private final List<Mark> marks = new ArrayList<>();

        Writer(long address) {
            this.address = address;
        }

        int position() {
            return out.position();
        }

        /** Address of the byte that is written next. */
        long here() {
            return address + out.position();
        }

        Writer mark(Where where, int stack, boolean saved) {
            marks.add(new Mark(out.position(), stack, where, saved));
            return this;
        }

        Writer mark(Where where) {
            return mark(where, 0, false);
        }

        Writer bytes(int... bytes) {
            for (int b : bytes) {
                out.put((byte) b);
            }
            return this;
        }

        Writer bytes(byte[] bytes) {
            out.put(bytes);
            return this;
        }

        Writer int32(long value) {
            out.putInt((int) value);
            return this;
        }

        Writer int64(long value) {
            out.putLong(value);
            return this;
        }

        /** {@code e9 rel32}; farther than 2 GiB {@code ff 25 00000000} and the address. */
        Writer jump(long to) {
            return reaches(here() + JUMP_SIZE, to) ? bytes(0xe9).int32(to - here() - Integer.BYTES) : bytes(0xff, 0x25).int32(0).int64(to);
        }

        /** {@code 0f 8x rel32}; farther than 2 GiB the opposite condition over a far jump. */
        Writer jumpIf(int condition, long to) {
            if (reaches(here() + JUMP_IF_SIZE, to)) {
                return bytes(0x0f, 0x80 + condition).int32(to - here() - Integer.BYTES);
            }
            return bytes(0x70 + (condition ^ 1), FAR_JUMP_SIZE).jump(to);
        }

        SlotCode done(int copyLength, int scratch) {
            return new SlotCode(address, Arrays.copyOf(out.array(), out.position()), List.copyOf(marks), copyLength, scratch);
        }

        SlotCode done() {
            return done(0, Displaced.NO_REGISTER);
        }
    }

    /** Whether a 32-bit displacement counted from {@code from} gets to {@code to}. */
    static boolean reaches(long from, long to) {
        return to - from == (int) (to - from);
    }
}
