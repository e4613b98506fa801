package uprobe.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import uprobe.jfr.EventBridge;
import uprobe.jfr.RecordedProbe;
import uprobe.probe.CommitMethod;
import uprobe.probe.HitRecordDescriptor;
import uprobe.probe.HitRun;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.spec.ProbeParser;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeSyntaxException;

/**
 * Adds probes whose library was not loaded when they were asked for. While a recording runs, a probe of our own on {@code JVM_LoadLibrary}, through
 * which System.load and its kin go, has the loading thread wait until its library has been looked at, so the first call of a native is seen. A
 * recording that starts waits likewise. Libraries that native code opens by itself are noticed by asking the dynamic linker every
 * {@value #PERIOD_MS} ms whether it has loaded anything.
 */
final class LibraryWatch implements Runnable {
    private static final long PERIOD_MS = 20;
    /** A thread that loads a library waits at most so long for the next probe to be settled: it may hold locks that arming needs. The longer time is for
     * a machine so busy that the probe is still being worked on. */
    private static final long PATIENCE_MS = 5_000, LONGEST_PATIENCE_MS = 30_000;
    private static LibraryWatch instance;

    private final EventBridge bridge;
    private final ByteBuffer records;
    private final List<ProbeSpec> waiting = new ArrayList<>();
    private final Thread thread = new Thread(null, this, "uprobe-library-watch", 0, false);
    private long changesSeen;
    private long settledSoFar;
    private volatile boolean anyWaits;
    private volatile boolean saysArmed;

    LibraryWatch(EventBridge bridge) {
        this.bridge = bridge;
        this.records = bridge.engine().records();
        instance = this;
        thread.setDaemon(true);
        thread.start();
        bridge.beforeRecordings(this::awaitLook);
        try {
            bridge.armDuringRecordings(bridge.engine().define(ProbeParser.parse("p libjvm:JVM_LoadLibrary"),
                    (id, spec, stem, symbol, memory) -> new CommitMethod(LibraryWatch.class, "loaded")), () -> anyWaits);
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

    /** Until the libraries that are loaded now have been looked at, as long as that gets on; not those that others load meanwhile. */
    private synchronized void awaitLook() {
        long now = bridge.engine().libraryChanges(), seen = settledSoFar, since = System.nanoTime();
        boolean interrupted = false;
        notifyAll();
        while (!waiting.isEmpty() && changesSeen < now) {
            if (settledSoFar != seen) {
                seen = settledSoFar;
                since = System.nanoTime();
            }
            long waited = (System.nanoTime() - since) / 1_000_000;
            if (waited >= (thread.getState() == Thread.State.RUNNABLE ? LONGEST_PATIENCE_MS : PATIENCE_MS)) {
                System.err.println("uprobe: " + waiting.get(0).text() + " and what waits with it is not armed after " + waited
                        + " ms: the thread that loaded a library or started a recording goes on, and what is called until then is not seen");
                break;
            }
            try {
                wait(PERIOD_MS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** @param quiet whether only what goes wrong with them is said */
    void add(List<ProbeSpec> specs, boolean quiet) {
        synchronized (this) {
            waiting.addAll(specs);
            anyWaits = !waiting.isEmpty();
            saysArmed = !quiet;
            changesSeen = 0;          /* one may have been loaded between the look that missed it and now */
            notifyAll();
        }
        bridge.needChanged();
    }

    @Override
    public void run() {
        try {
            while (true) {
                try {
                    look();
                } catch (OutOfMemoryError e) {
                    Thread.sleep(PERIOD_MS);    /* there may be memory again in a moment; nothing is settled before it has been looked at */
                }
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() throws InterruptedException {
        List<ProbeSpec> wanted;
        long changes;
        synchronized (this) {
            while (waiting.isEmpty()) {
                wait();
            }
            changes = bridge.engine().libraryChanges();
            wanted = changes == changesSeen ? List.of() : List.copyOf(waiting);
        }
        List<ProbeSpec> settled = new ArrayList<>();
        for (ProbeSpec spec : wanted) {
            if (!stillWaits(spec)) {
                settled.add(spec);
            }
            synchronized (this) {
                settledSoFar++;
                notifyAll();
            }
        }
        boolean noneLeft;
        synchronized (this) {
            waiting.removeAll(settled);
            noneLeft = anyWaits && waiting.isEmpty();
            anyWaits = !waiting.isEmpty();
            changesSeen = changes;
            notifyAll();
            if (changes == bridge.engine().libraryChanges()) {
                wait(PERIOD_MS);
            }
        }
        if (noneLeft) {
            bridge.needChanged();
        }
    }

    private boolean stillWaits(ProbeSpec spec) {
        try {
            RecordedProbe added = bridge.add(spec);
            Agent.added();
            if (saysArmed && added.refusal().isEmpty()) {
                System.err.println("uprobe: " + Agent.describe(added));
            }
        } catch (ProbeRefusedException e) {
            if (e.refusal().isForWantOfALibrary()) {
                return true;
            }
            System.err.println("uprobe: " + spec.text() + ": refused: " + e.getMessage());
        } catch (IOException | RuntimeException e) {
            System.err.println("uprobe: " + spec.text() + ": refused: " + e.getMessage());
        }
        return false;
    }
}
