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

/** One site that has a probe: when it is armed, and again at the start of every chunk. */
@Name("uprobe.ProbeArmed")
@Label("Probe Armed")
@Description("A place in native code that has a probe, and the mechanism it got")
@Category({"Native Probes", "Probes"})
@StackTrace(false)
@Registered(false)
@Period("beginChunk")
final class ProbeArmed extends Event {
    @Label("Probe")
    @Description("Name of the probe's events")
    String probe;

    @Label("Library")
    String library;

    @Label("Symbol")
    String symbol;

    @Label("Address")
    @MemoryAddress
    long address;

    @Label("Mechanism")
    @Description("How the hits are caught: jump, boost, emulate or step")
    String mechanism;

    @Label("Reason")
    @Description("Why not a better mechanism")
    String reason;
}
