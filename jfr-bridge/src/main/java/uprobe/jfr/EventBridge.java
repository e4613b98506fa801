package uprobe.jfr;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;
import uprobe.probe.ArmedSite;
import uprobe.probe.EngineOptions;
import uprobe.probe.Growth;
import uprobe.probe.OwnWork;
import uprobe.probe.Probe;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.spec.JavaNames;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.RateLimit;

/**
 * Probes whose hits are JFR events. One event class per probe ({@link ProbeEventClass}); beside them {@link ProbeArmed}, {@link ProbeRefused},
 * {@link ProbeStatistics} and {@link DataLoss} tell about the probes themselves, at once and again in every chunk.
 * <p>
 * Recordings steer: a probe is armed while one of them, or a RecordingStream, has its event enabled. When {@code start()} returns it is armed (JFR calls
 * its listeners before that); what is changed in a running recording is seen a moment later by the {@link Steward}.
 * <p>
 * Locks: {@code transactions} is taken by whoever defines, arms or disarms. JFR's recorder lock may be held then - Recording.close() of one that runs calls
 * the listeners with it -, and is never taken while {@code transactions} is held: what recordings want is asked before. Hooks at the ends of chunks and
 * settings take neither; they read what is volatile.
 */
public final class EventBridge {
    /**
     * How the bridge behaves.
     *
     * @param engine what is fixed when the engine starts
     * @param always probes are armed even if no recording wants them: what nobody wants is counted only
     * @param enabled whether recordings that say nothing of a probe's events have them enabled, where the probe does not say
     * @param guard events a second of one probe above which it only counts; {@link RateLimit#NONE}: no guard
     * @param allSites every place has its own ProbeArmed and ProbeStatistics, however many a probe has
     * @param says gets what happens to probes, a line each
     */
    public record Options(EngineOptions engine, boolean always, boolean enabled, RateLimit guard, boolean allSites, Consumer<String> says) {
        /** Armed by recordings, events enabled, no guard, nothing said. */
        public static final Options DEFAULT = new Options(EngineOptions.DEFAULT, false, true, RateLimit.NONE, false, line -> { });
    }

    /** How long the end of a chunk may wait for the drain thread. */
    private static final long CHUNK_END_MILLIS = 2_000;
    private static final List<Class<? extends Event>> OWN_TYPES = List.of(ProbeArmed.class, ProbeRefused.class, ProbeStatistics.class, DataLoss.class);
    private static EventBridge instance;
    private static volatile ByteBuffer records;

    private final ReentrantLock transactions = new ReentrantLock();
    private final ProbeEngine engine;
    private final List<ProbeRequest> requests = new CopyOnWriteArrayList<>();
    private final List<RecordedProbe> probes = new CopyOnWriteArrayList<>();
    private final Map<Probe, BooleanSupplier> helpers = new LinkedHashMap<>();
    private final ProbeNews news = new ProbeNews(probes, () -> options().allSites());
    private final Runnable armedHook = () -> ownWork(news::armed), refusedHook = () -> ownWork(news::refused), statisticsHook = () -> ownWork(this::emitStatistics);
    private final FlightRecorderListener listener = new FlightRecorderListener() {
        @Override
        public void recordingStateChanged(Recording recording) {
            ownWork(() -> stateChanged(recording.getState()));
        }
    };
    private final Steward steward = new Steward(this);
    private volatile Options options;
    private volatile Runnable beforeRecording = () -> { };
    private volatile Runnable beforeWish = () -> { };
    private volatile boolean off;
    private long lastLibraryChanges;
    /** How often recordings were asked what they want, and which of the answers was acted upon last. */
    private final AtomicLong asked = new AtomicLong();
    private long actedUpon;
    /** While a probe is added: whose place it may take, and whose it has taken. Guarded by the lock of transactions. */
    private Collection<ProbeRequest> replaceables = List.of();
    private final Set<ProbeRequest> replaced = new LinkedHashSet<>();

