package uprobe.probe;

import com.sun.jna.JNIEnv;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import uprobe.probe.code.Displaced;
import uprobe.probe.code.Planner;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.helper.FetchProgram;
import uprobe.probe.helper.Helper;
import uprobe.probe.helper.VmLayout;
import uprobe.probe.patch.LibraryPins;
import uprobe.probe.patch.SignalGuard;
import uprobe.probe.patch.SitePlan;
import uprobe.probe.patch.SiteTable;
import uprobe.probe.spec.LibraryPattern;
import uprobe.probe.spec.Mechanism;
import uprobe.probe.spec.Mode;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.Symbol;

/**
 * Puts probes into the native code of this process.
 *
 * <p>Everything that can be decided before a hit is decided here - symbols, mechanism, relocated code, field programs - and handed to the helper as
 * bytes and numbers. Arming is a transaction: all sites of a probe or none.
 *
 * <p>There is one engine in a process. Its methods may be called from any thread; they take the engine's lock, which no hit ever takes. It can be closed
 * ({@link Closing}), and another one opened.
 */
public final class ProbeEngine {
    /** Libraries that come and go while they are looked at are looked for again so often. */
    private static final int ROUNDS = 3;
    /** How long a probe that is to be forgotten waits for its last hits to become events. */
    private static final int FORGET_MILLIS = 2000;
    /** Held while the helper's numbers of probes, and who commits their records, are changed: by the engine, or by what still goes on in one that is closed. */
    private static final Object NUMBERS = new Object();
    private static ProbeEngine instance;
    private static HeadStart headStart;
    /** null before the first engine. */
    private static Lasting lasting;

    /** What sites are and where their slots lie stays for good, and the next engine uses it again. Guarded by the lock of the engine that is open. */
    private static final class Lasting {
        final LibraryPins pins = new LibraryPins();
        final SiteTable sites = new SiteTable(pins);
        final Map<Boolean, Planner> planners = new HashMap<>();
        final TargetFinder finder;

        Lasting(TargetFinder finder) {
            this.finder = finder;
        }
    }

    private final EngineOptions options;
    private final ByteBuffer records;
    private final String javaStacks;
    private final Map<Probe, DefinedProbe> probes = new LinkedHashMap<>();
    /** Numbers of {@link #armSites}, which no probe has. */
    private final List<Integer> loose = new ArrayList<>();
    private final Planner planner;
    private final LibraryPins pins = lasting.pins;
    private final SiteTable sites = lasting.sites;
    private final TargetFinder finder = lasting.finder;
    private final OpenSignals signals = new OpenSignals(finder);
    private final ClockRate clockRate;
    /** Lends the drain thread its name; null: there is none. */
    private volatile Thread drainThread;
    private volatile boolean closed;
    private volatile List<String> leavings = List.of();
    /** {@link #libraryChanges} when the table of sites was last compared with what is loaded. */
    private long sitesLookedAt;

    private ProbeEngine(EngineOptions options, String javaStacks) {
        this.options = options;
        this.javaStacks = javaStacks;
        planner = lasting.planners.computeIfAbsent(options.farSlots(), Planner::new);
        clockRate = new ClockRate(options.tsc());
        long size = Helper.up_ring_memory_size();
        records = new Pointer(Helper.up_ring_memory()).getByteBuffer(0, size).order(ByteOrder.nativeOrder());
    }

    /** Native libraries are unpacked there if it can be. Of use before anything else is called. */
    public static void unpackTo(Path folder) {
        Helper.unpackTo(folder);
    }

    /** Has what these probes will need looked up meanwhile, if the engine is not open yet. Changes nothing, and never fails. */
    public static synchronized void headStart(Collection<ProbeSpec> specs) {
        if (instance == null && headStart == null && !specs.isEmpty()) {
            headStart = new HeadStart(specs);
        }
    }

    /**
     * Loads the helper and sets up its memory; no code is changed yet. Later calls return the same engine, whatever their options, until it is closed. The
     * rings are those of the first engine of the process.
     *
     * @throws ProbeRefusedException {@link Refusal#PLATFORM}
     * @throws IOException if the helper can not be unpacked or set up
     */
    public static synchronized ProbeEngine open(EngineOptions options) throws ProbeRefusedException, IOException {
        if (instance == null) {
            Platform.check();
            Helper.load();
            HitRecordDescriptor.checkHelper();
            int result = Helper.up_init(options.ringBytes(), options.rings(), options.tsc() ? 1 : 0, Helper.vdsoClockGettime());
            Platform.checkProcessor(result);
            Helper.check(result, "memory for rings");
            Helper.check(Helper.up_commit_bind(JNIEnv.CURRENT, HitRun.class), "native methods of HitRun");
            String javaStacks = attachToVm();
            if (lasting == null) {
                lasting = new Lasting(new TargetFinder(headStart));
            }
            headStart = null;
            instance = new ProbeEngine(options, javaStacks);
            OwnWork.possible();
        }
        return instance;
    }

