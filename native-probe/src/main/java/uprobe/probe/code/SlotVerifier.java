package uprobe.probe.code;

import java.util.HexFormat;
import java.util.List;
import uprobe.probe.code.InstructionTable.Instruction;
import uprobe.probe.spec.Mechanism;

/** Decodes what the {@link Relocator} made and looks whether it means what the displaced instruction meant. A difference is a mistake of ours. */
final class SlotVerifier {
    /** What stays as it is in a copy, whatever its operands are turned into. */
    private static final int KIND = ~(InstructionTable.RIP_RELATIVE | InstructionTable.RELATIVE);

    private final Displaced displaced;
    private final SlotCode code;
    private final InstructionTable table;
    private int at;

    private SlotVerifier(Displaced displaced, SlotCode code, InstructionTable table) {
        this.displaced = displaced;
        this.code = code;
        this.table = table;
    }

    /** @param ways that have slots */
    static void verify(List<Way> ways) {
        List<InstructionTable> tables = InstructionTable.decode(ways.stream().map(Way::slot).toList());
        for (int i = 0; i < tables.size(); i++) {
            Way way = ways.get(i);
            SlotVerifier verifier = new SlotVerifier(way.displaced(), way.slot(), tables.get(i));
            if (way.mechanism() == Mechanism.BOOST) {
                verifyBoost(way.displaced(), way.slot(), verifier);
            } else {
                verifyStep(way.displaced(), way.slot(), verifier);
            }
        }
    }

    private static void verifyBoost(Displaced d, SlotCode code, SlotVerifier v) {
        long target = d.instruction().target();
        boolean relative = d.is(InstructionTable.RELATIVE) && !d.is(InstructionTable.RIP_RELATIVE);
        if (d.is(InstructionTable.CALL)) {
            v.returnAddress();
            if (relative) {
                v.jumpTo(target);
            } else {
                Instruction jump = v.next();
                v.check(jump.is(InstructionTable.INDIRECT) && jump.target() == target, "jumps through the same pointer");
            }
        } else if (d.is(InstructionTable.BRANCH)) {
            v.branch(target);
        } else {
            if (code.copyLength() > 0) {
                v.copy();
            } else if (code.scratch() == Displaced.NO_REGISTER) {
                v.next();       /* mov register, the address */
            } else {
                v.throughScratch();
            }
            if (d.is(InstructionTable.SYSCALL)) {
                v.leavesNextInRcx();
            }
            v.jumpTo(d.next());
        }
        v.check(v.at == code.code().length, "has nothing behind it");
    }

    private static void verifyStep(Displaced d, SlotCode code, SlotVerifier v) {
        if (d.is(InstructionTable.RELATIVE) && !d.is(InstructionTable.RIP_RELATIVE)) {
            Instruction copy = v.next();
            v.check(copy.target() == code.address() + code.copyLength() + 1 && (copy.flags() & KIND) == (d.instruction().flags() & KIND),
                    "branches to the byte behind the next");
        } else if (code.scratch() == Displaced.NO_REGISTER) {
            v.copy();
        } else {
            v.throughRegister();
        }
        v.check(v.at == code.copyLength(), "is as long as it says");
    }

    private Instruction next() {
        int row = table.row(code.address() + at);
        Instruction found = row >= 0 ? table.get(row) : apart();
        check(found.length() > 0, "is an instruction");
        at += found.length();
        return found;
    }

    /** Behind an address that stands among the instructions. */
    private Instruction apart() {
        byte[] bytes = code.code();
        return InstructionTable.decode(java.util.Arrays.copyOfRange(bytes, at, bytes.length), code.address() + at).get(0);
    }

    /** {@code jmp rel32}, or through the eight bytes behind it. */
    private void jumpTo(long target) {
        Instruction jump = next();
        if (jump.is(InstructionTable.INDIRECT)) {
            check(jump.target() == code.address() + at, "jumps through the eight bytes behind it");
            check(literal(at, Long.BYTES) == target, "jumps to the right address");
            at += Long.BYTES;
        } else {
            check(jump.is(InstructionTable.BRANCH) && jump.target() == target, "jumps to the right address");
        }
    }

    private long literal(int from, int length) {
        long value = 0;
        for (int i = length - 1; i >= 0; i--) {
            value = value << 8 | Byte.toUnsignedLong(code.code()[from + i]);
        }
        return value;
    }

    /** push imm32; mov dword [rsp+4], imm32 */
    private void returnAddress() {
        next();
        long low = literal(at - Integer.BYTES, Integer.BYTES);
        next();
        long high = literal(at - Integer.BYTES, Integer.BYTES);
        check((high << 32 | low) == displaced.next(), "pushes the return address");
    }

    /** lea rcx, [rip+x] or mov rcx, imm64 */
    private void leavesNextInRcx() {
        Instruction load = next();
        long value = load.is(InstructionTable.RIP_RELATIVE) ? load.target() : literal(at - Long.BYTES, Long.BYTES);
        check(value == displaced.next(), "leaves the right address in rcx");
    }

    private int conditionOf(Instruction branch) {
        int from = (int) (branch.address() - code.address());
        return Displaced.of(branch, java.util.Arrays.copyOfRange(code.code(), from, from + branch.length())).detail().condition();
    }

    private void branch(long target) {
        boolean unconditional = displaced.detail().operation() == Way.JUMP;
        if (unconditional) {
            jumpTo(target);
            return;
        }
        Instruction first = next();
        check(first.is(InstructionTable.BRANCH), "branches");
        boolean straight = first.target() == target || code.copyLength() > 0;
        check(conditionOf(first) == (displaced.detail().condition() ^ (straight ? 0 : 1)), "has the right condition");
        if (first.target() == target) {
            jumpTo(displaced.next());
            return;
        }
        /* A loop over the jump back, or the opposite condition over a far jump to the target. */
        boolean loops = code.copyLength() > 0;
        jumpTo(loops ? displaced.next() : target);
        check(first.target() == code.address() + at, "branches over one jump");
        jumpTo(loops ? target : displaced.next());
    }

    private void copy() {
        Instruction copy = next(), original = displaced.instruction();
        check(copy.length() == original.length() && copy.flags() == original.flags() && copy.target() == original.target(),
                "means the same at its new place");
    }

    private void throughScratch() {
        for (int i = 0; i < 3; i++) {
            next();             /* lea, push, mov */
        }
        check(literal(at - Long.BYTES, Long.BYTES) == displaced.instruction().target(), "loads the operand's address");
        throughRegister();
        next();                 /* pop */
        next();                 /* lea */
    }

    private void throughRegister() {
        int from = at;
        Instruction copy = next();
        check(copy.length() == displaced.bytes().length - Integer.BYTES
                && (copy.flags() & KIND) == (displaced.instruction().flags() & KIND), "is the same instruction without a displacement");
        Displaced again = Displaced.of(copy, java.util.Arrays.copyOfRange(code.code(), from, at));
        check(again.detail().used() == (displaced.detail().used() | 1 << code.scratch()), "uses the scratch register and what it used before");
    }

    private void check(boolean right, String what) {
        if (!right) {
            throw new IllegalStateException("the instruction " + HexFormat.ofDelimiter(" ").formatHex(displaced.bytes()) + " at 0x"
                    + Long.toHexString(displaced.address()) + ", put into a slot at 0x" + Long.toHexString(code.address())
                    + ", gave code of which it is not true that it " + what + ": " + HexFormat.ofDelimiter(" ").formatHex(code.code()));
        }
    }
}
