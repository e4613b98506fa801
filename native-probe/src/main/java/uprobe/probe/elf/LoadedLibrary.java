package uprobe.probe.elf;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.fornwall.jelf.ElfSectionHeader;
import net.fornwall.jelf.ElfSegment;

/**
 * An ELF object mapped in this process: a library, the main executable or ld.so. What it says was true when the
 * {@linkplain LoadedLibraries#snapshot() snapshot} was taken; it keeps nothing loaded, a dlclose(3) may take the memory away at any time.
 */
public final class LoadedLibrary {

    private final Path path;
    private final String fileName;
    private final boolean deleted;
    private final LoadedImage image;
    private final LoadedImage.Identity identity;
    private final long headerAddress;
    private final byte[] start; // of the file, as found there; empty if memory could not be read
    private final List<MappedRegion> executableRegions;
    private SymbolTable symbols; // guarded by this
    private Optional<CallFrames> callFrames; // guarded by this; null until asked for
    private Optional<GoCode> goCode; // guarded by this; null until asked for

    LoadedLibrary(Path path, String fileName, boolean deleted, LoadedImage image, LoadedImage.Identity identity, long headerAddress,
            byte[] start, List<MappedRegion> executableRegions) {
        this.path = path;
        this.fileName = fileName;
        this.deleted = deleted;
        this.image = image;
        this.identity = identity;
        this.headerAddress = headerAddress;
        this.start = start;
        this.executableRegions = List.copyOf(executableRegions);
    }

    /** The file as the kernel names it, resolved by this process; after an unlink the name it had. */
    public Path path() {
        return path;
    }

    /** The last part of {@link #path()}; of a memfd {@code memfd:NAME}. */
    public String fileName() {
        return fileName;
    }

    /** DT_SONAME (gABI, "Dynamic Section"), or {@code null} if it has none, as executables. */
    public String soname() {
        return identity.soname();
    }

    /** Whether the file had been unlinked when the snapshot was taken. A file of the same name may be another one. */
    public boolean deleted() {
        return deleted;
    }

    /** Runtime address = loadBias + st_value. 0 for an executable that is not position-independent. */
    public long loadBias() {
        return image.bias();
    }

    /** Lowest runtime address of an executable segment: exact, not rounded to a page. */
    public long textStart() {
        return code().stream().mapToLong(SymbolTable.CodeRange::start).min().orElseThrow();
    }

    /** Runtime address after the last byte of the executable segments. Other segments may lie between two executable ones. */
    public long textEnd() {
        return code().stream().mapToLong(SymbolTable.CodeRange::end).max().orElseThrow();
    }

    /** Runtime address after the executable segment that holds this one; {@code address} itself if none does. */
    public long codeEnd(long address) {
        return code().stream().filter(range -> address >= range.start() && address < range.end()).mapToLong(SymbolTable.CodeRange::end).findFirst().orElse(address);
    }

    /** The mappings of the executable segments; a segment has several after mprotect(2), anonymous ones if remapped to huge pages. */
    public List<MappedRegion> executableRegions() {
        return executableRegions;
    }

    /** NT_GNU_BUILD_ID in lower-case hexadecimal, as {@code readelf -n} prints it. */
    public Optional<String> buildId() {
        return Optional.ofNullable(identity.buildId());
    }

    /**
     * Its symbols: .dynsym and .symtab of the file; without section headers the dynamic symbols its segments hold; of a file that is deleted,
     * replaced or unreadable those in memory ({@link SymbolTable#limitation()} then says why). Read once, at the first call (RocksDB's file
     * takes about 0.2 s in a cold JVM), and kept.
     *
     * @throws UncheckedIOException if neither the file nor the memory holds them any more; the next call tries again
     */
    public synchronized SymbolTable symbols() {
        if (symbols == null) {
            try {
                symbols = readSymbols();
            } catch (IOException e) {
                throw new UncheckedIOException("no symbols of " + path + ": " + e.getMessage(), e);
            }
        }
        return symbols;
    }

    /** What its .eh_frame says of its code; empty if it has none. Its table is read once. */
    public synchronized Optional<CallFrames> callFrames() throws IOException {
        if (callFrames == null) {
            callFrames = CallFrames.of(image);
        }
        return callFrames;
    }

    /** The part of it that Go's compiler made; empty if there is none. Looked for once: some milliseconds in a library of 50 MB. */
    public synchronized Optional<GoCode> goCode() throws IOException {
        if (goCode == null) {
            goCode = GoCode.of(image);
        }
        return goCode;
    }

    /** Memory of one section. */
    public record Section(String name, long start, long end) { }

    /**
     * The sections of that name that are loaded, from the file's section headers, which memory has not; empty if there is none or the file is gone.
     */
    public List<Section> sections(String name) {
        try (RandomAccessFile file = openFile()) {
            return SymbolSource.SectionTable.of(file).named(name, image.bias());
        } catch (IOException e) {
            return List.of();
        }
    }

    /**
     * Whether this object is still mapped where it was: its executable segments from the same file (device, inode), and its first bytes, with the
     * headers and mostly the build-id, unchanged.
     *
     * @throws IOException if {@code /proc/self/maps} cannot be read
     */
    public boolean isStillThere() throws IOException {
        ProcessMaps maps = ProcessMaps.ofSelf();
        try (ProcessMemory memory = ProcessMemory.open()) {
            return isStillThere(maps, memory);
        }
    }

