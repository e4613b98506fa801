package uprobe.probe.code;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.helper.Helper;

/** The beginnings of many functions of one text, looked at by the helper (Zydis) in one call. Rows are {@code struct up_entry}, in the order asked for. */
public final class Entries {
    /** Bytes of a row. */
    public static final int ROW = 80;
    private static final int START = 0, END = 8, FIRST = 16, DETAIL = FIRST + InstructionTable.ROW, BYTES = DETAIL + Displaced.Detail.SIZE, USES_RETURN = 71,
            LOOP_HEAD = 72;

    private final ByteBuffer rows;

    private Entries(ByteBuffer rows) {
        this.rows = rows;
    }

    /**
     * @param starts addresses of the functions' first bytes
     * @param ends behind their last ones
     */
    public static Entries of(CodeText text, long[] starts, long[] ends) {
        ByteBuffer rows = ByteBuffer.allocate(starts.length * ROW).order(ByteOrder.nativeOrder());
        for (int i = 0; i < starts.length; i++) {
            rows.putLong(i * ROW + START, starts[i]).putLong(i * ROW + END, ends[i]);
        }
        int result = Helper.up_survey(text.address(), text.end() - text.start(), text.start(), rows.array(), starts.length);
        if (result < 0) {
            throw new IllegalStateException("looking at " + starts.length + " functions failed: " + result);
        }
        return new Entries(rows);
    }

    /** @throws ProbeRefusedException {@link Refusal#NOT_AN_INSTRUCTION} */
    public Displaced first(int i, String where) throws ProbeRefusedException {
        int at = i * ROW;
        InstructionTable.Instruction instruction = InstructionTable.Instruction.read(rows, at + FIRST, rows.getLong(at + START));
        if (instruction.length() == 0) {
            throw new ProbeRefusedException(Refusal.NOT_AN_INSTRUCTION, where, "");
        }
        byte[] bytes = new byte[instruction.length()];
        rows.get(at + BYTES, bytes);
        return new Displaced(instruction, bytes, Displaced.Detail.read(rows, at + DETAIL), rows.get(at + LOOP_HEAD) != 0);
    }

    /** Whether it looks at, or changes, the address it was called from, as far as its straight beginning tells. */
    public boolean usesReturnAddress(int i) {
        return rows.get(i * ROW + USES_RETURN) != 0;
    }
}
