package uprobe.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Registered;
import jdk.jfr.StackTrace;

/** Hits that are in no event, counted since the last event of this kind for the probe and the reason. */
@Name("uprobe.DataLoss")
@Label("Data Loss")
@Description("Hits of a probe that are in no event")
@Category({"Native Probes", "Probes"})
@StackTrace(false)
@Registered(false)
final class DataLoss extends Event {
    @Label("Probe")
    @Description("Name of the probe's events")
    String probe;

    @Label("Count")
    long count;

    @Label("Reason")
    String reason;
}
