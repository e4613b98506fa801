package uprobe.agent.boot;

import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;

/**
 * Where the JVM and the shell come in. Of the whole agent only this package is visible to the application; everything else, libraries included, is
 * behind {@link IsolatedLoader}.
 */
public final class UprobeAgent {
    private static ClassLoader isolated;

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
            Class<?> main = Class.forName("uprobe.agent.command.Main", true, isolated(null));
            Thread.currentThread().setContextClassLoader(main.getClassLoader());      /* libraries look for their parts there */
            main.getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** Whatever goes wrong here is one line; the application runs on. */
    private static void start(String arguments, Instrumentation instrumentation, boolean attached) {
        try {
            Class<?> agent = Class.forName("uprobe.agent.Agent", true, isolated(instrumentation));
            agent.getMethod("start", String.class, boolean.class).invoke(null, arguments, attached);
        } catch (Throwable e) {
            Throwable cause = e instanceof InvocationTargetException && e.getCause() != null ? e.getCause() : e;
            System.err.println("uprobe: the agent could not start, the application runs on without it: " + cause);
        }
    }

    private static synchronized ClassLoader isolated(Instrumentation instrumentation) throws Exception {
        if (isolated == null) {
            isolated = IsolatedLoader.create(instrumentation);
        }
        return isolated;
    }

    private UprobeAgent() {}
}
