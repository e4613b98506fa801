package uprobe.jfr;

import java.util.Comparator;
import java.util.Set;
import uprobe.probe.spec.Sampling;

/** {@code sample}: {@code 1/100} makes events of one hit in a hundred, drawn at random; {@code all}. */
public final class SampleSetting extends OwnSetting {
    @Override
    String initial(RecordedProbe of) {
        return of == null ? Sampling.ALL.text() : of.spec().options().sample().text();
    }

    @Override
    String union(Set<String> wishes) {
        return wishes.stream().map(Sampling::parse).min(Comparator.comparingLong(Sampling::oneOf)).orElseThrow().text();
    }

    @Override
    void check(RecordedProbe of, String text) {
        Sampling.parse(text);
    }

    @Override
    String name() {
        return "sample";
    }
}
