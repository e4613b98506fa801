package uprobe.jfr;

import uprobe.probe.OwnWork;
import uprobe.probe.Threads;

/**
 * The bridge's own thread: applies at once what recordings change while they run, and looks after the probes every {@value #PERIOD_MS} ms, after what
 * costs more every {@value #SELDOM}th time.
 */
final class Steward implements Runnable {
    private static final long PERIOD_MS = 50;
    private static final int SELDOM = 20;

    private final EventBridge bridge;
    private boolean wanted;
    private String told = "";

    Steward(EventBridge bridge) {
        this.bridge = bridge;
    }

    private volatile boolean ended;
    private Thread thread;

    void start() {
        thread = new Thread(null, this, "uprobe-steward", 0, false);
        thread.setDaemon(true);
        thread.start();
    }

    /** Waits until it has ended. Not called with a lock that it takes. */
    void end() {
        ended = true;
        wake();
        Threads.join(thread);
    }

    /** May be called with any lock held: this one is never held while another is taken. */
    synchronized void wake() {
        wanted = true;
        notifyAll();
    }

    @Override
    public void run() {
        boolean begun = OwnWork.begin();
        try {
            boolean wish = false;
            for (int round = 1; !ended; round++) {
                wish |= awaitWish();
                try {
                    if (wish) {
                        bridge.applyWishes();
                        wish = false;
                    }
                    bridge.keep(round % SELDOM == 0);
                } catch (RuntimeException | Error e) {
                    tell(e);
                }
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        } finally {
            OwnWork.end(begun);
        }
    }

    /** JFR tells one setting after the other, enables the event last, and holds its lock all the while: applyWishes, which asks for recordings, waits for that. */
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
        return true;
    }

    /** The probes are looked after all the same: when memory is out it may be there again in a moment. Whatever goes on failing is said once. */
    private void tell(Throwable problem) {
        try {
            String line = "an error of the agent's own, please report it: " + problem;
            if (!line.equals(told)) {
                told = line;
                bridge.says().accept(line);
            }
        } catch (RuntimeException | Error again) {
            /* no memory to say it in */
        }
    }
}
