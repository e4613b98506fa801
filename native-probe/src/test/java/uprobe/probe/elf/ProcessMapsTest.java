package uprobe.probe.elf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ProcessMapsTest {

    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;

    @Test
    void readsEveryFieldOfALine() {
        MappedRegion region = ProcessMaps.parse(List.of(
                "7f838ba86000-7f838baac000 r-xp 00026000 fe:0a 339380                     /opt/my libs/libc.so.6")).regions().get(0);
        assertEquals(new MappedRegion(0x7f838ba86000L, 0x7f838baac000L, true, false, true, false, 0x26000, "fe:0a", 339380,
                "/opt/my libs/libc.so.6", false), region);
        assertEquals(0x26000, region.size());
    }

    @Test
    void takesTheDeletedSuffixOffThePath() {
        MappedRegion region = ProcessMaps.parse(List.of("1000-2000 -w-s 00000000 00:01 7 /tmp/a (deleted) b (deleted)")).regions().get(0);
        assertEquals("/tmp/a (deleted) b", region.path());
        assertTrue(region.deleted() && region.shared() && region.writable() && !region.readable());
    }

    @Test
    void anonymousMemoryHasAnEmptyPath() {
        for (String line : List.of("1000-2000 rw-p 00000000 00:00 0 ", "1000-2000 rw-p 00000000 00:00 0")) {
            assertEquals("", ProcessMaps.parse(List.of(line)).regions().get(0).path());
        }
    }

    @Test
    void readsTheKernelsEscapeOfALineFeed() {
        assertEquals("/a\nb", ProcessMaps.parse(List.of("1000-2000 r--p 00000000 fe:00 7      /a\\012b")).regions().get(0).path());
    }

    @Test
    void findsVsyscallWhoseAddressIsNegative() {
        ProcessMaps maps = ProcessMaps.parse(List.of("1000-2000 rw-p 00000000 00:00 0",
                "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]"));
        assertEquals("[vsyscall]", maps.containing(0xffffffffff600abcL).orElseThrow().path());
        assertTrue(maps.containing(0x2000).isEmpty());
        assertTrue(maps.containing(0x1fff).isPresent());
    }

    @Test
    void namesTheLineThatIsNoMapping() {
        for (String line : List.of("hello", "1000 r--p 0 0 0", "10g0-2000 r--p 00000000 fe:00 7", "1000-2000 r- 00000000 fe:00 7")) {
            assertTrue(assertThrows(IllegalArgumentException.class, () -> ProcessMaps.parse(List.of(line))).getMessage().contains(line));
        }
    }

    static Stream<Arguments> gaps() {
        String text = "10000000-10100000 r-xp 00000000 fe:00 7 /lib/a.so";
        return Stream.of(
                gap("above, a page off, when only that is free", 0x10101000L, 0x10000000L, 0x10100000L, 4096, GIB,
                        "10000-fffe000 rw-p 00000000 00:00 0", text),
                gap("below and above equally near: the lower", 0xfffe000L, 0x10000000L, 0x10100000L, 4096, GIB, text),
                gap("below does not fit with a guard page on both sides, above does", 0x10101000L, 0x10000000L, 0x10100000L, 8192, GIB,
                        "10000-fffd000 rw-p 00000000 00:00 0", text),
                gap("below fits exactly between two guard pages", 0xfffd000L, 0x10000000L, 0x10100000L, 8192, GIB,
                        "10000-fffc000 rw-p 00000000 00:00 0", text),
                gap("size is rounded up to pages", 0xfffd000L, 0x10000000L, 0x10100000L, 4097, GIB,
                        "10000-fffc000 rw-p 00000000 00:00 0", text),
                gap("the far end of the range counts for reach", -1, 0x10000000L, 0x10100000L, 4096, MIB, text),
                gap("just in reach from the far end", 0xfffe000L, 0x10000000L, 0x10100000L, 4096, MIB + 0x2000, text),
                gap("the nearer of two", 0x10203000L, 0x10000000L, 0x10100000L, 0x1000, GIB,
                        "10000-e000000 rw-p 00000000 00:00 0", "e100000-10000000 rw-p 00000000 00:00 0", text,
                        "10100000-10202000 rw-p 00000000 00:00 0", "10300000-20000000 rw-p 00000000 00:00 0"),
                gap("a hole inside the range is nearest", 0x10101000L, 0x10000000L, 0x10400000L, 4096, GIB, text,
                        "10300000-10400000 rw-p 00000000 00:00 0 "),
                gap("16 MiB below the stack stay free: straight below it is not taken", 0x1efff000L, 0x30000000L, 0x30001000L, 4096, GIB,
                        "10000-10000000 rw-p 00000000 00:00 0", "20000000-30000000 rw-p 00000000 00:00 0 [stack]",
                        "30000000-7ffffffff000 r-xp 00000000 fe:00 7 /lib/a.so"),
                gap("a gap of 16 MiB below the stack is none", -1, 0x30000000L, 0x30001000L, 4096, GIB,
                        "10000-1f000000 rw-p 00000000 00:00 0", "20000000-30000000 rw-p 00000000 00:00 0 [stack]",
                        "30000000-7ffffffff000 r-xp 00000000 fe:00 7 /lib/a.so"),
                gap("16 MiB above the heap stay free", 0x12000000L, 0x10000000L, 0x10100000L, 4096, GIB,
                        "10000-10000000 rw-p 00000000 00:00 0", text, "10100000-11000000 rw-p 00000000 00:00 0 [heap]"),
                gap("nothing below mmap_min_addr", -1, 0x20000L, 0x30000L, 0x10000, GIB,
                        "20000-7ffffffff000 r-xp 00000000 fe:00 7 /lib/a.so"),
                gap("nothing above user space", -1, 0x7fffffffd000L, 0x7fffffffe000L, 4096, GIB,
                        "10000-7fffffffe000 r-xp 00000000 fe:00 7 /lib/a.so", "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]"),
                gap("no reach", -1, 0x10000000L, 0x10100000L, 4096, 0, text),
                gap("all of user space in reach", 0xfffe000L, 0x10000000L, 0x10100000L, 4096, Long.MAX_VALUE, text));
    }

    private static Arguments gap(String name, long expected, long low, long high, long size, long reach, String... lines) {
        return Arguments.of(name, expected, low, high, size, reach, List.of(lines));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("gaps")
    void findsTheNearestGap(String name, long expected, long low, long high, long size, long reach, List<String> lines) {
        OptionalLong found = ProcessMaps.parse(lines).freeGapNear(low, high, size, reach);
        assertEquals(expected < 0 ? "none" : Long.toHexString(expected), found.isPresent() ? Long.toHexString(found.getAsLong()) : "none");
    }

    @Test
    void refusesARangeThatIsNone() {
        ProcessMaps maps = ProcessMaps.parse(List.of());
        assertThrows(IllegalArgumentException.class, () -> maps.freeGapNear(0x2000, 0x1000, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> maps.freeGapNear(0x1000, 0x2000, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> maps.freeGapNear(0x1000, 0x2000, 1, -1));
        assertThrows(IllegalArgumentException.class, () -> maps.freeGapNear(-0x1000, 0x2000, 1, 1));
    }

    @Test
    void findsSpaceNearEveryLibraryOfThisProcess() throws Exception {
        ProcessMaps maps = ProcessMaps.ofSelf();
        long reach = (1L << 31) - 16;
        for (LoadedLibrary library : LoadedLibraries.snapshot().all()) {
            for (long size : new long[] {4096, MIB, 64 * MIB}) {
                long at = maps.freeGapNear(library.textStart(), library.textEnd(), size, reach).orElseThrow();
                assertEquals(0, at % 4096);
                assertTrue(Math.max(library.textEnd() - at, at + size - library.textStart()) <= reach, library::toString);
                for (MappedRegion region : maps.regions()) {
                    if (region.start() >= 0) {
                        assertFalse(at - 4096 < region.end() && region.start() < at + size + 4096, () -> library + " " + region);
                        assertFalse("[stack]".equals(region.path()) && at < region.start() && at + size > region.start() - 16 * MIB);
                    }
                }
            }
        }
    }
}
