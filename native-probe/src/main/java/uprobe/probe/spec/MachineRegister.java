package uprobe.probe.spec;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The general registers of x86-64, in the order of their numbers in machine code (Intel SDM vol. 2A, table 3-1). */
public enum MachineRegister {
    RAX("ax"), RCX("cx"), RDX("dx"), RBX("bx"), RSP("sp"), RBP("bp"), RSI("si"), RDI("di"),
    R8("r8"), R9("r9"), R10("r10"), R11("r11"), R12("r12"), R13("r13"), R14("r14"), R15("r15");

    /* psABI x86-64, 3.2.3: INTEGER arguments take the next of these */
    private static final MachineRegister[] ARGUMENTS = {RDI, RSI, RDX, RCX, R8, R9};

    private static final Map<String, MachineRegister> BY_NAME = Stream.of(values()).collect(Collectors.toUnmodifiableMap(
            register -> register.text(), register -> register));

    private static final Map<String, MachineRegister> BY_SHORT_NAME = Stream.of(values()).collect(Collectors.toUnmodifiableMap(
            register -> register.shortName, register -> register));

    private final String shortName;

    MachineRegister(String shortName) {
        this.shortName = shortName;
    }

    /** 0 to 15: the low three bits go into ModRM, SIB or opcode, the fourth into REX. */
    public int number() {
        return ordinal();
    }

    /** {@code rdi}, without the percent sign. */
    public String text() {
        return shortName.startsWith("r") ? shortName : "r" + shortName;
    }

    /**
     * The register that carries an INTEGER argument (psABI x86-64, 3.2.3).
     *
     * @param number 1 to 6
     * @throws IllegalArgumentException for any other number: such arguments are on the stack
     */
    public static MachineRegister ofArgument(int number) {
        if (number < 1 || number > ARGUMENTS.length) {
            throw new IllegalArgumentException("argument " + number + " is not in a register; 1 to 6 are");
        }
        return ARGUMENTS[number - 1];
    }

    /**
     * @param name without the percent sign, lower case: {@code rdi}, or as in uprobe_events {@code di}, which there and here is the whole
     *             register. Empty for {@code edi} and other names of parts
     */
    public static Optional<MachineRegister> named(String name) {
        MachineRegister register = BY_NAME.get(name);
        return Optional.ofNullable(register != null ? register : BY_SHORT_NAME.get(name));
    }

    /** The register that {@code edi}, {@code dil}, {@code r8d} .. are the low part of; empty for anything else, whole registers too. */
    static Optional<MachineRegister> ofLowPart(String name) {
        for (MachineRegister register : values()) {
            String s = register.shortName;
            boolean part = register.ordinal() >= R8.ordinal()
                    ? name.equals(s + "d") || name.equals(s + "w") || name.equals(s + "b")
                    : name.equals("e" + s) || name.equals(s.endsWith("x") ? s.charAt(0) + "l" : s + "l");
            if (part) {
                return Optional.of(register);
            }
        }
        return Optional.empty();
    }

    /** {@code %rdi}. */
    @Override
    public String toString() {
        return "%" + text();
    }
}
