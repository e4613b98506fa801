package uprobe.it.app;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What the programs here share: each loads its library from the folder {@code native.dir}, checks every result itself, prints what a test
 * compares with the recording as lines {@code expected FUNCTION COUNT}, and ends with {@code ok} and exit code 0; a wrong result is an
 * exception and another exit code.
 */
final class Fixture {
    private Fixture() {
    }

    /** The part of a thread's work that may fail. */
    interface Work {
        void run(int thread) throws Exception;
    }

    static void load(String library) {
        System.load(System.getProperty("native.dir") + "/lib" + library + ".so");
    }

    static int argument(String[] args, int index, int otherwise) {
        return args.length > index ? Integer.parseInt(args[index]) : otherwise;
    }

    static void check(boolean right, Supplier<String> message) {
        if (!right) {
            throw new AssertionError(message.get());
        }
    }

    static void same(long expected, long actual, String what) {
        if (expected != actual) {
            throw new AssertionError(what + ": expected " + expected + ", got " + actual);
        }
    }

    /** Exactly equal: no probe may touch a bit of a floating-point result. */
    static void same(double expected, double actual, String what) {
        if (Double.doubleToRawLongBits(expected) != Double.doubleToRawLongBits(actual)) {
            throw new AssertionError(what + ": expected " + expected + ", got " + actual);
        }
    }

    /** The callee's own counter must agree with what the program asked of it; then the number is printed for the test. */
    static void expected(String function, long asked, long counted) {
        same(asked, counted, "calls of " + function);
        System.out.println("expected " + function + " " + counted);
    }

    static void ok() {
        System.out.println("ok");
    }

    /** Runs the work on threads "caller-0", "caller-1", ... at once; the first failure ends up here. */
    static void together(int threads, Work work) throws InterruptedException {
        together(threads, work, caller -> {
            caller.start();
            return caller;
        });
    }

    /** The same on virtual threads without names, which are there from JDK 21 on. */
    static void togetherVirtually(int threads, Work work) throws InterruptedException {
        together(threads, work, Fixture::startVirtual);
    }

    static Thread startVirtual(Runnable body) {
        try {
            return (Thread) Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, body);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void together(int threads, Work work, Function<Caller, Thread> start) throws InterruptedException {
        List<Caller> callers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            callers.add(new Caller(i, work));
        }
        for (Thread started : callers.stream().map(start).toList()) {
            started.join();
        }
        for (Caller caller : callers) {
            if (caller.failure != null) {
                throw new AssertionError(caller.getName() + " failed", caller.failure);
            }
        }
    }

    /** Overrides run: the outermost frame is Caller.run on every JDK, with no hidden frame of Thread below it. */
    private static final class Caller extends Thread {
        private final int number;
        private final Work work;
        private Throwable failure;

        Caller(int number, Work work) {
            super("caller-" + number);
            this.number = number;
            this.work = work;
        }

        @Override
        public void run() {
            try {
                work.run(number);
            } catch (Throwable e) {
                failure = e;
            }
        }
    }
}
