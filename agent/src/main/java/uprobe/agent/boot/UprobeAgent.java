package uprobe.agent.boot;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;

/**
 * Where the JVM and the shell come in. Of the whole agent only this package is visible to the application; everything else, libraries included, is
 * behind {@link IsolatedLoader}.
 */
public final class UprobeAgent {
    /** At the end of what a command hands over: the jar that it is of. */
    private static final String JAR = ";jar=";
    private static IsolatedLoader isolated;

    /** {@code -javaagent:uprobe-agent.jar=ARGUMENTS} */
    public static void premain(String arguments, Instrumentation instrumentation) {
        start(arguments, instrumentation, false);
    }

    /** {@code jcmd PID JVMTI.agent_load}, the attach API, {@code java -jar uprobe-agent.jar attach} */
    public static void agentmain(String arguments, Instrumentation instrumentation) {
        start(arguments, instrumentation, true);
    }

    /** {@code java -jar uprobe-agent.jar COMMAND} */
    public static void main(String[] arguments) throws Throwable {
        try {
            Class<?> main = Class.forName("uprobe.agent.command.Main", true, isolated(null, null));
            Thread.currentThread().setContextClassLoader(main.getClassLoader());      /* libraries look for their parts there */
            main.getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** Whatever goes wrong here is one line; the application runs on. */
    private static void start(String arguments, Instrumentation instrumentation, boolean attached) {
        try {
            Class<?> agent = Class.forName("uprobe.agent.Agent", true, isolated(instrumentation, arguments));
            agent.getMethod("start", String.class, boolean.class).invoke(null, arguments, attached);
        } catch (Throwable e) {
            Throwable cause = e instanceof InvocationTargetException && e.getCause() != null ? e.getCause() : e;
            System.err.println("uprobe: the agent could not start, the application runs on without it: " + cause);
        }
    }

    /** Classes and helper are those of the first jar, until that has been detached and a command of another comes. */
    private static synchronized IsolatedLoader isolated(Instrumentation instrumentation, String arguments) throws Exception {
        int jar = arguments == null ? -1 : arguments.lastIndexOf(JAR);
        File wanted = jar < 0 ? null : new File(arguments.substring(jar + JAR.length()));
        if (isolated == null) {
            isolated = IsolatedLoader.create(instrumentation, wanted);
        } else if (wanted != null && !isolated.isOf(wanted)
                && (boolean) Class.forName("uprobe.agent.Agent", true, isolated).getMethod("isDetached").invoke(null)) {
            isolated = IsolatedLoader.create(instrumentation, wanted);
        }
        return isolated;
    }

    private UprobeAgent() {}
}
