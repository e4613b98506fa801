package uprobe.jfr;

import jdk.jfr.Event;
import jdk.jfr.Name;
import jdk.jfr.SettingDefinition;

/**
 * What all events of probes have: the setting {@code mode}, and a note whether JFR took the event.
 * <p>
 * JFR calls the methods of settings last, once the event is enabled and above its threshold, and writes the event if all say yes; ours always do,
 * because the engine has judged already. Each of the four settings has a class of its own: with two in one class JDK 17 hands a method the setting of
 * another, as it takes them in the order of the class file at one place and in that of getDeclaredMethods at another.
 */
public abstract class ModeEvent extends Event {
    /** JFR records no transient field. */
    public transient boolean accepted;

    @SettingDefinition
    @Name("mode")
    protected boolean mode(ModeSetting setting) {
        accepted = true;
        return true;
    }
}