    boolean isStillThere(ProcessMaps maps, ProcessMemory memory) {
        for (MappedRegion was : executableRegions) {
            boolean there = maps.containing(was.start()).filter(now -> now.executable() && now.inode() == was.inode() && now.device().equals(was.device())
                    && (was.inode() == 0 || now.fileOffset() + was.start() - now.start() == was.fileOffset())).isPresent();
            if (!there) {
                return false;
            }
        }
        try {
            ByteBuffer now = ByteBuffer.allocate(start.length);
            return start.length == 0 || !memory.available() || memory.read(now, headerAddress) == start.length && Arrays.equals(now.array(), start);
        } catch (IOException unmapped) {
            return false;
        }
    }

    /** Whether both, from whatever snapshots, are one file mapped at one address, as far as can be told: path, inode, build-id, first bytes. */
    public boolean isSameAs(LoadedLibrary other) {
        return this == other || path.equals(other.path) && loadBias() == other.loadBias() && identity.equals(other.identity)
                && Arrays.equals(start, other.start)
                && (executableRegions.isEmpty() || other.executableRegions.isEmpty() || executableRegions.get(0).inode() == other.executableRegions.get(0).inode()
                        && executableRegions.get(0).device().equals(other.executableRegions.get(0).device()));
    }

    private SymbolTable readSymbols() throws IOException {
        IOException why;
        try (RandomAccessFile file = openFile()) {
            SymbolSource.SectionTable sections = SymbolSource.SectionTable.of(file);
            SymbolSource symtab = new SymbolSource.ForSymtab(sections, image.bias());
            SymbolSource dynsym = sections.has(ElfSectionHeader.SHT_DYNSYM)
                    ? new SymbolSource.ForDynsym(sections, image.bias())
                    : new SymbolSource.ForMemory(image, image.fromFile(WindowedFile.Source.of(file)));
            List<NativeSymbol> all = new ArrayList<>(dynsym.symbols());
            all.addAll(symtab.symbols());
            return new SymbolTable(all, code());
        } catch (IOException e) {
            why = e;
        }
        try (ProcessMemory memory = ProcessMemory.open()) {
            ByteBuffer now = ByteBuffer.allocate(start.length);
            if (start.length == 0 || memory.read(now, headerAddress) != start.length || !Arrays.equals(now.array(), start)) {
                throw new IOException(String.format("the library is no longer mapped at 0x%x", headerAddress));
            }
            List<NativeSymbol> loaded = new SymbolSource.ForMemory(image, image.fromMemory(memory)).symbols();
            return new SymbolTable(loaded, code(), "only the dynamic symbols in memory: " + why.getMessage());
        } catch (IOException e) {
            e.addSuppressed(why);
            throw e;
        }
    }

    /**
     * What the file has for a range of loaded addresses, to compare the text in memory with. Every call opens the file: ask for much at once.
     *
     * @param address runtime address
     * @param length  bytes; the range must lie within one loaded segment's part of the file (not .bss)
     * @throws IllegalArgumentException if it does not
     * @throws IOException if the file is deleted, is another one than was loaded, or cannot be read
     */
    public byte[] fileBytes(long address, int length) throws IOException {
        for (ElfSegment load : image.loads()) {
            long inside = address - image.bias() - load.p_vaddr;
            if (length >= 0 && inside >= 0 && inside <= load.p_filesz - length) {
                try (RandomAccessFile file = openFile()) {
                    return SymbolSource.Reading.of(
                            () -> new WindowedFile(WindowedFile.Source.of(file)).bytesAt(load.p_offset + inside, length));
                }
            }
        }
        throw new IllegalArgumentException(String.format("0x%x and %d bytes from there lie in no segment that %s has in its file",
                address, length, fileName));
    }

    /** The file, if it is the one that was loaded: an upgrade puts another one under its name, also where "deleted" is not seen (overlays). */
    private RandomAccessFile openFile() throws IOException {
        if (deleted) {
            throw new IOException(path + " was deleted after it was loaded; only what is mapped of it is left");
        }
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
        try {
            byte[] first = SymbolSource.Reading.of(() -> new WindowedFile(WindowedFile.Source.of(file)).bytesAt(0, start.length));
            if (!Arrays.equals(first, start)) {
                throw new IOException(path + " is not the file that was loaded: its first " + start.length + " bytes differ from those in memory");
            }
            return file;
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    private List<SymbolTable.CodeRange> code() {
        return image.executableLoads().stream()
                .map(load -> new SymbolTable.CodeRange(image.bias() + load.p_vaddr, image.bias() + load.p_vaddr + load.p_memsz))
                .toList();
    }

    LoadedImage image() {
        return image;
    }

    /** First runtime address of the library, page-aligned. */
    long start() {
        return image.start();
    }

    /** Runtime address after its last page. */
    long end() {
        return image.end();
    }

    /** Whether a segment of it, of whatever protection, holds the address; segments are whole pages here, as they are mapped. */
    public boolean contains(long address) {
        return image.holds(address);
    }

    @Override
    public String toString() {
        return String.format("%s%s at 0x%x", path, deleted ? " (deleted)" : "", image.start());
    }
}
