package uprobe.probe.spec;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a site gets its hits and carries out its displaced instruction, best first. All leave the same machine state. {@code enum up_mechanism}. */
public enum Mechanism {
    /** INT3; the displaced instruction runs in its slot and jumps back: one trap a hit. */
    BOOST,
    /** INT3; the trap handler does what the displaced instruction does: one trap a hit. */
    EMULATE,
    /** INT3; a copy of the displaced instruction is single-stepped: two traps a hit, the second one dear on virtual machines. */
    STEP;

    /** As it stands in options, events and lists: {@code boost}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The mechanism of that {@linkplain #text() text}. */
    public static Optional<Mechanism> of(String text) {
        return Arrays.stream(values()).filter(m -> m.text().equals(text)).findFirst();
    }
}
