package uprobe.probe.spec;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How many of a value's bits count, and how people read them: u unsigned, s signed (two's complement), x hexadecimal. A value from a
 * register is cut to its low bits, one from memory is read with exactly this size, little-endian.
 */
public enum ValueType {
    U8(1), U16(2), U32(4), U64(8), S8(1), S16(2), S32(4), S64(8), X8(1), X16(2), X32(4), X64(8);

    /** The type of a field that names none: u64. (uprobe_events takes x64 there; numbers are what people come for.) */
    public static final ValueType DEFAULT = U64;

    private static final Map<String, ValueType> BY_NAME = Stream.of(values()).collect(Collectors.toUnmodifiableMap(
            type -> type.text(), type -> type));

    private final int size;

    ValueType(int size) {
        this.size = size;
    }

    /** In bytes: 1, 2, 4 or 8. */
    public int size() {
        return size;
    }

    /** Whether the highest bit is a sign. */
    public boolean signed() {
        return name().charAt(0) == 'S';
    }

    /** Whether the value is shown in hexadecimal; it is unsigned then. */
    public boolean hex() {
        return name().charAt(0) == 'X';
    }

    /** As the probe language writes it: {@code u32}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Empty for any other word; upper case is another word. */
    public static Optional<ValueType> named(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }
}
