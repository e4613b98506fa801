package uprobe.probe.code;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import uprobe.probe.code.Objdump.Line;
import uprobe.probe.code.Objdump.Text;

/**
 * Says from objdump's text alone whether a slot does what the displaced instruction did. It knows nothing of the engine's decoder or verifier:
 * what it expects is what the processor's manual says of the text.
 */
final class SlotJudge {
    /** In the order of their numbers: whole, 32, 16 and 8 bits, and the second byte of the first four. */
    private static final String[] REGISTERS = {"rax eax ax al ah", "rcx ecx cx cl ch", "rdx edx dx dl dh", "rbx ebx bx bl bh", "rsp esp sp spl",
            "rbp ebp bp bpl", "rsi esi si sil", "rdi edi di dil"};
    private static final Pattern REGISTER = Pattern.compile("%([a-z][a-z0-9]+)");
    private static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4;
    /** Opposite conditions, SDM vol. 2A, appendix B.1.4.7. */
    private static final Map<String, String> OPPOSITE = Map.ofEntries(Map.entry("jo", "jno"), Map.entry("jno", "jo"), Map.entry("jb", "jae"),
            Map.entry("jae", "jb"), Map.entry("je", "jne"), Map.entry("jne", "je"), Map.entry("jbe", "ja"), Map.entry("ja", "jbe"),
            Map.entry("js", "jns"), Map.entry("jns", "js"), Map.entry("jp", "jnp"), Map.entry("jnp", "jp"), Map.entry("jl", "jge"),
            Map.entry("jge", "jl"), Map.entry("jle", "jg"), Map.entry("jg", "jle"));
    private static final Set<String> COUNTING = Set.of("loop", "loope", "loopne", "jrcxz", "jecxz", "loopl", "loopel", "loopnel");
    /** SDM: ring 0, or the right to do input and output, which Linux gives nobody; and what leaves the code segment. */
    private static final Pattern PRIVILEGED = Pattern.compile("hlt|cli|sti|clts|in|out|(ins|outs)[bwl]|lgdt|lidt|lldt|ltr|lmsw|invd|wbinvd|wbnoinvd"
            + "|invlpga?|rdmsr|wrmsr|swapgs|rsm|sysret[lq]?|sysexit[lq]?|iret[wlq]?|l?ret[fwlq]*f|lretw?|lretl|lretq|lcallw?|lcalll|lcallq"
            + "|ljmpw?|ljmpl|ljmpq|vmclear|vmlaunch|vmresume|vmptrld|vmptrst|vmread|vmwrite|vmxoff|vmxon|vmrun|vmload|vmsave|xsetbv"
            + "|xsaves(64)?|xrstors(64)?|invpcid|invept|invvpid|encls|monitor|mwait|clac|stac|skinit|stgi|clgi");
    private static final Pattern TRAP = Pattern.compile("int3|int1|icebp|int|ud0|ud1|ud2|ud2a|ud2b");
    private static final Pattern INDIRECT = Pattern.compile("(jmp|call)[wlq]?"), NARROW = Pattern.compile("\\*%(.x|.i|.p|r\\d+w)");
    private static final Pattern BELOW_STACK = Pattern.compile("\\*(%[a-z]s:)?-0x[0-9a-f]+\\(%rsp.*");
    private static final Pattern ON_STACK = Pattern.compile("\\*(%[a-z]s:)?(0x[0-9a-f]+)?(\\(%rsp.*)");
    private static final Pattern TO_16_BITS = Pattern.compile(".*,%(.x|.i|.p|r\\d+w)");
    private static final Pattern SYSTEM_REGISTER = Pattern.compile(".*%(cr|db|tr)\\d.*");
    private static final Pattern NUMBERED = Pattern.compile("r(8|9|1\\d)[dwb]?");
    private static final Map<String, Boolean> PRIVILEGED_KNOWN = new HashMap<>(), TRAP_KNOWN = new HashMap<>();
    /** One operand, and rax and rdx hidden; those of bytes use ax only. */
    private static final Set<String> BYTE_PRODUCT = Set.of("mulb", "imulb", "divb", "idivb");
    private static final Set<String> PRODUCT = Set.of("mulw", "mull", "mulq", "imulw", "imull", "imulq",
            "divw", "divl", "divq", "idivw", "idivl", "idivq");

    /** The slot does something else than the instruction did. */
    static final class Wrong extends Exception {
        private static final long serialVersionUID = 1;

        Wrong(String what) {
            super(what);
        }
    }

    /* ---- refusals ---- */

