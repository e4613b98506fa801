package uprobe.it.app;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.zip.Deflater;
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
 * plain    n/10 commits of the event it.Plain with two longs and its stack, which has as many frames as that of a hit
 * plain10  the same, ten commits each; per ten
 * zip      n/1000 times 4 KiB through a java.util.zip.Deflater
 * </pre>
 * Without a recording that has it.Plain enabled, plain measures nothing; {@code enabled it.Plain 0 flag} says so.
 */
public final class Bench {
    static {
        Fixture.load("deep_chain");
    }

    private static final List<String> PARTS = List.of("leaf", "chain", "fields", "jni1", "jni10", "call1", "call10", "plain", "plain10", "zip");
    private static final int ROUNDS = 31, WARM_UP = 3;
    private static final int TEN = 10, THOUSAND = 1000;
    private static final byte[] TEXT = new byte[4096], DEFLATED = new byte[8192];

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
        Map<String, DoubleSupplier> wanted = new LinkedHashMap<>();
        parts.forEach(part -> wanted.put(part, nsPerCall(part, n, few)));
        measure(wanted);
        Fixture.check(sink != 0 || n == 0, () -> "nothing ran");
        Fixture.ok();
    }

    private static DoubleSupplier nsPerCall(String part, long n, long few) {
        return switch (part) {
            case "leaf" -> () -> leaf(n);
            case "chain" -> () -> chain(n);
            case "fields" -> () -> fields(n);
            case "jni1" -> () -> inJava(few, i -> hitsOf(i, 1));
            case "jni10" -> () -> inJava(few, i -> hitsOf(i, TEN));
            case "call1" -> () -> inJava(few, i -> hitsWithoutTrapOf(i, 1));
            case "call10" -> () -> inJava(few, i -> hitsWithoutTrapOf(i, TEN));
            case "plain" -> () -> inJava(few, i -> plainOf(i, 1));
            case "plain10" -> () -> inJava(few, i -> plainOf(i, TEN));
            default -> () -> inJava(Math.max(1, n / THOUSAND), Bench::deflate);
        };
    }

    /** All parts in turns, so that what else goes on in the JVM and the machine meets all of them. */
    private static void measure(Map<String, DoubleSupplier> parts) {
        // what the first rounds measure is the interpreter
        for (int i = 0; i < WARM_UP; i++) {
            parts.values().forEach(DoubleSupplier::getAsDouble);
        }
        Map<String, double[]> rounds = new LinkedHashMap<>();
        for (int i = 0; i < ROUNDS; i++) {
            int round = i;
            parts.forEach((name, part) -> {
                double ns = part.getAsDouble();
                Fixture.check(ns >= 0, () -> name + ": a result was wrong");
                rounds.computeIfAbsent(name, key -> new double[ROUNDS])[round] = ns;
            });
        }
        sink++;
        rounds.forEach((name, all) -> {
            Arrays.sort(all);
            System.out.printf(Locale.ROOT, "%s %.2f ns%n%s_min %.2f ns%n", name, all[ROUNDS / 2], name, all[0]);
        });
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

    private static void deflate(long i) {
        Deflater deflater = new Deflater();
        TEXT[(int) (i & TEXT.length - 1)] = (byte) (i >> 4);
        deflater.setInput(TEXT);
        deflater.finish();
        sink += deflater.deflate(DEFLATED);
        deflater.end();
    }

    /* As many frames as a hit's event has: its function, the native method, and who calls that. */
    private static void plainOf(long i, int events) {
        plain(i, events);
    }

    private static void plain(long i, int events) {
        for (int k = 0; k < events; k++) {
            commit(i, k);
        }
    }

    private static void commit(long first, long second) {
        Plain event = new Plain();
        event.first = first;
        event.second = second;
        event.commit();
    }
}
