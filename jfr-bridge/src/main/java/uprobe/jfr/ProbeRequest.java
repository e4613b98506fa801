package uprobe.jfr;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import uprobe.probe.ArmedSite;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.spec.ProbeSpec;

/**
 * What was asked for in one line. It lives: each library that it means is probed, whether it is loaded now or later, once or several times. It is one
 * probe, or one for each stem of its libraries where that is a part of the events' name; none as long as no library is there.
 */
public final class ProbeRequest {
    /**
     * What a look at the libraries changed.
     *
     * @param probe of this request
     * @param isNew whether it was not there before
     * @param came places of libraries that were not there at the last look
     * @param went file names of libraries that had places of it and were unloaded
     * @param parts of functions that bear names it matches, in these libraries; left out
     * @param places how many it has now
     */
    public record Change(RecordedProbe probe, boolean isNew, List<ArmedSite> came, List<String> went, int parts, int places) {}

    /**
     * What came of a look at the libraries.
     *
     * @param refused what was found and can not be probed, told once each; where there is no probe at all, why
     */
    public record Look(List<Change> changes, List<ProbeRefusedException> refused) {}

    private final ProbeSpec written;
    private final ProbeSpec spec;
    /** By what {@link EventBridge} tells them apart by. Guarded by the bridge's lock of transactions, as {@link #seen}. */
    private final Map<String, RecordedProbe> probes = new LinkedHashMap<>();
    private final Set<LoadedLibrary> seen = new HashSet<>();
    private boolean slipTold;
    private volatile List<RecordedProbe> all = List.of();

    ProbeRequest(ProbeSpec written) {
        this.written = written;
        this.spec = EventTypes.withFields(written);
    }

    /** As it was written. */
    public ProbeSpec written() {
        return written;
    }

    ProbeSpec spec() {
        return spec;
    }

    /** Those that there are so far. */
    public List<RecordedProbe> probes() {
        return all;
    }

    /** Whether a recording wants one of its probes, or may want the first one that comes. */
    public boolean isWanted() {
        return all.isEmpty() || all.stream().anyMatch(probe -> probe.probe().isArmed() || !probe.refusal().isEmpty());
    }

    /**
     * Whether this is what somebody calls so.
     *
     * @param names of event types; a pattern that shares one with others is also called LIBRARY:FUNCTION, as it was written
     */
    boolean isCalled(Predicate<String> names) {
        return all.stream().anyMatch(probe -> names.test(probe.eventName())) || names.test(written.library().text() + ":" + written.target())
                || written.group() != null && written.event() != null && names.test("uprobe." + written.group() + "." + written.event());
    }

    Map<String, RecordedProbe> byName() {
        return probes;
    }

    /** Libraries that were looked at for names of events. */
    Set<LoadedLibrary> seen() {
        return seen;
    }

    /** Whether it was said that the library it names has no such function; another copy of it need not say so again. */
    boolean isSlipTold() {
        return slipTold;
    }

    void slipTold() {
        slipTold = true;
    }

    void put(String name, RecordedProbe probe) {
        probes.put(name, probe);
        all = List.copyOf(probes.values());
    }
}