    /**
     * For commit methods that make JFR's events: hits of threads that JFR leaves out at the moment (RecordingStream's) are filtered, as it would throw the
     * events away and tell nobody.
     *
     * @return false if this VM has no JFR, or where it notes such threads was not found
     */
    public boolean filterWhatJfrLeavesOut() {
        return Helper.up_jfr_find_exclusion(JNIEnv.CURRENT) == 0;
    }

    /** Empty if hits get their Java stacks; else one sentence that says why not: every hit is then left to the drain thread. */
    public String withoutJavaStacks() {
        return javaStacks;
    }

    /** The memory of all rings, where commit methods read their records. In the processor's byte order. */
    public ByteBuffer records() {
        return records.duplicate().order(ByteOrder.nativeOrder());
    }

    /** Now, in the units of {@link HitRecordDescriptor#TIME}: TSC cycles, or nanoseconds of CLOCK_MONOTONIC. */
    public static long clock() {
        return Helper.up_clock();
    }

    /** Grows whenever the dynamic linker loads or unloads a library: a cheap question to ask often. */
    public long libraryChanges() {
        return Helper.up_library_changes();
    }

    public FlushStatistics flushStatistics() {
        return FlushStatistics.now();
    }

    /**
     * How often the trap handler did what.
     *
     * @param traps that were ours
     * @param stale of these, those whose site had been disarmed meanwhile
     * @param foreign handed on to whoever had SIGTRAP before
     * @param emulated of ours, those whose instruction the handler did itself
     * @param stepped second traps, that ended a single step
     */
    public record TrapStatistics(long traps, long stale, long foreign, long emulated, long stepped) {}

    public TrapStatistics trapStatistics() {
        long[] w = new long[5];
        Helper.up_trap_statistics(w);
        return new TrapStatistics(w[0], w[1], w[2], w[3], w[4]);
    }

    /** What the engine could not secure in this process, one sentence each; complete once the first probe is armed. */
    public List<String> limits() {
        return SignalGuard.limits();
    }

    /**
     * Has all whole records that no JNI return will flush made into events, and waits for that.
     *
     * @param unfinished also take the hits of JNI calls that have not returned yet, without their Java stacks
     * @return false if it was not done in time
     */
    public boolean drain(boolean unfinished, long timeoutMillis) {
        return drainThread == null || Helper.up_drain_now(unfinished ? 1 : 0, timeoutMillis * 1_000_000) == 0;
    }

    /**
     * Takes out of the process what it can: every probe is disarmed and forgotten, code and signal handlers become what they would be without the engine,
     * the drain thread ends. Hits that are recorded become events before; calls that are inside probed functions return rightly and make none. Threads may be
     * anywhere meanwhile, and may go on probing nothing. Takes some tens of milliseconds, and up to twenty seconds where a thread does not run. What can not
     * be undone is told by {@link #leavings}. {@link #open} then opens another engine. Of a closed engine probes can not be defined or armed; closing it again
     * does nothing.
     */
    public void close() {
        synchronized (ProbeEngine.class) {
            if (instance != this) {
                return;
            }
            boolean begun = OwnWork.begin();
            try {
                leavings = new Closing(this, sites).close();
            } finally {
                OwnWork.end(begun);
                OwnWork.impossible();
                instance = null;
            }
        }
    }

    /** What of the engine is still in the process after {@link #close}, one short sentence each. */
    public List<String> leavings() {
        return leavings;
    }

    /** For {@link Closing}: no probe can be armed from now on, and none is. */
    void disarmAll() {
        List<LoadedLibrary> free = new ArrayList<>();
        synchronized (this) {
            closed = true;
            sites.lookAgain();
            probes.values().forEach(defined -> release(defined.points(), free));
        }
        giveBack(free);
    }

    /** For {@link Closing}: calls that return from now on are only counted. */
    synchronized void giveUpAll() {
        probes.values().forEach(defined -> giveUp(defined.ids()));
        giveUp(loose);
    }

    /** For {@link Closing}: nobody asks for the numbers of a probe of this engine's any more. */
    synchronized void forgetAll() {
        probes.keySet().forEach(Probe::forgotten);
        probes.clear();
    }

    /** For {@link Closing}. */
    void endDrainThread() {
        Thread thread = drainThread;
        drainThread = null;
        if (thread != null) {
            Helper.up_drain_stop();
            Threads.join(thread);
        }
    }

    private void refuseClosed() {
        if (closed) {
            throw new IllegalStateException("the engine is closed");
        }
    }

    /**
     * What a probe means in libraries that are new to whoever asks.
     *
     * @param stems of those that have a function it names
     * @param matched whether there is any that its pattern matches
     */
    public record News(Set<String> stems, boolean matched) {}

