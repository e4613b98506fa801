package uprobe.probe;

/** What the engine and who uses it do with threads of their own. */
public final class Threads {
    /** Waits until a thread has ended, also if the caller is interrupted meanwhile: it still is afterwards. */
    public static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private Threads() {}
}
