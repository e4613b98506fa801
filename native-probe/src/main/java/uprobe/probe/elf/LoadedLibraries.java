package uprobe.probe.elf;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.fornwall.jelf.ElfSegment;

/**
 * The ELF objects mapped in this process
 * --------------------------------------
 * Found from /proc/self/maps and the program headers in memory, not from ld.so's list: that knows one namespace of dlmopen(3), and no
 * lock of ld.so's is taken here. A private mapping of a file's first bytes that begins with an ELF header is a candidate. Its program
 * headers say where its executable segments must then be mapped; if they are there, it is a loaded object ({@link #match}). The check is
 * needed: a linker that packs segments (lld) maps a file's first page twice, once as the header and once as the start of the text, and
 * someone may map a library only to read it.
 *
 * <p>[vdso] has no file and is not among them.
 */
public final class LoadedLibraries {

    private static final int HEADER_SIZE = 64;

    private final List<LoadedLibrary> all;

    private LoadedLibraries(List<LoadedLibrary> all) {
        this.all = List.copyOf(all);
    }

    /**
     * Every ELF object that is mapped executable: the main executable, ld.so, libjvm and whatever was loaded. One mapped twice, or from two
     * copies, is there twice. An object that is being loaded or unloaded meanwhile may be missing.
     *
     * @throws IOException if {@code /proc/self/maps} cannot be read
     */
    public static LoadedLibraries snapshot() throws IOException {
        return new LoadedLibraries(List.of()).again();
    }

    /** As {@link #snapshot()}, a little later: what is still there is the same object, with the symbols that it has read, and costs two system calls. */
    public LoadedLibraries again() throws IOException {
        Map<Long, LoadedLibrary> before = new HashMap<>();
        all.forEach(library -> before.put(library.start(), library));
        ProcessMaps maps = ProcessMaps.ofSelf();
        List<LoadedLibrary> found = new ArrayList<>();
        try (ProcessMemory memory = ProcessMemory.open()) {
            long taken = 0;
            for (MappedRegion region : maps.regions()) {
                if (region.start() >= taken && mayBeHeader(region)) {
                    LoadedLibrary known = before.get(region.start());
                    Optional<LoadedLibrary> library = known != null && known.isStillThere(maps, memory) ? Optional.of(known) : read(region, maps, memory);
                    if (library.isPresent()) {
                        found.add(library.get());
                        taken = library.get().end();
                    }
                }
            }
        }
        return new LoadedLibraries(found);
    }

    /** A loader maps libraries private. Devices are left alone: reading their memory may do things. */
    private static boolean mayBeHeader(MappedRegion region) {
        return region.fileOffset() == 0 && region.inode() != 0 && !region.shared() && region.path().startsWith("/")
                && (!region.path().startsWith("/dev/") || region.path().startsWith("/dev/shm/"));
    }

    private static Optional<LoadedLibrary> read(MappedRegion region, ProcessMaps maps, ProcessMemory memory) {
        if (memory.available()) {
            return read(region, maps, memory, (into, position) -> memory.read(into, region.start() + position));
        }
        if (region.deleted()) {
            return Optional.empty();
        }
        try (RandomAccessFile file = new RandomAccessFile(Path.of(region.path()).toFile(), "r")) {
            return read(region, maps, memory, WindowedFile.Source.of(file));
        } catch (IOException | InvalidPathException e) {
            return Optional.empty();
        }
    }

    /** {@code bytes} is the start of the file: in memory as far as the first segment goes, or the file itself. */
    private static Optional<LoadedLibrary> read(MappedRegion region, ProcessMaps maps, ProcessMemory memory, WindowedFile.Source bytes) {
        try {
            ByteBuffer first = ByteBuffer.allocate(HEADER_SIZE);
            if (bytes.read(first, 0) != HEADER_SIZE || !LoadedImage.isElf(first.array())) {
                return Optional.empty();
            }
            List<ElfSegment> segments = SymbolSource.Reading.of(() -> LoadedImage.segments(first.array(), bytes));
            for (ElfSegment load : LoadedImage.loads(segments)) {
                if (ProcessMaps.pageDown(load.p_offset) == 0) {
                    LoadedImage image = new LoadedImage(first.array(), segments, region.start() - ProcessMaps.pageDown(load.p_vaddr));
                    if (match(region, image, maps)) {
                        return Optional.of(library(region, image, load, maps, memory, bytes));
                    }
                }
            }
        } catch (IOException e) {
            // unmapped meanwhile, or an ELF header with nothing sound behind it: nothing that was loaded
        }
        return Optional.empty();
    }

    /** Whether there is an executable mapping, of this file at the right offset or anonymous, where each executable segment must begin. */
    private static boolean match(MappedRegion header, LoadedImage image, ProcessMaps maps) {
        List<ElfSegment> executable = image.executableLoads();
        return !executable.isEmpty() && executable.stream().allMatch(load -> {
            long start = ProcessMaps.pageDown(image.bias() + load.p_vaddr);
            return maps.containing(start)
                    .filter(MappedRegion::executable)
                    .filter(text -> text.inode() == 0
                            || text.sameFile(header) && text.fileOffset() + start - text.start() == ProcessMaps.pageDown(load.p_offset))
                    .isPresent();
        });
    }

    private static LoadedLibrary library(MappedRegion header, LoadedImage image, ElfSegment firstLoad, ProcessMaps maps, ProcessMemory memory,
            WindowedFile.Source bytes) throws IOException {
        byte[] start = new byte[0];
        if (memory.available()) {
            ByteBuffer buffer = ByteBuffer.allocate(image.fingerprintLength(firstLoad));
            int count = memory.read(buffer, header.start());
            start = Arrays.copyOf(buffer.array(), Math.max(0, count));
        }
        LoadedImage.Identity identity;
        try {
            WindowedFile.Source positions = memory.available() ? image.fromMemory(memory) : image.fromFile(bytes);
            identity = SymbolSource.Reading.of(() -> image.identity(positions));
        } catch (IOException e) {
            identity = new LoadedImage.Identity(null, null); // loaded it is, whatever else is wrong with it
        }
        List<MappedRegion> text = maps.regions().stream()
                .filter(MappedRegion::executable)
                .filter(region -> image.executableLoads().stream().anyMatch(load ->
                        region.start() < image.bias() + load.p_vaddr + load.p_memsz && image.bias() + load.p_vaddr < region.end()))
                .toList();
        String name = header.path().substring(header.path().lastIndexOf('/') + 1);
        return new LoadedLibrary(path(header.path()), name, header.deleted(), image, identity, header.start(), start, text);
    }

    /** A name that this JVM's file name encoding cannot write has '?' in its place; its file is then not found, its memory is. */
    private static Path path(String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            return Path.of(name.replaceAll("[^\\x20-\\x7e]", "?"));
        }
    }

    /** By ascending address. */
    public List<LoadedLibrary> all() {
        return all;
    }

    /** The library of which a segment, of whatever protection, holds {@code address}; segments are whole pages here, as they are mapped. */
    public Optional<LoadedLibrary> containing(long address) {
        return all.stream().filter(library -> library.contains(address)).findFirst();
    }
}
