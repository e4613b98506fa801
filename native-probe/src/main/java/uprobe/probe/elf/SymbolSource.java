package uprobe.probe.elf;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.fornwall.jelf.ElfException;
import net.fornwall.jelf.ElfFile;
import net.fornwall.jelf.ElfSection;
import net.fornwall.jelf.ElfSectionHeader;
import net.fornwall.jelf.ElfStringTable;
import net.fornwall.jelf.ElfSymbol;
import net.fornwall.jelf.ElfSymbolTableSection;

/** Where the symbols of a library come from. */
interface SymbolSource {

    /**
     * Defined symbols in the order of their table; empty if there is no such table.
     *
     * @throws IOException if it cannot be read or contradicts itself
     */
    List<NativeSymbol> symbols() throws IOException;

    /** .dynsym of a file: what the library exports. */
    final class ForDynsym implements SymbolSource {
        private final SectionTable sections;
        private final long bias;

        ForDynsym(SectionTable sections, long bias) {
            this.sections = sections;
            this.bias = bias;
        }

        @Override
        public List<NativeSymbol> symbols() throws IOException {
            return sections.symbols(ElfSectionHeader.SHT_DYNSYM, bias, "dynsym");
        }
    }

    /** .symtab of a file that is not stripped: local functions too. */
    final class ForSymtab implements SymbolSource {
        private final SectionTable sections;
        private final long bias;

        ForSymtab(SectionTable sections, long bias) {
            this.sections = sections;
            this.bias = bias;
        }

        @Override
        public List<NativeSymbol> symbols() throws IOException {
            return sections.symbols(ElfSectionHeader.SHT_SYMTAB, bias, "symtab");
        }
    }

    /** The dynamic symbols in the loaded segments: for a file that is gone, replaced, or has no section headers. */
    final class ForMemory implements SymbolSource {
        private final LoadedImage image;
        private final WindowedFile.Source positions;

        ForMemory(LoadedImage image, WindowedFile.Source positions) {
            this.image = image;
            this.positions = positions;
        }

        @Override
        public List<NativeSymbol> symbols() throws IOException {
            return Reading.of(() -> {
                ElfFile file = image.asFile(positions);
                if (file == null) {
                    return List.of();
                }
                ElfSymbolTableSection dynsym = LoadedImage.dynsym(file);
                return Reading.symbols(dynsym, (ElfStringTable) file.getSection(dynsym.header.sh_link), image.bias(), "dynsym");
            });
        }
    }

    /**
     * A file's sections, looked up by type without making jelf parse all those before: jelf reads a section with everything in it as soon as
     * it is asked for its header, relocations included, and a loaded library's section headers were never checked by anyone.
     */
    final class SectionTable {
        private static final int SH_NAME = 0; // offsets in Elf64_Shdr: gABI, "Section Header"
        private static final int SH_TYPE = 4;
        private static final int SH_FLAGS = 8;
        private static final int SH_ADDR = 16;
        private static final long SHF_ALLOC = 2;
        private static final int SH_OFFSET = 24;
        private static final int SH_SIZE = 32;
        private static final int SH_LINK = 40;
        private static final int SH_ENTSIZE = 56;
        private static final int SYMBOL_SIZE = 24;

        private final WindowedFile window;
        private final ElfFile elf;
        private final long length;

        private SectionTable(WindowedFile window, ElfFile elf, long length) {
            this.window = window;
            this.elf = elf;
            this.length = length;
        }

        /** Empty-handed ({@link #has} is always false) where jelf sees no usable section headers; {@code file} stays the caller's. */
        static SectionTable of(RandomAccessFile file) throws IOException {
            WindowedFile window = new WindowedFile(WindowedFile.Source.of(file));
            ElfFile elf;
            try {
                elf = ElfFile.from(window);
            } catch (ElfException | NegativeArraySizeException e) {
                elf = null;
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
            return new SectionTable(window, elf, file.length());
        }

        boolean has(int type) throws IOException {
            return Reading.of(() -> indexOf(type) > 0);
        }

        /** Those of this name that lie in memory, at runtime addresses. */
        List<LoadedLibrary.Section> named(String name, long bias) throws IOException {
            return Reading.of(() -> {
                List<LoadedLibrary.Section> found = new ArrayList<>();
                if (elf == null || headerAt(elf.e_shnum) > length || elf.e_shstrndx <= 0 || elf.e_shstrndx >= elf.e_shnum || !inside(elf.e_shstrndx)) {
                    return found;
                }
                long names = window.longAt(headerAt(elf.e_shstrndx) + SH_OFFSET);
                for (int i = 1; i < elf.e_shnum; i++) {
                    boolean loaded = (window.longAt(headerAt(i) + SH_FLAGS) & SHF_ALLOC) != 0;
                    if (loaded && window.stringAt(names + Integer.toUnsignedLong(window.intAt(headerAt(i) + SH_NAME))).equals(name)) {
                        long start = bias + window.longAt(headerAt(i) + SH_ADDR);
                        found.add(new LoadedLibrary.Section(name, start, start + window.longAt(headerAt(i) + SH_SIZE)));
                    }
                }
                return found;
            });
        }

        private List<NativeSymbol> symbols(int type, long bias, String source) throws IOException {
            return Reading.of(() -> {
                int index = indexOf(type);
                if (index == 0) {
                    return List.of();
                }
                byte[] names = section(window.intAt(headerAt(index) + SH_LINK));
                return Reading.symbols(ByteBuffer.wrap(section(index)).order(ByteOrder.LITTLE_ENDIAN), names, bias, source);
            });
        }

        private byte[] section(int index) {
            return window.bytesAt(window.longAt(headerAt(index) + SH_OFFSET), (int) window.longAt(headerAt(index) + SH_SIZE));
        }

        /** 0, which is never a real section, if there is none that is whole. */
        private int indexOf(int type) {
            if (elf == null || headerAt(elf.e_shnum) > length) {
                return 0;
            }
            for (int i = 1; i < elf.e_shnum; i++) {
                if (window.intAt(headerAt(i) + SH_TYPE) == type) {
                    int names = window.intAt(headerAt(i) + SH_LINK);
                    boolean whole = inside(i) && window.longAt(headerAt(i) + SH_ENTSIZE) == SYMBOL_SIZE
                            && names > 0 && names < elf.e_shnum && inside(names)
                            && window.intAt(headerAt(names) + SH_TYPE) == ElfSectionHeader.SHT_STRTAB;
                    return whole ? i : 0;
                }
            }
            return 0;
        }

        private long headerAt(int index) {
            return elf.e_shoff + (long) index * elf.e_shentsize;
        }

        private boolean inside(int index) {
            long offset = window.longAt(headerAt(index) + SH_OFFSET);
            long size = window.longAt(headerAt(index) + SH_SIZE);
            return offset >= 0 && size >= 0 && size <= length - offset && size <= Integer.MAX_VALUE - 8;
        }
    }

