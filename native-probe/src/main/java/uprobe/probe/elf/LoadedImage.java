package uprobe.probe.elf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import net.fornwall.jelf.ElfDynamicSection;
import net.fornwall.jelf.ElfDynamicSection.ElfDynamicStructure;
import net.fornwall.jelf.ElfException;
import net.fornwall.jelf.ElfFile;
import net.fornwall.jelf.ElfSectionHeader;
import net.fornwall.jelf.ElfSegment;
import net.fornwall.jelf.ElfSymbolTableSection;

/**
 * A loaded library as ld.so sees it
 * ---------------------------------
 * Memory holds the segments of a library, not its section headers. jelf finds everything by section headers. So jelf is shown a file that
 * does not exist: at position p it has the byte at virtual address base + p, at position 0 the ELF header with another e_shoff, and behind
 * the last segment a section header table of ours, which says where the dynamic section says that .dynsym and .dynstr are.
 *
 *     position   0        64                          tableAt
 *                +--------+------------- ... ---------+-----------------------------------+
 *                | Ehdr'  | segments as loaded        | null DYNAMIC STRTAB DYNSYM        |
 *                +--------+------------- ... ---------+-----------------------------------+
 *
 * What jelf has no way for is done here: the number of dynamic symbols, which only the hash tables tell (see symbolCount), and the walk
 * through notes, of which jelf reads the first one of a section.
 */
final class LoadedImage {

    private static final int HEADER_SIZE = 64; // Elf64_Ehdr, gABI, "ELF Header"
    private static final int E_PHOFF = 32;
    private static final int E_SHOFF = 40;
    private static final int E_SHENTSIZE = 58;
    private static final int E_SHNUM = 60;
    private static final int E_SHSTRNDX = 62;
    private static final int SECTION_HEADER_SIZE = 64; // Elf64_Shdr
    private static final long PROGRAM_HEADER_SIZE = 56; // Elf64_Phdr
    private static final int SYMBOL_SIZE = 24; // Elf64_Sym
    private static final int SECTION_DYNAMIC = 1;
    private static final int SECTION_STRTAB = 2;
    private static final int SECTION_DYNSYM = 3;
    private static final int NOTE_GNU_BUILD_ID = 3; // ld(1), --build-id; <elf.h> NT_GNU_BUILD_ID

    private static final int SMALL_WINDOW = 4096; // headers, notes and one name: short, and many libraries are looked at

    private final byte[] header;
    private final List<ElfSegment> segments;
    private final List<ElfSegment> loads;
    private final long bias;
    private final long base;
    private final long end;

    /**
     * @param header   the first 64 bytes
     * @param segments all program headers
     * @param bias     runtime address less virtual address
     */
    LoadedImage(byte[] header, List<ElfSegment> segments, long bias) {
        this.header = header.clone();
        this.segments = List.copyOf(segments);
        this.loads = loads(segments);
        this.bias = bias;
        this.base = loads.stream().mapToLong(load -> ProcessMaps.pageDown(load.p_vaddr)).min().orElseThrow();
        this.end = loads.stream().mapToLong(load -> ProcessMaps.pageUp(load.p_vaddr + load.p_memsz)).max().orElseThrow();
    }

    /** Whether these are the first bytes of an ELF object that a 64-bit little-endian process can load. */
    static boolean isElf(byte[] start) {
        return start.length >= HEADER_SIZE
                && start[0] == 0x7f && start[1] == 'E' && start[2] == 'L' && start[3] == 'F'
                && start[4] == ElfFile.CLASS_64 && start[5] == ElfFile.DATA_LSB;
    }

    /**
     * The program headers, which stand at e_phoff in {@code bytes}.
     *
     * @throws ElfException if they are not there
     */
    static List<ElfSegment> segments(byte[] header, WindowedFile.Source bytes) {
        ElfFile elf = ElfFile.from(new WindowedFile(withSections(header, Long.MAX_VALUE - 1, List.of(), bytes), SMALL_WINDOW));
        List<ElfSegment> segments = new ArrayList<>();
        for (int i = 0; i < elf.e_phnum; i++) {
            segments.add(elf.getProgramHeader(i));
        }
        return segments;
    }

