package uprobe.probe;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import uprobe.probe.code.SlotRegion;
import uprobe.probe.helper.Helper;
import uprobe.probe.patch.SignalGuard;
import uprobe.probe.patch.SiteTable;

/**
 * How the engine leaves a process that goes on
 * --------------------------------------------
 * A thread may be anywhere meanwhile: on its way into the trap's handler, in a slot, in a function that stands in for one of libc's, or asleep in a probed
 * function whose return is awaited. So code, slots, trampolines and tables of the helper stay; only the ways that lead to them are closed, each when nobody
 * can be on the way before it any more:
 *
 * <ol>
 * <li>the traps of all probes are taken out. What was recorded becomes events, and all numbers are given up: returns that are awaited are only counted then;
 * <li>the traps that guard system calls are taken out: now there is none;
 * <li>every thread is seen not to be on its way from a trap to its handler, nor in it ({@link SignalGuard#close}): now no SIGTRAP of ours can come, SIGTRAP
 *     may be blocked, and the program's handlers become the kernel's;
 * <li>the jumps in libc and other libraries, its constants, and entries of tables are put back; who was inside is given the time to leave, and what they may
 *     have set is looked at once more;
 * <li>the drain thread ends, the VM tells of threads no more, and rings without records give their memory back.
 * </ol>
 *
 * Holds: what is reached by a thread that came before its way was closed works as before, for as long as the process lives.
 */
final class Closing {
    private static final int DRAIN_MILLIS = 10_000;
    private static final int KIB = 1024;

    private final ProbeEngine engine;
    private final SiteTable sites;
    private final List<String> left = new ArrayList<>();

    Closing(ProbeEngine engine, SiteTable sites) {
        this.engine = engine;
        this.sites = sites;
    }

    /** Returns what stays. */
    List<String> close() {
        engine.disarmAll();
        engine.drain(true, DRAIN_MILLIS);
        engine.giveUpAll();
        try {
            SignalGuard.close(left).forEach(Helper::unpin);
        } catch (IOException e) {
            left.add("what keeps SIGTRAP open, and the handlers of signals: " + e.getMessage());
        }
        /* What was just being recorded when the probes were given up. */
        if (!engine.drain(true, DRAIN_MILLIS)) {
            left.add("hits that were not made into events within " + DRAIN_MILLIS / 1000 + " s");
        }
        engine.forgetAll();
        engine.endDrainThread();
        if (Helper.up_jvm_detach() < 0) {
            left.add("the VM goes on to tell the helper of threads that start and end");
        }
        int rings = Helper.up_rings_rest();
        if (rings > 0) {
            left.add(rings + " rings that hold records, or may be written to");
        }
        int waiting = ProbeEngine.reclaim();
        int awaited = Helper.up_returns_awaited();
        if (waiting > 0 || awaited > 0) {
            left.add(awaited + " calls return through the helper's trampolines, " + waiting + " numbers of probes wait for them");
        }
        tellOfMemory();
        return List.copyOf(left);
    }

    private void tellOfMemory() {
        left.add((SlotRegion.bytesTaken() + KIB - 1) / KIB + " KiB of slots in " + SlotRegion.regions() + " mappings of 1 MiB");
        left.add("the helper and its decoder, mapped around 0x" + Long.toHexString(Helper.codeOfTheHelper()) + ", with " + (Helper.up_ring_memory_size() >> 20)
                + " MiB of address space for rings");
        int pages = sites.pages().size();
        if (pages > 0) {
            left.add("up to " + pages + " pages of code that had probes: private copies, with the file's bytes");
        }
        long masks = Helper.up_signals_masks_opened();
        if (masks > 0) {
            left.add("SIGTRAP may be open in threads that wanted it blocked: it was kept out of " + masks + " masks");
        }
    }
}
