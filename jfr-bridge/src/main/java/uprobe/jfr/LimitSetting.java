package uprobe.jfr;

import java.util.Comparator;
import uprobe.probe.spec.ProbeOptions;
import uprobe.probe.spec.RateLimit;

/** {@code limit}: {@code 1000/s} makes at most so many events a second; {@code none}. */
public final class LimitSetting extends ValueSetting<RateLimit> {
    public LimitSetting() {
        super("limit", ProbeOptions::limit, RateLimit::parse, RateLimit::text, Comparator.comparingLong(RateLimit::perSecond));
    }
}
