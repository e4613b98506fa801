package uprobe.probe;

import java.io.IOException;
import java.util.OptionalLong;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.ProcessMaps;

/**
 * Memory for the slots of one library: a private anonymous mapping, read and execute only, within reach of a 32-bit displacement of every byte of
 * the library, so that displaced instructions reach their operands as before. It stays mapped as long as the process lives.
 */
final class SlotRegion {
    /** Address space, not memory: pages that are never written cost nothing. 32,768 slots. */
    private static final long SIZE = 1 << 20;
    /** A displacement reaches 2 GiB; the library's own data lie around its text. */
    private static final long REACH = (1L << 31) - (1L << 26);

    private final long start;
    private long next;

    private SlotRegion(long start) {
        this.start = start;
        this.next = start;
    }

    /** @throws ProbeRefusedException {@link Refusal#NO_MEMORY} if no free gap lies within reach, or the kernel refuses it */
    static SlotRegion near(LoadedLibrary library, String where) throws ProbeRefusedException, IOException {
        for (int attempt = 0; attempt < 8; attempt++) {
            OptionalLong gap = ProcessMaps.ofSelf().freeGapNear(library.textStart(), library.textEnd(), SIZE, REACH);
            if (gap.isEmpty()) {
                throw new ProbeRefusedException(Refusal.NO_MEMORY, where, "no free gap of 1 MiB within 2 GiB of " + library.fileName());
            }
            int result = Helper.up_region_map(gap.getAsLong(), SIZE);
            if (result == 0) {
                return new SlotRegion(gap.getAsLong());
            }   /* another thread mapped something there meanwhile: look again */
        }
        throw new ProbeRefusedException(Refusal.NO_MEMORY, where, "the kernel gave no memory for slots near " + library.fileName());
    }

    /** Address of the slot that {@link #take} will give next; -1 if the region is full. */
    long peek() {
        return next + Relocator.SLOT_SIZE > start + SIZE ? -1 : next;
    }

    long take() {
        long slot = next;
        next += Relocator.SLOT_SIZE;
        return slot;
    }
}
