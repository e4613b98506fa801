package uprobe.jfr;

import java.util.Comparator;
import uprobe.probe.spec.ProbeOptions;
import uprobe.probe.spec.Sampling;

/** {@code sample}: {@code 1/100} makes events of one hit in a hundred, drawn at random; {@code all}. */
public final class SampleSetting extends ValueSetting<Sampling> {
    public SampleSetting() {
        super("sample", ProbeOptions::sample, Sampling::parse, Sampling::text, Comparator.comparingLong(Sampling::oneOf).reversed());
    }
}