    static List<ElfSegment> loads(List<ElfSegment> segments) {
        return segments.stream().filter(segment -> segment.p_type == ElfSegment.PT_LOAD && segment.p_memsz > 0).toList();
    }

    List<ElfSegment> segments() {
        return segments;
    }

    List<ElfSegment> loads() {
        return loads;
    }

    List<ElfSegment> executableLoads() {
        return loads.stream().filter(ElfSegment::isExecutable).toList();
    }

    long bias() {
        return bias;
    }

    /** First runtime address, page-aligned. */
    long start() {
        return bias + base;
    }

    /** Runtime address after the last page. */
    long end() {
        return bias + end;
    }

    /** Whether a page of a loaded segment holds {@code address}. */
    boolean holds(long address) {
        for (ElfSegment load : loads) {
            if (address >= bias + ProcessMaps.pageDown(load.p_vaddr) && address < bias + ProcessMaps.pageUp(load.p_vaddr + load.p_memsz)) {
                return true;
            }
        }
        return false;
    }

    /**
     * How many bytes from the file's start tell this file from another and are never written to: a page of a segment without code; of one
     * with code, where probes may be set, the headers and the notes behind them, among which is the build-id.
     */
    int fingerprintLength(ElfSegment first) {
        long inFile = Math.min(ProcessMaps.PAGE, first.p_offset + first.p_filesz);
        if (!first.isExecutable()) {
            return (int) inFile;
        }
        ByteBuffer ehdr = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        long length = ehdr.getLong(E_PHOFF) + PROGRAM_HEADER_SIZE * segments.size();
        for (ElfSegment note : segments) {
            if (note.p_type == ElfSegment.PT_NOTE && note.p_offset + note.p_filesz <= inFile) {
                length = Math.max(length, note.p_offset + note.p_filesz);
            }
        }
        return (int) Math.max(HEADER_SIZE, Math.min(inFile, length));
    }

    /** Position as above -> bytes, from memory. */
    WindowedFile.Source fromMemory(ProcessMemory memory) {
        return (into, position) -> memory.read(into, start() + position);
    }

    /** Position as above -> bytes, from the file; for a process that must not read its own memory. */
    WindowedFile.Source fromFile(WindowedFile.Source file) {
        return (into, position) -> {
            long address = base + position;
            for (ElfSegment load : loads) {
                long inside = address - load.p_vaddr;
                if (inside >= 0 && inside < load.p_filesz) {
                    into.limit((int) Math.min(into.limit(), into.position() + load.p_filesz - inside));
                    return file.read(into, load.p_offset + inside);
                }
            }
            return 0;
        };
    }

    /** What the library says of itself; null where it says nothing. */
    record Identity(String soname, String buildId) { }

    /** @throws ElfException if the image contradicts itself */
    Identity identity(WindowedFile.Source positions) {
        WindowedFile window = new WindowedFile(positions, SMALL_WINDOW);
        String soname = null;
        ElfDynamicSection dynamic = dynamic(positions);
        if (dynamic != null) {
            long name = value(dynamic, ElfDynamicSection.DT_SONAME);
            long strings = pointer(dynamic, ElfDynamicSection.DT_STRTAB);
            soname = name < 0 || strings < 0 ? null : window.stringAt(strings + name);
        }
        return new Identity(soname, buildId(window));
    }

