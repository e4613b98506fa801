package uprobe.jfr;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import uprobe.probe.ArmedSite;
import uprobe.probe.ChangedSite;
import uprobe.probe.Durations;
import uprobe.probe.Probe;
import uprobe.probe.ProbeCounters;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbePoint;
import uprobe.probe.RefusedFunction;
import uprobe.probe.spec.ProbeSpec;

/** Events about the probes themselves: {@link ProbeArmed}, {@link ProbeRefused}, {@link ProbeStatistics}, {@link DataLoss}. Takes no lock. */
final class ProbeNews {
    /** More sites than this are told as one total for each probe. */
    private static final int SITES_TOLD = 1_000;

    /** What a probe that was refused looked like. */
    record Refused(String probe, String library, String symbol, long address, String reason) {}

    private final List<RecordedProbe> probes;
    private final BooleanSupplier allSites;
    private final List<Refused> refused = new CopyOnWriteArrayList<>();
    /** Numbers of functions that have events of their own, of probes that have very many. */
    private final Map<RecordedProbe, Set<Integer>> listed = new ConcurrentHashMap<>();
    private final Map<RecordedProbe, ProbeCounters> reported = new ConcurrentHashMap<>();

    /**
     * @param probes all that there are, may be read at any time
     * @param allSites whether each site is told, however many a probe has
     */
    ProbeNews(List<RecordedProbe> probes, BooleanSupplier allSites) {
        this.probes = probes;
        this.allSites = allSites;
    }

    /** It is taken out; what was refused of it is told no more. */
    void forget(ProbeRequest request) {
        String written = request.written().text(), completed = request.spec().text();
        refused.removeIf(entry -> entry.probe().equals(written) || entry.probe().equals(completed));
        request.probes().forEach(reported::remove);
        request.probes().forEach(listed::remove);
    }

    void armed() {
        probes.stream().filter(probe -> probe.probe().isArmed()).forEach(probe -> armed(probe, probe.probe().sites()));
    }

    void armed(RecordedProbe probe, List<ArmedSite> sites) {
        boolean all = sites.size() <= SITES_TOLD || allSites.getAsBoolean();
        for (ArmedSite site : all ? sites : sites.subList(0, 1)) {
            ProbeArmed event = new ProbeArmed();
            event.probe = probe.eventName();
            event.library = site.library();
            event.symbol = all ? site.symbol() : sites.size() + " sites";
            event.address = all ? site.address() : 0;
            event.mechanism = site.mechanism().text();
            event.reason = site.countsIterations() ? site.reason() + "; " + ArmedSite.ITERATIONS : site.reason();
            event.commit();
        }
    }

    static Refused refusalOf(RecordedProbe probe) {
        ArmedSite first = probe.probe().sites().get(0);
        return new Refused(probe.spec().text(), first.library(), first.symbol(), first.address(), probe.refusal());
    }

    void refused() {
        refused.forEach(ProbeNews::emit);
        probes.stream().filter(probe -> !probe.refusal().isEmpty()).forEach(probe -> emit(refusalOf(probe)));
    }

    /** A function that a probe names and that can not be probed. */
    void refused(ProbeSpec spec, RefusedFunction function) {
        refused(new Refused(spec.text(), function.library(), function.symbol(), function.address(), function.message()));
    }

    /** Returns whether it is new; what is refused once more, in the next copy of a library, is told once. */
    boolean refused(Refused entry) {
        if (refused.contains(entry)) {
            return false;
        }
        refused.add(entry);
        emit(entry);
        return true;
    }

    static void emit(Refused entry) {
        ProbeRefused event = new ProbeRefused();
        event.probe = entry.probe();
        event.library = entry.library();
        event.symbol = entry.symbol();
        event.address = entry.address();
        event.reason = entry.reason();
        event.commit();
    }

    /** The sites that somebody else has written over, each told once, here and in the recording: see {@link ProbeEngine#changed}. */
    List<ChangedSite> changed(ProbeEngine engine) {
        List<ChangedSite> changed = engine.changed();
        for (ChangedSite site : changed) {
            for (Probe probe : site.probes()) {
                emit(new Refused(probe.spec().text(), site.site().library(), site.site().symbol(), site.site().address(), site.message()));
            }
        }
        return changed;
    }

