package uprobe.probe.patch;

import java.util.HashMap;
import java.util.Map;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.helper.Helper;

/**
 * References of the dynamic linker's (dlopen(3), RTLD_NOLOAD) that keep libraries mapped while they have armed sites. One that the linker does not
 * know by its path at that address - loaded by dlmopen(3), or mapped by a loader of its own - is not held: before each write to it somebody has to
 * look whether it is still there. Transactions of an engine that is being closed may end beside those of the next.
 */
public final class LibraryPins {
    private static final class Pin {
        long handle;
        int users;
    }

    private final Map<String, Pin> pins = new HashMap<>();

    /**
     * One more user of the library.
     *
     * @return whether it was held before this call already: then it is the one that its user means, if it was so when it was first taken
     */
    public synchronized boolean take(LoadedLibrary library) {
        Pin pin = pins.computeIfAbsent(key(library), key -> new Pin());
        boolean held = pin.handle != 0;
        if (pin.users++ == 0) {
            pin.handle = Helper.pin(library.path().toString(), library.loadBias());
        }
        return held;
    }

    synchronized boolean holds(LoadedLibrary library) {
        Pin pin = pins.get(key(library));
        return pin != null && pin.handle != 0;
    }

    /**
     * One user less.
     *
     * @return the reference to close, 0 if there are other users, or none was held. Closing may run the library's destructors: without any lock
     */
    public synchronized long giveBack(LoadedLibrary library) {
        Pin pin = pins.get(key(library));
        if (--pin.users > 0) {
            return 0;
        }
        pins.remove(key(library));
        return pin.handle;
    }

    private static String key(LoadedLibrary library) {
        return library.path() + "@" + Long.toHexString(library.loadBias());
    }
}
