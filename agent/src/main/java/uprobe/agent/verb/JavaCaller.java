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
 *   org.sqlite.core.NativeDB.step(Native Method)      the native method: the first two parts of its package are the driver
 *   org.sqlite.core.DB.execute                        driver
 *   org.sqlite.jdbc3.JDBC3Statement.executeQuery      driver
 *   app.Orders.open                                   the caller
 * </pre>
 *
 * Where all of the stack is of one house it is the first outside of the native method's package, else outside of its class, else the native method itself.
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
        StackWalker.StackFrame called = null, outsideOfClass = null, outsideOfPackage = null;
        for (Iterator<StackWalker.StackFrame> i = frames.iterator(); i.hasNext();) {
            StackWalker.StackFrame frame = i.next();
            String name = frame.getClassName();
            if (called == null) {
                called = name.startsWith(OURS) || name.startsWith(HELPERS) ? null : frame;
                if (called != null && !called.isNativeMethod()) {
                    return text(called);
                }
            } else if (!isPassedOver(name)) {
                if (!name.startsWith(driverOf(called.getClassName()))) {
                    return text(frame);
                }
                outsideOfClass = outsideOfClass == null && !name.equals(called.getClassName()) ? frame : outsideOfClass;
                outsideOfPackage = outsideOfPackage == null && !packageOf(name).equals(packageOf(called.getClassName())) ? frame : outsideOfPackage;
            }
        }
        return called == null ? NONE : text(outsideOfPackage != null ? outsideOfPackage : outsideOfClass != null ? outsideOfClass : called);
    }

    private static String packageOf(String name) {
        return name.substring(0, Math.max(0, name.lastIndexOf('.')));
    }

    private boolean isPassedOver(String name) {
        return JDK.stream().anyMatch(name::startsWith) || prefixes.stream().anyMatch(name::startsWith);
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
