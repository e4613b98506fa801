package uprobe.jfr;

import jdk.jfr.Name;
import jdk.jfr.SettingDefinition;

/** The setting {@code sample}: see {@link ModeEvent}. */
public abstract class SampleEvent extends LimitEvent {
    @SettingDefinition
    @Name("sample")
    protected boolean sample(SampleSetting setting) {
        return true;
    }
}
