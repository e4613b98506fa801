package uprobe.jfr;

import jdk.jfr.FlightRecorder;

/**
 * The bridge's own thread: applies at once what recordings change while they run, and looks after the probes every {@value #PERIOD_MS} ms, after what
 * costs more every {@value #SELDOM}th time.
 */
final class Steward implements Runnable {
    private static final long PERIOD_MS = 50;
    private static final int SELDOM = 20;

    private final EventBridge bridge;
    private boolean wanted;

    Steward(EventBridge bridge) {
        this.bridge = bridge;
    }

    void start() {
        Thread thread = new Thread(null, this, "uprobe-steward", 0, false);
        thread.setDaemon(true);
        thread.start();
    }

    /** May be called with any lock held: this one is never held while another is taken. */
    synchronized void wake() {
        wanted = true;
        notifyAll();
    }

    @Override
    public void run() {
        try {
            for (int round = 1;; round++) {
                boolean wish = awaitWish();
                try {
                    if (wish) {
                        bridge.applyAll();
                    }
                    bridge.keep(round % SELDOM == 0);
                } catch (RuntimeException | LinkageError e) {
                    bridge.says().accept("an error of the agent's own, please report it: " + e);      /* the probes are looked after all the same */
                }
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }

    /** JFR tells one setting after the other, enables the event last, and holds its lock all the while: whoever asks for recordings waits for that. */
    private boolean awaitWish() throws InterruptedException {
        synchronized (this) {
            if (!wanted) {
                wait(PERIOD_MS);
            }
            if (!wanted) {
                return false;
            }
            wanted = false;
        }
        FlightRecorder.getFlightRecorder().getRecordings();
        return true;
    }
}