    /** A reason for which the mechanism has to refuse the instruction, or null if it has to carry it out. */
    static String refusal(Line at, Text text, long slot, boolean step) {
        String m = text.branch();
        boolean operandSize = text.has("data16") && !text.hasRexW();
        if (PRIVILEGED_KNOWN.computeIfAbsent(m, any -> PRIVILEGED.matcher(any).matches())
                || m.startsWith("mov") && SYSTEM_REGISTER.matcher(text.operands()).matches()) {
            return "PRIVILEGED";
        } else if (TRAP_KNOWN.computeIfAbsent(m, any -> TRAP.matcher(any).matches())) {
            return "FOREIGN_TRAP";
        } else if (m.equals("xbegin") || m.startsWith("sysenter")) {
            return "NOT_DISPLACEABLE " + m;
        } else if (isNearBranch(text) && (operandSize || m.endsWith("w") || NARROW.matcher(text.operands()).matches())) {
            return "NOT_DISPLACEABLE operand-size prefix";
        }
        return step ? stepRefusal(text, m) : boostRefusal(at, text, slot, m);
    }

    private static boolean isNearBranch(Text text) {
        return text.direct() || text.operands().startsWith("*") || text.branch().startsWith("ret");
    }

    private static String stepRefusal(Text text, String m) {
        if (m.equals("syscall") || m.equals("mov") && text.operands().endsWith(",%ss")) {
            return "NOT_DISPLACEABLE single step held off";
        }
        return null;
    }

    private static String boostRefusal(Line at, Text text, long slot, String m) {
        if (m.equals("lea") && isKnown(text)) {
            return null;
        }
        boolean call = m.startsWith("call"), farOperand = text.relative() && !reaches(slot + (call ? 13 : 0) + at.bytes().length, text.target());
        if (call && text.operands().startsWith("*%rsp")) {
            return "NOT_DISPLACEABLE call rsp";
        } else if (call && BELOW_STACK.matcher(text.operands()).matches()) {
            return "NOT_DISPLACEABLE call below rsp";
        } else if (farOperand && (used(text) >>> RSP & 1) != 0) {
            return "OUT_OF_REACH stack";
        } else if (farOperand && INDIRECT.matcher(m).matches()) {
            return "OUT_OF_REACH jump";
        }
        return null;
    }

    /* ---- what the slot must hold ---- */

    private final Line original;
    private final Text text;
    private final SlotCode code;
    private final List<Line> lines;
    private int row;

    /** @param lines what objdump says of the slot's code; addresses that it holds are in {@link SlotCode#code()} only */
    SlotJudge(Line original, Text text, SlotCode code, List<Line> lines) {
        this.original = original;
        this.text = text;
        this.code = code;
        this.lines = lines;
    }

    static boolean reaches(long from, long to) {
        return to - from == (int) (to - from);
    }

    /** @return the name of the form that the slot has */
    String boost() throws Wrong {
        String m = text.branch(), form;
        if (m.startsWith("call")) {
            form = call();
        } else if (text.direct()) {
            form = COUNTING.contains(m) ? counting() : m.equals("jmp") ? jump() : conditional(m);
        } else {
            form = straight(m);
        }
        is(here() == code.address() + code.code().length, "nothing stands behind it");
        marks();
        return form;
    }

    String step() throws Wrong {
        String form;
        Line copy = lines.get(0);
        Text made = next();
        if (text.direct()) {
            is(made.direct() && made.branch().equals(text.branch()) && countsIn(made).equals(countsIn(text)), "the copy is the same branch");
            is(made.target() == copy.next() + 1, "the copy branches to the second byte behind it");
            form = "branch";
        } else if (text.relative() && !reaches(code.address() + original.bytes().length, text.target())) {
            throughRegister(made);
            form = "operand through a register";
        } else {
            same(made);
            form = text.relative() ? "copy, rip-relative" : "copy";
        }
        is(code.copyLength() == copy.bytes().length, "it says how long the copy is");
        is(next().mnemonic().equals("int3") && next().mnemonic().equals("int3"), "two traps stand behind the copy");
        is(here() == code.address() + code.code().length, "nothing stands behind it");
        marks();
        return "step: " + form;
    }

    private String straight(String m) throws Wrong {
        int length = original.bytes().length;
        String form = text.relative() ? "copy, rip-relative" : "copy";
        if (text.relative() && !reaches(code.address() + length, text.target())) {
            form = m.equals("lea") && isKnown(text) ? knownAddress() : scratch();
        } else {
            is(code.copyLength() == lines.get(0).bytes().length, "it says how long the copy is");
            same(next());
        }
        if (m.equals("syscall")) {
            Text rcx = next();
            boolean near = rcx.mnemonic().equals("lea") && rcx.operands().equals("(%rip),%rcx") && rcx.target() == original.next();
            is(near || rcx.mnemonic().equals("movabs") && rcx.operands().endsWith(",%rcx") && immediate(rcx) == original.next(),
                    "rcx holds the address behind the original");
            form = "syscall";
        }
        leaves(original.next());
        return form;
    }

