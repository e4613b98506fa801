package uprobe.probe.spec;

import java.util.List;
import java.util.Objects;

/**
 * One probe as its author wrote it: what to hook and what to record, before any library has been looked at.
 *
 * @param group   a Java identifier; null when left out (the stem of the library that matched takes its place)
 * @param event   a Java identifier; null when left out (the symbol takes its place, through {@link JavaNames#identifier};
 *                with a {@link SymbolPattern} nothing does: the probe's events are the shared {@code uprobe.NativeCall})
 * @param library which mapped files are meant; several may match, also ones that are loaded later
 * @param fields  in the order of the text, at most {@value #MAX_FIELDS}, names unique; unmodifiable
 * @param condition which hits count; null when the text has no {@code if}
 * @param options what the text says behind the fields, defaults where it says nothing
 * @param text    what was parsed, unchanged: the columns of {@link FieldSpec#column} and of errors count in it
 */
public record ProbeSpec(ProbeType type, String group, String event, LibraryPattern library, ProbeTarget target, List<FieldSpec> fields,
                        Condition condition, ProbeOptions options, String text) {

    /** The most fields a probe can have. */
    public static final int MAX_FIELDS = 15;

    public ProbeSpec {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(library, "library");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(options, "options");
        fields = List.copyOf(fields);
    }

    /** The same place by another type, without fields and condition. */
    public ProbeSpec withType(ProbeType other) {
        return new ProbeSpec(other, group, event, library, target, List.of(), null, options, text);
    }

    /** The mechanism to use; null for the best that is possible. */
    public Mechanism mechanism() {
        return options.mechanism();
    }

    /**
     * Whether this probe takes the field's value when the function returns. In {@code r} that is every field, a register's too; in
     * {@code c} those that use {@code $retval}, all others being read at entry; in {@code p} none.
     */
    public boolean readsAtReturn(FieldSpec field) {
        return type == ProbeType.RETURN || type == ProbeType.CALL && field.atReturn();
    }
}
