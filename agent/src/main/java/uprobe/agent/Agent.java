package uprobe.agent;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import jdk.jfr.Configuration;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import uprobe.jfr.EventBridge;
import uprobe.jfr.ProbeRequest;
import uprobe.jfr.RecordedProbe;
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
    /** First line of an argument file that the command line wrote: where it waits for the outcome. */
    static final String ANSWER = "# answer to: ";

    private static LibraryWatch watch;
    private static Recording recording;
    private static EventBridge.Options options;
    private static volatile Runnable configuration = () -> { };

    /** What was asked for in one start, and what is said of it. */
    private final List<String> said = new ArrayList<>();
    private boolean failed;
    private boolean quiet;
    private boolean saidWhatIsLoaded;
    private final PrintStream err = System.err;
    private volatile Thread starter = Thread.currentThread();

    /** Called by {@code uprobe.agent.boot}, once per premain or agentmain. */
    public static void start(String arguments, boolean attached) {
        synchronized (Agent.class) {
            boolean begun = OwnWork.begin();
            try {
                new Agent().run(arguments);
            } finally {
                OwnWork.end(begun);
            }
        }
    }

    private void run(String arguments) {
        AgentArguments.Result wanted = AgentArguments.parse(arguments);
        quiet = wanted.quiet();
        wanted.errors().forEach(this::problem);
        try {
            if (ModuleLayer.boot().findModule("jdk.jfr").isPresent() && FlightRecorder.isAvailable()) {
                options = options(wanted);
                ProbeEngine.headStart(wanted.probes());
                /* First of all recordings: JDK 25 crashes at the end of an AOT training if event classes are redefined that have run already. */
                wanted.record().ifPresent(this::record);
                EventBridge bridge = EventBridge.open(options);
                boolean begun = OwnWork.begin();
                try {
                    set(bridge, wanted);
                } finally {
                    OwnWork.end(begun);
                }
            } else {
                problem("this JVM has no Flight Recorder (module jdk.jfr): probes have nowhere to record to");
            }
        } catch (ProbeRefusedException | IOException | RuntimeException | LinkageError e) {
            problem("no probes: " + (e instanceof ProbeRefusedException || e instanceof IOException ? e.getMessage() : rootOf(e).toString()));
        }
        starter = null;
        boolean begun = OwnWork.begin();
        try {
            answer(arguments);
        } finally {
            OwnWork.end(begun);
        }
    }

    private void set(EventBridge bridge, AgentArguments.Result wanted) {
        if (!bridge.engine().withoutJavaStacks().isEmpty()) {
            problem(bridge.engine().withoutJavaStacks());
        }
        bridge.engine().together(() -> wanted.probes().forEach(spec -> add(bridge, spec)));
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
        Set<String> given = wanted.given();
        if (options == null) {
            return new EventBridge.Options(EngineOptions.DEFAULT.withRings(wanted.ringBytes(), wanted.rings()), wanted.armedAlways(), wanted.enabled(),
                    wanted.guard(), wanted.allSites(), this::fromBridge);
        }
        return new EventBridge.Options(options.engine(), given.contains("armed") ? wanted.armedAlways() : options.always(),
                given.contains("enabled") ? wanted.enabled() : options.enabled(), given.contains("guard") ? wanted.guard() : options.guard(),
                given.contains("sites") ? wanted.allSites() : options.allSites(), this::fromBridge);
    }

    private void add(EventBridge bridge, ProbeSpec spec) {
        try {
            tell(bridge.add(spec), spec, this::note, this::problem, this::waits);
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
        said.add(line);
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

    private void answer(String arguments) {
        if (arguments == null || !arguments.startsWith("@")) {
            return;
        }
        try {
            String first = Files.readString(Path.of(arguments.substring(1)), StandardCharsets.UTF_8).lines().findFirst().orElse("");
            if (first.startsWith(ANSWER)) {
                Files.writeString(Path.of(first.substring(ANSWER.length())), (failed ? "failed\n" : "ok\n") + String.join("\n", said));
            }
        } catch (IOException | RuntimeException e) {
            err.println("uprobe: the command that attached gets no answer: " + e);
        }
    }

    private Agent() {}
}
