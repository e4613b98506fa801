package uprobe.probe.spec;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;

/** From names of native symbols and libraries to names that Java and JFR accept. */
public final class JavaNames {
    /** The most chars in a name this class makes. */
    public static final int MAX_LENGTH = 200;

    private static final Set<String> KEYWORDS = Set.of("_", "abstract", "assert", "boolean", "break", "byte", "case", "catch", "char",
            "class", "const", "continue", "default", "do", "double", "else", "enum", "extends", "false", "final", "finally", "float", "for",
            "goto", "if", "implements", "import", "instanceof", "int", "interface", "long", "native", "new", "null", "package", "private",
            "protected", "public", "return", "short", "static", "strictfp", "super", "switch", "synchronized", "this", "throw", "throws",
            "transient", "true", "try", "void", "volatile", "while");

    /* Characters that tell symbols apart (operator< and operator>, f(int) and f(int*)) become words; all others separate words. */
    private static final Map<Integer, String> WORDS = Map.ofEntries(Map.entry((int) '<', "lt"), Map.entry((int) '>', "gt"),
            Map.entry((int) '=', "eq"), Map.entry((int) '+', "plus"), Map.entry((int) '*', "star"), Map.entry((int) '&', "and"),
            Map.entry((int) '|', "or"), Map.entry((int) '^', "xor"), Map.entry((int) '~', "tilde"), Map.entry((int) '!', "not"),
            Map.entry((int) '%', "mod"), Map.entry((int) '[', "index"));

    private JavaNames() {
    }

    /**
     * A Java identifier for a symbol or a library's stem, for the names of groups and events: {@code deflate.part.0} becomes
     * {@code deflate_part_0}, {@code std::operator<} becomes {@code std_operator_lt}, {@code 7zip} becomes {@code _7zip}, {@code new}
     * becomes {@code new_}. Different symbols mostly stay different, but need not: {@code a.b} and {@code a:b} are both {@code a_b}.
     *
     * @return never empty, never a keyword, at most {@value #MAX_LENGTH} chars: a longer one ends in {@code _} and eight digits made from the
     *         whole symbol
     */
    public static String identifier(String symbol) {
        String spoken = symbol.replace("operator()", "operator call");
        StringBuilder name = new StringBuilder();
        boolean gap = false;
        for (int i = 0; i < spoken.length(); ) {
            int c = spoken.codePointAt(i);
            i += Character.charCount(c);
            boolean keep = isPart(c);
            String word = keep ? Character.toString(c) : WORDS.get(c);
            if (word == null) {
                gap = true;
                continue;
            }
            if (!keep) {
                gap = true;
            }
            if (gap && name.length() > 0) {
                name.append('_');
            }
            gap = !keep;
            name.append(word);
        }
        if (name.isEmpty()) {
            return "unnamed";
        }
        if (!Character.isJavaIdentifierStart(name.codePointAt(0))) {
            name.insert(0, '_');
        }
        String identifier = name.toString();
        if (KEYWORDS.contains(identifier)) {
            return identifier + "_";
        }
        return identifier.length() <= MAX_LENGTH ? identifier : head(identifier, MAX_LENGTH - 9) + "_" + digits(symbol);
    }

    /**
     * A name for the class or method that stands for a library or function in a Java stack. The JVM (JVMS 4.2.2) forbids six characters
     * in method names; each is shown by one that looks like it, all others stay:
     * <pre>
     *   .  U+00B7 middle dot          &lt;  U+2039 single left angle quotation mark      ;  U+FF1B fullwidth semicolon
     *   /  U+2215 division slash      &gt;  U+203A single right angle quotation mark     [  U+FF3B fullwidth left square bracket
     * </pre>
     * So {@code std::sort<int>} reads as before but for its brackets, and {@code <init>} is an ordinary name. Control characters become
     * U+FFFD.
     *
     * @return never empty, at most {@value #MAX_LENGTH} chars: a longer one ends in U+2026 (an ellipsis) and eight digits made from the whole
     *         symbol
     */
    public static String frameName(String symbol) {
        if (symbol.isEmpty()) {
            return "unnamed";
        }
        StringBuilder name = new StringBuilder(symbol.length());
        for (int i = 0; i < symbol.length(); i++) {
            char c = symbol.charAt(i);
            name.append(switch (c) {
                case '.' -> '\u00b7';
                case ';' -> '\uff1b';
                case '[' -> '\uff3b';
                case '/' -> '\u2215';
                case '<' -> '\u2039';
                case '>' -> '\u203a';
                default -> Character.isISOControl(c) ? '\ufffd' : c;
            });
        }
        return name.length() <= MAX_LENGTH ? name.toString() : head(name.toString(), MAX_LENGTH - 9) + "\u2026" + digits(symbol);
    }

    /** Whether Java source could use the name: no keyword, no literal, not {@code _}, none of the invisible characters Java would ignore. */
    static boolean isIdentifier(String name) {
        return !name.isEmpty() && !isKeyword(name) && Character.isJavaIdentifierStart(name.codePointAt(0))
                && name.codePoints().allMatch(JavaNames::isPart);
    }

    static boolean isKeyword(String name) {
        return KEYWORDS.contains(name);
    }

    private static boolean isPart(int c) {
        return Character.isJavaIdentifierPart(c) && !Character.isIdentifierIgnorable(c);
    }

    private static String head(String name, int length) {
        return name.substring(0, Character.isHighSurrogate(name.charAt(length - 1)) ? length - 1 : length);
    }

    private static String digits(String symbol) {
        CRC32 crc = new CRC32();
        crc.update(symbol.getBytes(StandardCharsets.UTF_8));
        String hex = Long.toHexString(crc.getValue());
        return "0".repeat(8 - hex.length()) + hex;
    }
}
