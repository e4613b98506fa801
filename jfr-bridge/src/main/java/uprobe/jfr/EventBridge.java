package uprobe.jfr;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import uprobe.probe.ArmedProbe;
import uprobe.probe.ArmedSite;
import uprobe.probe.ChangedSite;
import uprobe.probe.CommitMethod;
import uprobe.probe.EngineOptions;
import uprobe.probe.ProbeCounters;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.spec.JavaNames;
import uprobe.probe.spec.LibraryPattern;
import uprobe.probe.spec.ProbeSpec;

/**
 * Probes whose hits are JFR events. One event class per probe ({@link ProbeEventClass}); beside them {@link ProbeArmed}, {@link ProbeRefused},
 * {@link ProbeStatistics} and {@link DataLoss} tell about the probes themselves, at once and again in every chunk.
 */
public final class EventBridge {
    /** How long the end of a chunk may wait for the drain thread. */
    private static final long CHUNK_END_MILLIS = 2_000;
    private static EventBridge instance;

    /** What a probe that was refused looked like. */
    private record Refused(ProbeSpec spec, ProbeRefusedException why) {}

    private final ProbeEngine engine;
    private final Map<String, ArmedProbe> armed = new LinkedHashMap<>();
    private final List<Refused> refused = new ArrayList<>();
    private final Map<Integer, ProbeCounters> reported = new LinkedHashMap<>();

    private EventBridge(ProbeEngine engine) {
        this.engine = engine;
    }

    /**
     * Starts JFR's recorder (no recording) and the engine, with one base of time. Later calls return the same bridge.
     *
     * @throws ProbeRefusedException if the platform is not supported
     * @throws IOException if the native helper can not be set up
     * @throws IllegalStateException if this JVM has no JFR
     */
    public static synchronized EventBridge open(EngineOptions options) throws ProbeRefusedException, IOException {
        if (instance == null) {
            FlightRecorder.getFlightRecorder();
            ProbeEngine engine;
            /* JFR gives event classes their begin() only while a recording runs. */
            try (Recording forTheClock = new Recording()) {
                forTheClock.setToDisk(false);
                forTheClock.start();
                Class<? extends Event> clock = ProbeEventClass.clock();
                LongSupplier jfrTicks = ProbeEventClass.ticksOf(clock);
                engine = ProbeEngine.open(options.withTsc(JfrClock.jfrCountsTsc(jfrTicks)));
                JfrClock.calibrate(jfrTicks, ProbeEngine::clock);
                FlightRecorder.unregister(clock);
            }
            instance = new EventBridge(engine);
            instance.register();
        }
        return instance;
    }

    /** For {@link Hits}, which is first used when the bridge is open. */
    static synchronized ByteBuffer records() {
        return instance.engine.records();
    }

    public ProbeEngine engine() {
        return engine;
    }

    private void register() {
        List.of(ProbeArmed.class, ProbeRefused.class, ProbeStatistics.class, DataLoss.class).forEach(FlightRecorder::register);
        FlightRecorder.addPeriodicEvent(ProbeArmed.class, this::emitArmed);
        FlightRecorder.addPeriodicEvent(ProbeRefused.class, this::emitRefused);
        FlightRecorder.addPeriodicEvent(ProbeStatistics.class, this::emitStatistics);
    }