    private EventBridge(ProbeEngine engine, Options options) {
        this.engine = engine;
        this.options = options;
    }

    /**
     * Starts JFR's recorder (no recording) and the engine, with one base of time. Later calls return the same bridge, which takes over all options but
     * the engine's.
     *
     * @throws ProbeRefusedException if the platform is not supported
     * @throws IOException if the native helper can not be set up
     * @throws IllegalStateException if this JVM has no JFR
     */
    public static synchronized EventBridge open(Options options) throws ProbeRefusedException, IOException {
        if (instance == null) {
            FlightRecorder.getFlightRecorder();
            ProbeEngine engine = openWithJfrsClock(options.engine());
            engine.filterWhatJfrLeavesOut();
            records = engine.records();
            instance = new EventBridge(engine, options);
            instance.register();
        } else {
            instance.options = options;
            instance.settingsChanged();
        }
        return instance;
    }

    /**
     * Takes everything out that {@link #open} and {@link #add} brought: probes, event types, hooks, the thread, the engine. Recordings keep what they have.
     * It can be opened again.
     *
     * @return what has to stay in the process, a line each
     */
    public List<String> close() {
        synchronized (EventBridge.class) {
            if (instance != this) {
                return List.of();
            }
            steward.end();
            FlightRecorder.removeListener(listener);
            transactions.lock();
            try {
                requests.forEach(this::takeOut);
                helpers.keySet().forEach(Probe::forget);
                helpers.clear();
            } finally {
                transactions.unlock();
            }
            List.of(armedHook, refusedHook, statisticsHook).forEach(FlightRecorder::removePeriodicEvent);
            OWN_TYPES.forEach(FlightRecorder::unregister);
            instance = null;
            engine.close();
            return engine.leavings();
        }
    }

    private static ProbeEngine openWithJfrsClock(EngineOptions options) throws ProbeRefusedException, IOException {
        if (!running().isEmpty()) {     /* JFR gives event classes their begin() only while a recording runs */
            try {
                return openDuringRecording(options);
            } catch (IllegalStateException stoppedMeanwhile) {
                /* then with one of our own */
            }
        }
        try (Recording forTheClock = new Recording()) {
            forTheClock.setToDisk(false);
            forTheClock.start();
            return openDuringRecording(options);
        }
    }

    private static ProbeEngine openDuringRecording(EngineOptions options) throws ProbeRefusedException, IOException {
        Class<? extends Event> clock = ProbeEventClass.clock();
        try {
            LongSupplier jfrTicks = ProbeEventClass.ticksOf(clock);
            ProbeEngine engine = ProbeEngine.open(options.withTsc(JfrClock.jfrCountsTsc(jfrTicks)));
            JfrClock.calibrate(jfrTicks, ProbeEngine::clock);
            return engine;
        } finally {
            FlightRecorder.unregister(clock);
        }
    }

    /** For {@link Hits}, which is first used when the bridge is open. */
    static ByteBuffer records() {
        return records;
    }

    public ProbeEngine engine() {
        return engine;
    }

    private Options options() {
        return options;
    }

    ProbeNews news() {
        return news;
    }

    Consumer<String> says() {
        return options.says();
    }

    private void register() {
        OWN_TYPES.forEach(FlightRecorder::register);
        FlightRecorder.addPeriodicEvent(ProbeArmed.class, armedHook);
        FlightRecorder.addPeriodicEvent(ProbeRefused.class, refusedHook);
        FlightRecorder.addPeriodicEvent(ProbeStatistics.class, statisticsHook);
        FlightRecorder.addListener(listener);
        steward.start();
    }

    /** JFR's hooks run on whichever thread begins or ends a chunk. */
    private static void ownWork(Runnable task) {
        boolean begun = OwnWork.begin();
        try {
            task.run();
        } finally {
            OwnWork.end(begun);
        }
    }

