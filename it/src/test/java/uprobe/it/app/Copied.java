package uprobe.it.app;

/** The natives of libcopied_a and libcopied_b, for whichever class loader defines this class. */
public final class Copied {
    public static void load(String path) {
        System.load(path);
    }

    public static native long work(long n);

    /** How often the function was called in this copy. */
    public static native long calls();

    public static native long open(String path, boolean apart);

    public static native long workIn(long handle, long n);

    public static native int close(long handle);

    private Copied() {}
}
