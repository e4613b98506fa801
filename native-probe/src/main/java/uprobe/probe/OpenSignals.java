package uprobe.probe;

import java.io.IOException;
import java.util.Optional;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.patch.SignalGuard;
import uprobe.probe.patch.SignalMasks;
import uprobe.probe.spec.LibraryPattern;

/** That no thread has SIGTRAP blocked when traps are written, nor can block it later. Guarded by the engine's lock. */
final class OpenSignals {
    private final TargetFinder finder;
    /** How many have several probes armed at the moment. */
    private int together;
    /** {@link ProbeEngine#libraryChanges} when, while one of them was at work, no thread had SIGTRAP blocked; -1 if that was not so, or before them. */
    private long seenOpen = -1;

    OpenSignals(TargetFinder finder) {
        this.finder = finder;
    }

    /** @param change 1: from now on several are armed with one look at the masks; -1: they are */
    void together(int change) {
        together += change;
        seenOpen = together == 0 ? -1 : seenOpen;
    }

    /** @throws ProbeRefusedException if a thread has SIGTRAP blocked */
    void keep(String what) throws ProbeRefusedException, IOException {
        SignalGuard.install(finder.loaded(), finder.changes());
        if (seenOpen == finder.changes() && !SignalGuard.isIncomplete()) {
            return;
        }
        refuseWhileBlocked(what);
        if (SignalGuard.isIncomplete()) {
            refuse(what, SignalGuard.complete());
            refuseWhileBlocked(what);
        }
        seenOpen = together > 0 ? finder.changes() : -1;
    }

    void guardNewLibraries() throws IOException {
        SignalGuard.install(finder.loaded(), finder.changes());
        if (SignalGuard.isIncomplete() && SignalMasks.threadBlocking(SignalMasks.SIGTRAP).isEmpty()) {
            SignalGuard.complete();
        }
    }

    /** What a libc runs with all signals blocked is known only by where it blocks them. */
    static void refuseUnguarded(LoadedLibrary library, String where) throws ProbeRefusedException {
        Optional<String> open = SignalGuard.unguarded(library);
        if (open.isPresent() && DeniedFunctions.isOfCLibrary(LibraryPattern.stem(library.fileName()))) {
            throw new ProbeRefusedException(Refusal.RUNS_WITH_SIGNALS_BLOCKED, where, open.get());
        }
    }

    private static void refuseWhileBlocked(String what) throws ProbeRefusedException, IOException {
        refuse(what, SignalMasks.threadBlocking(SignalMasks.SIGTRAP));
    }

    private static void refuse(String what, Optional<String> thread) throws ProbeRefusedException {
        if (thread.isPresent()) {
            throw new ProbeRefusedException(Refusal.SIGNAL_BLOCKED, what,
                    "thread " + thread.get() + "; attach opens it, where this process may be traced");
        }
    }
}
