package uprobe.probe.spec;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a field's number counts, so that Mission Control shows 1.5 MiB or 30 ms; each stands for an annotation of jdk.jfr. */
public enum Unit {
    /** {@code @DataAmount(BYTES)}. */
    BYTES,
    /** {@code @DataAmount(BITS)}. */
    BITS,
    /** {@code @Timespan(NANOSECONDS)}. */
    NS,
    /** {@code @Timespan(MICROSECONDS)}. */
    US,
    /** {@code @Timespan(MILLISECONDS)}. */
    MS,
    /** {@code @Timespan(SECONDS)}. */
    S,
    /** {@code @MemoryAddress}. */
    ADDRESS;

    private static final Map<String, Unit> BY_NAME = Stream.of(values()).collect(Collectors.toUnmodifiableMap(
            unit -> unit.text(), unit -> unit));

    /** As the probe language writes it: {@code bytes}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Empty for any other word; upper case is another word. */
    public static Optional<Unit> named(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }
}
