package app;

/** Reaches a probed function through a native method of the JDK. */
public final class Plugins {

    private Plugins() {
    }

    public static void load(ClassLoader loader) throws ClassNotFoundException {
        Class.forName("java.util.BitSet", true, loader);
    }
}
