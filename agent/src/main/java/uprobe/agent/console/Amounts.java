package uprobe.agent.console;

import java.util.Locale;

/** Numbers as people read them: {@code 1,234,567}, {@code 12.3 ms}, {@code 4.90 kB}. */
public final class Amounts {
    private static final double STEP = 1000;
    private static final String[] TIMES = {"ns", "us", "ms", "s"};
    private static final String[] BYTES = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

    public static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** @param nanos in ns; above a second nothing but seconds */
    public static String time(double nanos) {
        return scaled(nanos, TIMES);
    }

    /** By thousands, as Mission Control's and {@code jfr}'s output are not: {@code 20.0 kB} is 20,000 bytes. */
    public static String bytes(long bytes) {
        return scaled(bytes, BYTES);
    }

    /** Three digits, or all that stand before the point. */
    private static String scaled(double amount, String[] units) {
        double left = amount;
        int unit = 0;
        while (Math.abs(left) >= 999.5 && unit < units.length - 1) {
            left /= STEP;
            unit++;
        }
        double size = Math.abs(left);
        boolean whole = unit == 0 && left == Math.rint(left) || size >= 99.95;
        return String.format(Locale.ROOT, whole ? "%,.0f %s" : size >= 9.995 ? "%.1f %s" : "%.2f %s", left, units[unit]);
    }

    private Amounts() {}
}