    /** Before start() or stop() returns. At the JVM's end JFR calls this with its lock held, and nothing needs to be done. */
    private void stateChanged(RecordingState state) {
        if ((state == RecordingState.RUNNING || state == RecordingState.STOPPED) && !jvmIsShuttingDown()) {
            if (state == RecordingState.RUNNING) {
                beforeRecording.run();
            }
            asRecordingsWant(running -> {
                if (state == RecordingState.RUNNING) {
                    probes.forEach(RecordedProbe::release);
                }
                applyAll(running);
            });
        }
    }

    /** Something that JFR told with its lock held. */
    void settingsChanged() {
        steward.wake();
    }

    /** What was told with JFR's lock held, by the steward: a start of a recording tells settings before it is here itself. */
    void applyWishes() {
        lookFirst();
        applyAll();
    }

    /** Where all functions trap a look at libraries takes a hundred times as long, so none is armed before it. Takes time, so no lock may be held. */
    private void lookFirst() {
        if (probes.stream().noneMatch(probe -> probe.probe().isArmed())) {
            beforeWish.run();
        }
    }

    /** Makes all probes what recordings want of them now. */
    void applyAll() {
        asRecordingsWant(this::applyAll);
    }

    private void applyAll(List<Map<String, String>> running) {
        engine.together(() -> {
            probes.forEach(probe -> apply(probe, running));
            applyHelpers(running);
        });
    }

    /** Has this done with the lock of transactions held, and with the settings of all recordings that run. Caller does not hold the lock. */
    private void asRecordingsWant(Consumer<List<Map<String, String>>> task) {
        List<Map<String, String>> running = askAndLock();
        try {
            task.accept(running);
        } finally {
            transactions.unlock();
        }
    }

    /**
     * Takes the lock of transactions, which the caller does not hold yet. Nobody acts upon an older answer than another has: it is then asked once more.
     *
     * @return the settings of all recordings that run
     */
    private List<Map<String, String>> askAndLock() {
        while (true) {
            long number = asked.incrementAndGet();
            List<Map<String, String>> running = running();
            transactions.lock();
            if (number > actedUpon) {
                actedUpon = number;
                return running;
            }
            transactions.unlock();
        }
    }

    /**
     * Arms a probe of the agent's own while any recording runs, now if one does.
     *
     * @param needed asked each time; called with the bridge's lock held
     */
    public void armDuringRecordings(Probe helper, BooleanSupplier needed) {
        asRecordingsWant(running -> {
            helpers.put(helper, needed);
            applyHelpers(running);
        });
    }

    /**
     * Has these run before the probes of recordings are armed; without any lock of the bridge's or JFR's.
     *
     * @param recording when a recording starts, on its thread
     * @param wish before the first are armed for what the bridge's own thread has noticed; nobody's calls wait for it
     */
    public void beforeRecordings(Runnable recording, Runnable wish) {
        beforeRecording = recording;
        beforeWish = wish;
    }

    /** Has the probes of {@link #armDuringRecordings} looked at anew, whether they are needed. */
    public void needChanged() {
        asRecordingsWant(this::applyHelpers);
    }

    /** The settings of all recordings that run; a copy of some hundred entries each, so it is asked for once for all probes. Takes JFR's recorder lock. */
    private static List<Map<String, String>> running() {
        return FlightRecorder.getFlightRecorder().getRecordings().stream().filter(recording -> recording.getState() == RecordingState.RUNNING)
                .map(Recording::getSettings).toList();
    }

    private void applyHelpers(List<Map<String, String>> running) {
        boolean wanted = !off && (options.always() || !running.isEmpty());
        helpers.forEach((helper, needed) -> {
            try {
                if (wanted && needed.getAsBoolean()) {
                    helper.arm();
                } else {
                    helper.disarm();
                }
            } catch (ProbeRefusedException | IOException e) {
                says().accept(helper.spec().text() + ", a probe of the agent's own: " + e.getMessage());
            }
        });
    }