    /** @param seen libraries that are passed over: those of earlier calls. Gets all that are there now, loses those that are not */
    public synchronized News news(ProbeSpec spec, Set<LoadedLibrary> seen) throws IOException {
        if (closed) {
            return new News(Set.of(), false);
        }
        Set<LoadedLibrary> now = finder.others();
        seen.retainAll(now);
        Set<String> stems = new LinkedHashSet<>();
        boolean matched = false;
        for (LoadedLibrary library : now) {
            try {
                if (seen.add(library) && TargetFinder.matches(spec, library)) {
                    matched = true;
                    if (!TargetFinder.functions(spec, library).isEmpty()) {
                        stems.add(LibraryPattern.stem(library.fileName()));
                    }
                }
            } catch (ProbeRefusedException goneMeanwhile) {
                seen.remove(library);
            }
        }
        return new News(stems, matched);
    }

    /** Why a probe would mean nothing now: there may come a library for it, or it is a slip of the pen. */
    public synchronized ProbeRefusedException nothing(ProbeSpec spec) throws IOException {
        refuseClosed();
        return finder.nothing(spec);
    }

    /** Whether a library is loaded whose file's name, without extension and version, is this. */
    public synchronized boolean isLoaded(String stem) {
        try {
            return finder.others().stream().anyMatch(library -> LibraryPattern.stem(library.fileName()).equals(stem));
        } catch (IOException e) {
            return false;
        }
    }

    /** All libraries that are loaded now, but for the engine's own. */
    public synchronized List<LibraryInfo> libraries() throws IOException {
        return new Survey(finder, sites, pins).libraries();
    }

    /**
     * The functions that a probe of this library and target could mean, in order of library and address. Nothing is prepared for it.
     *
     * @throws ProbeRefusedException if there is none: what is there instead
     */
    public List<FunctionInfo> functions(ProbeSpec spec) throws ProbeRefusedException, IOException {
        List<LoadedLibrary> held = new ArrayList<>();
        boolean begun = OwnWork.begin();
        try {
            synchronized (this) {
                return new Survey(finder, sites, pins).functions(spec, held);
            }
        } finally {
            giveBack(held);
            OwnWork.end(begun);
        }
    }

    /** Units of {@link #clock()} in nanoseconds. */
    public long nanos(long units) {
        return Math.round(units / clockRate.perNano());
    }

    /** Nanoseconds in units of {@link #clock()}. */
    public long units(long nanos) {
        return Math.round(nanos * clockRate.perNano());
    }

    /** {@link #define(ProbeSpec, Predicate, CommitMethod.Factory)} for all libraries of the pattern. */
    public Probe define(ProbeSpec spec, CommitMethod.Factory factory) throws ProbeRefusedException, IOException {
        return define(spec, stem -> true, factory);
    }

    /**
     * Finds every function that the probe's pattern names in the libraries that are loaded now, and prepares all that arming needs. No code is changed.
     * What can not be probed is left out, and told by {@link Probe#refused}.
     *
     * @param stems which of the pattern's libraries are meant
     * @param factory asked for the commit methods, now and when libraries come: {@link Probe#extend}
     * @throws ProbeRefusedException if there is none, or all are refused; then nothing was changed
     */
    public Probe define(ProbeSpec spec, Predicate<String> stems, CommitMethod.Factory factory) throws ProbeRefusedException, IOException {
        List<LoadedLibrary> held = new ArrayList<>();
        boolean begun = OwnWork.begin();
        try {
            return defineHolding(spec, stems, factory, held);
        } finally {
            giveBack(held);
            OwnWork.end(begun);
        }
    }

    /** {@link #define}, and {@link #arm(Probe)}. */
    public Probe arm(ProbeSpec spec, CommitMethod.Factory factory) throws ProbeRefusedException, IOException {
        Probe probe = define(spec, factory);
        try {
            arm(probe);
        } catch (ProbeRefusedException | IOException | RuntimeException e) {
            forget(probe);
            throw e;
        }
        return probe;
    }

    /** @param held gets the libraries that were taken for as long as the transaction lasts */
    private synchronized Probe defineHolding(ProbeSpec spec, Predicate<String> stems, CommitMethod.Factory factory, List<LoadedLibrary> held)
            throws ProbeRefusedException, IOException {
        refuseClosed();
        DefinedProbe defined = new DefinedProbe(spec, stems, factory, FetchProgram.encode(spec));
        LeftOut left = new LeftOut();
        Growth growth = grow(defined, held, left);
        if (defined.points().isEmpty()) {
            throw left.why == null ? finder.nothing(spec) : left.why;
        }
        startDraining();
        Probe probe = new Probe(this, spec, LibraryPattern.stem(growth.came().get(0).library()), described(defined), sites(defined), growth);
        probes.put(probe, defined);
        return probe;
    }

