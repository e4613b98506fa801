package uprobe.probe.elf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import net.fornwall.jelf.ElfSegment;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On this very JVM and the libraries it has; binutils is the second opinion. */
class LoadedLibrariesTest {

    @TempDir
    static Path directory;

    @BeforeAll
    static void loadsZlib() {
        new CRC32().update(1);
        Deflater deflater = new Deflater();
        deflater.end();
    }

    private static LoadedLibrary library(Predicate<LoadedLibrary> which) throws IOException {
        return LoadedLibraries.snapshot().all().stream().filter(which).findFirst().orElseThrow();
    }

    private static LoadedLibrary library(String fileName) throws IOException {
        return library(l -> l.fileName().equals(fileName));
    }

    /** Whichever library has zlib: libz.so.1 where the JDK uses the system's, libzip.so where it has its own. */
    private static LoadedLibrary zlib() throws IOException {
        return library(l -> l.fileName().startsWith("libz.so") || l.fileName().equals("libzip.so") && !l.symbols().find("deflate").isEmpty());
    }

    private static List<String> run(String... command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }

    private static boolean installed(String tool) {
        return Arrays.stream(System.getenv("PATH").split(":")).anyMatch(folder -> Files.isExecutable(Path.of(folder, tool)));
    }

    private static void needsBinutils() {
        assumeTrue(installed("readelf") && installed("nm"), "binutils is not installed: nothing to compare with");
    }

    /** "NAME VALUE SIZE GLOBAL" of what {@code readelf -Ws} lists, with our meaning of a symbol. */
    private static Set<String> readelf(Path file, String table) throws IOException {
        Map<String, String> symbols = new HashMap<>(); // by name and value: the first of versions that differ in size only
        boolean wanted = false;
        for (String line : run("readelf", "-Ws", file.toString())) {
            if (line.startsWith("Symbol table")) {
                wanted = line.contains("'" + table + "'");
            }
            String[] field = line.strip().split("\\s+");
            if (!wanted || field.length < 8 || !field[0].matches("\\d+:") || Set.of("SECTION", "FILE", "TLS").contains(field[3])) {
                continue;
            }
            int section = field[5].startsWith("[") ? 7 : 6; // "[<other>: 88]" before the section
            if (field[section].matches("\\d+")) {
                long size = Long.decode(field[2]);
                String name = field[section + 1].replaceFirst("(?<=.)@.*", "");
                String place = name + " " + Long.toHexString(Long.parseUnsignedLong(field[1], 16));
                symbols.putIfAbsent(place, place + " " + size + " " + !field[4].equals("LOCAL"));
            }
        }
        return new TreeSet<>(symbols.values());
    }

