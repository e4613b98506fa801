package uprobe.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.Registered;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** What came of a probe's hits since it was defined: at the start and at the end of every chunk. */
@Name("uprobe.ProbeStatistics")
@Label("Probe Statistics")
@Description("What came of a probe's hits since it was there: hits = recorded + filtered + sampledOut + dropped + missed + ownWork + unfinished")
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
    @Description("Events made; with mode=count and mode=hist: hits counted here")
    long recorded;

    @Label("Filtered")
    @Description("Left out by the condition or the threshold, or no recording wanted the event any more")
    long filtered;

    @Label("Sampled Out")
    @Description("Left out by sample=, limit=, guard= or until=")
    long sampledOut;

    @Label("Dropped")
    @Description("Lost because the thread's ring was full or none was left")
    long dropped;

    @Label("Missed")
    @Description("Caused by the making of events itself, or no return slot was free")
    long missed;

    @Label("Own Work")
    @Description("Made by the agent's own threads and by its work on other threads")
    long ownWork;

    @Label("Unfinished")
    @Description("Calls that have not returned, and hits of which no event was made yet")
    long unfinished;

    @Label("Timed")
    @Description("Calls whose duration is in the next six")
    long timed;

    @Label("Total Time")
    @Description("Durations of all these; a call inside another one of the probe counts in both")
    @Timespan(Timespan.TICKS)
    long totalTime;

    @Label("Self Time")
    @Description("Total time without that of the probe's own calls inside: added up over a pattern's functions, the time that threads spent in any of them")
    @Timespan(Timespan.TICKS)
    long selfTime;

    @Label("Median")
    @Timespan(Timespan.TICKS)
    long p50;

    @Label("90th Percentile")
    @Timespan(Timespan.TICKS)
    long p90;

    @Label("99th Percentile")
    @Timespan(Timespan.TICKS)
    long p99;

    @Label("Maximum")
    @Timespan(Timespan.TICKS)
    long max;
}
