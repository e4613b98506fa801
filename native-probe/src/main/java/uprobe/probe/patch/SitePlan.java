package uprobe.probe.patch;

import uprobe.probe.ArmedSite;
import uprobe.probe.code.Way;
import uprobe.probe.elf.LoadedLibrary;

/** What was found for one address of a library: everything but the deed. */
public record SitePlan(LoadedLibrary library, Way way, ArmedSite described) {
    public long address() {
        return described.address();
    }

    /** The bytes of the whole instruction there. */
    byte[] displaced() {
        return way.displaced().bytes();
    }

    /** {@code library!symbol}. */
    public String where() {
        return described.library() + "!" + described.symbol();
    }
}
