package uprobe.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.Registered;
import jdk.jfr.StackTrace;

/** What came of a probe's hits since it was armed: at the start and at the end of every chunk. */
@Name("uprobe.ProbeStatistics")
@Label("Probe Statistics")
@Description("What came of a probe's hits since it was armed: hits = recorded + dropped + missed, plus what is not finished")
@Category({"Native Probes", "Probes"})
@StackTrace(false)
@Registered(false)
@Period("everyChunk")
final class ProbeStatistics extends Event {
    @Label("Probe")
    @Description("Name of the probe's events")
    String probe;

    @Label("Library")
    String library;

    @Label("Symbol")
    String symbol;

    @Label("Hits")
    long hits;

    @Label("Recorded")
    @Description("Events made")
    long recorded;

    @Label("Dropped")
    @Description("Lost because the thread's ring was full or none was left")
    long dropped;

    @Label("Missed")
    @Description("Caused by the making of events itself, or no return slot was free")
    long missed;
}
