package uprobe.jmc.recording;

import jdk.jfr.Event;
import jdk.jfr.Label;

/** The fields that the event class of every probe has beside the user's. */
public abstract class ProbeHit extends Event {

    @Label("Native Thread Id")
    public long nativeThreadId;
    @Label("Native Thread Name")
    public String nativeThreadName;
    @Label("Java Thread Id")
    public long javaThreadId;
    @Label("Drained")
    public String drained;
    @Label("Missing")
    public String missing;
}
