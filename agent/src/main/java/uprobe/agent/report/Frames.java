package uprobe.agent.report;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import one.jfr.Dictionary;
import one.jfr.StackTrace;

/**
 * From a recording's methods to frames
 * <p>
 * A probed function looks like a Java method whose class is called as the library: it has no package, and is native or has no line number. A program's own
 * class without a package has line numbers.
 */
final class Frames {
    /** Java sides of much used native libraries. */
    static final List<String> DRIVERS = List.of("org.sqlite", "org.rocksdb", "org.duckdb", "org.lmdbjava", "com.github.luben.zstd", "net.jpountz",
            "org.xerial.snappy", "io.netty", "org.apache.tomcat.jni", "org.conscrypt", "org.fusesource.leveldbjni", "org.lwjgl", "ai.onnxruntime", "com.sun.jna");
    private static final List<String> JDK = List.of("java", "javax", "jdk", "sun", "com.sun");
    private static final byte NATIVE = one.convert.Frame.TYPE_NATIVE;
    private static final int LINE_SHIFT = 16, NO_LINE = 0xffff;
    /** What a JVM makes of a lambda, and the address or number in the name of a hidden class: another one in each run. */
    private static final String LAMBDA = "$$Lambda";
    private static final Pattern NUMBERED = Pattern.compile("(?<=\\$\\$Lambda).*|[/+.]0x[0-9a-f]+$");

    private final List<String> passedOver;
    private final Map<Frame, Frame> interned = new HashMap<>();
    private final Map<String, Boolean> passed = new HashMap<>();
    private Dictionary<Frame> ofChunk = new Dictionary<>();

    /** @param drivers prefixes of classes that are passed over in the search for a caller, beside the JDK's */
    Frames(List<String> drivers) {
        passedOver = new ArrayList<>(JDK);
        passedOver.addAll(drivers);
    }

    /** Methods have other numbers from here on. */
    void nextChunk() {
        ofChunk = new Dictionary<>();
    }

    Frame function(String name) {
        return intern(new Frame(name, Frame.Kind.FUNCTION));
    }

    Frame note(String text) {
        return intern(new Frame("(" + text + ")", Frame.Kind.NOTE));
    }

    /** @param index 0 is the innermost, which is always the probed function */
    Frame of(ChunkReader chunk, StackTrace stack, int index) {
        long method = stack.methods[index];
        boolean isNative = stack.types[index] == NATIVE;
        int line = stack.locations[index] >>> LINE_SHIFT;
        boolean mayBeFunction = index == 0 || isNative || line == 0 || line == NO_LINE;
        long key = method << 3 | (isNative ? 1 : 0) | (mayBeFunction ? 2 : 0) | (index == 0 ? 4 : 0);
        Frame known = ofChunk.get(key & Long.MAX_VALUE);
        if (known == null) {
            String type = NUMBERED.matcher(chunk.className(method).replace('/', '.')).replaceFirst("");
            known = intern(new Frame(type.isEmpty() ? chunk.methodName(method) : type + "." + chunk.methodName(method),
                    kind(type, index == 0 || mayBeFunction && type.indexOf('.') < 0, isNative)));
            ofChunk.put(key & Long.MAX_VALUE, known);
        }
        return known;
    }

    private Frame.Kind kind(String type, boolean function, boolean isNative) {
        return function ? Frame.Kind.FUNCTION : isNative ? Frame.Kind.NATIVE_METHOD
                : passed.computeIfAbsent(type, this::isPassedOver) ? Frame.Kind.PASSED_OVER : Frame.Kind.JAVA;
    }

    /** {@code org.sqlite} means its classes and those of packages below, and also {@code org.sqlite.core.DB}. */
    private boolean isPassedOver(String type) {
        if (type.endsWith(LAMBDA)) {
            return true;
        }
        for (String prefix : passedOver) {
            String start = prefix.endsWith(".") ? prefix.substring(0, prefix.length() - 1) : prefix;
            if (type.startsWith(start) && (type.length() == start.length() || type.charAt(start.length()) == '.' || type.charAt(start.length()) == '$')) {
                return true;
            }
        }
        return false;
    }

    private Frame intern(Frame frame) {
        Frame known = interned.putIfAbsent(frame, frame);
        return known == null ? frame : known;
    }
}
