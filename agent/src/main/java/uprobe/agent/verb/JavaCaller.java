package uprobe.agent.verb;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/**
 * The Java method that a native call is told of: the innermost that is neither the JDK's nor its library's own driver, as org.sqlite is SQLite's
 *
 * <pre>
 *   org.sqlite.core.NativeDB.step(Native Method)      the native method: its package, but for the last part where it has more than two, is the driver
 *   org.sqlite.core.DB.execute                        driver
 *   org.sqlite.jdbc3.JDBC3Statement.executeQuery      driver
 *   app.Orders.open                                   the caller
 * </pre>
 */
final class JavaCaller {
    private static final List<String> JDK = List.of("java.", "javax.", "jdk.", "sun.", "com.sun.");
    private static final String OURS = "uprobe.agent.", HELPERS = "uprobe.probe.";
    private static final StackWalker WALKER = StackWalker.getInstance();
    static final String NONE = "(no Java)";

    @Option(names = "--driver", paramLabel = "PREFIX", description = "classes that begin so are passed over as well when a Java caller is looked for; may be given several times")
    private List<String> prefixes = new ArrayList<>();

    /** Of the native method that this thread is in: {@code app.Orders.open:41}. */
    String now() {
        return WALKER.walk(this::caller);
    }

    private String caller(Stream<StackWalker.StackFrame> frames) {
        String driver = null, first = NONE;
        for (Iterator<StackWalker.StackFrame> i = frames.iterator(); i.hasNext();) {
            StackWalker.StackFrame frame = i.next();
            String name = frame.getClassName();
            if (driver == null && (name.startsWith(OURS) || name.startsWith(HELPERS))) {
                continue;
            }
            if (driver == null) {
                driver = driverOf(name);
                first = text(frame);
                if (!frame.isNativeMethod() || !isPassedOver(name, driver)) {
                    return first;
                }
            } else if (!isPassedOver(name, driver)) {
                return text(frame);
            }
        }
        return first;
    }

    private boolean isPassedOver(String name, String driver) {
        return name.startsWith(driver) || JDK.stream().anyMatch(name::startsWith) || prefixes.stream().anyMatch(name::startsWith);
    }

    /** {@code org.sqlite.} of org.sqlite.core.NativeDB, the whole name of a class without packages. */
    private static String driverOf(String name) {
        int first = name.indexOf('.'), second = first < 0 ? -1 : name.indexOf('.', first + 1);
        return second < 0 ? name : name.substring(0, second + 1);
    }

    private static String text(StackWalker.StackFrame frame) {
        return frame.getClassName() + "." + frame.getMethodName() + (frame.getLineNumber() > 0 ? ":" + frame.getLineNumber() : "");
    }
}
