package uprobe.agent;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jdk.jfr.Configuration;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import uprobe.agent.mbean.Probes;
import uprobe.agent.verb.Session;
import uprobe.agent.verb.Target;
import uprobe.agent.verb.Verbs;
import uprobe.jfr.EventBridge;
import uprobe.jfr.ProbeRequest;
import uprobe.jfr.RecordedProbe;
import uprobe.jfr.RepositorySpace;
import uprobe.probe.ArmedSite;
import uprobe.probe.EngineOptions;
import uprobe.probe.OwnWork;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.spec.ProbeSpec;

/**
 * The agent inside a JVM, however it came in. Errors in what the user asked for are one clear line each on stderr, and the application runs on.
 * Nothing here touches java.util.logging or JMX: before main an application has not chosen its own yet.
 */
public final class Agent {
    /** Argument of a command: the socket on which it listens. {@code jar=} behind it is {@code uprobe.agent.boot}'s. */
    private static final Pattern COMMAND = Pattern.compile("command=([^;]+)(?:;jar=.*)?");

    /** Options that one may take for those of the probes beside them. */
    private static final List<String> FOR_ALL = List.of("armed", "enabled", "guard", "sites");

    private static final String NO_JFR = "this JVM has no Flight Recorder (module jdk.jfr): probes have nowhere to record to";

    private static LibraryWatch watch;
    private static Recording recording;
    private static EventBridge.Options options;
    private static EventBridge bridge;
    private static volatile boolean mBean;
    private static final Map<String, String> optionsGiven = new TreeMap<>();
    private static volatile Runnable configuration = () -> { };

    /** What was asked for in one start, and what is said of it. */
    private final Consumer<String> listener;
    private final boolean listens;
    private boolean failed;
    private boolean quiet;
    private boolean saidWhatIsLoaded;
    private final PrintStream err = System.err;
    private volatile Thread starter = Thread.currentThread();

    /** @param listener gets what is said, beside stderr; null: nobody asked */
    private Agent(Consumer<String> listener) {
        this.listens = listener != null;
        this.listener = listens ? listener : line -> { };
    }

    /** Called by {@code uprobe.agent.boot}, once per premain or agentmain. */
    public static void start(String arguments, boolean attached) throws IOException {
        Matcher command = COMMAND.matcher(arguments == null ? "" : arguments);
        if (command.matches()) {
            Session.start(AsTarget.INSTANCE, Path.of(command.group(1)));
        } else {
            start(arguments, null);
        }
    }

    /** Whether nothing of it is at work. For {@code uprobe.agent.boot}. */
    public static boolean isDetached() {
        synchronized (Agent.class) {
            return bridge == null && watch == null && recording == null;
        }
    }

    /** @return whether all that was asked for holds */
    private static boolean start(String arguments, Consumer<String> listener) {
        synchronized (Agent.class) {
            boolean begun = OwnWork.begin();
            try {
                Agent agent = new Agent(listener);
                agent.run(arguments);
                return !agent.failed;
            } finally {
                OwnWork.end(begun);
            }
        }
    }

    private void run(String arguments) {
        AgentArguments.Result wanted = AgentArguments.parse(arguments);
        quiet = wanted.quiet();
        wanted.errors().forEach(this::problem);
        boolean onlyVerbs = !wanted.verbs().isEmpty() && wanted.given().isEmpty() && wanted.probes().isEmpty();
        if (!onlyVerbs) {
            begin(wanted);
        }
        starter = null;
        wanted.verbs().forEach(this::act);
    }

    private void begin(AgentArguments.Result wanted) {
        if (!hasJfr()) {
            problem(NO_JFR);
            return;
        }
        try {
            refuseAFullDisk();
            optionsGiven.putAll(wanted.given());
            options = options(wanted);
            wanted.dir().ifPresent(folder -> ProbeEngine.unpackTo(folder.toAbsolutePath()));
            ProbeEngine.headStart(wanted.probes());
            /* First of all recordings: JDK 25 crashes at the end of an AOT training if event classes are redefined that have run already. */
            wanted.record().ifPresent(this::record);
            bridge = EventBridge.open(options);
            boolean begun = OwnWork.begin();
            try {
                set(bridge, wanted);
            } finally {
                OwnWork.end(begun);
            }
        } catch (ProbeRefusedException | IOException | RuntimeException | LinkageError e) {
            problem("no probes: " + (e instanceof ProbeRefusedException || e instanceof IOException ? e.getMessage() : rootOf(e).toString()));
        }
    }

    private static boolean hasJfr() {
        return ModuleLayer.boot().findModule("jdk.jfr").isPresent() && FlightRecorder.isAvailable();
    }

