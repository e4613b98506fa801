package app;

import static uprobe.jmc.recording.NativeLibrary.LIBZ;

/** A user's class, named in what the rule says. */
public final class Archive {

    private Archive() {
    }

    public static void pack(int calls, int millis) {
        for (int i = 0; i < calls; i++) {
            LIBZ.deflate(millis);
        }
    }

    public static void verify(int calls) {
        for (int i = 0; i < calls; i++) {
            LIBZ.crc32();
        }
    }
}
