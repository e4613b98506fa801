package uprobe.probe.spec;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The most hits a second that are recorded; what is above it is counted as sampled out.
 *
 * @param perSecond 1 to {@value #MAX}, or {@link Long#MAX_VALUE} for no limit
 */
public record RateLimit(long perSecond) {
    /** The largest limit that is one. */
    public static final long MAX = 1_000_000_000;
    /** No limit. What holds if none is asked for. */
    public static final RateLimit NONE = new RateLimit(Long.MAX_VALUE);

    private static final Pattern RATE = Pattern.compile("([0-9]{1,12})([km]?)/s");

    /** @throws IllegalArgumentException if {@code perSecond} is out of range */
    public RateLimit {
        if (perSecond < 1 || perSecond > MAX && perSecond != Long.MAX_VALUE) {
            throw new IllegalArgumentException("rate " + perSecond + "/s is out of range; write 1/s to " + MAX + "/s, or none");
        }
    }

    /**
     * @param text {@code 1000/s}; k and m stand for thousands and millions, {@code 100k/s}. {@code none} and {@code off} are {@link #NONE}
     * @throws IllegalArgumentException for anything else; the message is one sentence for the user
     */
    public static RateLimit parse(String text) {
        String rate = text.strip();
        if (rate.equals("none") || rate.equals("off")) {
            return NONE;
        }
        Matcher matcher = RATE.matcher(rate);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(ProbeParser.quote(rate) + " is no rate; write hits a second, e.g. 1000/s or 100k/s, or none");
        }
        return new RateLimit(Long.parseLong(matcher.group(1)) * switch (matcher.group(2)) {
            case "k" -> 1_000;
            case "m" -> 1_000_000;
            default -> 1;
        });
    }

    /** {@code 1000/s}, or {@code none}: what {@link #parse} reads. */
    public String text() {
        return perSecond == NONE.perSecond ? "none" : perSecond + "/s";
    }
}