    private static void refuseAFullDisk() throws IOException {
        if (!FlightRecorder.isInitialized()) {
            RepositorySpace.check();
        }
    }

    /** What needs an agent that is there already. */
    private void act(String verb) {
        failed |= !Verbs.act(verb, AsTarget.INSTANCE, this::say, this::problem);
    }

    /**
     * As soon as somebody has JMX running: the platform's MBean server is there once libmanagement is, but not at once.
     *
     * @return whether that is done, or will never be
     */
    static boolean registerMBean() {
        try {
            mBean |= Probes.register(AsTarget.INSTANCE);
            return mBean;
        } catch (RuntimeException | LinkageError e) {
            System.err.println("uprobe: no MBean: " + e);
            return true;
        }
    }

    /** Loaded when a command comes, or JMX is there. */
    private static final class AsTarget implements Target {
        static final Target INSTANCE = new AsTarget();

        @Override
        public EventBridge bridge() throws ProbeRefusedException, IOException {
            synchronized (Agent.class) {
                if (bridge == null) {
                    if (!hasJfr()) {
                        throw new IOException(NO_JFR);
                    }
                    refuseAFullDisk();
                    options = options == null ? new Agent(null).options(AgentArguments.parse("")) : options;
                    bridge = EventBridge.open(options);
                }
                if (watch == null) {
                    watch = new LibraryWatch(bridge);
                }
                return bridge;
            }
        }

        @Override
        public Optional<EventBridge> bridgeIfOpen() {
            synchronized (Agent.class) {
                return Optional.ofNullable(bridge);
            }
        }

        @Override
        public boolean apply(String items, Consumer<String> said) {
            return start(items, said);
        }

        @Override
        public List<String> detach() {
            synchronized (Agent.class) {
                if (recording != null) {
                    recording.stop();       /* writes it to its destination */
                    recording.close();
                    recording = null;
                }
                if (watch != null) {
                    watch.end();
                    watch = null;
                }
                try {
                    if (mBean) {
                        Probes.unregister();
                        mBean = false;
                    }
                } catch (RuntimeException | LinkageError e) {
                    System.err.println("uprobe: the MBean stays: " + e);
                }
                List<String> stays = bridge == null ? List.of() : bridge.close();
                bridge = null;
                options = null;
                configuration = () -> { };
                optionsGiven.clear();
                return stays;
            }
        }

        @Override
        public List<String> optionsGiven() {
            synchronized (Agent.class) {
                return List.copyOf(optionsGiven.values());
            }
        }
    }

    private void set(EventBridge bridge, AgentArguments.Result wanted) {
        if (!bridge.engine().withoutJavaStacks().isEmpty()) {
            problem(bridge.engine().withoutJavaStacks());
        }
        List<ProbeRequest> before = bridge.requests();      /* two of a name in one start are a mistake */
        bridge.engine().together(() -> wanted.probes().forEach(spec -> add(bridge, spec, before)));
        wanted.off().ifPresent(disarmed -> {
            bridge.off(disarmed);
            note(disarmed ? "off: every probe is disarmed until the agent is told on" : "on: recordings arm probes again");
        });
        wanted.jfc().ifPresent(file -> writeConfiguration(bridge, file));
        watch(bridge);
        bridge.engine().limits().forEach(this::note);
    }

    /** What an earlier start said holds on where this one says nothing; the rings are those of the first. */
    private EventBridge.Options options(AgentArguments.Result wanted) {
        Set<String> given = wanted.given().keySet();
        FOR_ALL.stream().filter(name -> listens && given.contains(name)).forEach(name -> note(wanted.given().get(name) + " holds for all probes of this JVM from now on"));
        if (options == null) {
            return new EventBridge.Options(EngineOptions.DEFAULT.withRings(wanted.ringBytes(), wanted.rings()), wanted.armedAlways(), wanted.enabled(),
                    wanted.guard(), wanted.allSites(), this::fromBridge);
        }
        return new EventBridge.Options(options.engine(), given.contains("armed") ? wanted.armedAlways() : options.always(),
                given.contains("enabled") ? wanted.enabled() : options.enabled(), given.contains("guard") ? wanted.guard() : options.guard(),
                given.contains("sites") ? wanted.allSites() : options.allSites(), this::fromBridge);
    }

    private void add(EventBridge bridge, ProbeSpec spec, List<ProbeRequest> before) {
        if (before.stream().anyMatch(request -> request.written().text().equals(spec.text()) && bridge.requests().contains(request))) {
            note(spec.text() + ": is there already, as it is");
            return;
        }
        try {
            tell(bridge.add(spec, before), spec, this::note, this::problem, this::waits);
        } catch (IOException | RuntimeException e) {
            problem(spec.text() + ": refused: " + (e.getMessage() == null ? e.toString() : e.getMessage()));
        }
    }

