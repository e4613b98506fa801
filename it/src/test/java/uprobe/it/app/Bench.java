package uprobe.it.app;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;
import jdk.jfr.Event;
import jdk.jfr.Name;

/**
 * What a call costs; lines {@code NAME VALUE UNIT}, NAME_min the best round and NAME the median of all.
 *
 * <p>Arguments: n, then the parts wanted (all, when none is named):
 * <pre>
 * leaf     n calls of bench_leaf in one JNI call, measured in C
 * chain    n calls of bench_chain_1, at the bottom of which, eight calls deeper, stands bench_chain_leaf
 * fields   n calls of bench_fields, whose arguments lie behind two pointers
 * jni1     JNI calls that call bench_leaf once; n/10 of them, measured in Java
 * jni10    the same, ten times each; per JNI call
 * call1    JNI calls that make one hit of bench_leaf's site without its trap; n/10 of them
 * call10   the same, ten hits each; per JNI call
 * plain    n/10 commits of the event it.Plain with two longs and its stack, as deep as the natives' callers
 * plain10  the same, ten commits each; per ten
 * </pre>
 * Without a recording that has it.Plain enabled, plain measures nothing; {@code enabled it.Plain 0 flag} says so.
 */
public final class Bench {
    static {
        Fixture.load("deep_chain");
    }

    private static final List<String> PARTS = List.of("leaf", "chain", "fields", "jni1", "jni10", "call1", "call10", "plain", "plain10");
    private static final int ROUNDS = 7;
    private static final int TEN = 10;

    private static long sink;

    private Bench() {
    }

    @Name("it.Plain")
    static final class Plain extends Event {
        long first;
        long second;
    }

    private static native double leaf(long n);

    private static native double chain(long n);

    private static native double fields(long n);

    private static native long hits(long i, int hits);

    private static native long hitsWithoutTrap(long i, int hits);

    public static void main(String[] args) {
        long n = Fixture.argument(args, 0, 10_000_000), few = Math.max(1, n / TEN);
        List<String> parts = args.length > 1 ? List.of(args).subList(1, args.length) : PARTS;
        Fixture.check(PARTS.containsAll(parts), () -> "parts are " + PARTS);
        System.out.println("enabled it.Plain " + (new Plain().isEnabled() ? 1 : 0) + " flag");
        for (String part : parts) {
            switch (part) {
                case "leaf" -> measure(part, () -> leaf(n));
                case "chain" -> measure(part, () -> chain(n));
                case "fields" -> measure(part, () -> fields(n));
                case "jni1" -> measure(part, () -> inJava(few, i -> hitsOf(i, 1)));
                case "jni10" -> measure(part, () -> inJava(few, i -> hitsOf(i, TEN)));
                case "call1" -> measure(part, () -> inJava(few, i -> hitsWithoutTrapOf(i, 1)));
                case "call10" -> measure(part, () -> inJava(few, i -> hitsWithoutTrapOf(i, TEN)));
                case "plain" -> measure(part, () -> inJava(few, i -> commit(i, 1)));
                default -> measure(part, () -> inJava(few, i -> commit(i, TEN)));
            }
        }
        Fixture.check(sink != 0 || n == 0, () -> "nothing ran");
        Fixture.ok();
    }

    private static void measure(String name, DoubleSupplier nsPerCall) {
        // what the first round measures is the interpreter
        nsPerCall.getAsDouble();
        double[] rounds = new double[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            rounds[i] = nsPerCall.getAsDouble();
            Fixture.check(rounds[i] >= 0, () -> name + ": a result was wrong");
        }
        sink++;
        Arrays.sort(rounds);
        System.out.printf(java.util.Locale.ROOT, "%s %.2f ns%n%s_min %.2f ns%n", name, rounds[ROUNDS / 2], name, rounds[0]);
    }

    /** One call of what is measured. */
    private interface Call {
        void call(long i);
    }

    private static double inJava(long n, Call call) {
        long start = System.nanoTime();
        for (long i = 0; i < n; i++) {
            call.call(i);
        }
        return (double) (System.nanoTime() - start) / n;
    }

    private static void hitsOf(long i, int hits) {
        sink += hits(i, hits);
    }

    private static void hitsWithoutTrapOf(long i, int hits) {
        Fixture.same(i, hitsWithoutTrap(i, hits), "hits without trap");
    }

    private static void commit(long i, int events) {
        for (int k = 0; k < events; k++) {
            Plain event = new Plain();
            event.first = i;
            event.second = k;
            event.commit();
        }
    }
}