    private void apply(RecordedProbe probe, List<Map<String, String>> running) {
        if (probe.apply(options.always(), off, running)) {
            news.armed(probe, probe.probe().sites());
        }
    }

    /**
     * Adds what was asked for: hits are events of the types {@link RecordedProbe#eventName} while a recording has them enabled. It is armed now if one has,
     * in the libraries that are there; {@link #look} finds those that come.
     *
     * @param replaceable probes whose place it takes if it has their name: they are taken out once it is armed, so that no hit is missed. Hits of that
     *     moment are hits of both
     * @return what was found; no probe, and why, if there is nothing to be probed yet, or all is refused. A plain name that is refused is not added
     * @throws IllegalArgumentException if another probe of its name is there already; then it was not added
     */
    public ProbeRequest.Look add(ProbeSpec written, Collection<ProbeRequest> replaceable) throws IOException {
        ProbeRequest request = new ProbeRequest(written);
        List<Map<String, String>> running = askAndLock();
        try {
            replaceables = replaceable;
            replaced.clear();
            ProbeRequest.Look look = look(request, running);
            if (request.probes().isEmpty() && look.refused().isEmpty()) {
                look.refused().add(engine.nothing(request.spec()));
            }
            if (!request.probes().isEmpty() || !written.library().isOne() || look.refused().get(0).refusal().isForWantOfALibrary()) {
                requests.add(request);
            }
            if (!request.probes().isEmpty()) {
                replaced.forEach(this::takeOut);
            }
            return look;
        } finally {
            replaceables = List.of();
            transactions.unlock();
        }
    }

    /**
     * Takes probes out for good; what was recorded of them stays.
     *
     * @param names of event types, or LIBRARY:FUNCTION as it was written
     * @return their texts
     */
    public List<String> remove(Predicate<String> names) {
        transactions.lock();
        try {
            List<ProbeRequest> called = requests.stream().filter(request -> request.isCalled(names)).toList();
            called.forEach(this::takeOut);
            return called.stream().map(request -> request.written().text()).toList();
        } finally {
            transactions.unlock();
        }
    }

    /** Takes out what was asked for in one line; nothing if it is out already. */
    public void remove(ProbeRequest request) {
        transactions.lock();
        try {
            if (requests.contains(request)) {
                takeOut(request);
            }
        } finally {
            transactions.unlock();
        }
    }

    /** Its last hits become events first. Called with the lock of transactions. */
    private void takeOut(ProbeRequest request) {
        requests.remove(request);
        request.probes().forEach(probe -> probe.probe().disarm());
        engine.drain(false, CHUNK_END_MILLIS);
        for (RecordedProbe probe : request.probes()) {
            news.statistics(probe);
            probes.remove(probe);
            probe.probe().forget();
        }
        news.forget(request);
        request.probes().forEach(RecordedProbe::unregister);
    }

    /**
     * Settings that hold from now on whatever recordings say: filter, sample, limit, mode, threshold, enabled=false. An empty value takes one back. Where
     * JFR's own threshold is higher it holds.
     *
     * @param names of event types
     * @return a line for each probe that has such a name
     * @throws IllegalArgumentException if a setting or value means nothing; then it holds for none, or for those of the list before
     */
    public List<String> override(Predicate<String> names, Map<String, String> values) {
        List<Map<String, String>> running = askAndLock();
        try {
            List<String> changed = new ArrayList<>();
            for (RecordedProbe probe : probes) {
                if (names.test(probe.eventName())) {
                    changed.add(probe.override(values));
                    apply(probe, running);
                }
            }
            return changed;
        } finally {
            transactions.unlock();
        }
    }

    /** All that was asked for and can come true, now or later. */
    public List<ProbeRequest> requests() {
        return List.copyOf(requests);
    }

