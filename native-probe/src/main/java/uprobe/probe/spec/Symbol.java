package uprobe.probe.spec;

import java.util.Objects;

/**
 * A symbol of the library, or an instruction inside its function.
 *
 * @param name   as written, without the quotes: mangled ({@code _ZN7rocksdb2DB4OpenE...}), plain ({@code deflate}), versioned
 *               ({@code memcpy@GLIBC_2.14}) or demangled ({@code rocksdb::DB::Get(int)}); never empty
 * @param offset bytes from the symbol's address to the instruction, 0 for the function's entry; never negative, and always 0 in probes
 *               of type {@code r} and {@code c}. Whether an instruction begins there is found out when the library is known
 */
public record Symbol(String name, long offset) implements ProbeTarget {
    public Symbol {
        Objects.requireNonNull(name, "name");
        if (name.isEmpty() || offset < 0) {
            throw new IllegalArgumentException("symbol '" + name + "' + " + offset + ": the name must not be empty nor the offset negative");
        }
    }

    /** {@code deflate} or {@code deflate+0x1c}. */
    @Override
    public String toString() {
        return offset == 0 ? name : name + "+0x" + Long.toHexString(offset);
    }
}
