package uprobe.probe.spec;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * When a probe ends by itself: after a number of hits, or after a time. It is disarmed then and stays so.
 *
 * @param hits  the last hit that counts, from 1; {@link Long#MAX_VALUE} if it does not end by hits
 * @param nanos how long it lives from when it is first armed, in nanoseconds, from 1; {@link Long#MAX_VALUE} if it does not end by time
 */
public record Until(long hits, long nanos) {
    /** It does not end by itself. What holds if no end is asked for. */
    public static final Until NEVER = new Until(Long.MAX_VALUE, Long.MAX_VALUE);

    private static final Pattern END = Pattern.compile("([0-9]+)(ns|us|ms|s|m|h|)");
    private static final Map<String, TimeUnit> UNITS = Map.of("ns", TimeUnit.NANOSECONDS, "us", TimeUnit.MICROSECONDS, "ms", TimeUnit.MILLISECONDS,
            "s", TimeUnit.SECONDS, "m", TimeUnit.MINUTES, "h", TimeUnit.HOURS);

    /** @throws IllegalArgumentException if a number is not positive, or both say when */
    public Until {
        if (hits < 1 || nanos < 1) {
            throw new IllegalArgumentException("a probe cannot end before its first hit; write a number of hits or a time above 0");
        }
        if (hits != Long.MAX_VALUE && nanos != Long.MAX_VALUE) {
            throw new IllegalArgumentException("a probe ends by hits or by time, not by both: " + hits + " hits, " + nanos + " ns");
        }
    }

    /**
     * @param text a number alone is of hits, {@code 1000}; one with a unit is a time, {@code 500ms 10s 5m 1h} (us and ns are there too);
     *             {@code never} is {@link #NEVER}
     * @throws IllegalArgumentException for anything else; the message is one sentence for the user
     */
    public static Until parse(String text) {
        String end = text.strip();
        if (end.equals("never")) {
            return NEVER;
        }
        Matcher matcher = END.matcher(end);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(ProbeParser.quote(end) + " is no end; write a number of hits, e.g. 1000, or a time: 500ms, 10s, 5m "
                    + "or 1h");
        }
        long number;
        try {
            number = Long.parseLong(matcher.group(1));
        } catch (NumberFormatException tooLarge) {
            number = Long.MAX_VALUE;
        }
        TimeUnit unit = UNITS.get(matcher.group(2));
        long value = unit == null ? number : unit.toNanos(number);   /* MAX_VALUE when it overflows */
        if (value == Long.MAX_VALUE) {
            throw new IllegalArgumentException(ProbeParser.quote(end) + " is too large; write never, or a smaller number");
        }
        return unit == null ? new Until(value, Long.MAX_VALUE) : new Until(Long.MAX_VALUE, value);
    }

    /** {@code 1000}, {@code 10s} or {@code never}: what {@link #parse} reads. */
    public String text() {
        if (hits != Long.MAX_VALUE) {
            return String.valueOf(hits);
        }
        if (nanos == Long.MAX_VALUE) {
            return "never";
        }
        for (String unit : new String[] {"h", "m", "s", "ms", "us"}) {
            long nanosOfUnit = UNITS.get(unit).toNanos(1);
            if (nanos % nanosOfUnit == 0) {
                return nanos / nanosOfUnit + unit;
            }
        }
        return nanos + "ns";
    }
}
