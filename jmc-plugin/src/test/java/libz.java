import uprobe.jmc.recording.Events;
import uprobe.jmc.recording.NativeLibrary;

/** Commits events as the agent's generated class for libz.so.1 does: the methods are the probed functions. */
public final class libz implements NativeLibrary {

    @Override
    public void deflate(int millis) {
        Events.Deflate event = new Events.Deflate();
        event.bytes = 1999993;
        event.begin();
        sleep(millis);
        event.commit();
    }

    @Override
    public void deflateDrained(int millis, String reason) {
        Events.Deflate event = new Events.Deflate();
        event.nativeThreadId = 4711;
        event.nativeThreadName = "compressor-3";
        event.drained = reason;
        event.begin();
        sleep(millis);
        event.commit();
    }

    @Override
    public void crc32() {
        new Events.Crc32().commit();
    }

    @Override
    public void adler32(int millis) {
        Events.NativeCall event = new Events.NativeCall();
        event.library = "libz";
        event.function = "adler32";
        event.begin();
        sleep(millis);
        event.commit();
    }

    private static void sleep(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
