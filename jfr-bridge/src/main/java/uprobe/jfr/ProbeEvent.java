package uprobe.jfr;

import jdk.jfr.Name;
import jdk.jfr.SettingDefinition;

/** What the event classes of probes extend: see {@link ModeEvent}. */
public abstract class ProbeEvent extends SampleEvent {
    @SettingDefinition
    @Name("filter")
    protected boolean filter(FilterSetting setting) {
        return true;
    }
}