    /** Looks for libraries that have come or gone since the last look, and arms what recordings want in the new ones. Costs little where there are none. */
    public ProbeRequest.Look look(ProbeRequest request) throws IOException {
        List<Map<String, String>> running = askAndLock();
        try {
            return requests.contains(request) ? look(request, running) : new ProbeRequest.Look(List.of(), List.of());
        } finally {
            transactions.unlock();
        }
    }

    private ProbeRequest.Look look(ProbeRequest request, List<Map<String, String>> running) throws IOException {
        ProbeRequest.Look look = new ProbeRequest.Look(new ArrayList<>(), new ArrayList<>());
        for (RecordedProbe probe : request.probes()) {
            Growth growth = probe.grow(options.always(), off, running);
            growth.refused().forEach(function -> news.refused(probe.spec(), function));
            if (!growth.came().isEmpty() || !growth.went().isEmpty()) {
                look.changes().add(new ProbeRequest.Change(probe, false, growth.came(), growth.went(), growth.parts(), growth.places()));
            }
        }
        boolean byStem = EventTypes.isNamedByLibrary(request.spec());
        Set<String> names = new LinkedHashSet<>();
        ProbeEngine.News fresh = engine.news(request.spec(), request.seen());
        fresh.stems().forEach(stem -> names.add(byStem ? JavaNames.identifier(stem) : ""));
        names.removeAll(request.byName().keySet());
        for (String name : names) {
            try {
                RecordedProbe probe = define(request.spec(), stem -> !byStem || JavaNames.identifier(stem).equals(name), running);
                request.put(name, probe);
                List<ArmedSite> places = probe.probe().sites();
                look.changes().add(new ProbeRequest.Change(probe, true, places, List.of(), probe.probe().parts(), places.size()));
            } catch (ProbeRefusedException e) {
                if (e.refusal().isForWantOfALibrary()) {
                    request.seen().clear();         /* gone meanwhile, or another already */
                } else {
                    tell(request, e, look);
                }
            }
        }
        if (fresh.matched() && request.probes().isEmpty() && names.isEmpty() && request.spec().library().isOne() && !request.isSlipTold()) {
            ProbeRefusedException nothing = engine.nothing(request.spec());
            if (!nothing.refusal().isForWantOfALibrary()) {
                request.slipTold();
                tell(request, nothing, look);
            }
        }
        return look;
    }

    private void tell(ProbeRequest request, ProbeRefusedException why, ProbeRequest.Look look) {
        ProbeSpec written = request.written();
        boolean isNew = news.refused(new ProbeNews.Refused(written.text(), written.library().text(), written.target().toString(), 0, why.getMessage()));
        if (isNew || !requests.contains(request)) {     /* who asks once more is told once more */
            look.refused().add(why);
        }
    }

    /** @param stems of which libraries */
    private RecordedProbe define(ProbeSpec spec, Predicate<String> stems, List<Map<String, String>> running) throws ProbeRefusedException, IOException {
        boolean enabled = spec.options().enabled() == null ? options.enabled() : spec.options().enabled();
        RecordedProbe probe = new RecordedProbe(this, spec, enabled);
        EventTypes types = new EventTypes(enabled, (name, event) -> {
            if (!EventTypes.isShared(spec) && probes.stream().anyMatch(other -> other != probe && other.eventName().equals(name) && !isReplaced(other))) {
                throw new IllegalArgumentException("a probe of the name " + name + " is there already: give it another, " + spec.type().letter()
                        + ":GROUP/EVENT");
            }
            probe.register(name, event);
            ready(event);
        });
        probe.probe(engine.define(spec, stems, types));
        probes.add(probe);
        probe.probe().refused().forEach(function -> news.refused(spec, function));
        news.statistics(probe);      /* zeros: a recording that runs has the beginning, as others have it from their first chunk's start */
        apply(probe, running);
        return probe;
    }