    private static Set<String> symbols(LoadedLibrary library, Predicate<NativeSymbol> which) {
        return library.symbols().all().stream().filter(which)
                .map(s -> s.name() + " " + Long.toHexString(s.address() - library.loadBias()) + " " + s.size() + " " + s.global())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void assertSameAsReadelf(LoadedLibrary library) throws IOException {
        needsBinutils();
        Set<String> dynsym = readelf(library.path(), ".dynsym");
        Set<String> symtab = readelf(library.path(), ".symtab");
        assertEquals(dynsym, symbols(library, s -> s.source().equals("dynsym")), library::toString);
        Set<String> places = dynsym.stream().map(LoadedLibrariesTest::place).collect(Collectors.toSet());
        symtab.removeIf(s -> places.contains(place(s)));
        assertEquals(symtab, symbols(library, s -> s.source().equals("symtab")), library::toString);
    }

    private static String place(String symbol) {
        return symbol.substring(0, symbol.indexOf(' ', symbol.indexOf(' ') + 1));
    }

    @Test
    void seesEveryExecutableFileOfTheProcess() throws IOException {
        LoadedLibraries libraries = LoadedLibraries.snapshot();
        for (MappedRegion region : ProcessMaps.ofSelf().regions()) {
            if (region.executable() && region.path().startsWith("/")) {
                LoadedLibrary library = libraries.containing(region.start() + region.size() / 2).orElseThrow(() -> new AssertionError(region));
                assertEquals(region.path(), library.path().toString());
                assertTrue(library.executableRegions().contains(region), region::toString);
                assertTrue(library.textStart() < region.end() && region.start() < library.textEnd());
            }
        }
        Set<String> names = libraries.all().stream().map(LoadedLibrary::fileName).collect(Collectors.toSet());
        assertTrue(names.containsAll(Set.of("libjvm.so", "libc.so.6", "libzip.so", "java")), names::toString);
        assertTrue(names.stream().anyMatch(name -> name.startsWith("ld-linux") || name.startsWith("ld-musl")), names::toString);
        assertTrue(names.stream().noneMatch(name -> name.contains("vdso")), names::toString);
    }

    @Test
    void agreesWithReadelfOnEveryLibrary() throws IOException {
        for (LoadedLibrary library : LoadedLibraries.snapshot().all()) {
            if (!library.path().startsWith(directory)) { // what other tests here made odd
                assertSameAsReadelf(library);
            }
        }
    }

    @Test
    void findsDeflateInWhicheverLibraryHasZlib() throws IOException {
        LoadedLibrary zlib = zlib();
        NativeSymbol deflate = zlib.symbols().find("deflate").get(0);
        assertEquals(NativeSymbol.Kind.FUNCTION, deflate.kind());
        // JDK 25's libzip.so has zlib inside and exports none of it
        assertEquals(zlib.fileName().startsWith("libz.so"), deflate.global());
        assertEquals(deflate, zlib.symbols().containing(deflate.address() + deflate.size() - 1).orElseThrow());
        assertEquals("deflate", zlib.symbols().nearest("defalte", 1).get(0));
        assertTrue(zlib.symbols().nextFunctionStart(deflate.address()) >= deflate.end());
    }

    @Test
    void agreesWithNmOnWhatLibcExports() throws IOException {
        needsBinutils();
        LoadedLibrary libc = library("libc.so.6");
        Set<String> nm = run("nm", "-D", "--defined-only", libc.path().toString()).stream()
                .map(line -> line.split(" "))
                .filter(field -> field[1].matches("[TtWwi]"))
                .map(field -> field[2].replaceFirst("@.*", "") + " " + Long.toHexString(Long.parseLong(field[0], 16)))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> ours = libc.symbols().functions().stream().filter(s -> s.source().equals("dynsym"))
                .map(s -> s.name() + " " + Long.toHexString(s.address() - libc.loadBias()))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(nm, ours);
    }

    @Test
    void marksLibcsMemcpyAsAResolver() throws IOException {
        SymbolTable libc = library("libc.so.6").symbols();
        assertTrue(libc.find("memcpy@@GLIBC_2.14").stream().anyMatch(s -> s.kind() == NativeSymbol.Kind.IFUNC));
        assertEquals(NativeSymbol.Kind.FUNCTION, libc.find("malloc").get(0).kind());
    }

    @Test
    void tellsSonameAndBuildIdAsReadelfDoes() throws IOException {
        needsBinutils();
        for (LoadedLibrary library : LoadedLibraries.snapshot().all()) {
            if (library.path().startsWith(directory)) {
                continue;
            }
            String dynamic = String.join("\n", run("readelf", "-d", library.path().toString()));
            assertEquals(library.soname() != null, dynamic.contains("Library soname: [" + library.soname() + "]"), library::toString);
            assertEquals(dynamic.contains("(SONAME)"), library.soname() != null, library::toString);
            String notes = String.join("\n", run("readelf", "-n", library.path().toString()));
            assertEquals(notes.contains("Build ID: "), library.buildId().isPresent(), library::toString);
            library.buildId().ifPresent(id -> assertTrue(notes.contains("Build ID: " + id + "\n") || notes.endsWith("Build ID: " + id), library::toString));
        }
    }

    @Test
    void textInMemoryIsTextInTheFile() throws IOException {
        LoadedLibrary libc = library("libc.so.6");
        NativeSymbol malloc = libc.symbols().find("malloc").get(0);
        ByteBuffer memory = ByteBuffer.allocate((int) malloc.size());
        try (ProcessMemory self = ProcessMemory.open()) {
            self.read(memory, malloc.address());
        }
        assertArrayEquals(memory.array(), libc.fileBytes(malloc.address(), memory.capacity()));
        assertThrows(IllegalArgumentException.class, () -> libc.fileBytes(libc.start() - 1, 1));
        assertThrows(IllegalArgumentException.class, () -> libc.fileBytes(libc.end(), 1));
    }

    @Test
    void readsADeletedLibraryFromMemory() throws IOException {
        LoadedLibrary original = zlib();
        Path copy = directory.resolve("libdeleted-zlib.so");
        Files.copy(original.path(), copy, StandardCopyOption.REPLACE_EXISTING);
        System.load(copy.toString());
        LoadedLibrary there = library("libdeleted-zlib.so");
        assertNotEquals(original.loadBias(), there.loadBias());
        assertEquals(symbols(original, s -> true), symbols(there, s -> true));

        Files.delete(copy);
        LoadedLibrary gone = library("libdeleted-zlib.so");
        assertTrue(gone.deleted());
        assertEquals(Optional.of("only the dynamic symbols in memory: " + copy + " was deleted after it was loaded; only what is mapped of it is left"),
                gone.symbols().limitation());
        assertEquals(Optional.empty(), there.symbols().limitation());
        assertEquals(copy, gone.path());
        assertEquals(original.soname(), gone.soname());
        assertEquals(original.buildId(), gone.buildId());
        assertEquals(symbols(original, s -> s.source().equals("dynsym")), symbols(gone, s -> true));
        IOException refused = assertThrows(IOException.class, () -> gone.fileBytes(gone.textStart(), 1));
        assertTrue(refused.getMessage().contains("was deleted after it was loaded"), refused::getMessage);

        // The same name again, as a package upgrade does it, is another file
        Files.copy(original.path(), copy);
        assertTrue(library("libdeleted-zlib.so").deleted());
    }

    private static Set<NativeSymbol> distinct(SymbolSource source) throws IOException {
        return Set.copyOf(new SymbolTable(source.symbols(), List.of()).all());
    }

    @Test
    void dynsymInMemoryIsDynsymInTheFileForEveryLibrary() throws IOException {
        try (ProcessMemory memory = ProcessMemory.open()) {
            for (LoadedLibrary library : LoadedLibraries.snapshot().all()) {
                if (!library.deleted()) {
                    Set<NativeSymbol> file = library.symbols().all().stream().filter(s -> s.source().equals("dynsym")).collect(Collectors.toSet());
                    Set<NativeSymbol> loaded = distinct(new SymbolSource.ForMemory(library.image(), library.image().fromMemory(memory)));
                    Set<NativeSymbol> onlyFile = new HashSet<>(file);
                    onlyFile.removeAll(loaded);
                    Set<NativeSymbol> onlyMemory = new HashSet<>(loaded);
                    onlyMemory.removeAll(file);
                    assertEquals(Set.of(), onlyFile, library::toString);
                    assertEquals(Set.of(), onlyMemory, library::toString);
                    try (RandomAccessFile bySegments = new RandomAccessFile(library.path().toFile(), "r")) { // where memory may not be read
                        WindowedFile.Source positions = library.image().fromFile(WindowedFile.Source.of(bySegments));
                        assertEquals(loaded, distinct(new SymbolSource.ForMemory(library.image(), positions)), library::toString);
                        assertEquals(library.soname(), library.image().identity(positions).soname());
                        assertEquals(library.buildId().orElse(null), library.image().identity(positions).buildId());
                    }
                }
            }
        }
    }

    @Test
    void readsALibraryWithoutSectionHeadersByItsSegments() throws IOException {
        LoadedLibrary original = zlib();
        byte[] bytes = Files.readAllBytes(original.path());
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(40, 0).putShort(60, (short) 0).putShort(62, (short) 0);
        Path file = Files.write(directory.resolve("libwithout-sections.so"), bytes);
        System.load(file.toString());
        LoadedLibrary library = library("libwithout-sections.so");
        assertEquals(symbols(original, s -> s.source().equals("dynsym")), symbols(library, s -> true));
    }

    @Test
    void survivesSectionHeadersThatAreGarbage() throws IOException {
        LoadedLibrary original = zlib();
        byte[] bytes = Files.readAllBytes(original.path());
        int table = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(40);
        Arrays.fill(bytes, table, bytes.length, (byte) 0x0b); // type 0x0b0b0b0b
        for (int at = table; at + 64 <= bytes.length; at += 64) {
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at + 4, 11); // all .dynsym, of absurd size
        }
        Path file = Files.write(directory.resolve("libgarbage-sections.so"), bytes);
        System.load(file.toString());
        LoadedLibrary library = library("libgarbage-sections.so");
        assertEquals(symbols(original, s -> s.source().equals("dynsym")), symbols(library, s -> true));
    }