    /**
     * Arms a probe; from now on its hits are events of the type {@link #eventName}.
     *
     * @throws ProbeRefusedException with the reason, which is in the recording as well; nothing was changed
     */
    public synchronized ArmedProbe arm(ProbeSpec spec) throws ProbeRefusedException, IOException {
        String[] name = new String[1];
        try {
            ArmedProbe probe = engine.arm(spec, (id, s, stem, symbol, records) -> {
                name[0] = eventName(s, stem, symbol);
                if (armed.containsKey(name[0])) {
                    throw new IllegalArgumentException("a probe of the name " + name[0] + " is there already: give it another, "
                            + s.type().letter() + ":GROUP/EVENT");
                }
                Class<? extends Event> event = ProbeEventClass.of(s, name[0], stem, symbol);
                FlightRecorder.register(event);
                ready(event);
                return new CommitMethod(event, ProbeEventClass.methodName(symbol));
            });
            armed.put(name[0], probe);
            emit(name[0], probe);
            emitStatistics(name[0], probe);
            return probe;
        } catch (ProbeRefusedException e) {
            if (e.refusal() != Refusal.LIBRARY_NOT_LOADED) {
                Refused entry = new Refused(spec, e);
                refused.add(entry);
                emit(entry);
            }
            throw e;
        }
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

    /** {@code uprobe.GROUP.EVENT}; what the probe leaves out is the library's stem and the function's symbol, as identifiers. */
    static String eventName(ProbeSpec spec, String stem, String symbol) {
        String group = spec.group() != null ? spec.group() : JavaNames.identifier(stem);
        String event = spec.event() != null ? spec.event() : JavaNames.identifier(symbol);
        return "uprobe." + group + "." + event;
    }

    /** The probes that are armed, by the names of their events. */
    public synchronized Map<String, ArmedProbe> probes() {
        return new LinkedHashMap<>(armed);
    }

    /** The sites that somebody else has written over, each told once, here and in the recording: see {@link ProbeEngine#changed}. */
    public synchronized List<ChangedSite> changed() {
        List<ChangedSite> changed = engine.changed();
        for (ChangedSite site : changed) {
            for (ArmedProbe probe : site.probes()) {
                ProbeRefused event = new ProbeRefused();
                event.probe = probe.spec().text();
                event.library = site.site().library();
                event.symbol = site.site().symbol();
                event.address = site.site().address();
                event.reason = site.message();
                event.commit();
            }
        }
        return changed;
    }

    /** Takes all probes out: the libraries' text is as it was. */
    public synchronized void disarmAll() {
        armed.values().forEach(ArmedProbe::disarm);
    }

    /** Everything that has been hit so far becomes events: see {@link ProbeEngine#drain}. */
    public void drain(boolean unfinished) {
        engine.drain(unfinished, CHUNK_END_MILLIS);
    }

    private synchronized void emitArmed() {
        armed.forEach(EventBridge::emit);
    }

    private static void emit(String name, ArmedProbe probe) {
        for (ArmedSite site : probe.sites()) {
            ProbeArmed event = new ProbeArmed();
            event.probe = name;
            event.library = site.library();
            event.symbol = site.symbol();
            event.address = site.address();
            event.mechanism = site.mechanism().text();
            event.reason = site.reason();
            event.commit();
        }
    }

    private synchronized void emitRefused() {
        refused.forEach(EventBridge::emit);
    }

    private static void emit(Refused entry) {
        ProbeRefused event = new ProbeRefused();
        event.probe = entry.spec().text();
        event.library = entry.spec().library().text();
        event.symbol = entry.spec().target().toString();
        event.reason = entry.why().getMessage();
        event.commit();
    }

    /** At the beginning and the end of a chunk. At the end what lies in the rings belongs into it; at the JVM's end, unfinished calls as well. */
    private void emitStatistics() {
        drain(jvmIsShuttingDown());
        synchronized (this) {
            armed.forEach(this::emitStatistics);
        }
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

    private void emitStatistics(String name, ArmedProbe probe) {
        ProbeCounters now = probe.counters();
        ProbeStatistics event = new ProbeStatistics();
        event.probe = name;
        event.library = LibraryPattern.stem(probe.sites().get(0).library());
        event.symbol = probe.sites().get(0).symbol();
        event.hits = now.hits();
        event.recorded = now.recorded();
        event.dropped = now.dropped();
        event.missed = now.missed();
        event.commit();
        ProbeCounters before = reported.put(probe.id(), now);
        lost(name, now.dropped() - (before == null ? 0 : before.dropped()), "ring full: raise ring= or rings=");
        lost(name, now.missed() - (before == null ? 0 : before.missed()), "caused by the making of events, or no return slot was free");
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
