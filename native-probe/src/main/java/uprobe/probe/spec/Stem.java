package uprobe.probe.spec;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/* What a library is called, whatever its file is called today
 * -----------------------------------------------------------
 * Java libraries unpack their native part into a new temporary file at each start, and each does it in its own way:
 *
 *     sqlite-3.47.1.0-4f6c2f2e-1b2c-4d3e-8f90-a1b2c3d4e5f6-libsqlitejdbc.so     name, version, UUID, then what counts
 *     libnetty_tcnative_linux_x86_6415926535897932384.so (deleted)               File.createTempFile: digits right behind the name
 *     libzstd-jni-1.5.6-3-8237498.so                                             version, then digits
 *     jna8327498237498.tmp                                                       digits and another extension
 *
 * createTempFile's digits are Long.toUnsignedString(random): no leading zero, at most 18446744073709551615, and ten digits or more but for
 * one file in a billion. So a shorter run of digits belongs to the name (libsha256), and of a longer one only the longest end that is such
 * a number is noise. Digits of a processor's name run into it: x86_64 + 15926535897932384 above. Nothing but 64 ever follows "x86_", so
 * these two stay. A name's own last digits before random ones (liblz4 + 8237498237498) cannot be told apart, and go.
 */
final class Stem {
    private static final int FEWEST_RANDOM_DIGITS = 10;
    private static final String MAX_RANDOM = Long.toUnsignedString(-1L);

    private static final Pattern UUID = Pattern.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}");
    /* jansi-2.4.0-4f6c2f2e8a7b1c3d-libjansi: as with the UUID, what counts comes last */
    private static final Pattern NAME_VERSION_HEX = Pattern.compile("[A-Za-z][A-Za-z0-9_]*-\\d+(?:\\.\\d+)+-[0-9a-f]{8,16}-(.+)");
    /* libfoo-4f6c2f2e8a7b1c3d (Rust, auditwheel): at least one digit and one letter, so neither a word nor a date */
    private static final Pattern HEX_TAIL = Pattern.compile("[-_.](?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,}$");
    /* a version has a dot: libglib-2.0 and libc-2.31 lose it, libclang-14 keeps its number */
    private static final Pattern VERSION_TAIL = Pattern.compile(
            "[-_]v?\\d+(?:\\.\\d+)+(?:[-_.+](?:\\d+|SNAPSHOT|RELEASE|Final|GA|M\\d+|rc\\d*|alpha\\d*|beta\\d*))*$");
    private static final Pattern TRAILING_DIGITS = Pattern.compile("\\d+$");
    private static final Pattern SEPARATORS_TAIL = Pattern.compile("[-_.]+$");
    /* the ones whose digits cannot be missing: whatever follows the digits is noise, however short */
    private static final Pattern PROCESSOR_UNFINISHED = Pattern.compile("(?:x86|aarch|s390|riscv|loongarch)[-_]$");
    /* the ones that may be words of their own */
    private static final Pattern PROCESSOR = Pattern.compile(
            "(?:linux[-_]?|win|amd|arm|aarch|ppc|mips|riscv|loongarch|(?<![A-Za-z])x)$");

    private Stem() {
    }

    static String of(String fileNameOrPath) {
        String name = fileName(fileNameOrPath);
        String stem = withoutExtension(name);
        stem = afterUuid(stem);
        Matcher prefixed = NAME_VERSION_HEX.matcher(stem);
        if (prefixed.matches()) {
            stem = prefixed.group(1);
        }
        for (String before = null; !stem.equals(before); ) {
            before = stem;
            stem = orKeep(withoutRandomDigits(stem), stem);
            stem = orKeep(cut(HEX_TAIL, stem), stem);
            stem = orKeep(cut(VERSION_TAIL, stem), stem);
        }
        return stem;
    }

    /** The last part of a path as /proc/PID/maps shows it: without " (deleted)", and for memfd_create's files without "memfd:". */
    static String fileName(String path) {
        String name = withoutDeleted(path);
        name = name.substring(name.lastIndexOf('/') + 1);
        return name.startsWith("memfd:") && name.length() > 6 ? name.substring(6) : name;
    }

    static String withoutDeleted(String path) {
        return path.endsWith(" (deleted)") ? path.substring(0, path.length() - " (deleted)".length()) : path;
    }

    private static String withoutExtension(String name) {
        for (int so = name.indexOf(".so", 1); so > 0; so = name.indexOf(".so", so + 1)) {
            if (so + 3 == name.length() || name.charAt(so + 3) == '.') {
                return name.substring(0, so);
            }
        }
        return name.endsWith(".tmp") && name.length() > 4 ? name.substring(0, name.length() - 4) : name;
    }

    private static String afterUuid(String name) {
        Matcher uuid = UUID.matcher(name);
        int begin = -1;
        int end = -1;
        while (uuid.find()) {
            begin = uuid.start();
            end = uuid.end();
        }
        if (begin < 0) {
            return name;
        }
        String after = name.substring(end).replaceFirst("^[-_.]+", "");
        return after.isEmpty() ? orKeep(cut(SEPARATORS_TAIL, name.substring(0, begin)), name) : after;
    }

    private static String withoutRandomDigits(String name) {
        Matcher trailing = TRAILING_DIGITS.matcher(name);
        if (!trailing.find()) {
            return name;
        }
        String head = name.substring(0, trailing.start());
        String digits = trailing.group();
        boolean certain = PROCESSOR_UNFINISHED.matcher(head).find();
        int own = 0;
        if (certain || PROCESSOR.matcher(head).find()) {
            own = digits.startsWith("64") || digits.startsWith("32") || head.endsWith("x") && digits.startsWith("86") ? 2 : 0;
        }
        if (own > 0 && certain) {
            return head + digits.substring(0, own);
        }
        while (own < digits.length() && !isUnsignedLong(digits.substring(own))) {
            own++;
        }
        if (digits.length() - own < FEWEST_RANDOM_DIGITS) {
            return name;
        }
        return own > 0 ? head + digits.substring(0, own) : cut(SEPARATORS_TAIL, head);
    }

    private static boolean isUnsignedLong(String digits) {
        return digits.charAt(0) != '0' && (digits.length() < MAX_RANDOM.length()
                || digits.length() == MAX_RANDOM.length() && digits.compareTo(MAX_RANDOM) <= 0);
    }

    private static String cut(Pattern tail, String name) {
        return tail.matcher(name).replaceFirst("");
    }

    private static String orKeep(String stripped, String name) {
        return stripped.isEmpty() ? name : stripped;
    }
}
