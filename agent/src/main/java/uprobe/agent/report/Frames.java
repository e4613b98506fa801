package uprobe.agent.report;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import one.jfr.Dictionary;
import one.jfr.StackTrace;
import uprobe.agent.console.Drivers;

/**
 * From a recording's methods to frames
 * <p>
 * A probed function looks like a Java method whose class is called as the library: it has no package, and is native or has no line number. A program's own
 * class without a package has line numbers.
 */
final class Frames {
    private static final byte NATIVE = one.convert.Frame.TYPE_NATIVE;
    private static final int LINE_SHIFT = 16, NO_LINE = 0xffff;
    /** The address or number in the name of a lambda's or another hidden class: another one in each run. */
    private static final Pattern NUMBERED = Pattern.compile("(?<=\\$\\$Lambda).*|[/+.]0x[0-9a-f]+$");

    private final Drivers drivers;
    private final Map<Frame, Frame> interned = new HashMap<>();
    private final Map<String, Boolean> passed = new HashMap<>();
    private Dictionary<Frame> ofChunk = new Dictionary<>();

    /** @param drivers prefixes of classes that are passed over in the search for a caller, beside the JDK's */
    Frames(List<String> drivers) {
        this.drivers = new Drivers(drivers);
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
                : passed.computeIfAbsent(type, this.drivers::has) ? Frame.Kind.PASSED_OVER : Frame.Kind.JAVA;
    }

    private Frame intern(Frame frame) {
        Frame known = interned.putIfAbsent(frame, frame);
        return known == null ? frame : known;
    }
}
