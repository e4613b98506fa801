package uprobe.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import uprobe.jfr.EventBridge;
import uprobe.jfr.ProbeRequest;
import uprobe.probe.CommitMethod;
import uprobe.probe.HitRecordDescriptor;
import uprobe.probe.OwnWork;
import uprobe.probe.Threads;
import uprobe.probe.HitRun;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.spec.ProbeParser;
import uprobe.probe.spec.ProbeSyntaxException;

/**
 * Probes live in the libraries that come and go, however many match. While a recording runs, a probe of our own on {@code JVM_LoadLibrary}, through
 * which System.load and its kin go, has the loading thread wait until its library has been looked at, so the first call of a native is seen. A
 * recording that starts waits likewise. What native code opens or closes by itself is noticed by asking the dynamic linker every {@value #PERIOD_MS} ms
 * whether it has done anything.
 */
final class LibraryWatch implements Runnable {
    private static final long PERIOD_MS = 20;
    /** A thread that loads a library waits at most so long for the next probe to be settled: it may hold locks that arming needs. The longer time is for
     * a machine so busy that the probe is still being worked on, or other threads are waited for, which the engine never does without an end. */
    private static final long PATIENCE_MS = 5_000, LONGEST_PATIENCE_MS = 30_000;
    /** So much of a step of the waiting counts: the process may have been stopped, and the watch with it. */
    private static final long LONGEST_STEP_US = 200_000;
    private static LibraryWatch instance;

    private final EventBridge bridge;
    private final ByteBuffer records;
    private final Thread thread = new Thread(null, this, "uprobe-library-watch", 0, false);
    private long changesSeen;
    private int additions;
    private long settledSoFar;
    private volatile boolean quiet;
    private volatile boolean ended;
    /** Nothing of JMX is touched before the JVM has loaded its library for it. */
    private boolean jmx, mBean;

    LibraryWatch(EventBridge bridge) {
        this.bridge = bridge;
        this.records = bridge.engine().records();
        instance = this;
        thread.setDaemon(true);
        thread.start();
        bridge.beforeRecordings(this::awaitLook, this::awaited);
        try {
            bridge.armDuringRecordings(bridge.engine().define(ProbeParser.parse("p libjvm:JVM_LoadLibrary"),
                    (id, spec, stem, symbol, memory) -> new CommitMethod(LibraryWatch.class, "loaded")), () -> bridge.requests().stream().anyMatch(ProbeRequest::isWanted));
        } catch (ProbeRefusedException | ProbeSyntaxException | IOException e) {
            System.err.println("uprobe: libraries are noticed " + PERIOD_MS + " ms after they are loaded: " + e.getMessage());
        }
    }

    /** The commit method of the probe on JVM_LoadLibrary: runs when the native that called it returns. */
    static void loaded() {
        long run = HitRun.now();
        for (int i = 0, at = HitRun.offset(run); i < HitRun.count(run); i++) {
            int length = instance.records.getShort(at + HitRecordDescriptor.LENGTH);
            instance.records.putInt(at + HitRecordDescriptor.STATE, HitRecordDescriptor.COMMITTED);
            at += length;
        }
        if (!HitRun.isDrained(run)) {
            instance.awaitLook();
        }
    }

    private void awaitLook() {
        long waited = awaited();
        if (waited > 0) {
            System.err.println("uprobe: the libraries that are loaded have not been looked at after " + waited
                    + " ms: the thread that loaded a library or started a recording goes on, and what is called until then is not seen");
        }
    }

    /**
     * Until the libraries that are loaded now have been looked at, as long as that gets on; not those that others load meanwhile.
     *
     * @return 0, or after how many milliseconds that did not get on any more
     */
    private synchronized long awaited() {
        long now = bridge.engine().libraryChanges(), seen = settledSoFar, waited = 0, last = System.nanoTime();
        boolean interrupted = false, givenUp = false;
        notifyAll();
        while (changesSeen < now && !givenUp) {
            try {
                wait(PERIOD_MS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            long time = System.nanoTime();
            waited = settledSoFar != seen ? 0 : waited + Math.min((time - last) / 1_000, LONGEST_STEP_US);
            seen = settledSoFar;
            last = time;
            Thread.State state = thread.getState();
            boolean works = state == Thread.State.RUNNABLE || state == Thread.State.TIMED_WAITING;
            givenUp = changesSeen < now && waited / 1_000 >= (works ? LONGEST_PATIENCE_MS : PATIENCE_MS);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return givenUp ? waited / 1_000 : 0;
    }

    /**
     * There are more requests.
     *
     * @param quiet whether only what goes wrong is said
     */
    synchronized void added(boolean quiet) {
        this.quiet = quiet;
        additions++;
        changesSeen = 0;          /* one may have been loaded between the look that missed it and now */
        notifyAll();
    }

    /** Waits until it has ended; what waits for it goes on. Its probe is the bridge's. */
    void end() {
        synchronized (this) {
            ended = true;
            changesSeen = Long.MAX_VALUE;
            notifyAll();
        }
        Threads.join(thread);
    }

    @Override
    public void run() {
        boolean begun = OwnWork.begin();
        try {
            while (!ended) {
                try {
                    look();
                } catch (OutOfMemoryError e) {
                    Thread.sleep(PERIOD_MS);    /* there may be memory again in a moment; nothing is settled before it has been looked at */
                }
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        } finally {
            OwnWork.end(begun);
        }
    }

    private void look() throws InterruptedException {
        long changes = bridge.engine().libraryChanges();
        boolean again;
        int before;
        synchronized (this) {
            again = changes != changesSeen;
            before = additions;
        }
        if (again) {
            guard();
        }
        if (!mBean && (jmx || again && (jmx = bridge.engine().isLoaded("libmanagement")))) {
            mBean = Agent.registerMBean();
        }
        for (ProbeRequest request : again ? bridge.requests() : List.<ProbeRequest>of()) {
            look(request);
            synchronized (this) {
                settledSoFar++;
                notifyAll();
            }
        }
        synchronized (this) {
            if (again && before == additions) {
                changesSeen = changes;
                notifyAll();
            }
            if (changes == bridge.engine().libraryChanges()) {
                wait(PERIOD_MS);
            }
        }
    }

    /** Also a library that nobody probes may block SIGTRAP and then call one that somebody does. */
    private void guard() {
        try {
            bridge.engine().guardNewLibraries();
        } catch (IOException | RuntimeException e) {
            System.err.println("uprobe: what new libraries do with signals can not be seen: " + e.getMessage());
        }
    }

    private void look(ProbeRequest request) {
        Consumer<String> problem = line -> System.err.println("uprobe: " + line);
        try {
            ProbeRequest.Look look = bridge.look(request);
            if (look.changes().stream().anyMatch(ProbeRequest.Change::isNew)) {
                Agent.added();
            }
            Agent.tell(look, request.written(), quiet ? line -> { } : problem, problem, ProbeRefusedException::getMessage);
        } catch (IOException | RuntimeException e) {
            problem.accept(request.written().text() + ": refused: " + e.getMessage());
        }
    }
}
