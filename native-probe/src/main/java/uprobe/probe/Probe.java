package uprobe.probe;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import uprobe.probe.spec.ProbeSpec;

/** A probe of {@link ProbeEngine#define}. It can be armed and disarmed as often as wanted. Once it is forgotten, its numbers become other probes'. */
public final class Probe {
    private final ProbeEngine engine;
    private final int id;
    private final ProbeSpec spec;
    private final String stem;
    private volatile List<RefusedFunction> refused;
    private volatile int parts;
    private volatile List<ProbePoint> points;
    private volatile int[] ids;
    private volatile List<ArmedSite> sites;
    /** What had come of its hits when it was forgotten; null before. */
    private ProbeCounters last;

    Probe(ProbeEngine engine, ProbeSpec spec, String stem, List<ProbePoint> points, List<ArmedSite> sites, Growth first) {
        this.engine = engine;
        this.id = points.get(0).id();
        this.spec = spec;
        this.stem = stem;
        this.refused = List.copyOf(first.refused());
        this.parts = first.parts();
        armedAt(points, sites);
    }

    /** The number of its first place, which of a symbol all copies of that library share. */
    public int id() {
        return id;
    }

    public ProbeSpec spec() {
        return spec;
    }

    /** Its first library's name without version and extraction noise, which names frames and events: {@code libz}. */
    public String stem() {
        return stem;
    }

    /** Where its traps are, or will be when it is armed; where they were last, if none of its libraries is there any more. */
    public List<ArmedSite> sites() {
        return sites;
    }

    /**
     * All numbers that its hits are counted under, each with its place: the present one, or the last. Copies of a library may share one. None once it is
     * forgotten, and then those that were told before must not be asked any more: they may be another probe's.
     */
    public List<ProbePoint> points() {
        return points;
    }

    /** The functions that its pattern names and that can not be probed. */
    public List<RefusedFunction> refused() {
        return refused;
    }

    synchronized void armedAt(List<ProbePoint> numbers, List<ArmedSite> places) {
        points = List.copyOf(numbers);
        ids = numbers.stream().mapToInt(ProbePoint::id).toArray();
        if (!places.isEmpty()) {
            sites = List.copyOf(places);
        }
    }

    /** How many parts of functions bear names that its pattern matches; they are left out. */
    public int parts() {
        return parts;
    }

    void grown(List<ProbePoint> numbers, List<ArmedSite> places, Growth growth) {
        armedAt(numbers, places);
        parts += growth.parts();
        if (!growth.refused().isEmpty()) {
            refused = Stream.concat(refused.stream(), growth.refused().stream()).distinct().toList();
        }
    }

    /** What came of its hits since it was defined, at all its places; of a probe that was forgotten what had come until then. */
    public synchronized ProbeCounters counters() {
        return last != null ? last : ProbeCounters.of(ids);
    }

    /** From now on its numbers are not asked any more. */
    synchronized void forgotten() {
        last = counters();
        armedAt(List.of(), List.of());
    }

    /** What came of the hits of each of these points, in their order; of any probes. */
    public static List<ProbeCounters> counters(List<ProbePoint> of) {
        return ProbeCounters.ofEach(of.stream().mapToInt(ProbePoint::id).toArray());
    }

    public boolean isArmed() {
        return engine.isArmed(this);
    }

    /** See {@link ProbeEngine#arm(Probe)}. */
    public void arm() throws ProbeRefusedException, IOException {
        engine.arm(this);
    }

    /** See {@link ProbeEngine#extend(Probe)}. */
    public Growth extend() throws ProbeRefusedException, IOException {
        return engine.extend(this);
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

    /**
     * Disarms it for good and gives back what the engine keeps of it: its numbers, counters, durations and commit methods are free for other probes as soon
     * as no record of it waits in a ring and no call of its functions has to return. Hits that are recorded by now become events; calls that return later
     * make none. It can not be armed any more. Forgetting it again does nothing.
     */
    public void forget() {
        engine.forget(this);
    }

    @Override
    public String toString() {
        return "probe " + id + " " + spec.text();
    }
}