    /** One event for each number that hits are counted under; of a pattern with very many functions as {@link #mostCalled} says. */
    void statistics(RecordedProbe probe) {
        List<ProbePoint> points = probe.probe().points();
        if (points.size() > SITES_TOLD) {
            mostCalled(probe, points, allSites.getAsBoolean() ? points.size() : SITES_TOLD);
        } else {
            points.forEach(point -> statistics(probe, point));
        }
        ProbeCounters now = probe.probe().counters(), before = reported.put(probe, now);
        lost(probe.eventName(), now.dropped() - (before == null ? 0 : before.dropped()), "ring full: raise ring= or rings=");
        lost(probe.eventName(), now.missed() - (before == null ? 0 : before.missed()), "caused by the making of events, or no return slot was free");
    }

    /**
     * One event for each of so many functions with most hits, and for those that were among them once, so that the newest events of each function make the
     * whole; all others together are one, which bears the name of the library that has most of their hits. Percentiles are left out: each is a call of
     * native code, which takes a minute for a thousand of libjvm's functions that are probed themselves.
     */
    private void mostCalled(RecordedProbe probe, List<ProbePoint> points, int most) {
        List<ProbeCounters> each = Probe.counters(points);
        Set<Integer> told = listed.computeIfAbsent(probe, first -> ConcurrentHashMap.newKeySet());
        IntStream.range(0, points.size()).boxed().filter(i -> each.get(i).hits() > 0 || most == points.size())
                .sorted(Comparator.comparingLong((Integer i) -> -each.get(i).hits())).limit(most).forEach(i -> told.add(points.get(i).id()));
        Map<String, Long> hitsOfLibraries = new HashMap<>();
        List<ProbeCounters> others = new ArrayList<>();
        for (int i = 0; i < points.size(); i++) {
            ArmedSite site = points.get(i).site();
            if (told.contains(points.get(i).id())) {
                statistics(probe, site.library(), site.symbol(), each.get(i), null);
            } else {
                others.add(each.get(i));
                hitsOfLibraries.merge(points.get(i).site().library(), each.get(i).hits(), Long::sum);
            }
        }
        hitsOfLibraries.entrySet().stream().max(Map.Entry.comparingByValue())
                .ifPresent(library -> statistics(probe, library.getKey(), "others (" + others.size() + " functions)", ProbeCounters.sum(others), null));
    }

    private static void statistics(RecordedProbe probe, ProbePoint point) {
        Durations durations = probe.isCall() ? point.durations() : null;
        statistics(probe, point.site().library(), point.site().symbol(), point.counters(), durations);     /* counted last: the event's time is that */
    }

    private static void statistics(RecordedProbe probe, String library, String symbol, ProbeCounters now, Durations durations) {
        ProbeStatistics event = new ProbeStatistics();
        event.probe = probe.eventName();
        event.library = library;
        event.symbol = symbol;
        event.hits = now.hits();
        event.recorded = now.recorded();
        event.filtered = now.filtered();
        event.sampledOut = now.sampledOut();
        event.dropped = now.dropped();
        event.missed = now.missed();
        event.ownWork = now.ownWork();
        event.unfinished = now.unfinished();
        event.timed = now.timed();
        event.totalTime = now.totalTime();
        event.selfTime = now.selfTime();
        event.max = now.maxTime();
        if (durations != null) {
            event.p50 = Math.min(durations.atMost(0.5), event.max);     /* the middle of a bucket may lie behind the longest call in it */
            event.p90 = Math.min(durations.atMost(0.9), event.max);
            event.p99 = Math.min(durations.atMost(0.99), event.max);
        }
        event.commit();
    }

    private static void lost(String probe, long count, String reason) {
        if (count > 0) {
            DataLoss event = new DataLoss();
            event.probe = probe;
            event.count = count;
            event.reason = reason;
            event.commit();
        }
    }
}
