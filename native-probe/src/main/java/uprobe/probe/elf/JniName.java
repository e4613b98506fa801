package uprobe.probe.elf;

/**
 * Names by which JNI finds the functions of native methods: {@code Java_}, the mangled class, {@code _}, the mangled method, and for overloaded ones {@code __}
 * and the mangled parameters (JNI specification, "Resolving Native Method Names").
 */
public final class JniName {
    private static final String PREFIX = "Java_";

    public static boolean isOne(String symbol) {
        return symbol.startsWith(PREFIX) && symbol.indexOf('_', PREFIX.length()) > 0;
    }

    /** {@code java.util.zip.Deflater.end} of {@code Java_java_util_zip_Deflater_end}; empty if it is no such name. */
    public static String javaName(String symbol) {
        if (!isOne(symbol)) {
            return "";
        }
        int parameters = symbol.indexOf("__", PREFIX.length());
        String mangled = symbol.substring(PREFIX.length(), parameters < 0 ? symbol.length() : parameters);
        StringBuilder name = new StringBuilder();
        for (int i = 0; i < mangled.length(); i++) {
            char c = mangled.charAt(i), next = i + 1 < mangled.length() ? mangled.charAt(i + 1) : 0;
            if (c != '_') {
                name.append(c);
            } else if (next == '1') {
                name.append('_');
                i++;
            } else if (next == '0' && mangled.length() >= i + 6) {
                try {
                    name.append((char) Integer.parseInt(mangled, i + 2, i + 6, 16));
                } catch (NumberFormatException notMangled) {
                    return "";
                }
                i += 5;
            } else {
                name.append('.');
            }
        }
        return name.toString();
    }

    private JniName() {}
}
