package uprobe.probe.spec;

import java.util.List;

/**
 * All functions of the library whose names match: {@code deflate*}, {@code JVM_*}, {@code rocksdb::*Get*}, {@code {deflate,inflate}*}. The
 * pattern is the shell's, and must match the whole name; {@code *} passes over every character, a slash included. A backslash takes a
 * character's meaning away, {@code {a,b}} are alternatives. A probe with a pattern has no offset.
 *
 * <p>As with {@link Symbol}, versions do not tell names apart: what stands behind an {@code @} is left out, in the pattern and in the name.
 */
public final class SymbolPattern implements ProbeTarget {
    private final String text;
    private final List<Glob> alternatives;

    private SymbolPattern(String text) throws Glob.Malformed {
        this.text = text;
        this.alternatives = Glob.alternatives(text, Glob.Kind.SYMBOL);
    }

    /** @throws IllegalArgumentException for a pattern whose brackets or braces do not close, or that is empty; the message says which */
    public static SymbolPattern of(String text) {
        try {
            return new SymbolPattern(text);
        } catch (Glob.Malformed e) {
            throw new IllegalArgumentException(e.getMessage() + " (in '" + text + "')");
        }
    }

    /** A {@link Symbol} without offset if only one name can match (all that the text has of a pattern are backslashes, say). */
    static ProbeTarget parse(String text) throws Glob.Malformed {
        SymbolPattern pattern = new SymbolPattern(text);
        Glob first = pattern.alternatives.get(0);
        return pattern.alternatives.size() == 1 && first.literal() ? new Symbol(first.text(), 0) : pattern;
    }

    /**
     * @param name as symbol tables have it (mangled, {@code _ZN7rocksdb2DB3GetEi}) or demangled ({@code rocksdb::DB::Get(int)}), with or
     *             without a version; a symbol is meant if any of its names matches
     */
    public boolean matches(String name) {
        String plain = withoutVersion(name);
        for (Glob alternative : alternatives) {
            if (alternative.matches(plain)) {
                return true;
            }
        }
        return false;
    }

    /** {@code memcpy@@GLIBC_2.14} is {@code memcpy}; a name that begins with @ has no version. */
    static String withoutVersion(String name) {
        int at = name.indexOf('@');
        return at > 0 ? name.substring(0, at) : name;
    }

    /** As it was written. */
    public String text() {
        return text;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SymbolPattern pattern && pattern.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** {@link #text}. */
    @Override
    public String toString() {
        return text;
    }
}