    /** From jelf's symbols and exceptions to ours. */
    final class Reading {
        private static final int STT_GNU_IFUNC = ElfSymbol.STT_LOOS;
        private static final int SHN_UNDEF = 0;
        private static final int SHN_LORESERVE = 0xff00;
        private static final int SHN_XINDEX = 0xffff;

        private Reading() { }

        interface Act<T> {
            T run();
        }

        static <T> T of(Act<T> act) throws IOException {
            try {
                return act.run();
            } catch (UncheckedIOException e) {
                throw e.getCause();
            } catch (ElfException | IndexOutOfBoundsException | NegativeArraySizeException | ClassCastException e) {
                throw new IOException("not a sound ELF image: " + e.getMessage(), e); // what jelf throws at nonsense
            }
        }

        /** Offsets in Elf64_Sym: gABI, "Symbol Table". */
        private static final int ST_NAME = 0, ST_INFO = 4, ST_SHNDX = 6, ST_VALUE = 8, ST_SIZE = 16;

        /** Not by jelf: a table has up to 100,000, and jelf makes objects of all strings first. */
        static List<NativeSymbol> symbols(ByteBuffer table, byte[] names, long bias, String source) {
            List<NativeSymbol> symbols = new ArrayList<>(table.limit() / SectionTable.SYMBOL_SIZE);
            for (int at = 0; at + SectionTable.SYMBOL_SIZE <= table.limit(); at += SectionTable.SYMBOL_SIZE) {
                add(table, at, names, bias, source, symbols);
            }
            return symbols;
        }

        private static void add(ByteBuffer table, int at, byte[] names, long bias, String source, List<NativeSymbol> symbols) {
            int name = table.getInt(at + ST_NAME), info = table.get(at + ST_INFO) & 0xff;
            if (isOfInterest(name, table.getShort(at + ST_SHNDX), info & 0xf)) {
                symbols.add(new NativeSymbol(nameAt(names, name), bias + table.getLong(at + ST_VALUE), table.getLong(at + ST_SIZE), kind(info & 0xf),
                        info >> 4 != ElfSymbol.BINDING_LOCAL, source));
            }
        }

        /** Without its version. */
        private static String nameAt(byte[] names, int start) {
            int end = start, at = 0;
            for (; names[end] != 0; end++) {
                if (names[end] == '@' && at == 0) {
                    at = end;
                }
            }
            return new String(names, start, (at > start ? at : end) - start, StandardCharsets.UTF_8);
        }

        /**
         * The names come from the string table at hand: ElfSymbol.getName() looks the table up by name, through all section headers, for
         * every symbol.
         */
        static List<NativeSymbol> symbols(ElfSymbolTableSection table, ElfStringTable names, long bias, String source) {
            List<NativeSymbol> symbols = new ArrayList<>(table.symbols.length);
            for (ElfSymbol symbol : table.symbols) {
                if (isOfInterest(symbol.st_name, symbol.st_shndx, symbol.getType())) {
                    symbols.add(new NativeSymbol(
                            SymbolTable.withoutVersion(names.get(symbol.st_name)),
                            bias + symbol.st_value,
                            symbol.st_size,
                            kind(symbol.getType()),
                            symbol.getBinding() != ElfSymbol.BINDING_LOCAL,
                            source));
                }
            }
            return symbols;
        }

        private static boolean isOfInterest(int name, short shndx, int type) {
            int section = shndx & 0xffff;
            return name != 0 && section != SHN_UNDEF && (section < SHN_LORESERVE || section == SHN_XINDEX)
                    && type != ElfSymbol.STT_SECTION && type != ElfSymbol.STT_FILE && type != ElfSymbol.STT_TLS;
        }

        private static NativeSymbol.Kind kind(int type) {
            return switch (type) {
                case ElfSymbol.STT_FUNC -> NativeSymbol.Kind.FUNCTION;
                case STT_GNU_IFUNC -> NativeSymbol.Kind.IFUNC;
                case ElfSymbol.STT_OBJECT, ElfSymbol.STT_COMMON -> NativeSymbol.Kind.OBJECT;
                default -> NativeSymbol.Kind.OTHER;
            };
        }
    }
}
