package app;

import static uprobe.agent.report.NativeLibrary.LIBZ;

/** An application's classes. */
public final class Archive {
    public static void pack(int times, long bytes) {
        for (int i = 0; i < times; i++) {
            LIBZ.deflate(bytes);
        }
    }

    public static void read(int times) {
        for (int i = 0; i < times; i++) {
            LIBZ.inflate();
        }
    }

    /** From the JDK's own code, as a reader would not blame it. */
    public static void packAll(java.util.List<Long> sizes) {
        sizes.forEach(LIBZ::deflate);
    }

    public static void allocate(long size, long address) {
        LIBZ.malloc(size, address);
    }

    public static void allocateOther(long size, long address) {
        LIBZ.malloc(size, address);
    }

    private Archive() {}
}
