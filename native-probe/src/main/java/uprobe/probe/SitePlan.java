package uprobe.probe;

import uprobe.probe.elf.LoadedLibrary;

/** What was found for one address of a library: everything but the deed. */
record SitePlan(LoadedLibrary library, Way way, ArmedSite described) {
    long address() {
        return described.address();
    }

    /** The bytes of the whole instruction there. */
    byte[] displaced() {
        return way.displaced().bytes();
    }

    /** {@code library!symbol}. */
    String where() {
        return described.library() + "!" + described.symbol();
    }
}
