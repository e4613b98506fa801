package uprobe.jfr;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import uprobe.probe.spec.Mode;

/** {@code mode}: {@code event}; or {@code count} and {@code hist}, which make no events: what is counted and timed is in ProbeStatistics. */
public final class ModeSetting extends OwnSetting {
    /** From the one that tells least to the one that tells most. */
    private static final List<Mode> ORDER = List.of(Mode.COUNT, Mode.HIST, Mode.EVENT);

    @Override
    String initial(RecordedProbe of) {
        return of == null ? Mode.EVENT.text() : of.spec().options().mode().text();
    }

    @Override
    String union(Set<String> wishes) {
        return wishes.stream().map(Mode::parse).max(Comparator.comparingInt(ORDER::indexOf)).orElseThrow().text();
    }

    @Override
    void check(RecordedProbe of, String text) {
        Mode.parse(text);
    }

    @Override
    String name() {
        return "mode";
    }
}
