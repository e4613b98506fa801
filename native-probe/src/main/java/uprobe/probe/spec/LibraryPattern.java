package uprobe.probe.spec;

import java.util.List;

/**
 * Which of a process's mapped files a probe means. {@code libz}, {@code libz.so} and {@code libz.so*} all find libz.so.1.2.13;
 * {@code libsqlitejdbc} finds the file that sqlite-jdbc unpacks under a new name at each start; {@code {libz,libzip}} finds either.
 *
 * <p>An alternative without glob characters matches a file whose name, path or SONAME is that text, or is it followed by {@code .so}
 * and perhaps a version, or whose {@link #stem} it is. A version that is written is meant: {@code libz.so.1} matches libz.so.1.2.13 but
 * not libz.so.2. An alternative with {@code *}, {@code ?} or {@code [abc]} must match the whole name, SONAME or stem. With a slash in it,
 * an alternative is compared with the path alone; {@code *}, {@code ?} and sets then stay within one directory, {@code **} does not.
 * A backslash makes the next character mean itself. Upper and lower case differ.
 */
public final class LibraryPattern {
    private final String text;
    private final List<Glob> alternatives;

    private LibraryPattern(String text) throws Glob.Malformed {
        this.text = text;
        this.alternatives = Glob.alternatives(text, Glob.Kind.FILE);
    }

    /** @throws IllegalArgumentException for a pattern whose brackets or braces do not close, or that is empty; the message says which */
    public static LibraryPattern of(String text) {
        try {
            return parse(text);
        } catch (Glob.Malformed e) {
            throw new IllegalArgumentException(e.getMessage() + " (in '" + text + "')");
        }
    }

    static LibraryPattern parse(String text) throws Glob.Malformed {
        return new LibraryPattern(text);
    }

    /**
     * @param path   of the mapped file as /proc/PID/maps shows it, {@code " (deleted)"} included or not, or a file name alone
     * @param soname the library's DT_SONAME; null when it has none or is not known
     */
    public boolean matches(String path, String soname) {
        String whole = Stem.withoutDeleted(path);
        String name = Stem.fileName(path);
        for (Glob alternative : alternatives) {
            boolean match = alternative.text().indexOf('/') >= 0 ? matchesOne(alternative, whole)
                    : matchesName(alternative, name) || soname != null && matchesName(alternative, soname);
            if (match) {
                return true;
            }
        }
        return false;
    }

    private static boolean matchesName(Glob alternative, String name) {
        String stem = stem(name);
        return matchesOne(alternative, name)
                || (alternative.literal() ? alternative.text().equals(stem) || alternative.text().equals(stem + ".so")
                                          : alternative.matches(stem));
    }

    private static boolean matchesOne(Glob alternative, String name) {
        if (!alternative.literal()) {
            return alternative.matches(name);
        }
        String wanted = alternative.text();
        if (!name.startsWith(wanted)) {
            return false;
        }
        String rest = name.substring(wanted.length());
        boolean isSharedObject = wanted.endsWith(".so") || wanted.contains(".so.");
        return rest.isEmpty() || (isSharedObject ? rest.startsWith(".") : rest.equals(".so") || rest.startsWith(".so."));
    }

    /** Whether it is one plain name or path: what is loaded under it is what was meant. */
    public boolean isOne() {
        return alternatives.size() == 1 && alternatives.get(0).literal();
    }

    /** As it was written. */
    public String text() {
        return text;
    }

    /**
     * What a library is called, whatever its file is called today: the file's name without directory, extension, version, and without the
     * UUIDs and random digits that Java libraries add when they unpack it. {@code libz.so.1.2.13} is {@code libz},
     * {@code sqlite-3.47.1.0-<uuid>-libsqlitejdbc.so} is {@code libsqlitejdbc}. Stems name groups, categories, frames and reports, so that
     * two runs compare. Guesswork by nature: two versions of one library have one stem.
     *
     * @return never empty unless the argument is or ends in a slash
     */
    public static String stem(String fileNameOrPath) {
        return Stem.of(fileNameOrPath);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LibraryPattern pattern && pattern.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
