package uprobe.probe.spec;

import java.util.Objects;

/**
 * What a probe's options say, the agent's defaults where they say nothing.
 *
 * @param mode      what is made of hits
 * @param sample    which share of the hits is recorded
 * @param limit     how many hits a second are recorded at the most
 * @param until     when the probe ends by itself
 * @param stack     whether its events have the Java stack; false for {@code stack=none}
 * @param enabled   whether its event is enabled in recordings that do not say; null if the probe does not say either
 * @param mechanism the one to use; null for the best that is possible
 */
public record ProbeOptions(Mode mode, Sampling sample, RateLimit limit, Until until, boolean stack, Boolean enabled, Mechanism mechanism) {
    /** No option is given. */
    public static final ProbeOptions DEFAULT = new ProbeOptions(Mode.EVENT, Sampling.ALL, RateLimit.NONE, Until.NEVER, true, null, null);

    public ProbeOptions {
        Objects.requireNonNull(mode, "mode");
        Objects.requireNonNull(sample, "sample");
        Objects.requireNonNull(limit, "limit");
        Objects.requireNonNull(until, "until");
    }
}
