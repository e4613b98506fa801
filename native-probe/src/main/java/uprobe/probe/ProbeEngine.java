package uprobe.probe;

import com.sun.jna.JNIEnv;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import uprobe.probe.code.Displaced;
import uprobe.probe.code.FunctionCode;
import uprobe.probe.code.InstructionTable;
import uprobe.probe.code.Planner;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.elf.NativeSymbol;
import uprobe.probe.helper.FetchProgram;
import uprobe.probe.helper.Helper;
import uprobe.probe.helper.VmLayout;
import uprobe.probe.patch.LibraryPins;
import uprobe.probe.patch.SignalGuard;
import uprobe.probe.patch.SignalMasks;
import uprobe.probe.patch.SitePlan;
import uprobe.probe.patch.SiteTable;
import uprobe.probe.spec.LibraryPattern;
import uprobe.probe.spec.Mechanism;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;
import uprobe.probe.spec.Symbol;

/**
 * Puts probes into the native code of this process.
 *
 * <p>Everything that can be decided before a hit is decided here - symbols, mechanism, relocated code, field programs - and handed to the helper as
 * bytes and numbers. Arming is a transaction: all sites of a probe or none.
 *
 * <p>There is one engine in a process. Its methods may be called from any thread; they take the engine's lock, which no hit ever takes.
 */
public final class ProbeEngine {
    private static ProbeEngine instance;

    /** One place that a probe means, and the number under which the helper counts its hits there. */
    private record Point(int id, SitePlan plan) {}

    /** What the engine keeps of a probe, armed or not. */
    private static final class Defined {
        List<Point> points;
        /** {@link #libraryChanges} when they were found. */
        long changes;
        /** In the order of the points; empty while it is not armed. */
        List<SiteTable.Site> armed = List.of();

        boolean isArmed() {
            return !armed.isEmpty();
        }
    }

    private final EngineOptions options;
    private final ByteBuffer records;
    private final String javaStacks;
    private final Map<Probe, Defined> probes = new LinkedHashMap<>();
    private final Planner planner;
    private final LibraryPins pins = new LibraryPins();
    private final SiteTable sites = new SiteTable(pins);
    private final TargetFinder finder = new TargetFinder();
    private final ClockRate clockRate;
    private boolean draining;

    private ProbeEngine(EngineOptions options, String javaStacks) {
        this.options = options;
        this.javaStacks = javaStacks;
        planner = new Planner(options.farSlots());
        clockRate = new ClockRate(options.tsc());
        long size = Helper.up_ring_memory_size();
        records = new Pointer(Helper.up_ring_memory()).getByteBuffer(0, size).order(ByteOrder.nativeOrder());
    }

