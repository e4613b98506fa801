package uprobe.probe;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.patch.SitePlan;
import uprobe.probe.patch.SiteTable;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.Symbol;

/**
 * What the engine keeps of a probe, armed or not: its places come and go with the libraries that its pattern means, its numbers stay. Guarded by the
 * engine's lock.
 */
final class DefinedProbe {
    /**
     * One place that the probe means now.
     *
     * @param stem of the library
     * @param plan may have been made for another probe, which calls the function by another name, or when the library was loaded before
     * @param symbol the name that it goes by in this probe
     */
    record Target(LoadedLibrary library, String stem, SitePlan plan, String symbol) {
        /** What the copies of a library have in common: its stem, the function's name and where the file has it. */
        private String function() {
            return stem + "!" + symbol + "+" + (plan.address() - library.loadBias());
        }

        /** @param now the plan that its site has now */
        ArmedSite described(SitePlan now, ProbeSpec spec) {
            ArmedSite site = now.described();
            boolean countsIterations = spec.type() == ProbeType.ENTRY && now.way().displaced().loopHead();
            return site.symbol().equals(symbol) && site.countsIterations() == countsIterations ? site : new ArmedSite(site.library(), symbol, site.address(), site.mechanism(), site.reason(), countsIterations);
        }
    }

    /** A target, the number under which the helper counts its hits, and its site while it is armed. */
    static final class Point {
        final int id;
        final Target target;
        final LoadedLibrary library;
        final SitePlan plan;
        SiteTable.Site armed;
        /** Of the first of those that were armed together in one library: that is held as long. */
        LoadedLibrary pinned;

        private Point(int id, Target target) {
            this.id = id;
            this.target = target;
            this.library = target.library();
            this.plan = target.plan();
        }
    }

    final ProbeSpec spec;
    /** Which stems of libraries it is meant for, of those that its pattern matches. */
    final Predicate<String> stems;
    final CommitMethod.Factory factory;
    final byte[] program;
    /** As they were used last, packed; null before. */
    byte[] settings, steps;
    /** Whether its settings have its hits made into events, or keep durations: only counting needs no commit methods. */
    boolean commits = true;
    /** Numbers whose commit methods the helper does not know yet, with a place of each. */
    final Map<Integer, ArmedSite> unregistered = new LinkedHashMap<>();
    /** {@link ProbeEngine#libraryChanges} when libraries were last looked at; -1: they have to be, whatever it is now. */
    long changes = -1;
    /** The libraries that were looked at and are still there, whether it means them or not. */
    private final Set<LoadedLibrary> lookedAt = new HashSet<>();
    private final List<Point> points = new ArrayList<>();
    /** Every number that it has or had, with its place: the present one, or the last. */
    private final Map<Integer, Point> numbers = new LinkedHashMap<>();
    /** Of a symbol: the number that all copies of a library share, by stem. */
    private final Map<String, Integer> shared = new HashMap<>();
    /** Of a pattern: numbers whose library has gone, by function; its next copy takes them over. */
    private final Map<String, Deque<Integer>> vacant = new HashMap<>();

    DefinedProbe(ProbeSpec spec, Predicate<String> stems, CommitMethod.Factory factory, byte[] program) {
        this.spec = spec;
        this.stems = stems;
        this.factory = factory;
        this.program = program;
    }

    List<Point> points() {
        return points;
    }

    /** One for each number. */
    List<Point> numbered() {
        return List.copyOf(numbers.values());
    }

    Set<Integer> ids() {
        return numbers.keySet();
    }

    /** New places come to the end of the list, and all of them or none are armed: so the last one tells of all. */
    boolean isArmed() {
        return !points.isEmpty() && points.get(points.size() - 1).armed != null;
    }

    boolean isThere(Point point) {
        return lookedAt.contains(point.library);
    }

    /** False if the library was looked at before. */
    boolean lookAt(LoadedLibrary library) {
        return lookedAt.add(library);
    }

    /**
     * The number that a place has to take; null: it needs a new one.
     *
     * @param more numbers by stem that are about to be added
     */
    Integer numberFor(Target target, Map<String, Integer> more) {
        if (!(spec.target() instanceof Symbol) && vacant.isEmpty()) {
            return null;
        }
        if (spec.target() instanceof Symbol) {
            return shared.getOrDefault(target.stem(), more.get(target.stem()));
        }
        Deque<Integer> free = vacant.get(target.function());
        return free == null ? null : free.poll();
    }

    void add(int id, Target target) {
        Point point = new Point(id, target);
        shared.put(target.stem(), id);
        points.add(point);
        Point before = numbers.putIfAbsent(id, point);
        if (before != null && !isThere(before)) {
            numbers.put(id, point);
        }
    }

    /** The libraries of which this is true have gone, or lie there anew. Returns their places, which may still be armed. */
    List<Point> letGo(Predicate<LoadedLibrary> gone) {
        Set<LoadedLibrary> went = new LinkedHashSet<>(lookedAt);
        went.removeIf(gone.negate());
        if (went.isEmpty()) {
            return List.of();
        }
        lookedAt.removeAll(went);
        List<Point> left = points.stream().filter(point -> went.contains(point.library)).toList();
        points.removeIf(point -> went.contains(point.library));
        points.forEach(point -> numbers.computeIfPresent(point.id, (id, was) -> isThere(was) ? was : point));
        if (!(spec.target() instanceof Symbol)) {
            left.forEach(point -> vacant.computeIfAbsent(point.target.function(), first -> new ArrayDeque<>()).add(point.id));
        }
        return left;
    }
}
