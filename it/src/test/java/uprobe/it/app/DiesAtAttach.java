package uprobe.it.app;

import java.lang.reflect.Field;
import java.lang.reflect.Method;

/** Dies as soon as the agent's first class is there, long before the agent has started: of a crash, or without a word. */
public final class DiesAtAttach {
    public static void main(String[] args) throws Exception {
        /* By reflection, as the compiler warns of it. */
        Class<?> unsafe = Class.forName("sun.misc.Unsafe");
        Field field = unsafe.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        Method putAddress = unsafe.getMethod("putAddress", long.class, long.class);
        System.out.println("ready");
        while (!agentIsThere()) {
            Thread.sleep(1);
        }
        if (args[0].equals("crash")) {
            putAddress.invoke(field.get(null), 0L, 1L);
        }
        Runtime.getRuntime().halt(7);
    }

    private static boolean agentIsThere() {
        try {
            Class.forName("uprobe.agent.boot.UprobeAgent", false, ClassLoader.getSystemClassLoader());
            return true;
        } catch (ClassNotFoundException notYet) {
            return false;
        }
    }

    private DiesAtAttach() {}
}