    /**
     * Brings a probe's places up to date with the libraries that are loaded now. New ones are not armed yet.
     *
     * @param held gets the libraries that were taken, and those of places that are gone
     * @param left gets what can not be probed, and why
     */
    private Growth grow(DefinedProbe defined, List<LoadedLibrary> held, LeftOut left) throws IOException {
        sites.lookAgain();
        Set<LoadedLibrary> now = finder.others();
        if (defined.changes == finder.changes()) {
            return Growth.NONE;
        }
        if (sitesLookedAt != finder.changes()) {
            sites.forgetReplaced();
            sitesLookedAt = finder.changes();
        }
        Set<LoadedLibrary> replaced = new HashSet<>();
        defined.points().stream().filter(point -> point.armed != null && point.armed.isForgotten()).forEach(point -> replaced.add(point.library));
        List<String> went = letGo(defined, library -> !now.contains(library) || replaced.contains(library), held);
        defined.changes = finder.changes();
        List<DefinedProbe.Target> targets = new ArrayList<>();
        Set<LoadedLibrary> there = now;
        for (int round = 0; round < ROUNDS && there != null; round++) {
            boolean goneMeanwhile = false;
            for (LoadedLibrary library : there) {
                if (defined.lookAt(library) && TargetFinder.matches(defined.spec, library) && defined.stems.test(LibraryPattern.stem(library.fileName()))) {
                    try {
                        targets.addAll(targets(defined.spec, library, held, left));
                    } catch (ProbeRefusedException e) {
                        left.because(e);
                        goneMeanwhile = true;
                    }
                }
            }
            there = goneMeanwhile ? finder.others() : null;     /* another may have come in its place */
        }
        List<ArmedSite> came = add(defined, targets);
        return new Growth(came, went, left.refused, left.parts, defined.points().size());
    }

    /** What is left out of a probe. */
    private static final class LeftOut {
        final List<RefusedFunction> refused = new ArrayList<>();
        /** Parts of functions, which a pattern does not mean. */
        int parts;
        /** Why the first was left out; null if none was. */
        ProbeRefusedException why;

        void add(LoadedLibrary library, NativeSymbol symbol, ProbeRefusedException e, boolean isPattern) {
            if (isPattern && e.refusal() == Refusal.PART_OF_FUNCTION) {
                parts++;
            } else {
                refused.add(new RefusedFunction(library.fileName(), symbol.name(), symbol.address(), e.refusal(), e.getMessage()));
            }
            because(e);
        }

        void because(ProbeRefusedException e) {
            why = why == null ? e : why;
        }
    }

