package uprobe.probe;

import java.util.List;

/**
 * What came of a look at the libraries that are loaded now, for one probe.
 *
 * @param came places of libraries that were not there at the look before; armed if the probe is
 * @param went file names of libraries that had places of it and are gone
 * @param refused functions of new libraries that it names and that can not be probed
 * @param parts of functions in new libraries, that the compiler has moved elsewhere: a pattern does not mean them
 * @param places how many it has now
 */
public record Growth(List<ArmedSite> came, List<String> went, List<RefusedFunction> refused, int parts, int places) {
    public static final Growth NONE = new Growth(List.of(), List.of(), List.of(), 0, 0);

    /** Whether nothing is different; then the places are not counted. */
    public boolean isNone() {
        return came.isEmpty() && went.isEmpty() && refused.isEmpty();
    }
}
