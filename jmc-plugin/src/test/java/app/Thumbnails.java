package app;

import static uprobe.jmc.recording.NativeLibrary.LIBZ;

/** Another user's class. */
public final class Thumbnails {

    private Thumbnails() {
    }

    public static void render(int millis) {
        LIBZ.deflate(millis);
    }

    public static void sum(int millis) {
        LIBZ.adler32(millis);
    }
}
