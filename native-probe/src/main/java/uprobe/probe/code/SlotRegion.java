package uprobe.probe.code;

import java.io.IOException;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.ProcessMaps;
import uprobe.probe.helper.Helper;

/**
 * Memory for the slots of one library: a private anonymous mapping, read and execute only, within reach of a 32-bit displacement of every byte of
 * the library, so that displaced instructions reach their operands as before. It stays mapped as long as the process lives.
 */
public final class SlotRegion {
    /** Address space, not memory: pages that are never written cost nothing. 32,768 slots of the shortest kind. */
    private static final long SIZE = 1 << 20;
    /** A displacement reaches 2 GiB; the library's own data lie around its text. */
    private static final long REACH = (1L << 31) - (1L << 26);

    /** A bit of an address that is far more than 2 GiB and still the process's own half (47 bits). */
    private static final long FAR = 1L << 44;

    private static final AtomicLong regions = new AtomicLong(), taken = new AtomicLong();

    private final long start;
    private final boolean mapped;
    private long next;

    private SlotRegion(long start, boolean mapped) {
        this.start = start;
        this.mapped = mapped;
        this.next = start;
    }

    /**
     * Where no free gap lies within reach, the region lies elsewhere: what it holds is longer then, and some of it has to be single-stepped.
     *
     * @throws ProbeRefusedException {@link Refusal#NO_MEMORY} if the kernel gives none
     */
    public static SlotRegion of(LoadedLibrary library, String where, boolean far) throws ProbeRefusedException, IOException {
        for (int attempt = 0; attempt < 8; attempt++) {
            long wanted = far ? library.textStart() ^ FAR : library.textStart();
            long reach = far ? FAR >> 1 : REACH;
            OptionalLong gap = ProcessMaps.ofSelf().freeGapNear(wanted, wanted + library.textEnd() - library.textStart(), SIZE, reach);
            if (gap.isEmpty() && !far) {
                return of(library, where, true);
            } else if (gap.isEmpty()) {
                throw new ProbeRefusedException(Refusal.NO_MEMORY, where, "no free gap of 1 MiB in the address space");
            }
            int result = Helper.up_region_map(gap.getAsLong(), SIZE);
            if (result == 0) {
                regions.incrementAndGet();
                return new SlotRegion(gap.getAsLong(), true);
            }   /* another thread mapped something there meanwhile: look again */
        }
        throw new ProbeRefusedException(Refusal.NO_MEMORY, where, "the kernel gave no memory for slots near " + library.fileName());
    }

    /** Where one might be, right behind the library; nothing is mapped. */
    static SlotRegion imagined(LoadedLibrary library) {
        return new SlotRegion(library.textEnd() + SIZE & -SIZE, false);
    }

    /** How many regions there are in the process, which stay mapped. */
    public static long regions() {
        return regions.get();
    }

    /** Bytes of slots in all of them. */
    public static long bytesTaken() {
        return taken.get();
    }

    /** Address of the slot that is free next; -1 if the region has none for the longest code. */
    public long peek() {
        return next + SlotCode.UNITS * SlotCode.UNIT > start + SIZE ? -1 : next;
    }

    /** The slot that {@link #peek} told, of so many units. */
    public long take(int units) {
        long slot = next;
        next += (long) units * SlotCode.UNIT;
        taken.addAndGet(mapped ? (long) units * SlotCode.UNIT : 0);
        return slot;
    }
}