    /** An address that is no matter of the processor's: a lea of it, 32 or 64 bits wide, is a move. */
    private static boolean isKnown(Text text) {
        return text.relative() && !text.operands().startsWith("(%eip)") && !TO_16_BITS.matcher(text.operands()).matches();
    }

    private void same(Text made) throws Wrong {
        is(made.meaning().equals(text.meaning()), "the copy is the same instruction");
        is(made.relative() == text.relative() && made.target() == text.target(), "the copy's operand is the same");
    }

    private String jump() throws Wrong {
        leaves(text.target());
        return "jmp";
    }

    private String conditional(String m) throws Wrong {
        Line at = lines.get(row);
        Text first = next();
        is(first.direct() && first.tellingPrefixes().isEmpty(), "it branches");
        if (reaches(at.next(), text.target()) && first.target() == text.target()) {
            is(first.branch().equals(m), "it branches on the same condition");
            leaves(original.next());
            return "jcc";
        }
        is(first.branch().equals(OPPOSITE.get(m)), "it branches on the opposite condition");
        leaves(text.target());
        is(first.target() == here(), "it branches over one jump");
        leaves(original.next());
        return "jcc over a far jump";
    }

    private String counting() throws Wrong {
        Text first = next();
        is(first.direct() && first.branch().equals(text.branch()) && countsIn(first).equals(countsIn(text)),
                "it counts the same register for the same end");
        leaves(original.next());
        is(first.target() == here(), "it branches over one jump");
        leaves(text.target());
        return "loop";
    }

    /** The register that a loop counts: with addr32 it is ecx. */
    private static List<String> countsIn(Text text) {
        return COUNTING.contains(text.branch()) ? text.prefixes().stream().filter("addr32"::equals).toList() : List.of();
    }

    private String call() throws Wrong {
        Text low = next(), high = next();
        is(low.mnemonic().equals("push") && low.prefixes().isEmpty() && low.operands().startsWith("$"), "it pushes a number");
        is(high.mnemonic().equals("movl") && high.prefixes().isEmpty() && high.operands().endsWith(",0x4(%rsp)"),
                "it writes the number's upper half");
        is((immediate(high) << 32 | immediate(low) & 0xffff_ffffL) == original.next(), "it pushes the address behind the call");
        if (text.direct()) {
            leaves(text.target());
            return "call";
        }
        Text jump = next();
        is(jump.mnemonic().equals(text.mnemonic().replace("call", "jmp")) && jump.prefixes().equals(text.prefixes()), "it jumps as it called");
        is(jump.operands().equals(oneWordHigher(text.operands())), "it jumps through the same place");
        is(jump.relative() == text.relative() && jump.target() == text.target(), "it jumps through the same pointer");
        return text.relative() ? "call through a pointer, rip-relative" : "call through a register or memory";
    }

    /** The operand with rsp eight less than before. */
    private static String oneWordHigher(String operands) {
        Matcher stack = ON_STACK.matcher(operands);
        if (!stack.matches()) {
            return operands;
        }
        long displacement = stack.group(2) == null ? 0 : Long.decode(stack.group(2));
        return "*" + (stack.group(1) == null ? "" : stack.group(1)) + "0x" + Long.toHexString(displacement + 8) + stack.group(3);
    }

    private String knownAddress() throws Wrong {
        Text move = next();
        String register = text.operands().substring(text.operands().indexOf(',') + 1);
        boolean wide = register.startsWith("%r") && !register.endsWith("d");
        is(move.mnemonic().equals(wide ? "movabs" : "mov") && move.operands().endsWith("," + register), "it loads the same register");
        is(immediate(move) == (wide ? text.target() : text.target() & 0xffff_ffffL), "it loads the operand's address");
        return "lea of a known address";
    }

    private String scratch() throws Wrong {
        expect("lea", "-0x80(%rsp),%rsp");
        Text push = next();
        is(push.mnemonic().equals("push") && number(push.operands().substring(1)) == code.scratch(), "it saves the register");
        String register = push.operands();
        Text load = next();
        is(load.mnemonic().equals("movabs") && load.operands().endsWith("," + register) && immediate(load) == text.target(),
                "it loads the operand's address");
        throughRegister(next());
        expect("pop", register);
        expect("lea", "0x80(%rsp),%rsp");
        return "operand through a saved register";
    }

    private void throughRegister(Text made) throws Wrong {
        String name = REGISTERS[code.scratch()].split(" ")[text.operands().contains("(%eip)") ? 1 : 0];
        String expected = withoutRex(text).meaning().replace("(%rip)", "(%" + name + ")").replace("(%eip)", "(%" + name + ")");
        is(withoutRex(made).meaning().equals(expected), "it is the same instruction on the register");
        is((used(text) >>> code.scratch() & 1) == 0, "the instruction does not use the register");
    }

