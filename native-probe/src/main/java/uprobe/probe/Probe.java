package uprobe.probe;

import java.io.IOException;
import java.util.List;
import uprobe.probe.spec.ProbeSpec;

/** A probe of {@link ProbeEngine#define}. It can be armed and disarmed as often as wanted. Its number is never used again. */
public final class Probe {
    private final ProbeEngine engine;
    private final int id;
    private final ProbeSpec spec;
    private final String stem;
    private final List<RefusedFunction> refused;
    private volatile List<ProbePoint> points;

    Probe(ProbeEngine engine, ProbeSpec spec, String stem, List<ProbePoint> points, List<RefusedFunction> refused) {
        this.engine = engine;
        this.id = points.get(0).id();
        this.spec = spec;
        this.stem = stem;
        this.refused = List.copyOf(refused);
        this.points = List.copyOf(points);
    }

    /** The number of its first place, and of all if they share one. */
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

    /** Where its traps are, or were when it was armed the last time, or will be. */
    public List<ArmedSite> sites() {
        return points.stream().map(ProbePoint::site).toList();
    }

    /** {@link #sites}, with their numbers. */
    public List<ProbePoint> points() {
        return points;
    }

    /** The functions that its pattern names and that can not be probed; empty without a pattern, where one refuses all. */
    public List<RefusedFunction> refused() {
        return refused;
    }

    void armedAt(List<ProbePoint> now) {
        points = List.copyOf(now);
    }

    /** What came of its hits since it was defined, at all its places. */
    public ProbeCounters counters() {
        return points.stream().mapToInt(ProbePoint::id).distinct().mapToObj(ProbeCounters::of).reduce(ProbeCounters::plus).orElseThrow();
    }

    public boolean isArmed() {
        return engine.isArmed(this);
    }

    /** See {@link ProbeEngine#arm(Probe)}. */
    public void arm() throws ProbeRefusedException, IOException {
        engine.arm(this);
    }

    /** Which of its hits become events from now on. */
    public void use(ProbeSettings settings) throws IOException {
        engine.use(this, settings);
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
