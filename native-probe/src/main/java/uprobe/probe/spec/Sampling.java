package uprobe.probe.spec;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which share of the hits is recorded; the others are counted as sampled out.
 *
 * @param oneOf one hit of so many: 1 (every hit) to {@value #MAX}
 */
public record Sampling(long oneOf) {
    /** The largest {@link #oneOf}. */
    public static final long MAX = 1_000_000_000;
    /** Every hit: nothing is sampled out. What holds if no sampling is asked for. */
    public static final Sampling ALL = new Sampling(1);

    private static final Pattern SHARE = Pattern.compile("1/([0-9]{1,18})");

    /** @throws IllegalArgumentException if {@code oneOf} is out of range */
    public Sampling {
        if (oneOf < 1 || oneOf > MAX) {
            throw new IllegalArgumentException("sampling 1/" + oneOf + " is out of range; write 1/1 to 1/" + MAX);
        }
    }

    /**
     * @param text {@code 1/100}; {@code all} and {@code 1} are {@link #ALL}
     * @throws IllegalArgumentException for anything else; the message is one sentence for the user
     */
    public static Sampling parse(String text) {
        String share = text.strip();
        if (share.equals("all") || share.equals("1")) {
            return ALL;
        }
        Matcher matcher = SHARE.matcher(share);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(ProbeParser.quote(share) + " is no share of the hits; write 1/N to record one hit of N, e.g. 1/100, "
                    + "or all");
        }
        return new Sampling(Long.parseLong(matcher.group(1)));
    }

    /** {@code 1/100}, or {@code all}: what {@link #parse} reads. */
    public String text() {
        return oneOf == 1 ? "all" : "1/" + oneOf;
    }
}
