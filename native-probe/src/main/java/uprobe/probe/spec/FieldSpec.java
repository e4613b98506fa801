package uprobe.probe.spec;

import java.util.Objects;

/**
 * One field of a probe's event.
 *
 * @param name   a Java identifier, unique in its probe, none of the names that JFR or the agent keep for themselves
 * @param fetch  where the value comes from
 * @param type   how many of its bits count and how they are read; {@link ValueType#U64} when the text names none
 * @param unit   null when the text names none
 * @param column 1-based column in {@link ProbeSpec#text} at which the field begins, for messages that come later ("no such argument")
 */
public record FieldSpec(String name, Fetch fetch, ValueType type, Unit unit, int column) {
    public FieldSpec {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(fetch, "fetch");
        Objects.requireNonNull(type, "type");
    }

    /**
     * Whether the value exists only at the return, because it is made from {@code $retval}. A {@code c} probe reads these fields at the
     * return and all others at entry. An {@code r} probe reads every field at the return, whatever this says:
     * {@link ProbeSpec#readsAtReturn} knows both.
     */
    public boolean atReturn() {
        return fetch.usesReturnValue();
    }
}
