package uprobe.agent.report;

import java.util.List;
import uprobe.agent.console.Amounts;
import uprobe.agent.report.EventType.Field;
import uprobe.agent.report.EventType.Kind;

/**
 * One event of the agent's, of a probe or about probes, while it is looked at: the next one takes its place.
 * <p>
 * An instant hit has a duration of one tick, since JFR would put "now - start" in the place of 0.
 */
final class Hit {
    private static final long INSTANT_TICKS = 1;

    final EventType type;
    private final long[] numbers;
    private final String[] strings;
    private final int start, duration, thread, stack, drained, missing;
    private Chunk chunk;

    Hit(EventType type, Chunk chunk) {
        this.type = type;
        this.chunk = chunk;
        numbers = new long[type.fields().size()];
        strings = new String[numbers.length];
        start = type.indexOf("startTime");
        duration = type.indexOf("duration");
        thread = type.indexOf("eventThread");
        stack = type.indexOf("stackTrace");
        drained = type.indexOf("drained");
        missing = type.indexOf("missing");
    }

    void set(int field, long number) {
        numbers[field] = number;
    }

    void set(int field, String string) {
        strings[field] = string;
    }

    Chunk chunk() {
        return chunk;
    }

    /** In ticks of its chunk. */
    long startTicks() {
        return start < 0 ? 0 : numbers[start];
    }

    private long durationTicks() {
        return duration < 0 ? 0 : numbers[duration];
    }

    boolean isTimed() {
        return durationTicks() > INSTANT_TICKS;
    }

    /** 0 if it is an instant */
    double nanos() {
        return isTimed() ? chunk.nanos(durationTicks()) : 0;
    }

    long endTicks() {
        return startTicks() + (isTimed() ? durationTicks() : 0);
    }

    /** Number of the thread's constant; 0: none */
    long thread() {
        return thread < 0 ? 0 : numbers[thread];
    }

    /** Number of the stack's constant; 0: none */
    long stack() {
        return stack < 0 ? 0 : numbers[stack];
    }

    /** Why the hit was committed by the drain thread; null: it was not */
    String drained() {
        return drained < 0 ? null : strings[drained];
    }

    String string(String field) {
        int index = type.indexOf(field);
        return index < 0 ? null : strings[index];
    }

    /** 0 if there is no such field */
    long number(String field) {
        int index = type.indexOf(field);
        return index < 0 ? 0 : number(index);
    }

    /** A number of the field's unit; of what may have fractions, rounded. Ticks become ns. */
    long number(int field) {
        Field what = type.fields().get(field);
        return switch (what.kind()) {
            case DOUBLE -> Math.round(Double.longBitsToDouble(numbers[field]));
            case FLOAT -> Math.round(Float.intBitsToFloat((int) numbers[field]));
            default -> what.unit() == EventType.Unit.TICKS ? Math.round(chunk.nanos(numbers[field])) : numbers[field];
        };
    }

    /** Whether the probe could read the value. */
    boolean isRead(int field) {
        return missing < 0 || strings[missing] == null || !List.of(strings[missing].split("[, ]+")).contains(type.fields().get(field).name());
    }

    boolean hasMissing() {
        return missing >= 0 && strings[missing] != null && !isUnreturned();
    }

    /** A call whose end was not seen, so that it has no duration. */
    boolean isUnreturned() {
        return missing >= 0 && strings[missing] != null && strings[missing].endsWith("duration");
    }

    /** What the probe fetched: {@code avail_in=20000 ret=1}. */
    String fetched() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < numbers.length; i++) {
            Field field = type.fields().get(i);
            if (EventType.isFetched(field)) {
                text.append(text.isEmpty() ? "" : " ").append(field.name()).append('=').append(isRead(i) ? value(i) : "?");
            }
        }
        return text.toString();
    }

    String value(int index) {
        Field field = type.fields().get(index);
        if (field.kind() == Kind.STRING) {
            return strings[index] == null ? "null" : '"' + strings[index] + '"';
        }
        if (field.kind() == Kind.DOUBLE) {
            return Double.toString(Double.longBitsToDouble(numbers[index]));
        }
        if (field.kind() == Kind.FLOAT) {
            return Float.toString(Float.intBitsToFloat((int) numbers[index]));
        }
        long number = numbers[index];
        return switch (field.unit()) {
            case TICKS -> Amounts.time(chunk.nanos(number));
            case NANOSECONDS -> number + "ns";
            case MICROSECONDS -> number + "us";
            case MILLISECONDS -> number + "ms";
            case SECONDS -> number + "s";
            case ADDRESS -> "0x" + Long.toHexString(number);
            case UNSIGNED -> Long.toUnsignedString(number);
            default -> Long.toString(number);
        };
    }
}
