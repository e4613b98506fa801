package uprobe.agent;

import uprobe.jfr.EventBridge;
import uprobe.probe.ChangedSite;

/**
 * Looks every {@value #PERIOD_MS} ms whether the traps are still where they were put: a debugger or another tool that writes over one ends the
 * probe, and nobody would know.
 */
final class TextPatrol implements Runnable {
    private static final long PERIOD_MS = 1_000;
    private static TextPatrol instance;

    private final EventBridge bridge;
    private volatile boolean quiet;

    private TextPatrol(EventBridge bridge) {
        this.bridge = bridge;
    }

    /** @param quiet whether it tells the recording only */
    static synchronized void start(EventBridge bridge, boolean quiet) {
        if (instance == null) {
            instance = new TextPatrol(bridge);
            Thread thread = new Thread(null, instance, "uprobe-text-patrol", 0, false);
            thread.setDaemon(true);
            thread.start();
        }
        instance.quiet = quiet;
    }

    @Override
    public void run() {
        try {
            while (true) {
                Thread.sleep(PERIOD_MS);
                for (ChangedSite changed : bridge.changed()) {
                    if (!quiet) {
                        System.err.println("uprobe: " + changed.message());
                    }
                }
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }
}
