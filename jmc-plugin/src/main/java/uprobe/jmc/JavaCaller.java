package uprobe.jmc;

import java.util.List;

import org.openjdk.jmc.common.IMCFrame;
import org.openjdk.jmc.common.IMCMethod;
import org.openjdk.jmc.common.IMCPackage;
import org.openjdk.jmc.common.IMCStackTrace;
import org.openjdk.jmc.common.IMCType;

/**
 * From a hit's stack to the Java method a reader would blame
 * ----------------------------------------------------------
 * <pre>
 *   libz.deflate                               the probed function: the method that committed the event bears its name
 *   libz.compress2                             perhaps: probed functions that called it, likewise
 *   java.util.zip.Deflater.deflateBytesBytes   the native method (none if the call came through a method handle)
 *   java.util.zip.Deflater.deflate             the JDK's way there
 *   app.Archive.pack                           the caller
 *   java.lang.Thread.run
 * </pre>
 * Where nobody but the JDK called, as in its own threads, its innermost Java method is the caller: Deflater.deflate.
 */
final class JavaCaller {

    private static final List<String> JDK_PACKAGES = List.of("java", "javax", "jdk", "sun", "com.sun");

    private JavaCaller() {
    }

    /** Name of the probed function as its frame shows it, such as {@code libz.deflate}; null if the stack is empty. */
    static String functionIn(IMCStackTrace stack) {
        return isEmpty(stack) ? null : nameOf(stack.getFrames().get(0).getMethod());
    }

    /** Class and method that called, such as {@code app.Archive.pack}; null if no frame is a Java method's. */
    static String in(IMCStackTrace stack) {
        if (isEmpty(stack)) {
            return null;
        }
        List<? extends IMCFrame> frames = stack.getFrames();
        IMCMethod innermost = null;
        for (IMCFrame frame : frames.subList(1, frames.size())) {
            IMCMethod method = frame.getMethod();
            if (isNativeMethod(frame) || isNativeFunction(frame)) {
                continue;
            }
            if (!isOfTheJdk(method.getType())) {
                return nameOf(method);
            }
            if (innermost == null) {
                innermost = method;
            }
        }
        return innermost == null ? null : nameOf(innermost);
    }

    private static boolean isEmpty(IMCStackTrace stack) {
        return stack == null || stack.getFrames() == null || stack.getFrames().isEmpty();
    }

    private static boolean isNativeMethod(IMCFrame frame) {
        return frame.getType() == IMCFrame.Type.NATIVE || frame.getType() == IMCFrame.Type.CPP;
    }

    /** A library's stem is no package and generated code has no line numbers; a program's own class without a package has. */
    private static boolean isNativeFunction(IMCFrame frame) {
        Integer line = frame.getFrameLineNumber();
        return packageOf(frame.getMethod().getType()).isEmpty() && (line == null || line <= 0);
    }

    private static boolean isOfTheJdk(IMCType type) {
        String name = packageOf(type);
        return JDK_PACKAGES.stream().anyMatch(jdk -> name.equals(jdk) || name.startsWith(jdk + "."));
    }

    private static String packageOf(IMCType type) {
        IMCPackage itsPackage = type == null ? null : type.getPackage();
        return itsPackage == null || itsPackage.getName() == null ? "" : itsPackage.getName();
    }

    private static String nameOf(IMCMethod method) {
        return method.getType() == null ? method.getMethodName()
                : method.getType().getFullName() + "." + method.getMethodName();
    }
}
