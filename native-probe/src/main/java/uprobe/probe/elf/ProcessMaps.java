package uprobe.probe.elf;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The mappings of the own process at one moment.
 *
 * <p>The kernel hands {@code /proc/self/maps} out in pieces of about a page and guarantees only that each line is right and that addresses
 * ascend (proc(5)); other threads map and unmap meanwhile. So a gap found here may be taken when it is used: map it with
 * MAP_FIXED_NOREPLACE and ask again on EEXIST.
 */
public final class ProcessMaps {

    /** Bytes in a page: psABI x86-64, 3.3.1. */
    static final long PAGE = 4096;

    /** No user mapping ends above this without a hint beyond 47 bits: Linux Documentation/arch/x86/x86_64/5level-paging.rst. */
    private static final long USER_END = (1L << 47) - PAGE;

    /** The main thread's stack grows down, brk's heap up, into space that no line of the file shows as taken. */
    private static final long GROWTH = 16L << 20;

    /** Kernel default of vm.mmap_min_addr, taken where the real one cannot be read. */
    private static final long DEFAULT_MIN_ADDRESS = 65536;

    private static final String DELETED = " (deleted)";

    private final List<MappedRegion> regions;
    private final long minAddress;

    private ProcessMaps(List<MappedRegion> regions, long minAddress) {
        this.regions = List.copyOf(regions);
        this.minAddress = Math.max(PAGE, minAddress);
    }

    /**
     * Reads {@code /proc/self/maps}.
     *
     * @throws IOException if it cannot be read, or a line of it is not what proc(5) says
     */
    public static ProcessMaps ofSelf() throws IOException {
        // Not readAllLines: a path may hold bytes that are no UTF-8, which would end the reading. They become U+FFFD here.
        String text = new String(Files.readAllBytes(Path.of("/proc/self/maps")), StandardCharsets.UTF_8);
        try {
            return new ProcessMaps(regionsOf(text.lines().toList()), minAddress());
        } catch (IllegalArgumentException e) {
            throw new IOException("/proc/self/maps: " + e.getMessage(), e);
        }
    }

    /** Lines of {@code /proc/PID/maps}; {@link IllegalArgumentException} names the line that is none. */
    static ProcessMaps parse(List<String> lines) {
        return new ProcessMaps(regionsOf(lines), DEFAULT_MIN_ADDRESS);
    }

    private static long minAddress() {
        try {
            return Long.parseLong(Files.readString(Path.of("/proc/sys/vm/mmap_min_addr")).strip());
        } catch (IOException | NumberFormatException e) {
            return DEFAULT_MIN_ADDRESS; // /proc/sys may be hidden in a container
        }
    }

    private static List<MappedRegion> regionsOf(List<String> lines) {
        List<MappedRegion> regions = new ArrayList<>(lines.size());
        for (String line : lines) {
            if (!line.isEmpty()) {
                regions.add(region(line));
            }
        }
        return regions;
    }

    /** {@code 7f838ba86000-7f838baac000 r--p 00000000 fe:00 339380                     /usr/lib/x86_64-linux-gnu/libc.so.6} */
    private static MappedRegion region(String line) {
        // Five fields end in one blank; the padding before the path is blanks, and the path may hold blanks of its own.
        String[] field = line.split(" ", 6);
        int dash = field[0].indexOf('-');
        if (field.length < 5 || dash < 0 || field[1].length() < 4) {
            throw new IllegalArgumentException("no mapping: \"" + line + "\"");
        }
        String path = field.length == 6 ? field[5].stripLeading() : "";
        boolean deleted = path.endsWith(DELETED);
        if (deleted) {
            path = path.substring(0, path.length() - DELETED.length());
        }
        try {
            return new MappedRegion(
                    Long.parseUnsignedLong(field[0].substring(0, dash), 16),
                    Long.parseUnsignedLong(field[0].substring(dash + 1), 16),
                    field[1].charAt(0) == 'r',
                    field[1].charAt(1) == 'w',
                    field[1].charAt(2) == 'x',
                    field[1].charAt(3) == 's',
                    Long.parseUnsignedLong(field[2], 16),
                    field[3],
                    Long.parseUnsignedLong(field[4].strip()),
                    path.replace("\\012", "\n"), // the one character the kernel escapes here: proc(5)
                    deleted);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("no mapping: \"" + line + "\"", e);
        }
    }

