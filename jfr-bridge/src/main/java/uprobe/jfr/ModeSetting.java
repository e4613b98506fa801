package uprobe.jfr;

import java.util.Comparator;
import java.util.List;
import uprobe.probe.spec.Mode;
import uprobe.probe.spec.ProbeOptions;

/** {@code mode}: {@code event}; or {@code count} and {@code hist}, which make no events: what is counted and timed is in ProbeStatistics. */
public final class ModeSetting extends ValueSetting<Mode> {
    /** From the one that tells least to the one that tells most. */
    private static final List<Mode> ORDER = List.of(Mode.COUNT, Mode.HIST, Mode.EVENT);

    public ModeSetting() {
        super("mode", ProbeOptions::mode, Mode::parse, Mode::text, Comparator.comparingInt(ORDER::indexOf));
    }
}
