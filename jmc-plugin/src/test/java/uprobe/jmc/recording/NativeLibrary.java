package uprobe.jmc.recording;

import java.lang.reflect.InvocationTargetException;

/**
 * Stands for a probed native library. What implements it lives outside any package and is called after a library, so that its
 * methods look in a stack trace as the frames of probed functions do: {@code libz.deflate}.
 */
public interface NativeLibrary {

    NativeLibrary LIBZ = named("libz");

    /** A {@code c:} probe: an event that takes {@code millis} at least. */
    void deflate(int millis);

    /** The same function, but committed by the drain thread, whose stack is not the caller's. */
    void deflateDrained(int millis, String reason);

    /** A {@code p:} probe: an event that takes no time. */
    void crc32();

    /** A function that a wildcard probe found. */
    void adler32(int millis);

    private static NativeLibrary named(String stem) {
        try {
            return (NativeLibrary) Class.forName(stem).getConstructor().newInstance();
        } catch (NoSuchMethodException | InstantiationException | IllegalAccessException | InvocationTargetException
                | ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
