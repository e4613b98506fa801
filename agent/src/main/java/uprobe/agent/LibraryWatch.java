package uprobe.agent;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import uprobe.jfr.EventBridge;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.spec.ProbeSpec;

/**
 * Arms probes whose library was not loaded when they were asked for. A thread asks the dynamic linker every {@value #PERIOD_MS} ms whether it has
 * loaded anything; calls made before it notices are not seen.
 */
final class LibraryWatch implements Runnable {
    private static final long PERIOD_MS = 20;

    private final EventBridge bridge;
    private final List<ProbeSpec> waiting = new ArrayList<>();
    private long loadsSeen;

    LibraryWatch(EventBridge bridge) {
        this.bridge = bridge;
        Thread thread = new Thread(null, this, "uprobe-library-watch", 0, false);
        thread.setDaemon(true);
        thread.start();
    }

    synchronized void add(List<ProbeSpec> specs) {
        waiting.addAll(specs);
        loadsSeen = 0;          /* one may have been loaded between the look that missed it and now */
        notifyAll();
    }

    @Override
    public void run() {
        try {
            while (true) {
                look();
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void look() throws InterruptedException {
        while (waiting.isEmpty()) {
            wait();
        }
        long loads = bridge.engine().librariesLoaded();
        if (loads != loadsSeen) {
            loadsSeen = loads;
            for (Iterator<ProbeSpec> at = waiting.iterator(); at.hasNext();) {
                if (!stillWaits(at.next())) {
                    at.remove();
                }
            }
        }
        wait(PERIOD_MS);
    }

    private boolean stillWaits(ProbeSpec spec) {
        try {
            System.err.println("uprobe: " + Agent.describe(bridge.arm(spec)));
        } catch (ProbeRefusedException e) {
            if (e.refusal() == Refusal.LIBRARY_NOT_LOADED) {
                return true;
            }
            System.err.println("uprobe: " + spec.text() + ": refused: " + e.getMessage());
        } catch (IOException | RuntimeException e) {
            System.err.println("uprobe: " + spec.text() + ": refused: " + e.getMessage());
        }
        return false;
    }
}