    private String buildId(WindowedFile window) {
        for (ElfSegment note : segments) {
            if (note.p_type != ElfSegment.PT_NOTE || !holds(bias + note.p_vaddr)) {
                continue;
            }
            long align = note.p_align == 8 ? 8 : 4; // 8 is NT_GNU_PROPERTY_TYPE_0's: psABI x86-64, "Program Property"
            long at = note.p_vaddr - base;
            long noteEnd = at + note.p_memsz;
            while (at + 12 <= noteEnd) {
                // gABI, "Note Section": namesz, descsz, type, then name and desc, each padded
                long nameSize = window.intAt(at) & 0xffffffffL;
                long descSize = window.intAt(at + 4) & 0xffffffffL;
                long desc = at + ((12 + nameSize + align - 1) & -align);
                if (desc + descSize > noteEnd) {
                    break;
                }
                if (window.intAt(at + 8) == NOTE_GNU_BUILD_ID && nameSize == 4 && "GNU".equals(window.stringAt(at + 12))) {
                    return HexFormat.of().formatHex(window.bytesAt(desc, (int) descSize));
                }
                at = desc + ((descSize + align - 1) & -align);
            }
        }
        return null;
    }

    /**
     * The image as jelf's file with .dynsym and .dynstr; {@code null} if the library has no dynamic symbols.
     *
     * @throws ElfException if the image contradicts itself
     */
    ElfFile asFile(WindowedFile.Source positions) {
        ElfDynamicSection dynamic = dynamic(positions);
        if (dynamic == null) {
            return null;
        }
        long strings = pointer(dynamic, ElfDynamicSection.DT_STRTAB);
        long symbols = pointer(dynamic, ElfDynamicSection.DT_SYMTAB);
        long stringsSize = value(dynamic, ElfDynamicSection.DT_STRSZ);
        long count = symbolCount(dynamic, new WindowedFile(positions));
        if (strings < 0 || symbols < 0 || stringsSize < 0 || count == 0) {
            return null;
        }
        if (strings + stringsSize > end - base || count > (end - base - symbols) / SYMBOL_SIZE) {
            throw new ElfException(String.format("%d dynamic symbols and %d bytes of names do not fit into %d bytes", count, stringsSize, end - base));
        }
        return file(positions, WindowedFile.WINDOW, List.of(
                sectionHeader(ElfSectionHeader.SHT_NULL, 0, 0, 0),
                sectionHeader(ElfSectionHeader.SHT_NULL, 0, 0, 0),
                sectionHeader(ElfSectionHeader.SHT_STRTAB, strings, stringsSize, 0),
                sectionHeader(ElfSectionHeader.SHT_DYNSYM, symbols, count * SYMBOL_SIZE, SECTION_STRTAB)));
    }

    static ElfSymbolTableSection dynsym(ElfFile image) {
        return (ElfSymbolTableSection) image.getSection(SECTION_DYNSYM);
    }

    private ElfDynamicSection dynamic(WindowedFile.Source positions) {
        for (ElfSegment segment : segments) {
            if (segment.p_type == ElfSegment.PT_DYNAMIC) {
                return (ElfDynamicSection) file(positions, SMALL_WINDOW, List.of(
                        sectionHeader(ElfSectionHeader.SHT_NULL, 0, 0, 0),
                        sectionHeader(ElfSectionHeader.SHT_DYNAMIC, segment.p_vaddr - base, segment.p_memsz, 0)))
                        .getSection(SECTION_DYNAMIC);
            }
        }
        return null;
    }

    private static long value(ElfDynamicSection dynamic, int tag) {
        for (ElfDynamicStructure entry : dynamic.entries) {
            if (entry.d_tag == tag) {
                return entry.d_val_or_ptr;
            }
        }
        return -1;
    }

    /** Position of what a d_ptr points to. glibc adds the bias to those it uses when it loads a library, musl leaves all as they were. */
    private long pointer(ElfDynamicSection dynamic, int tag) {
        long value = value(dynamic, tag);
        if (value == -1) {
            return -1;
        }
        long position = value >= start() && value < end() ? value - start() : value - base;
        if (position < 0 || position >= end - base) {
            throw new ElfException(String.format("dynamic tag 0x%x points to 0x%x, outside the library", tag, value));
        }
        return position;
    }

