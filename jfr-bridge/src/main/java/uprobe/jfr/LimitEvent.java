package uprobe.jfr;

import jdk.jfr.Name;
import jdk.jfr.SettingDefinition;

/** The setting {@code limit}: see {@link ModeEvent}. */
public abstract class LimitEvent extends ModeEvent {
    @SettingDefinition
    @Name("limit")
    protected boolean limit(LimitSetting setting) {
        return true;
    }
}