    /** All mappings, by ascending address. */
    public List<MappedRegion> regions() {
        return regions;
    }

    /** The mapping that holds {@code address}, whatever its protection. */
    public Optional<MappedRegion> containing(long address) {
        int low = 0;
        int high = regions.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            MappedRegion region = regions.get(middle);
            if (region.contains(address)) {
                return Optional.of(region);
            }
            if (Long.compareUnsigned(region.start(), address) < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return Optional.empty();
    }

    /**
     * Free space near a range of addresses, for code that the range jumps to and that jumps back.
     *
     * <p>No byte of the space is more than {@code reach} from any byte of {@code [low, high)}, so a rel32 between the two holds if
     * {@code reach} is at most 2^31 less the length of an instruction. A page next to every mapping stays free, 16 MiB below
     * {@code [stack]} and 16 MiB above {@code [heap]} stay free for their growth, and nothing below vm.mmap_min_addr or above the
     * 47-bit user space is returned. Of several places the one nearest to the range is taken, of equally near ones the lower.
     *
     * @param low   first address of the range
     * @param high  address after the range, at least {@code low}
     * @param size  bytes needed, above 0; rounded up to whole pages
     * @param reach bytes, at least 0
     * @return page-aligned address of the space; empty if there is none
     * @throws IllegalArgumentException if an argument is out of its range
     */
    public OptionalLong freeGapNear(long low, long high, long size, long reach) {
        if (low < 0 || high < low || size <= 0 || size > USER_END || reach < 0) {
            throw new IllegalArgumentException(String.format(
                    "freeGapNear(low=0x%x, high=0x%x, size=%d, reach=%d): want 0 <= low <= high, 0 < size, 0 <= reach", low, high, size, reach));
        }
        long length = pageUp(size);
        long first = Math.max(minAddress, high - Math.min(reach, high));
        long last = Math.min(USER_END, reach > USER_END - Math.min(low, USER_END) ? USER_END : low + reach);
        Nearest nearest = new Nearest(low, high, length);
        long free = 0;
        for (MappedRegion region : regions) {
            if (region.start() < 0) {
                break; // [vsyscall], in the kernel's half
            }
            long below = "[stack]".equals(region.path()) ? GROWTH : PAGE;
            nearest.offer(Math.max(first, free), Math.min(last, region.start() - below));
            long above = "[heap]".equals(region.path()) ? GROWTH : PAGE;
            free = Math.max(free, region.end() + above);
        }
        nearest.offer(Math.max(first, free), last);
        return nearest.place < 0 ? OptionalLong.empty() : OptionalLong.of(nearest.place);
    }

    /** Keeps the nearest place of those that fit into the gaps offered. */
    private static final class Nearest {
        private final long low;
        private final long high;
        private final long length;
        private long distance = Long.MAX_VALUE;
        private long place = -1;

        Nearest(long low, long high, long length) {
            this.low = low;
            this.high = high;
            this.length = length;
        }

        void offer(long gapStart, long gapEnd) {
            long lowest = pageUp(gapStart);
            long highest = pageDown(gapEnd) - length;
            if (highest < lowest) {
                return;
            }
            long wanted = highest + length <= low ? highest : pageUp(Math.min(high, Math.max(low, lowest)));
            long at = Math.max(lowest, Math.min(highest, wanted));
            long away = Math.max(0, Math.max(low - (at + length), at - high));
            if (away < distance) {
                distance = away;
                place = at;
            }
        }
    }

    static long pageDown(long address) {
        return address & -PAGE;
    }

    static long pageUp(long address) {
        return (address + PAGE - 1) & -PAGE;
    }
}
