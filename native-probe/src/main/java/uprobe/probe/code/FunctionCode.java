package uprobe.probe.code;

import java.util.ArrayDeque;
import java.util.BitSet;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.code.InstructionTable.Instruction;
import uprobe.probe.helper.Helper;

/**
 * The instructions of one function, and which of them are certainly code.
 *
 * <p>Certain is what the entry leads to: straight on and through direct branches. The rest is reached by jump tables and exceptions, or it is a table
 * that hand-written assembly keeps in its text. Such a stretch counts as code if all of it decodes to what a compiler emits; random bytes do not get
 * far without an invalid, privileged or far instruction.
 */
public final class FunctionCode {
    private static final int NEVER_EMITTED = InstructionTable.PRIVILEGED | InstructionTable.FAR;

    private final InstructionTable table;
    private final byte[] code;
    private final long start;
    private final long end;
    private final BitSet certain = new BitSet();

    /**
     * @param code of the function as it is without any probe, and up to 15 bytes more, where its last instruction may reach
     * @param start address of its first byte
     * @param length of the function itself in bytes
     */
    public FunctionCode(byte[] code, long start, int length) {
        this.table = InstructionTable.decode(code, start);
        this.code = code;
        this.start = start;
        this.end = start + length;
        follow(start);
    }

    public long start() {
        return start;
    }

    InstructionTable table() {
        return table;
    }

    /** Whether it looks at, or changes, the address it was called from, as far as its straight beginning tells. */
    public boolean usesReturnAddress() {
        return Helper.up_uses_return_address(code, code.length) > 0;
    }

    private void follow(long entry) {
        ArrayDeque<Long> open = new ArrayDeque<>();
        open.push(entry);
        while (!open.isEmpty()) {
            for (int row = table.row(open.pop()); row >= 0 && row < table.size() && !certain.get(row); row++) {
                Instruction at = table.get(row);
                if (at.length() == 0 || at.address() >= end) {
                    break;
                }
                certain.set(row);
                if (at.is(InstructionTable.BRANCH) && at.target() >= start && at.target() < end) {
                    open.push(at.target());
                }
                if (endsHere(at)) {
                    break;
                }
            }
        }
    }

    private boolean endsHere(Instruction at) {
        boolean jumps = at.is(InstructionTable.BRANCH) && Displaced.of(at, bytes(at)).detail().operation() == Way.JUMP;
        return jumps || at.is(InstructionTable.INDIRECT) || at.is(InstructionTable.RETURN) || at.is(InstructionTable.TRAP) || at.is(InstructionTable.FAR);
    }

    private byte[] bytes(Instruction at) {
        int offset = (int) (at.address() - start);
        return java.util.Arrays.copyOfRange(code, offset, offset + at.length());
    }

    /**
     * The instruction that begins at this address.
     *
     * @throws ProbeRefusedException {@link Refusal#NOT_AN_INSTRUCTION}, {@link Refusal#MID_INSTRUCTION} or {@link Refusal#DATA_IN_TEXT}
     */
    public Displaced at(long address, String where) throws ProbeRefusedException {
        Instruction found = table.containing(address);
        if (found == null || found.length() == 0) {
            throw new ProbeRefusedException(Refusal.NOT_AN_INSTRUCTION, where, "");
        } else if (found.address() != address) {
            throw new ProbeRefusedException(Refusal.MID_INSTRUCTION, where, "the instructions around it begin at +0x"
                    + Long.toHexString(found.address() - start) + " and +0x" + Long.toHexString(found.address() + found.length() - start));
        }
        refuseData(address, where);
        return Displaced.of(found, bytes(found), address == start && beginsWithLoop());
    }

    /** Whether a branch leads back to the first instruction: the head of a loop, or a call of itself that became a jump. */
    private boolean beginsWithLoop() {
        for (int row = 0; row < table.size() && table.get(row).address() < end; row++) {
            if (table.get(row).is(InstructionTable.BRANCH) && table.get(row).target() == start) {
                return true;
            }
        }
        return false;
    }

    private void refuseData(long address, String where) throws ProbeRefusedException {
        int row = table.row(address);
        if (certain.get(row)) {
            return;
        }
        int from = certain.previousSetBit(row) + 1, to = certain.nextSetBit(row);
        for (int i = from; i < (to < 0 ? table.size() : to); i++) {
            Instruction at = table.get(i);
            if (at.address() < end && (at.length() == 0 || at.is(NEVER_EMITTED))) {
                throw new ProbeRefusedException(Refusal.DATA_IN_TEXT, where,
                        "no branch leads there, and at +0x" + Long.toHexString(at.address() - start) + " stands what no compiler emits");
            }
        }
    }
}
