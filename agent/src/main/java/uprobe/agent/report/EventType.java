package uprobe.agent.report;

import java.util.List;
import java.util.Set;

/**
 * What a chunk says of a type of events.
 *
 * @param id in this chunk; two types may have one name, since a probe has one for each library
 * @param fields in their order
 */
record EventType(long id, String name, List<Field> fields) {
    static final String PREFIX = "uprobe.";
    static final String LOSS = PREFIX + "DataLoss", STATISTICS = PREFIX + "ProbeStatistics", REFUSED = PREFIX + "ProbeRefused", ARMED = PREFIX + "ProbeArmed";
    /** JFR's own: it writes how many bytes of events it had no room for. */
    static final String JFR_LOSS = "jdk.DataLoss";
    private static final Set<String> ABOUT_PROBES = Set.of(LOSS, STATISTICS, REFUSED, ARMED);
    /** Those that every probe's events have, beside what the probe fetches. */
    private static final Set<String> OWN = Set.of("startTime", "duration", "eventThread", "stackTrace", "library", "function", "address", "nativeThreadId",
            "nativeThreadName", "javaThreadId", "drained", "missing");

    /** How a field's bytes are read. */
    enum Kind { VARINT, BYTE, FLOAT, DOUBLE, STRING, UNREADABLE }

    /** What its numbers are of. */
    enum Unit { NONE, TICKS, NANOSECONDS, MICROSECONDS, MILLISECONDS, SECONDS, BYTES, ADDRESS, UNSIGNED }

    /**
     * @param type its name: {@code long}, {@code java.lang.String}
     * @param pooled the value is the number of a constant
     */
    record Field(String name, String type, boolean pooled, Kind kind, Unit unit) {
        boolean isNumber() {
            return !pooled && kind != Kind.STRING && kind != Kind.UNREADABLE && !type.equals("boolean");
        }
    }

    static boolean isWanted(String name) {
        return name.startsWith(PREFIX) || name.equals(JFR_LOSS);
    }

    boolean isHit() {
        return name.startsWith(PREFIX) && !ABOUT_PROBES.contains(name);
    }

    /** {@code zlib.deflate} */
    String shortName() {
        return name.substring(PREFIX.length());
    }

    /** Whether a person means it by {@code uprobe.zlib.deflate}, {@code zlib.deflate} or {@code deflate}. */
    boolean isCalled(String said) {
        return isHit() && (name.equals(said) || name.endsWith("." + said));
    }

    /** @return -1: it has none of this name */
    int indexOf(String field) {
        for (int i = 0; i < fields.size(); i++) {
            if (fields.get(i).name().equals(field)) {
                return i;
            }
        }
        return -1;
    }

    static boolean isFetched(Field field) {
        return !OWN.contains(field.name());
    }
}
