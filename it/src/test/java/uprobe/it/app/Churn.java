package uprobe.it.app;

import java.util.ArrayDeque;

/** A thread that allocates and collects, so that objects move while others call natives. */
final class Churn {
    private static final int LIVE_CHUNKS = 2_000;
    private static final int CHUNKS_BETWEEN_COLLECTIONS = 20_000;

    private volatile boolean ended;
    private Throwable failure;

    private Churn() {
    }

    /** What goes on meanwhile. */
    interface Body<E extends Throwable> {
        void run() throws E;
    }

    static <E extends Throwable> void during(Body<E> body) throws E, InterruptedException {
        Churn churn = new Churn();
        Thread thread = new Thread(churn::run, "churn");
        thread.setDaemon(true);
        thread.start();
        try {
            body.run();
        } finally {
            churn.ended = true;
            thread.join();
        }
        if (churn.failure != null) {
            throw new AssertionError("churn failed", churn.failure);
        }
    }

    private void run() {
        try {
            ArrayDeque<int[]> live = new ArrayDeque<>();
            for (int i = 0; !ended; i++) {
                int[] chunk = new int[64 + i % 512];
                chunk[0] = i;
                live.add(chunk);
                if (live.size() > LIVE_CHUNKS) {
                    Fixture.same(i - LIVE_CHUNKS, live.remove()[0], "a chunk that lived through collections");
                }
                if (i % CHUNKS_BETWEEN_COLLECTIONS == 0) {
                    System.gc();
                }
            }
        } catch (Throwable e) {
            failure = e;
        }
    }
}