    /** Another of its name is there now. */
    private boolean isReplaced(RecordedProbe probe) {
        Optional<ProbeRequest> of = replaceables.stream().filter(request -> requests.contains(request) && request.probes().contains(probe)).findFirst();
        of.ifPresent(replaced::add);
        return of.isPresent();
    }

    /** A probe whose libraries were all unloaded while it was armed. Whoever looked says so. */
    void gone(RecordedProbe probe) {
        ProbeNews.emit(ProbeNews.refusalOf(probe));
    }

    /** A probe that can not be armed though a recording wants it, as long as that is so. */
    void refused(RecordedProbe probe) {
        ProbeNews.emit(ProbeNews.refusalOf(probe));
        says().accept(probe.spec().text() + ": refused: " + probe.refusal());
    }

    /** A probe whose events came too fast: it goes on counting, and makes none until its settings are set again or the next recording starts. */
    void guarded(RecordedProbe probe, long perSecond) {
        String reason = "guard: " + perSecond + " events a second, more than " + options.guard().text()
                + "; only counted from now on, until its settings are set again or the next recording starts (guard=off lets it go on)";
        DataLoss event = new DataLoss();
        event.probe = probe.eventName();
        event.reason = reason;
        event.commit();
        says().accept(probe.eventName() + ": " + reason);
    }

    /**
     * Looks after all probes: guards, ends, what was changed in running recordings, what could not be armed; text that others have written over. Called
     * by the steward.
     *
     * @param seldom whether it is time for what is looked at each second only
     */
    void keep(boolean seldom) {
        List<RecordedProbe> changed;
        transactions.lock();
        try {
            long changes = engine.libraryChanges();
            boolean again = seldom || changes != lastLibraryChanges;
            lastLibraryChanges = changes;
            changed = probes.stream().filter(probe -> probe.keep(options.guard()) || probe.changedMeanwhile() || again && probe.isWorthAnotherTry()).toList();
        } finally {
            transactions.unlock();
        }
        if (!changed.isEmpty()) {
            lookFirst();
            asRecordingsWant(running -> {
                changed.stream().filter(probes::contains).forEach(probe -> apply(probe, running));      /* one may have been taken out meanwhile */
                applyHelpers(running);
            });
        }
        if (seldom) {
            needChanged();          /* no memory, when a recording ended: it may be there again */
            news.changed(engine).forEach(site -> says().accept(site.message()));
        }
    }

    /** Disarms everything, whatever recordings want, until it is called with false. */
    public void off(boolean disarmed) {
        off = disarmed;
        applyAll();
    }

    /** The commit method may run anywhere: whatever it loads and links is loaded and linked here. */
    private static void ready(Class<? extends Event> event) {
        try {
            Class.forName(event.getName(), true, event.getClassLoader());
            Hits.missing(1, new String[] {"a", "b"});
            Event warm = event.getDeclaredConstructor().newInstance();
            warm.shouldCommit();
        } catch (ReflectiveOperationException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** A recording configuration with the events of all probes, to be written to a .jfc file. */
    public String configuration() {
        return JfcText.of(probes);
    }

    /** All probes, armed or not. */
    public List<RecordedProbe> probes() {
        return List.copyOf(probes);
    }

    /** Everything that has been hit so far becomes events: see {@link ProbeEngine#drain}. */
    public void drain(boolean unfinished) {
        engine.drain(unfinished, CHUNK_END_MILLIS);
    }

    /** At the beginning and the end of a chunk. At the end what lies in the rings belongs into it; at the JVM's end, unfinished calls as well. */
    private void emitStatistics() {
        drain(jvmIsShuttingDown());
        probes.forEach(news::statistics);
    }

    /** JFR ends its last chunk in a shutdown hook, where the JVM takes no changes to hooks any more. */
    private static boolean jvmIsShuttingDown() {
        try {
            Runtime.getRuntime().removeShutdownHook(new Thread(null, null, "uprobe-no-hook", 0, false));
            return false;
        } catch (IllegalStateException shuttingDown) {
            return true;
        }
    }
}
