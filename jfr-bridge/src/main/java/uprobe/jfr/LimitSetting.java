package uprobe.jfr;

import java.util.Comparator;
import java.util.Set;
import uprobe.probe.spec.RateLimit;

/** {@code limit}: {@code 1000/s} makes at most so many events a second; {@code none}. */
public final class LimitSetting extends OwnSetting {
    @Override
    String initial(RecordedProbe of) {
        return of == null ? RateLimit.NONE.text() : of.spec().options().limit().text();
    }

    @Override
    String union(Set<String> wishes) {
        return wishes.stream().map(RateLimit::parse).max(Comparator.comparingLong(RateLimit::perSecond)).orElseThrow().text();
    }

    @Override
    void check(RecordedProbe of, String text) {
        RateLimit.parse(text);
    }

    @Override
    String name() {
        return "limit";
    }
}