    /**
     * The dynamic section does not say how many symbols there are. DT_HASH does: its second word. DT_GNU_HASH has them in buckets of
     * consecutive symbols; the last symbol of all is the one at which the chain of the highest bucket ends, marked by bit 0.
     *
     *     nbuckets symoffset bloomWords bloomShift | bloom[bloomWords]: 8 bytes each | buckets[nbuckets] | chain[count - symoffset]
     */
    private long symbolCount(ElfDynamicSection dynamic, WindowedFile window) {
        long hash = pointer(dynamic, ElfDynamicSection.DT_HASH);
        if (hash >= 0) {
            return window.intAt(hash + 4) & 0xffffffffL;
        }
        long gnuHash = pointer(dynamic, ElfDynamicSection.DT_GNU_HASH);
        if (gnuHash < 0) {
            return 0;
        }
        long bucketCount = window.intAt(gnuHash) & 0xffffffffL;
        long symbolOffset = window.intAt(gnuHash + 4) & 0xffffffffL;
        long buckets = gnuHash + 16 + 8 * (window.intAt(gnuHash + 8) & 0xffffffffL);
        long chain = buckets + 4 * bucketCount;
        if (chain > end - base) {
            throw new ElfException(String.format("%d buckets of DT_GNU_HASH do not fit into the library", bucketCount));
        }
        long last = 0;
        for (long i = 0; i < bucketCount; i++) {
            last = Math.max(last, window.intAt(buckets + 4 * i) & 0xffffffffL);
        }
        if (last < symbolOffset) {
            return symbolOffset; // every bucket is empty: nothing is exported
        }
        while ((window.intAt(chain + 4 * (last - symbolOffset)) & 1) == 0) {
            last++;
        }
        return last + 1;
    }

    private ElfFile file(WindowedFile.Source positions, int windowSize, List<byte[]> sectionHeaders) {
        return ElfFile.from(new WindowedFile(withSections(header, end - base, sectionHeaders, positions), windowSize));
    }

    private static byte[] sectionHeader(int type, long position, long size, int link) {
        return ByteBuffer.allocate(SECTION_HEADER_SIZE).order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0).putInt(type).putLong(0).putLong(0) // no name, flags, address
                .putLong(position).putLong(size)
                .putInt(link).putInt(0).putLong(1)
                .putLong(type == ElfSectionHeader.SHT_DYNSYM ? SYMBOL_SIZE : 0)
                .array();
    }

    /** {@code rest} below {@code tableAt}, but for the header, and the section header table from there on. */
    private static WindowedFile.Source withSections(byte[] header, long tableAt, List<byte[]> sectionHeaders, WindowedFile.Source rest) {
        byte[] first = header.clone();
        // jelf refuses a file without sections (e_shnum 0): say 1, it looks at none unasked
        ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(E_SHOFF, tableAt)
                .putShort(E_SHENTSIZE, (short) SECTION_HEADER_SIZE)
                .putShort(E_SHNUM, (short) Math.max(1, sectionHeaders.size()))
                .putShort(E_SHSTRNDX, (short) 0);
        ByteBuffer table = ByteBuffer.allocate(SECTION_HEADER_SIZE * sectionHeaders.size());
        sectionHeaders.forEach(table::put);
        return (into, position) -> {
            if (position < HEADER_SIZE) {
                into.put(first, (int) position, Math.min(into.remaining(), HEADER_SIZE - (int) position));
                return into.position();
            }
            if (position < tableAt) {
                into.limit((int) Math.min(into.limit(), into.position() + tableAt - position));
                return rest.read(into, position);
            }
            int at = (int) Math.min(table.capacity(), position - tableAt);
            int count = Math.min(into.remaining(), table.capacity() - at);
            into.put(table.array(), at, count);
            return count;
        };
    }
}
