package uprobe.probe.spec;

import java.util.Optional;

/** Where a probe takes its hit, and what its event therefore knows. */
public enum ProbeType {
    /** {@code p}: when the instruction is reached; the only type that may stand inside a function (SYM+OFF). An instant event. */
    ENTRY('p'),
    /** {@code r}: when the function returns. Knows the result and the registers of that moment, no longer the arguments. */
    RETURN('r'),
    /** {@code c}: a whole call. Arguments as they were at entry, the result and the duration, in one event. */
    CALL('c');

    private final char letter;

    ProbeType(char letter) {
        this.letter = letter;
    }

    /** The letter that begins a probe of this type in the probe language. */
    public char letter() {
        return letter;
    }

    /** Empty for any other letter; upper case is another letter. */
    public static Optional<ProbeType> of(char letter) {
        for (ProbeType type : values()) {
            if (type.letter == letter) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
