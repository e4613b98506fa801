package uprobe.agent.verb;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;
import uprobe.agent.console.Drivers;

/** The Java method that called, as {@link Drivers} tells it; the native method itself if there is none but drivers. */
final class JavaCaller {
    private static final String OURS = "uprobe.agent.", HELPERS = "uprobe.probe.";
    private static final StackWalker WALKER = StackWalker.getInstance();
    static final String NONE = "(no Java)";

    @Option(names = "--driver", paramLabel = "PREFIX", description = "classes that are no callers, beside the JDK's and those of well known native libraries (org.sqlite,"
            + " org.rocksdb, io.netty, ...); may be repeated")
    private List<String> prefixes = new ArrayList<>();

    private Drivers drivers;

    /** Before {@link #now} is asked on other threads: what that loads and links is loaded and linked here. */
    void prepare() {
        List<String> all = new ArrayList<>(Drivers.KNOWN);
        all.addAll(prefixes);
        drivers = new Drivers(all);
        now();
    }

    /** Of the native method that this thread is in: {@code app.Orders.open:41}. */
    String now() {
        return WALKER.walk(this::caller);
    }

    private String caller(Stream<StackWalker.StackFrame> frames) {
        StackWalker.StackFrame called = null;
        for (Iterator<StackWalker.StackFrame> i = frames.iterator(); i.hasNext();) {
            StackWalker.StackFrame frame = i.next();
            String name = frame.getClassName();
            if (called == null) {
                called = name.startsWith(OURS) || name.startsWith(HELPERS) ? null : frame;
                if (called != null && !called.isNativeMethod()) {
                    return text(called);
                }
            } else if (!drivers.has(name)) {
                return text(frame);
            }
        }
        return called == null ? NONE : text(called);
    }

    private static String text(StackWalker.StackFrame frame) {
        return frame.getClassName() + "." + frame.getMethodName() + (frame.getLineNumber() > 0 ? ":" + frame.getLineNumber() : "");
    }
}
