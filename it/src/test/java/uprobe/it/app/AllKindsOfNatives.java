package uprobe.it.app;

import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * Calls each native of {@link Probed} on several threads while objects move, and checks each result: of every type, thrown, nested, under a
 * monitor, with an array pinned. Arguments: threads, rounds per thread.
 */
public final class AllKindsOfNatives {
    private static final int NESTED_DEPTH = 5;
    private static final int TIMES = 1_000;
    private static final int CRITICAL_LENGTH = 100;
    /** A thousand hits in one JNI call, and calls that sleep, only in each so-many-th round. */
    private static final int SELDOM = 100;
    private static final int SLEEP_MS = 5;

    private static final LongAdder seldom = new LongAdder();

    private AllKindsOfNatives() {
    }

    public static void main(String[] args) throws InterruptedException {
        int threads = Fixture.argument(args, 0, 2), rounds = Fixture.argument(args, 1, 1_000);
        Churn.during(() -> {
            Fixture.together(threads, thread -> {
                for (int round = 0; round < rounds; round++) {
                    results(round);
                    objects(thread, round);
                    exceptions(round);
                    nested();
                    if (round % SELDOM == 0) {
                        seldom(round);
                    }
                }
            });
        });
        long n = (long) threads * rounds, s = seldom.sum();
        counted("probed_leaf", (2 + NESTED_DEPTH) * n + TIMES * s);
        counted("probed_values", 2 * n);
        for (String function : List.of("probed_many", "probed_floats", "probed_float", "probed_narrow", "probed_bool", "probed_pointer",
                "probed_text", "probed_in_critical", "probed_locked", "probed_tail")) {
            counted(function, n);
        }
        counted("probed_before_throw", 2 * n);
        counted("probed_enter", 2 * (NESTED_DEPTH + 1) * n);
        counted("probed_leave", 2 * (NESTED_DEPTH + 1) * n);
        counted("probed_first", s);
        counted("probed_second", s);
        System.out.println("expected Java_uprobe_it_app_Probed_direct " + n);
        Fixture.ok();
    }

    private static void counted(String function, long asked) {
        Fixture.expected(function, asked, Probed.calls(function));
    }

    private static void results(int round) {
        Fixture.same(round * 3L + 1, Probed.leaf(round), "leaf");
        Probed.ofNothing(round);
        Fixture.same(36L * round + 168, Probed.many(round), "many");
        Fixture.same(round * 0.25 * 2 + 0.5f - 7, Probed.ofDouble(round * 0.25, 0.5f, 7), "double");
        Fixture.same(round * 0.5f - 1, Probed.ofFloat(round), "float");
        Fixture.same((byte) ((byte) round - 1), Probed.ofByte((byte) round), "byte");
        Fixture.check(Probed.ofBoolean(round) == (round % 2 == 1), () -> "boolean");
        Fixture.same(round * 5L + 2, Probed.tailCalled(round), "tail call");
        Fixture.same(round * 17L, Probed.locked(round), "synchronized");
        Fixture.check(!Thread.holdsLock(Probed.class), () -> "a synchronized native left its monitor locked");
        Fixture.same(round + 3 + 0.125, Probed.direct(round, 3, 0.125), "direct");
        long request = -1234567 + 9 * 3 + 5 + 32000 * 7 + 987654321098L * 11 + "request".length() * 13 + 42;
        long arguments = 1999993 + "seven".length() * 1000003L - 42 * 10007L + 238 * 101;
        Fixture.same(arguments + request, Probed.values(1999993, "seven", -42, 238, 987654321098L, false), "values");
        long part = -321 + 14 + 244;
        Fixture.same(arguments + request + part, Probed.values(1999993, "seven", -42, 238, 987654321098L, true), "values with a part");
    }

    private static void objects(int thread, int round) {
        Object own = new long[] { thread, round };
        Fixture.check(Probed.ofObject(own) == own, () -> "another object came back");
        String text = Probed.ofNewString(round);
        Fixture.check(text.equals(round % 2 == 1 ? "odd" : "even"), () -> "string " + text);
        long[] values = new long[CRITICAL_LENGTH];
        java.util.Arrays.setAll(values, i -> round + i);
        Fixture.same(round * (long) CRITICAL_LENGTH + CRITICAL_LENGTH * (CRITICAL_LENGTH - 1) / 2, Probed.critical(values), "critical");
    }

    private static void exceptions(int round) {
        try {
            Probed.throwing(round, "round " + round);
        } catch (IllegalStateException e) {
            Fixture.check(e.getMessage().equals("round " + round), e::getMessage);
            Fixture.check(e.getStackTrace()[0].getMethodName().equals("throwing"), () -> "thrown in " + e.getStackTrace()[0]);
            return;
        }
        throw new AssertionError("the exception got lost");
    }

    /** Once to the bottom and back, once to the bottom where an exception is thrown that passes through all natives. */
    private static void nested() {
        long sum = 1;
        for (int depth = 0; depth <= NESTED_DEPTH; depth++) {
            sum += depth * 7L + depth * 11L + (depth > 0 ? depth * 3L + 1 : 0);
        }
        Fixture.same(sum, Probed.nested(NESTED_DEPTH, false), "nested");
        try {
            Probed.nested(NESTED_DEPTH, true);
        } catch (IllegalStateException e) {
            Fixture.check(e.getMessage().equals("at the bottom"), e::getMessage);
            return;
        }
        throw new AssertionError("the exception from the bottom got lost");
    }

    private static void seldom(int round) {
        seldom.increment();
        Fixture.same(3L * TIMES * round + 3L * TIMES * (TIMES - 1) / 2 + TIMES, Probed.times(round, TIMES), "times");
        long start = System.nanoTime();
        Fixture.same(2L * round + 3, Probed.sleepBetween(round, SLEEP_MS), "sleepBetween");
        Fixture.check(System.nanoTime() - start >= SLEEP_MS * 1_000_000L, () -> "the sleep was cut short");
    }
}
