package uprobe.jfr;

import java.util.Set;
import java.util.stream.Collectors;

/** {@code filter}: a condition over the probe's fields, as behind {@code if} in the probe language; empty: none. */
public final class FilterSetting extends OwnSetting {
    public FilterSetting() {
        super("filter");
    }

    @Override
    String initial(RecordedProbe of) {
        return of == null || of.spec().condition() == null ? "" : of.spec().condition().text();
    }

    /** A recording without a filter wants all; so does a set of filters that is too large for the engine. */
    @Override
    String union(Set<String> wishes) {
        if (wishes.contains("")) {
            return "";
        }
        return wishes.stream().map(wish -> "(" + wish + ")").collect(Collectors.joining(" || "));
    }

    @Override
    void check(RecordedProbe of, String text) {
        if (of != null) {
            of.condition(text);
        }
    }
}
