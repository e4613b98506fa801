package uprobe.probe.code;

import java.nio.ByteBuffer;
import uprobe.probe.spec.Mechanism;

/**
 * How a displaced instruction is carried out: what Java decided, as {@code struct up_way} wants it.
 *
 * @param slot the slot's code; null if none is needed
 * @param stands the byte in memory that the trap takes the place of: the instruction's first, or that of a jump of the engine's own
 */
public record Way(Mechanism mechanism, Displaced displaced, SlotCode slot, int stands) {
    /** Bytes of {@code struct up_way}. */
    public static final int SIZE = 88;
    /** {@code UP_OP_JUMP}, {@code UP_OP_MOVE_IMMEDIATE}, {@code UP_OP_NONE}. */
    public static final int JUMP = 1, MOVE_IMMEDIATE = 14, NO_OPERATION = 15;
    private static final int MARKS = 8;

    public Way(Mechanism mechanism, Displaced displaced, SlotCode slot) {
        this(mechanism, displaced, slot, displaced.unsigned(0));
    }

    /** Puts it behind those that are there, in the processor's byte order. */
    public void pack(ByteBuffer out) {
        int end = out.position() + SIZE;
        Displaced.Detail detail = displaced.detail();
        out.putLong(slot == null ? 0 : slot.address());
        out.putLong(displaced.address()).putLong(displaced.next()).putLong(displaced.instruction().target()).putLong(immediate());
        put(out, mechanism.ordinal(), detail.operation(), detail.a(), detail.b(), detail.c(), detail.scale(), detail.size(), detail.condition());
        put(out, slot == null ? Displaced.NO_REGISTER : slot.scratch(), slot == null ? 0 : slot.copyLength(), slot == null ? 0 : slot.code().length,
                stands, detail.stepFlags(), slot == null ? 0 : slot.marks().size(), displaced.loopHead() ? 1 : 0, 0);
        if (slot != null) {
            if (slot.marks().size() > MARKS) {
                throw new IllegalStateException(slot.marks().size() + " marks in a slot, at most " + MARKS);
            }
            slot.marks().forEach(mark -> put(out, mark.offset(), mark.stack(), mark.where().ordinal(), mark.saved() ? 1 : 0));
        }
        out.position(end);
    }

    /** Of a step with a scratch register what that holds, of an emulated {@code lea reg, [rip+x]} its result, else the operand. */
    private long immediate() {
        boolean ofTarget = mechanism == Mechanism.STEP ? slot.scratch() != Displaced.NO_REGISTER
                : displaced.detail().operation() == MOVE_IMMEDIATE && displaced.is(InstructionTable.RIP_RELATIVE);
        return ofTarget ? displaced.instruction().target() : displaced.detail().immediate();
    }

    private static void put(ByteBuffer out, int... bytes) {
        for (int b : bytes) {
            out.put((byte) b);
        }
    }
}
