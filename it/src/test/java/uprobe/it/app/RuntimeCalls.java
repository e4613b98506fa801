package uprobe.it.app;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Compiled and interpreted Java that calls the VM wherever it can: slow allocations, implicit and thrown exceptions, stacks walked and overflown, calls
 * that are resolved anew, classes that come and make compiled code invalid, monitors fought for, by virtual threads too, garbage collections. Its
 * arguments: rounds. What it prints depends on nothing else.
 */
public final class RuntimeCalls {
    private static final int THREADS = 3, KEPT = 60, VIRTUAL_THREADS = 100;

    private static final Object lock = new Object();
    private static long shared;
    private static volatile Object sink;
    private static volatile Shape newest = new Line();

    private RuntimeCalls() {
    }

    /** Public, as another loader's class implements it. */
    public interface Shape {
        int area(int x);
    }

    private static final class Line implements Shape {
        @Override
        public int area(int x) {
            return x + 1;
        }
    }

    /** Defined again and again, by a loader of its own. */
    public static final class Another implements Shape {
        @Override
        public int area(int x) {
            return x * 2;
        }
    }

    private static final class Loader extends ClassLoader {
        Loader() {
            super(RuntimeCalls.class.getClassLoader());
        }

        Shape another() throws IOException, ReflectiveOperationException {
            try (InputStream in = RuntimeCalls.class.getResourceAsStream("RuntimeCalls$Another.class")) {
                byte[] bytes = in.readAllBytes();
                return (Shape) defineClass(Another.class.getName(), bytes, 0, bytes.length).getDeclaredConstructor().newInstance();
            }
        }
    }

    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[0]);
        long[] sums = new long[THREADS];
        Fixture.together(THREADS, thread -> sums[thread] = work(thread, rounds));
        long sum = 0;
        for (long one : sums) {
            sum = 31 * sum + one;
        }
        System.out.println("result " + sum + " " + shared + " " + virtualThreads(rounds));
    }

    static long work(int thread, int rounds) throws Exception {
        Random random = new Random(thread);
        Map<Integer, byte[]> kept = new HashMap<>();
        long sum = 0;
        for (int round = 0; round < rounds; round++) {
            byte[] bytes = new byte[random.nextInt(200_000) + 1];
            kept.put(round % KEPT, bytes);
            sink = new int[3][4][round % 5 + 1];
            sum += bytes.clone().length;
            synchronized (lock) {
                shared++;
                if (round % 50 == 0) {
                    lock.notifyAll();
                } else if (round % 97 == 0) {
                    lock.wait(0, 1000);
                }
            }
            if (round % 20 == 0) {
                newest = round % 40 == 0 ? new Loader().another() : new Line();
            }
            Shape shape = round % 2 == 0 ? new Another() : new Line();
            for (int i = 0; i < 50; i++) {
                sum += shape.area(i) + newest.area(0) / 2;
            }
            sum += exceptions(round);
            if (round % 100 == 0) {
                sum += overflow(0) > 100 ? 1 : 0;
            }
            if (round % 10 == 0) {
                sum += depthOf(new Throwable(), round % 7);
            }
            if (round % 250 == 249) {
                System.gc();
            }
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 5; i++) {
                text.append(i).append(':').append(round);
            }
            sum += text.toString().hashCode();
        }
        return sum;
    }

    private static int depthOf(Throwable top, int n) {
        return n == 0 ? new Throwable().getStackTrace().length - top.getStackTrace().length : depthOf(top, n - 1);
    }

    private static long exceptions(int round) {
        long sum = 0;
        try {
            Object nothing = round % 3 == 0 ? null : "x";
            sum += nothing.hashCode();
        } catch (NullPointerException e) {
            sum++;
        }
        try {
            sum += new int[3][round % 5].length + new int[3][1][round % 5].length;
        } catch (ArrayIndexOutOfBoundsException e) {
            sum += 2;
        }
        try {
            Object text = "s";
            sum += round % 7 == 0 ? (Integer) text : 3;
        } catch (ClassCastException e) {
            sum += 4;
        }
        try {
            sum += round / (round % 11);
        } catch (ArithmeticException e) {
            sum += 5;
        }
        try {
            sum += thrown(round % 40);
        } catch (IllegalStateException e) {
            sum += 6;
        }
        return sum;
    }

    private static int thrown(int n) {
        if (n == 0) {
            throw new IllegalStateException();
        }
        return 1 + thrown(n - 1);
    }

    private static int overflow(int n) {
        try {
            return overflow(n + 1);
        } catch (StackOverflowError e) {
            return n;
        }
    }

    /** Virtual threads that block on a monitor and in it, where there are such: they are taken off their carriers in the middle of a call of the VM. */
    static long virtualThreads(int rounds) throws Exception {
        java.lang.reflect.Method start;
        try {
            start = Thread.class.getMethod("startVirtualThread", Runnable.class);
        } catch (NoSuchMethodException e) {
            return 0;
        }
        AtomicLong done = new AtomicLong();
        for (int wave = 0; wave < rounds / 100; wave++) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < VIRTUAL_THREADS; i++) {
                int number = i;
                threads.add((Thread) start.invoke(null, (Runnable) () -> fight(number, done)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
        return done.get();
    }

    private static void fight(int number, AtomicLong done) {
        for (int i = 0; i < 20; i++) {
            synchronized (lock) {
                shared++;
                if (i % 7 == number % 7) {
                    LockSupport.parkNanos(10_000);
                }
                if (i % 11 == number % 11) {
                    try {
                        lock.wait(1);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }
            }
            sink = new byte[1000 + 100 * number];
        }
        done.incrementAndGet();
    }
}
