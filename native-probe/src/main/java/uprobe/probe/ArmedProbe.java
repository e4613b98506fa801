package uprobe.probe;

import java.util.List;
import uprobe.probe.spec.ProbeSpec;

/** A probe of {@link ProbeEngine#arm}. Its number is never used again. */
public final class ArmedProbe {
    private final ProbeEngine engine;
    private final int id;
    private final ProbeSpec spec;
    private final String stem;
    private final List<ArmedSite> sites;

    ArmedProbe(ProbeEngine engine, int id, ProbeSpec spec, String stem, List<ArmedSite> sites) {
        this.engine = engine;
        this.id = id;
        this.spec = spec;
        this.stem = stem;
        this.sites = List.copyOf(sites);
    }

    /** The number that stands in {@link HitRecordDescriptor#PROBE}. */
    public int id() {
        return id;
    }

    public ProbeSpec spec() {
        return spec;
    }

    /** The library's name without version and extraction noise, which names frames and events: {@code libz}. */
    public String stem() {
        return stem;
    }

    public List<ArmedSite> sites() {
        return sites;
    }

    public ProbeCounters counters() {
        return ProbeCounters.of(id);
    }

    /**
     * Takes the probe's traps out again; sites that other probes use stay. Threads inside a slot go on safely.
     *
     * @return the sites whose code somebody else had changed and which were left alone
     */
    public List<ArmedSite> disarm() {
        return engine.disarm(this);
    }

    @Override
    public String toString() {
        return "probe " + id + " " + spec.text();
    }
}
