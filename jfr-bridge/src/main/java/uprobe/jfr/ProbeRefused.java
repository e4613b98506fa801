package uprobe.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.Registered;
import jdk.jfr.StackTrace;

/**
 * A probe that could not be armed: when it is asked for, and again at the start of every chunk. And one whose code somebody else has written over:
 * once, when it is noticed.
 */
@Name("uprobe.ProbeRefused")
@Label("Probe Refused")
@Description("A probe that could not be armed, or was overwritten by somebody else, and why")
@Category({"Native Probes", "Probes"})
@StackTrace(false)
@Registered(false)
@Period("beginChunk")
final class ProbeRefused extends Event {
    @Label("Probe")
    @Description("The probe as it was asked for")
    String probe;

    @Label("Library")
    String library;

    @Label("Symbol")
    String symbol;

    @Label("Address")
    @Description("0 if it was refused before one was known")
    @MemoryAddress
    long address;

    @Label("Reason")
    String reason;
}
