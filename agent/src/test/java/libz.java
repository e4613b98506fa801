import uprobe.agent.report.NativeLibrary;
import uprobe.agent.report.ProbeEvents;

/** Its methods are the innermost frames of their events. */
public final class libz implements NativeLibrary {
    @Override
    public void deflate(long bytes) {
        ProbeEvents.Deflate event = new ProbeEvents.Deflate();
        event.avail_in = bytes;
        event.ret = -5;
        event.begin();
        spin(bytes);
        event.commit();
    }

    @Override
    public void inflate() {
        ProbeEvents.Inflate event = new ProbeEvents.Inflate();
        event.ret = 1;
        event.begin();
        spin(2000);
        crc32();
        crc32();
        event.commit();
    }

    @Override
    public void crc32() {
        ProbeEvents.Crc32 event = new ProbeEvents.Crc32();
        event.begin();
        spin(3000);
        event.commit();
    }

    @Override
    public void drained(String reason) {
        ProbeEvents.Deflate event = new ProbeEvents.Deflate();
        event.drained = reason;
        event.nativeThreadName = "compressor-3";
        event.nativeThreadId = 4711;
        event.begin();
        spin(100);
        event.commit();
    }

    @Override
    public void deflateUnread() {
        ProbeEvents.Deflate event = new ProbeEvents.Deflate();
        event.missing = "avail_in,ret";
        event.begin();
        spin(1000);
        event.commit();
    }

    @Override
    public void neverReturns() {
        ProbeEvents.Inflate event = new ProbeEvents.Inflate();
        event.missing = "ret,duration";
        event.commit();
    }

    @Override
    public long malloc(long size, long address) {
        ProbeEvents.Malloc event = new ProbeEvents.Malloc();
        event.size = size;
        event.ret = address;
        event.begin();
        spin(10);
        event.commit();
        return address;
    }

    @Override
    public void free(long address) {
        ProbeEvents.Free event = new ProbeEvents.Free();
        event.ptr = address;
        event.commit();
    }

    @Override
    public void pattern(String function) {
        ProbeEvents.NativeCall event = new ProbeEvents.NativeCall();
        event.library = "libz.so.1";
        event.function = function;
        event.begin();
        spin(10);
        event.commit();
    }

    private static void spin(long rounds) {
        for (long i = 0; i < rounds; i++) {
            Thread.onSpinWait();
        }
    }
}
