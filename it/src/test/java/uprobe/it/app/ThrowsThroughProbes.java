package uprobe.it.app;

/**
 * C++ exceptions and backtraces through throws_outer, throws_middle and throws_inner. Arguments: libthrows_shared.so or libthrows_static.so
 * (a path, or the name in {@code native.dir}: throws_shared), calls per thread, threads.
 *
 * <p>Prints for each function {@code expected FUNCTION CALLS} and {@code unwound FUNCTION CALLS}: of those so many ended by an exception.
 */
public final class ThrowsThroughProbes {
    /** What throws.cc does, in its order; how often each function is entered, and left by an exception. */
    private enum Way {
        RETURNS(1, 0, 0, 0, 2), CAUGHT_BY_CALLER(1, 1, 1, 1, 2), RETHROWN_IN_MIDDLE(1, 1, 1, 1, 2), CAUGHT_IN_MIDDLE(1, 0, 0, 1, 2),
        THROWS_WHILE_UNWINDING(2, 2, 2, 2, 5), BACKTRACE(1, 0, 0, 0, 2), OWN_BACKTRACE(1, 0, 0, 0, 2);

        final int calls, outerUnwound, middleUnwound, innerUnwound, destructed;

        Way(int calls, int outerUnwound, int middleUnwound, int innerUnwound, int destructed) {
            this.calls = calls;
            this.outerUnwound = outerUnwound;
            this.middleUnwound = middleUnwound;
            this.innerUnwound = innerUnwound;
            this.destructed = destructed;
        }

        double result(double x) {
            return switch (this) {
                case RETURNS, BACKTRACE, OWN_BACKTRACE -> x * 8 + 7.5;
                case CAUGHT_BY_CALLER, RETHROWN_IN_MIDDLE, THROWS_WHILE_UNWINDING -> -1000 - x;
                case CAUGHT_IN_MIDDLE -> x * 16 + 6.5;
            };
        }
    }

    private ThrowsThroughProbes() {
    }

    private static native double run(int way, double x);

    /** Entered: outer, middle, inner; objects destructed; backtraces taken; frames in them. */
    private static native long[] counts();

    public static void main(String[] args) throws InterruptedException {
        if (args[0].contains("/")) {
            System.load(args[0]);
        } else {
            Fixture.load(args[0]);
        }
        int calls = Fixture.argument(args, 1, 7_000), threads = Fixture.argument(args, 2, 1);
        Way[] ways = Way.values();
        Fixture.together(threads, thread -> {
            for (int i = 0; i < calls; i++) {
                Way way = ways[i % ways.length];
                Fixture.same(way.result(i), run(way.ordinal(), i), way.name());
            }
        });
        long entered = 0, outer = 0, middle = 0, inner = 0, destructed = 0, backtraces = 0;
        for (int i = 0; i < calls; i++) {
            Way way = ways[i % ways.length];
            entered += way.calls;
            outer += way.outerUnwound;
            middle += way.middleUnwound;
            inner += way.innerUnwound;
            destructed += way.destructed;
            backtraces += way == Way.BACKTRACE || way == Way.OWN_BACKTRACE ? 1 : 0;
        }
        long[] counts = counts();
        Fixture.expected("throws_outer", entered * threads, counts[0]);
        Fixture.expected("throws_middle", entered * threads, counts[1]);
        Fixture.expected("throws_inner", entered * threads, counts[2]);
        Fixture.same(destructed * threads, counts[3], "objects destructed");
        Fixture.same(backtraces * threads, counts[4], "backtraces");
        System.out.println("unwound throws_outer " + outer * threads);
        System.out.println("unwound throws_middle " + middle * threads);
        System.out.println("unwound throws_inner " + inner * threads);
        System.out.println("backtrace frames " + (counts[4] == 0 ? 0 : counts[5] / counts[4]));
        Fixture.ok();
    }
}
