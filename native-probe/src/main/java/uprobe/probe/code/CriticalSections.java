package uprobe.probe.code;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.helper.Helper;

/**
 * The restartable sequences of a library (rseq(2), linux/include/uapi/linux/rseq.h; tcmalloc and librseq have them). A trap inside one makes the kernel
 * abort it before our handler runs: the handler's address is then the abort address, the site unknown, and the default action is death.
 *
 * <p>They are found as librseq's assembly lists them: section {@code __rseq_cs} holds descriptors of 32 bytes, {@code __rseq_cs_ptr_array} pointers to
 * such. Other descriptors, made on the stack or in ordinary data, are not.
 */
public final class CriticalSections {
    /** struct rseq_cs: u32 version, u32 flags, u64 start_ip, u64 post_commit_offset, u64 abort_ip. */
    private static final int DESCRIPTOR = 32, START = 8, LENGTH = 16;
    private static final long LONGEST = 1 << 20;

    private record Range(long start, long end) {}

    private final List<Range> ranges = new ArrayList<>();

    public static CriticalSections of(LoadedLibrary library) {
        CriticalSections found = new CriticalSections();
        for (LoadedLibrary.Section section : library.sections("__rseq_cs")) {
            for (long at = section.start(); at + DESCRIPTOR <= section.end(); at += DESCRIPTOR) {
                found.add(at);
            }
        }
        for (LoadedLibrary.Section section : library.sections("__rseq_cs_ptr_array")) {
            for (long at = section.start(); at + Long.BYTES <= section.end(); at += Long.BYTES) {
                found.add(memory(at, Long.BYTES).getLong());
            }
        }
        return found;
    }

    private void add(long descriptor) {
        ByteBuffer at = memory(descriptor, DESCRIPTOR);
        long start = at.getLong(START), length = at.getLong(LENGTH);
        if (length > 0 && length < LONGEST) {
            ranges.add(new Range(start, start + length));
        }
    }

    /** Zeroes where nothing can be read. */
    private static ByteBuffer memory(long address, int length) {
        byte[] bytes = new byte[length];
        Helper.up_memory_read(address, bytes, length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }

    public boolean contain(long address) {
        return ranges.stream().anyMatch(r -> address >= r.start() && address < r.end());
    }
}
