package uprobe.it.app;

import java.util.ArrayList;
import java.util.List;

/**
 * Threads that wait in Object.wait and wake each other while objects move: virtual ones where there are any, which are frozen within that native
 * method (JEP 491). Argument: milliseconds.
 */
public final class Waiters {
    private static final int LOCKS = 50, THREADS_PER_LOCK = 4, WAIT_MS = 2;

    private static volatile Throwable failure;

    public static void main(String[] args) throws Exception {
        long end = System.currentTimeMillis() + Fixture.argument(args, 0, 3_000);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < LOCKS; i++) {
            Object lock = new Object();
            String name = "lock " + i;
            for (int k = 0; k < THREADS_PER_LOCK; k++) {
                threads.add(start(() -> waitUntil(end, lock, name)));
            }
        }
        Churn.during(() -> {
            for (Thread thread : threads) {
                thread.join();
            }
        });
        Fixture.check(failure == null, () -> "" + failure);
        Fixture.ok();
    }

    private static Thread start(Runnable body) {
        if (Runtime.version().feature() >= 21) {
            return Fixture.startVirtual(body);
        }
        Thread thread = new Thread(body);
        thread.start();
        return thread;
    }

    private static void waitUntil(long end, Object lock, String name) {
        Object[] own = {name, new byte[100]};
        try {
            while (System.currentTimeMillis() < end) {
                synchronized (lock) {
                    lock.notifyAll();
                    lock.wait(WAIT_MS);
                }
            }
            if (own[0] != name || ((byte[]) own[1]).length != 100) {
                throw new Error("the stack of a waiter of " + name + " is damaged");
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private Waiters() {}
}