    /**
     * A line for each thing that a look at the libraries has changed.
     *
     * @param waits what is said of a probe whose library is not there yet
     */
    static void tell(ProbeRequest.Look look, ProbeSpec spec, Consumer<String> note, Consumer<String> problem,
            Function<ProbeRefusedException, String> waits) {
        for (ProbeRequest.Change change : look.changes()) {
            RecordedProbe probe = change.probe();
            change.went().forEach(library -> note.accept(spec.text() + ": " + library + " was unloaded" + (change.places() == 0 ? "; the probe waits for it" : "")));
            if (!change.came().isEmpty() && probe.refusal().isEmpty()) {        /* else that is said already */
                note.accept(describe(probe, change.came(), change.parts()));
            }
        }
        for (ProbeRefusedException refused : look.refused()) {
            if (refused.refusal().isForWantOfALibrary()) {
                note.accept(spec.text() + ": " + waits.apply(refused) + "; the probe waits for it");
            } else {
                problem.accept(spec.text() + ": refused: " + refused.getMessage());
            }
        }
    }

    private static String describe(RecordedProbe probe, List<ArmedSite> came, int parts) {
        ArmedSite site = came.get(0);
        int more = came.size() - 1;
        long iterating = came.stream().filter(ArmedSite::countsIterations).count();
        boolean armed = probe.probe().isArmed();
        return probe.spec().text() + ": " + (armed ? "armed at " : "ready at ") + site.library() + "!" + site.symbol() + " by " + site.mechanism().text()
                + (more > 0 ? " and " + more + " more" : "")
                + (parts > 0 ? ", and " + parts + " parts of functions left out" : "")
                + (armed ? "" : "; armed while a recording has " + probe.eventName() + " enabled")
                + (iterating == 0 ? "" : "; " + (more > 0 ? "at " + iterating + " of them " : "") + ArmedSite.ITERATIONS);
    }

    private void watch(EventBridge bridge) {
        if (watch == null && !bridge.requests().isEmpty()) {
            watch = new LibraryWatch(bridge);
        }
        if (watch != null) {
            watch.added(quiet);
        }
    }

    /** Written now, and again when a library has brought probes with it. */
    private void writeConfiguration(EventBridge bridge, Path file) {
        configuration = () -> {
            try {
                Files.writeString(file, bridge.configuration(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                problem("jfc=" + file + ": can not be written: " + e);
            }
        };
        configuration.run();
    }

    /** Another library has brought a probe with it. */
    static void added() {
        configuration.run();
    }

    private void record(Path file) {
        Path target = file.toAbsolutePath();
        if (recording != null) {
            problem("record=" + file + ": a recording of the agent is running already");
            return;
        }
        if (target.getParent() == null || !Files.isDirectory(target.getParent()) || !Files.isWritable(target.getParent())) {
            problem("record=" + file + ": the folder " + target.getParent() + " is not there or can not be written to; no recording is made");
            return;
        }
        try {
            recording = new Recording(Configuration.getConfiguration("default"));
            recording.setName("uprobe");
            recording.setDestination(target);
            recording.setDumpOnExit(true);      /* by JFR's own hook; its last chunk ends with the bridge draining what is left */
            recording.start();
        } catch (IOException | ParseException | RuntimeException e) {
            problem("record=" + file + ": " + e.getMessage());
        }
    }

    /** What is no error; not said to a user who asked for quiet. */
    private void note(String line) {
        if (!quiet) {
            say(line);
        }
    }

    /** What the bridge says: while probes are added it is a problem with them, later it is told to whoever reads stderr. */
    private void fromBridge(String line) {
        if (Thread.currentThread() == starter) {
            problem(line);
        } else if (!quiet) {
            err.println("uprobe: " + line);
        }
    }

    /** What is loaded instead of the library that a probe waits for is said once in a start. */
    private String waits(ProbeRefusedException refused) {
        boolean again = refused.refusal() == Refusal.LIBRARY_NOT_LOADED && saidWhatIsLoaded;
        saidWhatIsLoaded |= refused.refusal() == Refusal.LIBRARY_NOT_LOADED;
        return again ? refused.brief() : refused.getMessage();
    }

    private void say(String line) {
        listener.accept(line);
        err.println("uprobe: " + line);
    }

    /** What a class could not be initialized for, say: the error itself tells nothing of it. */
    private static Throwable rootOf(Throwable e) {
        return e.getCause() == null || e.getCause() == e ? e : rootOf(e.getCause());
    }

    private void problem(String line) {
        failed = true;
        say(line);
    }
}