    /** Where the traps of a probe will be in one library. */
    private List<DefinedProbe.Target> targets(ProbeSpec spec, LoadedLibrary library, List<LoadedLibrary> held, LeftOut left)
            throws ProbeRefusedException, IOException {
        List<NativeSymbol> functions = TargetFinder.functions(spec, library);
        if (functions.isEmpty()) {
            return List.of();
        }
        boolean isPattern = !(spec.target() instanceof Symbol);
        hold(library, held);
        try {
            LibraryPlan plan = new LibraryPlan(library, spec, finder, sites, planner, (symbol, why) -> left.add(library, symbol, why, isPattern));
            return plan.of(TargetFinder.chosen(library, functions));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Gives numbers to new places. If that fails the probe is as it was. */
    private List<ArmedSite> add(DefinedProbe defined, List<DefinedProbe.Target> targets) throws IOException {
        if (targets.isEmpty()) {
            return List.of();
        }
        ProbeSpec spec = defined.spec;
        List<SiteTable.Site> there = sites.define(targets.stream().map(DefinedProbe.Target::plan).toList());
        int[] ids = numbers(defined, targets);
        List<ProbePoint> places = new ArrayList<>(ids.length);
        for (int i = 0; i < ids.length; i++) {
            places.add(new ProbePoint(ids[i], targets.get(i).described(there.get(i).plan(), spec)));
        }
        defined.factory.places(spec, places);
        for (int i = 0; i < ids.length; i++) {
            if (!defined.ids().contains(ids[i])) {
                defined.unregistered.putIfAbsent(ids[i], places.get(i).site());
            }
            defined.add(ids[i], targets.get(i));
        }
        if (defined.settings != null) {
            use(defined);
        }
        return places.stream().map(ProbePoint::site).toList();
    }

    /** Of each target, in their order. Those that no place has had are defined together. */
    private static int[] numbers(DefinedProbe defined, List<DefinedProbe.Target> targets) throws IOException {
        final int fresh = -1;
        ProbeSpec spec = defined.spec;
        Map<String, Integer> shared = new HashMap<>();      /* by stem: places in the array below */
        int[] ids = new int[targets.size()], sameAs = new int[ids.length];
        int wanted = 0;
        for (int i = 0; i < ids.length; i++) {
            Integer id = defined.numberFor(targets.get(i), Map.of());
            Integer other = spec.target() instanceof Symbol ? shared.putIfAbsent(targets.get(i).stem(), i) : null;
            sameAs[i] = other == null ? i : other;
            ids[i] = id != null ? id : fresh;
            wanted += id == null && other == null ? 1 : 0;
        }
        int[] more = wanted == 0 ? new int[0] : define(wanted, spec.type(), spec.fields().size(), defined.program, TargetFinder.offset(spec),
                defined.ids().stream().findFirst().orElse(-1));
        for (int i = 0, next = 0; i < ids.length; i++) {
            if (ids[i] == fresh) {
                ids[i] = sameAs[i] == i ? more[next++] : ids[sameAs[i]];
            }
        }
        return ids;
    }

    /** Numbers of the helper's, first those that were given up and that nobody refers to any more. */
    private static int[] define(int count, ProbeType type, int fields, byte[] program, long offset, int with) throws IOException {
        int[] ids = new int[count];
        synchronized (NUMBERS) {
            Helper.up_probes_reclaim(JNIEnv.CURRENT);
            Helper.check(Helper.up_probes_define(count, kind(type), fields, program, program.length, offset, with, ids), "probes");
        }
        return ids;
    }

    /** Before the first hit that needs them. A pattern may have some ten thousand, so one that only counts has none. */
    private void register(DefinedProbe defined) throws IOException {
        Map<String, String> stems = new HashMap<>();
        for (Iterator<Map.Entry<Integer, ArmedSite>> i = defined.unregistered.entrySet().iterator(); i.hasNext(); i.remove()) {
            Map.Entry<Integer, ArmedSite> place = i.next();
            String stem = stems.computeIfAbsent(place.getValue().library(), LibraryPattern::stem);
            CommitMethod commit = defined.factory.make(place.getKey(), defined.spec, stem, place.getValue().symbol(), records());
            synchronized (NUMBERS) {
                Helper.check(Helper.up_commit_register(JNIEnv.CURRENT, place.getKey(), commit.owner(), commit.frames(), commit.name()), "registering " + commit);
            }
        }
    }

    /** Its places in libraries of which this is true are no more; nothing is written to them. Returns the libraries' file names. */
    private List<String> letGo(DefinedProbe defined, Predicate<LoadedLibrary> gone, List<LoadedLibrary> held) {
        Set<String> names = new LinkedHashSet<>();
        List<DefinedProbe.Point> went = defined.letGo(gone);
        went.forEach(point -> names.add(point.library.fileName()));
        release(went, held);
        return List.copyOf(names);
    }

    /**
     * Takes the traps of those that are armed out.
     *
     * @param free gets the libraries that are not held for them any more
     * @return the sites whose code somebody else had changed, which is left as it is
     */
    private List<SiteTable.Site> release(List<DefinedProbe.Point> points, List<LoadedLibrary> free) {
        List<DefinedProbe.Point> armed = points.stream().filter(point -> point.armed != null).toList();
        List<SiteTable.Site> left = sites.release(sitesOf(armed), idsOf(armed));
        markIdle(armed, free);
        return left;
    }

    private static void markIdle(List<DefinedProbe.Point> points, List<LoadedLibrary> free) {
        free.addAll(pinned(points));
        points.forEach(point -> point.armed = null);
    }

    private static List<SiteTable.Site> sitesOf(List<DefinedProbe.Point> armed) {
        return armed.stream().map(point -> point.armed).toList();
    }

    private static int[] idsOf(List<DefinedProbe.Point> points) {
        return points.stream().mapToInt(point -> point.id).toArray();
    }

    /** A library is held once for all places in it that were armed together: the objects of one library are the same as long as it is loaded. */
    private static List<LoadedLibrary> pinned(List<DefinedProbe.Point> armed) {
        return armed.stream().map(point -> point.pinned).filter(Objects::nonNull).toList();
    }

    /**
     * Looks whether libraries have come or gone since the probe was last looked at: a library is a pattern that lives. Costs little where none has.
     *
     * @throws ProbeRefusedException if the probe is armed and what has come can not be armed now; it is there, and {@link #arm(Probe)} tries again
     */
    Growth extend(Probe probe) throws ProbeRefusedException, IOException {
        List<LoadedLibrary> held = new ArrayList<>();
        boolean begun = OwnWork.begin();
        try {
            synchronized (this) {
                DefinedProbe defined = defined(probe);
                boolean armed = defined.isArmed();
                Growth growth = grow(defined, held, new LeftOut());
                if (!growth.isNone()) {
                    probe.grown(described(defined), sites(defined), growth);
                    if (armed) {
                        armPoints(probe, defined, held);
                    }
                }
                return growth;
            }
        } finally {
            giveBack(held);
            OwnWork.end(begun);
        }
    }

    /**
     * Writes the probe's traps, all or none, in the libraries that are there now. One that is armed already stays as it is.
     *
     * @throws ProbeRefusedException if a site is refused now: its library is gone, its code was changed, a thread has SIGTRAP blocked
     */
    public void arm(Probe probe) throws ProbeRefusedException, IOException {
        List<LoadedLibrary> held = new ArrayList<>();
        boolean begun = OwnWork.begin();
        try {
            armHolding(probe, held);
        } finally {
            giveBack(held);
            OwnWork.end(begun);
        }
    }

    private synchronized void armHolding(Probe probe, List<LoadedLibrary> held) throws ProbeRefusedException, IOException {
        DefinedProbe defined = defined(probe);
        if (defined.isArmed()) {
            return;
        }
        LeftOut left = new LeftOut();
        Growth growth = grow(defined, held, left);
        Set<LoadedLibrary> changed = changed(defined, held);
        if (!changed.isEmpty()) {       /* looked at once more, by who can say why */
            probe.grown(described(defined), sites(defined), growth);
            letGo(defined, changed::contains, held);
            defined.changes = -1;
            growth = grow(defined, held, left);
        }
        probe.grown(described(defined), sites(defined), growth);
        if (defined.points().isEmpty()) {
            throw left.why != null ? left.why : finder.others().stream().noneMatch(library -> TargetFinder.matches(defined.spec, library))
                    ? finder.nothing(defined.spec)
                    : new ProbeRefusedException(Refusal.LIBRARY_GONE, defined.spec.library().text(), "none of its functions is there any more");
        }
        armPoints(probe, defined, held);
    }

    /** Those that are not armed yet, all or none. */
    private void armPoints(Probe probe, DefinedProbe defined, List<LoadedLibrary> held) throws ProbeRefusedException, IOException {
        List<DefinedProbe.Point> idle = idle(defined);
        if (idle.isEmpty()) {
            return;
        }
        signals.keep(defined.spec.library().text() + ":" + defined.spec.target());
        Set<LoadedLibrary> overtaken = new HashSet<>();
        idle.stream().filter(point -> LibraryPlan.isOvertaken(point.plan)).forEach(point -> overtaken.add(point.library));
        if (!overtaken.isEmpty()) {
            letGo(defined, overtaken::contains, held);
            defined.changes = -1;
            LeftOut left = new LeftOut();
            grow(defined, held, left);
            idle = idle(defined);
            if (defined.points().isEmpty()) {
                throw left.why;
            }
        }
        LoadedLibrary last = null;
        for (DefinedProbe.Point point : idle) {
            if (point.library != last) {
                last = point.library;
                OpenSignals.refuseUnguarded(last, point.plan.where());
            }
        }
        if (defined.commits) {
            register(defined);
        }
        List<SiteTable.Site> wanted = sites.define(idle.stream().map(point -> point.plan).toList());
        int[] ids = idsOf(idle);
        /* All that takes long is done before: with traps in libjvm it would run through them. */
        markArmed(idle, wanted);
        probe.armedAt(described(defined), sites(defined));
        boolean armed = false;
        try {
            sites.arm(wanted, ids);
            armed = true;
        } finally {
            if (!armed) {
                markIdle(idle, held);
            }
        }
    }

    private void markArmed(List<DefinedProbe.Point> points, List<SiteTable.Site> places) {
        LoadedLibrary last = null;
        for (int i = 0; i < places.size(); i++) {
            DefinedProbe.Point point = points.get(i);
            point.armed = places.get(i);
            point.pinned = point.armed.library() == last ? null : point.armed.library();
            if (point.pinned != null) {
                last = point.pinned;
                pins.take(last);
            }
        }
    }

    private static List<DefinedProbe.Point> idle(DefinedProbe defined) {
        return defined.points().stream().filter(point -> point.armed == null).toList();
    }

    /** The libraries whose code is not what the places of the probe that are not armed were planned for. */
    private Set<LoadedLibrary> changed(DefinedProbe defined, List<LoadedLibrary> held) throws IOException {
        Set<LoadedLibrary> changed = new HashSet<>();
        Map<LoadedLibrary, List<SiteTable.Site>> places = new LinkedHashMap<>();
        for (DefinedProbe.Point point : idle(defined)) {
            SiteTable.Site site = sites.at(point.plan.address());
            if (site == null) {
                changed.add(point.library);
            } else {
                places.computeIfAbsent(point.library, library -> new ArrayList<>()).add(site);
            }
        }
        for (Map.Entry<LoadedLibrary, List<SiteTable.Site>> there : places.entrySet()) {
            try {
                hold(there.getKey(), held);
                if (!LibraryPlan.isStillRight(there.getKey(), there.getValue(), sites)) {
                    changed.add(there.getKey());
                }
            } catch (ProbeRefusedException e) {
                changed.add(there.getKey());
            }
        }
        return changed;
    }

    /** One for each number. */
    private List<ProbePoint> described(DefinedProbe defined) {
        return defined.numbered().stream().map(point -> new ProbePoint(point.id, described(defined, point))).toList();
    }

    private List<ArmedSite> sites(DefinedProbe defined) {
        return defined.points().stream().map(point -> described(defined, point)).toList();
    }

    /** Where the library is gone another's site may lie at its address. */
    private ArmedSite described(DefinedProbe defined, DefinedProbe.Point point) {
        return point.target.described(defined.isThere(point) ? sites.at(point.plan.address()).plan() : point.plan, defined.spec);
    }

    /** Which of the probe's hits become events from now on; calls that are inside may be judged by the former settings. */
    void use(Probe probe, ProbeSettings settings) throws IOException {
        byte[] steps = settings.steps(clockRate.perNano());
        byte[] packed = settings.pack(probe.spec().type(), steps.length, clockRate.perNano());
        synchronized (this) {
            DefinedProbe defined = defined(probe);
            if (Arrays.equals(packed, defined.settings) && Arrays.equals(steps, defined.steps)) {
                return;
            }
            defined.settings = packed;
            defined.steps = steps;
            defined.commits = settings.mode() != Mode.COUNT;
            if (defined.commits && defined.isArmed()) {
                register(defined);
            }
            boolean used = false;
            try {
                use(defined);
                used = true;
            } finally {
                if (!used) {
                    defined.settings = null;
                }
            }
        }
    }

    private static void use(DefinedProbe defined) throws IOException {
        int[] ids = defined.ids().stream().mapToInt(Integer::intValue).toArray();
        Helper.check(Helper.up_probes_settings(ids, ids.length, defined.settings, defined.steps), "settings");
    }

    synchronized boolean isArmed(Probe probe) {
        DefinedProbe defined = probes.get(probe);
        return defined != null && defined.isArmed();
    }

    private DefinedProbe defined(Probe probe) {
        DefinedProbe defined = probes.get(probe);
        refuseClosed();
        if (defined == null) {
            throw new IllegalStateException(probe + " was given up");
        }
        return defined;
    }

    /** See {@link Probe#forget}. */
    void forget(Probe probe) {
        List<LoadedLibrary> free = new ArrayList<>();
        DefinedProbe defined;
        synchronized (this) {
            sites.lookAgain();
            defined = probes.remove(probe);
            if (defined == null) {
                return;
            }
            release(defined.points(), free);
        }
        giveBack(free);
        drain(false, FORGET_MILLIS);
        probe.forgotten();
        giveUp(defined.ids());
        reclaim();
    }

    /** Their sites are released. */
    private static void giveUp(Collection<Integer> numbers) {
        int[] ids = numbers.stream().mapToInt(Integer::intValue).toArray();
        synchronized (NUMBERS) {
            Helper.up_probes_give_up(ids, ids.length);
        }
    }

    /** Returns how many numbers that were given up somebody may still refer to. */
    static int reclaim() {
        synchronized (NUMBERS) {
            return Helper.up_probes_reclaim(JNIEnv.CURRENT);
        }
    }

    /** The number by which the helper knows the site at this address. */
    synchronized int siteIndex(long address) {
        return sites.at(address).index();
    }

    /**
     * One address to count hits at, whatever function it belongs to.
     *
     * @param functionStart of the symbol or .eh_frame entry that holds it
     * @param functionEnd address behind its last byte
     * @param mechanism the one to use; null for the best there is
     */
    record SiteRequest(LoadedLibrary library, long functionStart, long functionEnd, long address, Mechanism mechanism) {}

    /**
     * What became of it.
     *
     * @param probe counts its hits; -1 if it was refused
     * @param refusal null if it was armed
     */
    record SiteOutcome(SiteRequest request, int probe, Mechanism mechanism, Refusal refusal, String why) {}

    /** Arms each by itself with a probe that records nothing but its hits; in the order of functions is fastest. */
    synchronized List<SiteOutcome> armSites(List<SiteRequest> requests) throws ProbeRefusedException, IOException {
        refuseClosed();
        sites.lookAgain();
        signals.keep("sites");
        startDraining();
        List<SiteOutcome> outcomes = new ArrayList<>();
        for (SiteRequest request : requests) {
            try {
                OpenSignals.refuseUnguarded(request.library(), request.library().fileName());
                outcomes.add(arm(request));
            } catch (ProbeRefusedException e) {
                outcomes.add(new SiteOutcome(request, -1, null, e.refusal(), e.getMessage()));
            }
        }
        return outcomes;
    }

    private SiteOutcome arm(SiteRequest request) throws ProbeRefusedException, IOException {
        String where = request.library().fileName() + "!0x" + Long.toHexString(request.address() - request.library().loadBias());
        SiteTable.Site known = sites.at(request.address());
        SitePlan plan = known == null || request.mechanism() == null ? null : known.plan(request.mechanism());
        if (plan == null || LibraryPlan.isOvertaken(plan)) {
            finder.refuseCriticalSection(request.library(), request.address(), where);
            Displaced displaced = sites.codeOf(request.library(), request.functionStart(), request.functionEnd()).at(request.address(), where);
            plan = LibraryPlan.planned(planner, request.library(), displaced, request.mechanism(), where, where);
            planner.verify();
        }
        int probe = define(1, ProbeType.ENTRY, 0, new byte[0], 0, -1)[0];
        loose.add(probe);
        sites.arm(sites.define(List.of(plan)), new int[] {probe});
        return new SiteOutcome(request, probe, plan.described().mechanism(), null, plan.described().reason());
    }

    synchronized void disarmSites(List<SiteOutcome> outcomes) {
        sites.lookAgain();
        for (SiteOutcome outcome : outcomes) {
            if (outcome.probe() >= 0) {
                sites.release(List.of(sites.at(outcome.request().address())), new int[] {outcome.probe()});
            }
        }
    }

    List<ArmedSite> disarm(Probe probe) {
        List<ArmedSite> left = new ArrayList<>();
        List<LoadedLibrary> free = new ArrayList<>();
        synchronized (this) {
            sites.lookAgain();
            DefinedProbe defined = probes.get(probe);
            if (defined == null) {
                return left;
            }
            release(defined.points(), free).forEach(site -> left.add(site.plan().described()));
        }
        giveBack(free);
        return left;
    }

    /** Not called with the engine's lock: the last reference to a library runs its destructors. */
    private void giveBack(List<LoadedLibrary> libraries) {
        List<Long> handles = new ArrayList<>();
        synchronized (this) {
            libraries.forEach(library -> handles.add(pins.giveBack(library)));
        }
        handles.forEach(Helper::unpin);
    }

    /** Keeps the library mapped; what is not held since it was looked at must be looked at once more. */
    private void hold(LoadedLibrary library, List<LoadedLibrary> held) throws ProbeRefusedException, IOException {
        boolean before = pins.take(library);
        held.add(library);
        if (!before && !library.isStillThere()) {
            finder.lookAgain();
            throw new ProbeRefusedException(Refusal.LIBRARY_GONE, library.fileName(), "another may be there now: ask again");
        }
    }

    /**
     * Compares all armed sites with what the engine wrote there; costs about a microsecond for each ten sites.
     *
     * @return those that somebody else has written over since the last call, each once for each byte that was found there
     */
    public synchronized List<ChangedSite> changed() {
        if (closed) {
            return List.of();
        }
        sites.lookAgain();
        return sites.changed().stream().map(this::changedSite).flatMap(Optional::stream).toList();
    }

    private Optional<ChangedSite> changedSite(SiteTable.Site site) {
        List<Probe> users = probes.entrySet().stream().filter(probe -> probe.getValue().points().stream().anyMatch(point -> point.armed == site)).map(Map.Entry::getKey).toList();
        return users.isEmpty() || sites.isGone(site.library()) ? Optional.empty()
                : Optional.of(new ChangedSite(site.plan().described(), users, sites.found(site)));
    }

    /**
     * Has what libraries that came since the last arming would block by system calls of their own pass through the helper, while there are traps that
     * their threads could run into. Cheap if none came.
     */
    public synchronized void guardNewLibraries() throws IOException {
        if (probes.values().stream().anyMatch(DefinedProbe::isArmed)) {
            signals.guardNewLibraries();
        }
    }

    /**
     * Has several probes armed with one reading of the masks of the process's threads, which takes as long as arming some ten. What they are armed by may
     * be called as ever meanwhile.
     */
    public void together(Runnable task) {
        synchronized (this) {
            signals.together(1);
        }
        try {
            task.run();
        } finally {
            synchronized (this) {
                signals.together(-1);
            }
        }
    }

    private static int kind(ProbeType type) {
        return switch (type) {
            case ENTRY -> 0;
            case RETURN -> 1;
            case CALL -> 2;
        };
    }

    /** Off the caller's thread: HotSpot's attach listener is a Java thread of another C++ class than those that call native methods. */
    private static String attachToVm() {
        int[] result = {Helper.NO_VM};
        String[] problem = new String[1];
        Thread plain = new Thread(null, () -> {
            try (Memory layout = VmLayout.of(Platform.libjvm())) {
                result[0] = Helper.up_jvm_attach(JNIEnv.CURRENT, layout);
            } catch (UnsatisfiedLinkError | IOException e) {
                problem[0] = String.valueOf(e.getMessage());
            }
        }, "uprobe-attach", 0, false);
        plain.start();
        Threads.join(plain);
        return result[0] == 0 ? "" : "no Java stacks: this VM does not tell where its threads keep their frames"
                + (problem[0] == null ? "" : " (" + problem[0] + ")");
    }

    private void startDraining() throws IOException {
        if (drainThread == null && javaStacks.isEmpty()) {
            Thread name = new Thread(null, null, "uprobe-drain", 0, false);
            name.setDaemon(true);
            Helper.check(Helper.up_drain_start(JNIEnv.CURRENT, name, options.drainMillis() * 1_000_000L,
                    Math.round(options.longCallMillis() * 1e6 * clockRate.perNano())),
                    "a drain thread");
            drainThread = name;
        }
    }
}