    /**
     * Loads the helper and sets up its memory; no code is changed yet. Later calls return the same engine, whatever their options.
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
            instance = new ProbeEngine(options, attachToVm());
        }
        return instance;
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
        return !draining || Helper.up_drain_now(unfinished ? 1 : 0, timeoutMillis * 1_000_000) == 0;
    }

    /**
     * Finds every function that the probe's pattern names in the libraries that are loaded now, and prepares all that arming needs. No code is changed.
     *
     * @param factory asked for the commit methods
     * @throws ProbeRefusedException if a site is refused; then nothing was changed
     */
    public Probe define(ProbeSpec spec, CommitMethod.Factory factory) throws ProbeRefusedException, IOException {
        List<LoadedLibrary> held = new ArrayList<>();
        try {
            return defineHolding(spec, factory, held);
        } finally {
            giveBack(held);
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
    private synchronized Probe defineHolding(ProbeSpec spec, CommitMethod.Factory factory, List<LoadedLibrary> held)
            throws ProbeRefusedException, IOException {
        List<RefusedFunction> refused = new ArrayList<>();
        List<SitePlan> plans = plan(spec, held, refused);
        byte[] program = FetchProgram.encode(spec);
        Defined defined = new Defined();
        defined.points = new ArrayList<>();
        defined.changes = finder.changes();
        for (SitePlan plan : plans) {
            defined.points.add(new Point(idFor(spec, program, defined.points), plan));
            sites.define(plan);
        }
        List<ProbePoint> places = described(defined, spec);
        factory.places(spec, places);
        Set<Integer> registered = new HashSet<>();
        for (ProbePoint place : places) {
            if (registered.add(place.id())) {
                CommitMethod commit = factory.make(place.id(), spec, LibraryPattern.stem(place.site().library()), place.site().symbol(), records());
                Helper.check(Helper.up_commit_register(JNIEnv.CURRENT, place.id(), commit.owner(), commit.frames(), commit.name(), TargetFinder.offset(spec)), "registering " + commit);
            }
        }
        startDraining();
        Probe probe = new Probe(this, spec, LibraryPattern.stem(places.get(0).site().library()), places, refused);
        probes.put(probe, defined);
        return probe;
    }

    /** The places of a symbol share the first one's. */
    private int idFor(ProbeSpec spec, byte[] program, List<Point> before) throws IOException {
        return !before.isEmpty() && spec.target() instanceof Symbol ? before.get(0).id()
                : Helper.check(Helper.up_probe_define(kind(spec.type()), spec.fields().size(), program, program.length), "a probe");
    }

    /**
     * Where the probe's traps will be.
     *
     * @param refused gets the functions of a pattern that can not be probed; without a pattern one refuses all
     */
    private List<SitePlan> plan(ProbeSpec spec, List<LoadedLibrary> held, List<RefusedFunction> refused) throws ProbeRefusedException, IOException {
        sites.lookAgain();
        Map<LoadedLibrary, List<NativeSymbol>> targets = finder.find(spec);
        List<SitePlan> plans = new ArrayList<>();
        ProbeRefusedException last = null;
        try {
            for (Map.Entry<LoadedLibrary, List<NativeSymbol>> target : targets.entrySet()) {
                hold(target.getKey(), held);
                for (NativeSymbol symbol : TargetFinder.chosen(target.getKey(), target.getValue())) {
                    try {
                        plans.add(plan(target.getKey(), symbol, symbol.address() + TargetFinder.offset(spec), spec));
                    } catch (ProbeRefusedException e) {
                        if (spec.target() instanceof Symbol) {
                            throw e;
                        }
                        refused.add(new RefusedFunction(target.getKey().fileName(), symbol.name(), e.refusal(), e.getMessage()));
                        last = e;
                    }
                }
            }
        } catch (java.io.UncheckedIOException e) {
            throw e.getCause();
        }
        if (plans.isEmpty()) {
            throw last;
        }
        return plans;
    }

    /**
     * Writes the probe's traps, all or none. One that is armed already stays as it is.
     *
     * @throws ProbeRefusedException if a site is refused now: its library is gone, its code was changed, a thread has SIGTRAP blocked
     */
    public void arm(Probe probe) throws ProbeRefusedException, IOException {
        List<LoadedLibrary> held = new ArrayList<>();
        try {
            armHolding(probe, held);
        } finally {
            giveBack(held);
        }
    }

    private synchronized void armHolding(Probe probe, List<LoadedLibrary> held) throws ProbeRefusedException, IOException {
        Defined defined = probes.get(probe);
        if (defined == null) {
            throw new IllegalStateException(probe + " was given up");
        } else if (defined.isArmed()) {
            return;
        }
        if (!isStillRight(defined, held)) {
            defined.points = findAgain(probe, defined.points, held);
            defined.changes = finder.changes();
        }
        keepTrapsOpen(probe.spec().library().text() + ":" + probe.spec().target());
        if (defined.points.stream().anyMatch(point -> isOvertaken(point.plan()))) {
            defined.points = findAgain(probe, defined.points, held);
        }
        for (Point point : defined.points) {
            refuseUnguarded(point.plan().library(), point.plan().described().library() + "!" + point.plan().described().symbol());
        }
        List<SiteTable.Site> done = new ArrayList<>();
        try {
            for (Point point : defined.points) {
                SiteTable.Site site = sites.define(point.plan());
                sites.arm(site, point.id());
                pins.take(site.library());
                done.add(site);
            }
        } catch (ProbeRefusedException | IOException e) {
            for (int i = 0; i < done.size(); i++) {
                sites.release(done.get(i), defined.points.get(i).id());
            }
            giveBack(done.stream().map(SiteTable.Site::library).toList());
            throw e;
        }
        defined.armed = done;
        probe.armedAt(described(defined, probe.spec()));
    }

    /** Whether a jump of the engine's own has been put there since the plan was made. */
    private static boolean isOvertaken(SitePlan plan) {
        return SignalGuard.isClosed(plan.address()) || SignalGuard.ledFrom(plan.address()).isPresent() && plan.way().stands() == plan.way().displaced().unsigned(0);
    }

    /** Whether what was found is what the probe's pattern means now: nothing was loaded or unloaded since, and the code is the same. */
    private boolean isStillRight(Defined defined, List<LoadedLibrary> held) throws IOException {
        sites.lookAgain();
        finder.loaded();
        if (defined.changes != finder.changes()) {
            return false;
        }
        try {
            for (LoadedLibrary library : new LinkedHashSet<>(defined.points.stream().map(point -> point.plan().library()).toList())) {
                hold(library, held);
            }
            for (Point point : defined.points) {
                SiteTable.Site site = sites.at(point.plan().address());
                if (site == null || !sites.isStill(site, point.plan().library())) {
                    return false;
                }
            }
            return true;
        } catch (ProbeRefusedException e) {
            return false;       /* looked at once more, by who can say why */
        }
    }

    /** The same functions at what may be other addresses now. Those that a pattern names and that were not there when it was defined stay out. */
    private List<Point> findAgain(Probe probe, List<Point> before, List<LoadedLibrary> held) throws ProbeRefusedException, IOException {
        Map<String, Integer> ids = new HashMap<>();
        before.forEach(point -> ids.put(inFile(point.plan()), point.id()));
        List<Point> found = new ArrayList<>();
        for (SitePlan plan : plan(probe.spec(), held, new ArrayList<>())) {
            Integer id = probe.spec().target() instanceof Symbol ? Integer.valueOf(probe.id()) : ids.get(inFile(plan));
            if (id != null) {
                found.add(new Point(id, plan));
            }
        }
        if (found.isEmpty()) {
            throw new ProbeRefusedException(Refusal.LIBRARY_GONE, probe.spec().library().text(), "none of its functions is there any more");
        }
        return found;
    }

    /** The library and the address that its file has the place at. */
    private static String inFile(SitePlan plan) {
        return plan.library().fileName() + "+" + (plan.address() - plan.library().loadBias());
    }

    private List<ProbePoint> described(Defined defined, ProbeSpec spec) {
        return defined.points.stream().map(point -> new ProbePoint(point.id(), described(sites.at(point.plan().address()).plan(), spec))).toList();
    }

    private static ArmedSite described(SitePlan plan, ProbeSpec spec) {
        return spec.type() == ProbeType.ENTRY && plan.way().displaced().loopHead() ? plan.described().countingIterations() : plan.described();
    }

    /** Which of the probe's hits become events from now on; calls that are inside may be judged by the former settings. */
    void use(Probe probe, ProbeSettings settings) throws IOException {
        byte[] steps = settings.steps(clockRate.perNano());
        byte[] packed = settings.pack(probe.spec().type(), steps.length, clockRate.perNano());
        synchronized (this) {
            for (int id : probe.points().stream().mapToInt(ProbePoint::id).distinct().toArray()) {
                Helper.check(Helper.up_probe_settings(id, packed, steps), "settings");
            }
        }
    }

    synchronized boolean isArmed(Probe probe) {
        Defined defined = probes.get(probe);
        return defined != null && defined.isArmed();
    }

    /** Disarms it for good: what it was is forgotten, but for its numbers. */
    void forget(Probe probe) {
        disarm(probe);
        synchronized (this) {
            probes.remove(probe);
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
        sites.lookAgain();
        keepTrapsOpen("sites");
        startDraining();
        List<SiteOutcome> outcomes = new ArrayList<>();
        for (SiteRequest request : requests) {
            try {
                refuseUnguarded(request.library(), request.library().fileName());
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
        if (plan == null || isOvertaken(plan)) {
            finder.refuseCriticalSection(request.library(), request.address(), where);
            Displaced displaced = sites.codeOf(request.library(), request.functionStart(), request.functionEnd()).at(request.address(), where);
            plan = planned(request.library(), displaced, request.mechanism(), where, where);
        }
        int probe = Helper.check(Helper.up_probe_define(kind(ProbeType.ENTRY), 0, new byte[0], 0), "a probe");
        sites.arm(sites.define(plan), probe);
        return new SiteOutcome(request, probe, plan.described().mechanism(), null, plan.described().reason());
    }

    synchronized void disarmSites(List<SiteOutcome> outcomes) {
        sites.lookAgain();
        for (SiteOutcome outcome : outcomes) {
            if (outcome.probe() >= 0) {
                sites.release(sites.at(outcome.request().address()), outcome.probe());
            }
        }
    }

    List<ArmedSite> disarm(Probe probe) {
        List<ArmedSite> left = new ArrayList<>();
        List<LoadedLibrary> free = new ArrayList<>();
        synchronized (this) {
            sites.lookAgain();
            Defined defined = probes.get(probe);
            if (defined == null) {
                return left;
            }
            for (int i = 0; i < defined.armed.size(); i++) {
                SiteTable.Site site = defined.armed.get(i);
                if (!sites.release(site, defined.points.get(i).id())) {
                    left.add(site.plan().described());
                }
                free.add(site.library());
            }
            defined.armed = List.of();
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
        sites.lookAgain();
        return sites.changed().stream().map(this::changedSite).flatMap(Optional::stream).toList();
    }

    private Optional<ChangedSite> changedSite(SiteTable.Site site) {
        List<Probe> users = probes.entrySet().stream().filter(probe -> probe.getValue().armed.contains(site)).map(Map.Entry::getKey).toList();
        return users.isEmpty() || sites.isGone(site.library()) ? Optional.empty()
                : Optional.of(new ChangedSite(site.plan().described(), users, sites.found(site)));
    }

    private void keepTrapsOpen(String what) throws ProbeRefusedException, IOException {
        SignalGuard.install(finder.loaded());
        refuseWhileBlocked(what);
        if (SignalGuard.complete()) {
            refuseWhileBlocked(what);
        }
    }

    /** What a libc runs with all signals blocked is known only by where it blocks them. */
    private static void refuseUnguarded(LoadedLibrary library, String where) throws ProbeRefusedException {
        Optional<String> open = SignalGuard.unguarded();
        if (open.isPresent() && DeniedFunctions.isOfCLibrary(LibraryPattern.stem(library.fileName()))) {
            throw new ProbeRefusedException(Refusal.RUNS_WITH_SIGNALS_BLOCKED, where, open.get());
        }
    }

    private static void refuseWhileBlocked(String what) throws ProbeRefusedException, IOException {
        Optional<String> thread = SignalMasks.threadBlocking(SignalMasks.SIGTRAP);
        if (thread.isPresent()) {
            throw new ProbeRefusedException(Refusal.SIGNAL_BLOCKED, what,
                    "thread " + thread.get() + "; attach opens it, where this process may be traced");
        }
    }

    private SitePlan plan(LoadedLibrary library, NativeSymbol symbol, long address, ProbeSpec spec) throws ProbeRefusedException, IOException {
        TargetFinder.refuseFunction(library, symbol, spec);
        long offset = TargetFinder.offset(spec);
        String where = TargetFinder.where(library, symbol, offset);
        long end = symbol.size() > 0 ? symbol.address() + symbol.size() : library.symbols().nextFunctionStart(symbol.address());
        if (offset < 0 || address >= end) {
            throw new ProbeRefusedException(Refusal.OFFSET_OUTSIDE, where, "it is 0x" + Long.toHexString(end - symbol.address()) + " bytes long");
        }
        FunctionCode function = sites.codeOf(library, symbol.address(), end);
        Displaced displaced = function.at(address, where);
        SitePlan known = sites.known(library, address, spec.mechanism());
        if (displaced.is(InstructionTable.TRAP)) {      /* before more is decoded: what follows may be anything */
            throw new ProbeRefusedException(Refusal.FOREIGN_TRAP, where, "");
        }
        finder.refuseCriticalSection(library, address, where);
        if (spec.type() != ProbeType.ENTRY) {
            TargetFinder.refuseReturnOf(library, function, where);
        }
        return known != null && !isOvertaken(known) ? known : planned(library, displaced, spec.mechanism(), where, TargetFinder.named(symbol, offset));
    }

    private SitePlan planned(LoadedLibrary library, Displaced displaced, Mechanism mechanism, String where, String symbol)
            throws ProbeRefusedException, IOException {
        if (SignalGuard.isClosed(displaced.address())) {
            throw new ProbeRefusedException(Refusal.GUARDED, where, "");
        }
        OptionalLong led = SignalGuard.ledFrom(displaced.address());
        Planner.Planned planned = led.isPresent() ? planner.led(library, displaced, led.getAsLong(), mechanism, where)
                : planner.plan(library, displaced, mechanism, where);
        return new SitePlan(library, planned.way(),
                new ArmedSite(library.fileName(), symbol, displaced.address(), planned.way().mechanism(), planned.reason(), false));
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
        boolean interrupted = false;
        while (plain.isAlive()) {
            try {
                plain.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return result[0] == 0 ? "" : "no Java stacks: this VM does not tell where its threads keep their frames"
                + (problem[0] == null ? "" : " (" + problem[0] + ")");
    }

    private void startDraining() throws IOException {
        if (!draining && javaStacks.isEmpty()) {
            Thread name = new Thread(null, null, "uprobe-drain", 0, false);
            name.setDaemon(true);
            Helper.check(Helper.up_drain_start(JNIEnv.CURRENT, name, options.drainMillis() * 1_000_000L,
                    Math.round(options.longCallMillis() * 1e6 * clockRate.perNano())),
                    "a drain thread");
            draining = true;
        }
    }
}