    @Test
    void takesTheMemoryWhenTheFileIsNotTheOneThatWasLoaded() throws IOException {
        LoadedLibrary original = zlib();
        Path copy = directory.resolve("libreplaced-zlib.so");
        Files.copy(original.path(), copy);
        System.load(copy.toString());
        LoadedLibrary before = library("libreplaced-zlib.so"); // taken before the replacement, so it knows of no deletion
        Path other = Files.copy(library("libc.so.6").path(), directory.resolve("other.so"));
        Files.move(other, copy, StandardCopyOption.REPLACE_EXISTING);
        assertFalse(before.deleted());
        assertEquals(symbols(original, s -> s.source().equals("dynsym")), symbols(before, s -> true));
        IOException refused = assertThrows(IOException.class, () -> before.fileBytes(before.textStart(), 1));
        assertTrue(refused.getMessage().contains("is not the file that was loaded"), refused::getMessage);
    }

    @Test
    void aLibraryMappedOnlyToBeReadIsNoLoadedLibrary() throws Exception {
        Path copy = Files.copy(library("libc.so.6").path(), directory.resolve("libread-only.so"));
        try (var channel = FileChannel.open(copy, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            var mapped = channel.map(FileChannel.MapMode.PRIVATE, 0, channel.size());
            assertTrue(ProcessMaps.ofSelf().regions().stream().anyMatch(r -> r.path().equals(copy.toString())));
            assertTrue(LoadedLibraries.snapshot().all().stream().noneMatch(l -> l.path().equals(copy)));
            Reference.reachabilityFence(mapped);
        }
    }

    private static Path compiled(String name, String source, String... options) throws Exception {
        assumeTrue(installed("gcc"), "gcc is not installed: no library can be made");
        Path c = Files.writeString(directory.resolve(name + ".c"), source);
        Path library = directory.resolve(name);
        List<String> command = new ArrayList<>(List.of("gcc", "-O1", "-shared", "-fPIC", "-o", library.toString(), c.toString()));
        command.addAll(List.of(options));
        assertEquals(List.of(), run(command.toArray(String[]::new)));
        System.load(library.toString());
        return library;
    }

    @Test
    void probesInTheFirstPageDoNotMakeItAnotherFile() throws Exception {
        compiled("libone-segment.so", "int up_test_alpha(int x) { return x + 1; }", "-Wl,-z,noseparate-code");
        LoadedLibrary library = library("libone-segment.so");
        NativeSymbol alpha = library.symbols().find("up_test_alpha").get(0);
        assertTrue(alpha.address() < library.start() + ProcessMaps.PAGE, "want the function on the page of the ELF header");
        ElfSegment first = library.image().loads().get(0);
        assertTrue(first.isExecutable());
        assertTrue(library.start() + library.image().fingerprintLength(first) <= alpha.address());
        assertEquals(alpha, library.symbols().containing(alpha.address()).orElseThrow());
    }

    @Test
    void countsTheSymbolsOfEitherHashTable() throws Exception {
        for (String style : List.of("gnu", "sysv")) {
            String name = "libhash-" + style + ".so";
            compiled(name, "int up_test_a(void) { return 1; } int up_test_b(void) { return 2; } int up_test_c = 3;", "-Wl,--hash-style=" + style);
            Files.delete(directory.resolve(name));
            SymbolTable symbols = library(name).symbols();
            assertEquals(Set.of("up_test_a", "up_test_b", "up_test_c"),
                    symbols.all().stream().map(NativeSymbol::name).filter(n -> n.startsWith("up_test_")).collect(Collectors.toSet()), style);
        }
    }

    @Test
    void aLibraryWithoutAnyExportHasNoSymbolsInMemory() throws Exception {
        compiled("libnothing.so", "static int up_test_hidden;", "-nostdlib");
        Files.delete(directory.resolve("libnothing.so"));
        assertTrue(LoadedLibraries.snapshot().all().stream().filter(l -> l.fileName().equals("libnothing.so"))
                .allMatch(l -> l.symbols().find("up_test_hidden").isEmpty()));
    }

    @Test
    void aLibraryInTwoNamespacesIsThereTwice() throws Exception {
        Path twice = Files.copy(library("libc.so.6").path().resolveSibling("libm.so.6"), directory.resolve("libtwice.so"));
        System.load(twice.toString());
        compiled("libloads-twice.so", """
                #define _GNU_SOURCE
                #include <dlfcn.h>
                __attribute__((constructor)) static void up_test_load(void) { dlmopen(LM_ID_NEWLM, "%s", RTLD_NOW); }
                """.formatted(twice));
        List<LoadedLibrary> both = LoadedLibraries.snapshot().all().stream().filter(l -> l.path().equals(twice)).toList();
        assertEquals(2, both.size());
        assertEquals(symbols(both.get(0), x -> true), symbols(both.get(1), x -> true));
        assertNotEquals(both.get(0).symbols().find("cos").get(0).address(), both.get(1).symbols().find("cos").get(0).address());
    }

    @Test
    void anInterruptedThreadReadsAllTheSame() throws IOException {
        LoadedLibrary libc = library("libc.so.6");
        Thread.currentThread().interrupt();
        try {
            assertFalse(libc.symbols().find("malloc").isEmpty());
            assertFalse(LoadedLibraries.snapshot().all().isEmpty());
        } finally {
            assertTrue(Thread.interrupted());
        }
    }

    /** No assertion on time: the machine decides. */
    @Test
    void showsWhatItCosts() throws IOException {
        for (int round = 0; round < 3; round++) {
            long start = System.nanoTime();
            LoadedLibraries libraries = LoadedLibraries.snapshot();
            System.out.printf("snapshot: %d libraries, %.1f ms%n", libraries.all().size(), (System.nanoTime() - start) / 1e6);
            for (String name : List.of("libjvm.so", "libc.so.6")) {
                LoadedLibrary library = libraries.all().stream().filter(l -> l.fileName().equals(name)).findFirst().orElseThrow();
                start = System.nanoTime();
                int count = library.symbols().all().size();
                System.out.printf("%s: %,d symbols, %.1f ms%n", name, count, (System.nanoTime() - start) / 1e6);
            }
        }
    }

    @Test
    void saysSoWhenALibraryIsGone() throws IOException {
        LoadedLibrary libc = library("libc.so.6");
        LoadedImage image = libc.image();
        LoadedLibrary gone = new LoadedLibrary(directory.resolve("libgone.so"), "libgone.so", true, image,
                new LoadedImage.Identity(null, null), 0x10000, new byte[64], List.of());
        String message = assertThrows(UncheckedIOException.class, gone::symbols).getMessage();
        assertTrue(message.contains("libgone.so") && message.contains("nothing readable at 0x10000"), message);
    }
}
