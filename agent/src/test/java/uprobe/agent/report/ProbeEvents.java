package uprobe.agent.report;

import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** Events with the fields of the agent's. */
public final class ProbeEvents {
    public abstract static class ProbeHit extends Event {
        public long nativeThreadId;
        public String nativeThreadName;
        public long javaThreadId;
        public String drained;
        public String missing;
    }

    @Name("uprobe.zlib.deflate")
    public static class Deflate extends ProbeHit {
        @DataAmount
        public long avail_in;
        public int ret;
    }

    @Name("uprobe.zlib.inflate")
    public static class Inflate extends ProbeHit {
        public int ret;
    }

    @Name("uprobe.zlib.crc32")
    public static class Crc32 extends ProbeHit {}

    @Name("uprobe.libc.malloc")
    public static class Malloc extends ProbeHit {
        @DataAmount
        public long size;
        @MemoryAddress
        public long ret;
    }

    @Name("uprobe.libc.free")
    public static class Free extends ProbeHit {
        @MemoryAddress
        public long ptr;
    }

    @Name("uprobe.NativeCall")
    public static class NativeCall extends ProbeHit {
        public String library;
        public String function;
        @MemoryAddress
        public long address;
    }

    @Name("uprobe.ProbeStatistics")
    @StackTrace(false)
    public static class ProbeStatistics extends Event {
        public String probe;
        public String library = "libz.so.1";
        public String symbol = "deflate";
        public long hits, recorded, filtered, sampledOut, dropped, missed, ownWork, unfinished, timed;
        @Timespan(Timespan.TICKS)
        public long totalTime;
        @Timespan(Timespan.TICKS)
        public long p50;
        @Timespan(Timespan.TICKS)
        public long max;
    }

    @Name("uprobe.DataLoss")
    @StackTrace(false)
    public static class DataLoss extends Event {
        public String probe = "uprobe.zlib.deflate";
        public long count;
        public String reason = "ring full";
    }

    @Name("uprobe.ProbeRefused")
    @StackTrace(false)
    public static class ProbeRefused extends Event {
        public String probe = "c:libc:vfork";
        public String library = "libc.so.6";
        public String symbol = "vfork";
        @MemoryAddress
        public long address;
        public String reason = "returns twice";
    }

    private ProbeEvents() {}
}
