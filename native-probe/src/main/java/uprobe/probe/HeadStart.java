package uprobe.probe;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.helper.Helper;
import uprobe.probe.patch.SignalGuard;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;

/**
 * What takes longest before the first probe of a JVM that starts, done on a thread of its own while whoever asked does something else: unpacking the
 * helper, reading symbols, looking for system calls. It only reads. What fails here fails once more, in words, where it is needed.
 */
final class HeadStart {
    private final FutureTask<Seen> task;

    /**
     * What it has seen.
     *
     * @param changes the dynamic linker's count before it looked
     * @param libraries those that are meant have their symbols
     */
    record Seen(long changes, LoadedLibraries libraries) {}

    HeadStart(Collection<ProbeSpec> specs) {
        List<ProbeSpec> wanted = List.copyOf(specs);
        task = new FutureTask<>(() -> look(wanted));
        Thread thread = new Thread(null, task, "uprobe-head-start", 0, false);
        thread.setDaemon(true);
        thread.start();
    }

    private static Seen look(List<ProbeSpec> wanted) throws ProbeRefusedException, IOException {
        Platform.check();
        Helper.load();
        long changes = Helper.up_library_changes();
        LoadedLibraries libraries = LoadedLibraries.snapshot();
        for (LoadedLibrary library : libraries.all()) {
            for (ProbeSpec spec : wanted) {
                if (TargetFinder.matches(spec, library)) {
                    library.symbols();
                    if (spec.type() != ProbeType.ENTRY) {
                        library.callFrames();
                        library.goCode();
                    }
                }
            }
        }
        SignalGuard.lookAhead(libraries);
        return new Seen(changes, libraries);
    }

    /** Waits for it; null: it failed. */
    Seen seen() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    return null;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
