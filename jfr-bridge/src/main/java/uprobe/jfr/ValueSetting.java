package uprobe.jfr;

import java.util.Comparator;
import java.util.Set;
import java.util.function.Function;
import uprobe.probe.spec.ProbeOptions;

/** A setting whose wishes are ordered: of several the one that lets through the most holds. */
abstract class ValueSetting<T> extends OwnSetting {
    private final Function<ProbeOptions, T> written;
    private final Function<String, T> parse;
    private final Function<T, String> text;
    private final Comparator<T> order;

    /**
     * @param written what a probe's options say
     * @param parse throws IllegalArgumentException with one sentence
     * @param text what parse reads
     * @param order from the one that lets through the least to the one that lets through the most
     */
    ValueSetting(String name, Function<ProbeOptions, T> written, Function<String, T> parse, Function<T, String> text, Comparator<T> order) {
        super(name);
        this.written = written;
        this.parse = parse;
        this.text = text;
        this.order = order;
    }

    @Override
    String initial(RecordedProbe of) {
        return text.apply(written.apply(of == null ? ProbeOptions.DEFAULT : of.spec().options()));
    }

    @Override
    String union(Set<String> wishes) {
        return text.apply(wishes.stream().map(parse).max(order).orElseThrow());
    }

    @Override
    void check(RecordedProbe of, String wish) {
        parse.apply(wish);
    }
}
