package uprobe.agent.console;

import java.util.ArrayList;
import java.util.List;

/**
 * Which Java classes are the way into native code rather than who called: the JDK's, and the Java sides of native libraries. The caller of a native function
 * is the innermost method that is of none of them.
 *
 * <pre>
 *   org.sqlite.core.NativeDB.step(Native Method)      the native method
 *   org.sqlite.core.DB.execute                        driver
 *   java.util.concurrent.FutureTask.run               the JDK's
 *   app.Orders.open                                   the caller
 * </pre>
 */
public final class Drivers {
    /** Java sides of much used native libraries. */
    public static final List<String> KNOWN = List.of("org.sqlite", "org.rocksdb", "org.duckdb", "org.lmdbjava", "com.github.luben.zstd", "net.jpountz",
            "org.xerial.snappy", "io.netty", "org.apache.tomcat.jni", "org.conscrypt", "org.fusesource.leveldbjni", "org.wildfly.openssl", "org.lwjgl",
            "ai.onnxruntime", "com.sun.jna");
    private static final List<String> JDK = List.of("java", "javax", "jdk", "sun", "com.sun");
    /** What a JVM makes of a lambda. */
    private static final String LAMBDA = "$$Lambda";

    private final List<String> prefixes;

    /** @param more prefixes beside the JDK's */
    public Drivers(List<String> more) {
        prefixes = new ArrayList<>(JDK);
        more.forEach(prefix -> prefixes.add(prefix.endsWith(".") ? prefix.substring(0, prefix.length() - 1) : prefix));
    }

    /**
     * {@code org.sqlite} means its classes and those of packages below, and also {@code org.sqlite.core.DB}.
     *
     * @param type name of a class
     */
    public boolean has(String type) {
        if (type.contains(LAMBDA)) {
            return true;
        }
        for (String prefix : prefixes) {
            if (type.startsWith(prefix) && (type.length() == prefix.length() || type.charAt(prefix.length()) == '.' || type.charAt(prefix.length()) == '$')) {
                return true;
            }
        }
        return false;
    }
}