    /** objdump names bits of REX that change nothing. B is such beside rip, and has gone in the copy; W is told by the operands. */
    private static Text withoutRex(Text text) {
        return new Text(text.prefixes().stream().filter(p -> !p.startsWith("rex")).toList(), text.mnemonic(), text.operands(), text.target(),
                text.direct(), text.relative());
    }

    private void expect(String mnemonic, String operands) throws Wrong {
        Text made = next();
        is(made.prefixes().isEmpty() && made.mnemonic().equals(mnemonic) && made.operands().equals(operands), "it has " + mnemonic + " " + operands);
    }

    /** One unconditional jump: direct where 32 bits reach, else through the eight bytes behind it. */
    private void leaves(long to) throws Wrong {
        Line line = lines.get(row);
        Text jump = next();
        is(jump.mnemonic().equals("jmp") && jump.prefixes().isEmpty(), "it jumps");
        if (jump.direct()) {
            is(jump.target() == to, "it jumps to the right address");
            return;
        }
        is(jump.operands().equals("*(%rip)") && jump.target() == line.next(), "it jumps through what is behind the jump");
        is(!reaches(line.address() + 5, to), "it jumps far only where it must");
        is(literal(line.next()) == to, "it jumps far to the right address");
        while (row < lines.size() && lines.get(row).address() < line.next() + Long.BYTES) {
            row++;
        }
        is(row == lines.size() || here() == line.next() + Long.BYTES, "an instruction begins behind the address");
    }

    private long literal(long address) throws Wrong {
        int at = (int) (address - code.address());
        is(at + Long.BYTES <= code.code().length, "the address lies in the slot");
        return ByteBuffer.wrap(code.code()).order(ByteOrder.LITTLE_ENDIAN).getLong(at);
    }

    /** Threads are found by the marks: each stands before an instruction, the first before all. */
    private void marks() throws Wrong {
        int before = -1;
        for (SlotCode.Mark mark : code.marks()) {
            is(mark.offset() > before, "marks are in order");
            before = mark.offset();
            long address = code.address() + before;
            boolean found = false;
            for (Line line : lines) {
                found |= line.address() == address;
            }
            is(found, "a mark stands before an instruction");
        }
    }

    private long here() {
        return row < lines.size() ? lines.get(row).address() : lines.get(lines.size() - 1).next();
    }

    private Text next() throws Wrong {
        is(row < lines.size(), "something follows");
        return Objdump.parse(lines.get(row++).text(), 0);
    }

    private static long immediate(Text text) {
        String operands = text.operands();
        return Long.parseUnsignedLong(operands.substring(3, operands.indexOf(',') < 0 ? operands.length() : operands.indexOf(',')), 16);
    }

    private void is(boolean right, String what) throws Wrong {
        if (!right) {
            throw new Wrong("not true: " + what + "; slot " + HexFormat.ofDelimiter(" ").formatHex(code.code()) + lines.stream()
                    .map(l -> "\n    0x" + Long.toHexString(l.address()) + " " + l.text()).reduce("", String::concat));
        }
    }

    /* ---- registers ---- */

    /** Bit n: general register n is named, or used without being named (the instructions' pages in SDM vol. 2). */
    static int used(Text text) {
        int used = hidden(text.branch(), text.operands());
        Matcher named = REGISTER.matcher(text.operands());
        while (named.find()) {
            int n = number(named.group(1));
            used |= n < 0 ? 0 : 1 << n;
        }
        return used;
    }

    private static int hidden(String m, String operands) {
        boolean one = !operands.contains(",");
        if (m.startsWith("push") || m.startsWith("pop") && !m.startsWith("popcnt") || m.startsWith("call") || m.startsWith("ret")) {
            return 1 << RSP;
        } else if (m.equals("cmpxchg8b") || m.equals("cmpxchg16b")) {
            return 1 << RAX | 1 << RDX | 1 << RCX | 1 << RBX;
        } else if (m.startsWith("cmpxchg") || one && BYTE_PRODUCT.contains(m)) {
            return 1 << RAX;
        } else if (one && PRODUCT.contains(m) || m.startsWith("xsave") || m.startsWith("xrstor") || m.contains("pcmpestrm")) {
            return 1 << RAX | 1 << RDX;
        } else if (m.contains("pcmpestri")) {
            return 1 << RAX | 1 << RDX | 1 << RCX;
        } else if (m.contains("pcmpistri")) {
            return 1 << RCX;
        }
        return m.startsWith("mulx") ? 1 << RDX : 0;
    }

    private static int number(String name) {
        for (int n = 0; n < REGISTERS.length; n++) {
            for (String part : REGISTERS[n].split(" ")) {
                if (part.equals(name)) {
                    return n;
                }
            }
        }
        Matcher numbered = NUMBERED.matcher(name);
        return numbered.matches() ? Integer.parseInt(numbered.group(1)) : -1;
    }
}
