package uprobe.jmc.recording;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.Timespan;

/** Events such as the agent makes for its probes, and those about itself. */
public final class Events {

    private Events() {
    }

    @Name("uprobe.zlib.deflate")
    @Label("deflate")
    @Category({"Native Probes", "libz"})
    public static final class Deflate extends ProbeHit {
        @DataAmount
        public long bytes;
        public int flush;
        public int ret;
    }

    @Name("uprobe.zlib.crc32")
    @Label("crc32")
    @Category({"Native Probes", "libz"})
    public static final class Crc32 extends ProbeHit {
    }

    @Name("uprobe.loader.loadClass")
    @Label("loadClass")
    @Category({"Native Probes", "libloader"})
    public static final class LoadClass extends ProbeHit {
    }

    @Name("uprobe.NativeCall")
    @Label("Native Call")
    @Category("Native Probes")
    public static final class NativeCall extends ProbeHit {
        public String library;
        public String function;
        @MemoryAddress
        public long address;
    }

    @Name("uprobe.ProbeArmed")
    @Label("Probe Armed")
    @Category("Native Probes")
    public static final class ProbeArmed extends Event {
        public String probe = "c:zlib/deflate libz.so*:deflate";
        public String library = "libz.so.1";
        public String symbol = "deflate";
        @MemoryAddress
        public long address = 0x7f00_0000_4a10L;
        public String mechanism = "jump";
        public String reason;
    }

    @Name("uprobe.ProbeRefused")
    @Label("Probe Refused")
    @Category("Native Probes")
    public static final class ProbeRefused extends Event {
        public String probe = "c:libc:vfork";
        public String library = "libc.so.6";
        public String symbol = "vfork";
        @MemoryAddress
        public long address = 0x7f00_0010_0100L;
        public String reason = "returns twice";
    }

    @Name("uprobe.ProbeStatistics")
    @Label("Probe Statistics")
    @Category("Native Probes")
    public static final class ProbeStatistics extends Event {
        public String probe = "c:zlib/deflate libz.so*:deflate";
        public String library = "libz.so.1";
        public String symbol = "deflate";
        public long hits;
        public long recorded;
        public long filtered;
        public long sampledOut;
        public long dropped;
        public long missed;
        public long ownWork;
        @Timespan
        public long totalTime;
        @Timespan
        public long selfTime;
        @Timespan
        public long p50;
        @Timespan
        public long p90;
        @Timespan
        public long p99;
        @Timespan
        public long max;
    }

    @Name("uprobe.DataLoss")
    @Label("Data Loss")
    @Category("Native Probes")
    public static final class DataLoss extends Event {
        public String probe = "c:zlib/deflate libz.so*:deflate";
        public long count = 812;
        public String reason = "ring full";
    }
}
