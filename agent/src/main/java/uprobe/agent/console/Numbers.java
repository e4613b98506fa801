package uprobe.agent.console;

import java.util.Locale;

/** Numbers as people read them, alike in every locale. */
public final class Numbers {
    private static final String[] TIMES = {"ns", "us", "ms", "s"};
    private static final String[] SIZES = {"B", "KiB", "MiB", "GiB", "TiB"};

    /** 1,234,567 */
    public static String count(long n) {
        return String.format(Locale.ROOT, "%,d", n);
    }

    /** Three digits: 812 ns, 1.23 us, 12.3 ms, 1,234 s. */
    public static String nanos(long nanos) {
        return scaled(nanos, 1_000, TIMES);
    }

    /** Three digits: 812 B, 1.23 KiB, 12.3 MiB. */
    public static String bytes(long bytes) {
        return scaled(bytes, 1_024, SIZES);
    }

    private static String scaled(long n, int step, String[] units) {
        double value = n;
        int unit = 0;
        while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
            value /= step;
            unit++;
        }
        int decimals = unit == 0 || Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
        return String.format(Locale.ROOT, "%,." + decimals + "f %s", value, units[unit]);
    }

    private Numbers() {}
}
