package uprobe.agent.verb;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import uprobe.agent.console.Output;
import uprobe.probe.CommitMethod;
import uprobe.probe.Probe;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbePoint;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.ProbeSettings;
import uprobe.probe.RefusedFunction;
import uprobe.probe.spec.ProbeSpec;

/** Probes that are there as long as a command: no event is made of their hits, and no recording steers them. */
final class EngineProbes implements AutoCloseable {
    /** Of these many reasons each is told. */
    private static final int REASONS = 5;

    private final ProbeEngine engine;
    private final Output out;
    private final List<Probe> probes = new ArrayList<>();

    EngineProbes(Target target, Output out) throws ProbeRefusedException, IOException {
        this.engine = target.bridge().engine();
        this.out = out;
    }

    /**
     * Makes all ready that arming needs; no code is changed.
     *
     * @param listener who gets the hits; null: they are only counted
     */
    void define(ProbeSpec spec, ProbeSettings settings, LiveHits.Listener listener) throws ProbeRefusedException, IOException {
        CommitMethod.Factory nobody = (id, of, stem, symbol, records) -> new CommitMethod(EngineProbes.class, "nobody");
        Probe probe = engine.define(spec, listener == null ? nobody : LiveHits.to(listener));
        probes.add(probe);
        probe.use(settings);
    }

    /** What the verb does with hits should have been done once before: in libjvm it would run through traps, and so would the loading of its classes. */
    void arm() throws ProbeRefusedException, IOException {
        tellWhatIsLeftOut();
        for (Probe probe : probes) {
            probe.arm();
        }
    }

    List<ProbePoint> points() {
        return probes.stream().flatMap(probe -> probe.points().stream()).toList();
    }

    int functions() {
        return probes.stream().mapToInt(probe -> probe.points().size()).sum();
    }

    /** Libraries may have come or gone. */
    void extend() throws IOException {
        for (Probe probe : probes) {
            try {
                probe.extend();
            } catch (ProbeRefusedException e) {
                out.problem(e.getMessage());
            }
        }
    }

    /** How many functions were refused, and why. */
    private void tellWhatIsLeftOut() throws IOException {
        Map<String, List<RefusedFunction>> byReason = probes.stream().flatMap(probe -> probe.refused().stream())
                .collect(Collectors.groupingBy(function -> function.refusal().sentence(), LinkedHashMap::new, Collectors.toList()));
        int told = 0;
        for (Map.Entry<String, List<RefusedFunction>> reason : byReason.entrySet()) {
            List<RefusedFunction> functions = reason.getValue();
            if (told++ == REASONS) {
                out.problem("and for " + (byReason.size() - REASONS) + " reasons more; functions PID PATTERN lists them");
                return;
            }
            out.problem("left out: " + (functions.size() == 1 ? "" : functions.size() + " functions, such as ") + functions.get(0).library() + "!" + functions.get(0).symbol()
                    + ": " + reason.getKey());
        }
    }

    /** The commit method of what is counted or put into a histogram: such hits have no records. */
    static void nobody() {}

    @Override
    public void close() {
        probes.forEach(Probe::disarm);
        LiveHits.forget(points());
        probes.forEach(Probe::forget);
    }
}
