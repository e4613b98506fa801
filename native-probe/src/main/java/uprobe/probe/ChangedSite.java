package uprobe.probe;

import java.util.List;

/**
 * An armed site whose code somebody else has written over: its hits are not seen any more.
 *
 * @param site the site
 * @param probes those that it belongs to
 * @param found what is there instead, as a sentence of {@link Refusal#TEXT_CHANGED}
 */
public record ChangedSite(ArmedSite site, List<Probe> probes, String found) {
    /** {@code library!symbol: reason: what is there}. */
    public String message() {
        return site.library() + "!" + site.symbol() + ": " + Refusal.TEXT_CHANGED.sentence() + ": " + found;
    }
}
