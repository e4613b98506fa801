package uprobe.probe.elf;

import java.util.Objects;

/**
 * A symbol that a loaded library defines. Undefined symbols, section and file names, thread-local variables (their value is an offset in a
 * TLS block) and SHN_ABS symbols (no address in the library) are none: gABI, "Symbol Table".
 *
 * @param name    as in the string table, mangled, without a version: {@code foo@@V} and {@code foo@V} are {@code foo}
 * @param address runtime address of its first byte; of an {@link Kind#IFUNC} that of its resolver
 * @param size    bytes; 0 if unknown (hand-written assembly)
 * @param kind    what it names
 * @param global  STB_GLOBAL, STB_WEAK or STB_GNU_UNIQUE; false for STB_LOCAL
 * @param source  "dynsym" or "symtab"; a symbol that stands in both is "dynsym"
 */
public record NativeSymbol(String name, long address, long size, Kind kind, boolean global, String source) {

    /** What a symbol names: gABI, "Symbol Types". */
    public enum Kind {
        /** STT_FUNC */
        FUNCTION,
        /** STT_GNU_IFUNC: its address is a resolver that returns the function's address, and is called once by ld.so. */
        IFUNC,
        /** STT_OBJECT, STT_COMMON */
        OBJECT,
        /** STT_NOTYPE and what processors and systems add: labels in assembly, linker-made marks such as {@code _end} */
        OTHER
    }

    public NativeSymbol {
        Objects.requireNonNull(name);
        Objects.requireNonNull(kind);
        Objects.requireNonNull(source);
    }

    /** Address after the last byte; {@code address} if the size is unknown. */
    public long end() {
        return address + size;
    }

    /** Whether it is code that is called: {@link Kind#FUNCTION} or {@link Kind#IFUNC}. */
    public boolean isFunction() {
        return kind == Kind.FUNCTION || kind == Kind.IFUNC;
    }
}
