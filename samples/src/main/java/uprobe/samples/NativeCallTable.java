package uprobe.samples;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import jdk.jfr.ValueDescriptor;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;

/**
 * Native calls in a recording, grouped by event type
 * --------------------------------------------------
 * Every event {@code uprobe.GROUP.EVENT} is one call of a probed function; {@code uprobe.ProbeStatistics} says how many the agent has recorded. Its
 * numbers run from when the probe was there, over all recordings. So a recording counts from the first statistics in it to the last; its first are made
 * when it starts, or when a probe comes while it runs. The Java caller of a call is found so:
 *
 * <pre>
 *   libz.deflate                               the probed function: frame 0 bears its name
 *   java.util.zip.Deflater.deflateBytesBytes   the native method
 *   java.util.zip.Deflater.deflate             the JDK's way there
 *   uprobe.samples.MessageCodec.pack           the caller: the first frame outside the JDK
 * </pre>
 */
public final class NativeCallTable {
    /** Longest line that {@link #toString} makes. */
    public static final int WIDTH = 100;

    private static final Set<String> NOT_THE_CALLS = Set.of("startTime", "duration", "eventThread", "stackTrace", "nativeThreadId", "nativeThreadName",
            "javaThreadId", "drained", "missing");
    private static final List<String> JDK = List.of("java.", "javax.", "jdk.", "sun.", "com.sun.");
    private static final int EVENT_WIDTH = 20;
    private static final String ROW = "%-" + EVENT_WIDTH + "s %8s %9s %9s %6s  %s";
    private static final int CALLER_COLUMN = EVENT_WIDTH + 38;
    private static final int CALLER_WIDTH = WIDTH - CALLER_COLUMN - "100 %  ".length();
    /** Callers of one function that the table names; the others are one line. */
    private static final int CALLERS = 5;

    /** Calls of one event type. */
    private static final class Row {
        long count;
        final List<Instant> ends = new ArrayList<>();
        long nanos;
        Call longest;
        final Map<String, Long> nanosOfCaller = new HashMap<>();
    }

    /**
     * One call of a probed function.
     *
     * @param event name of the event type
     * @param end of the call
     * @param caller class and method, see {@link #callerIn}
     * @param fields what the probe recorded, as {@code name=value} with a blank between; empty if nothing
     */
    public record Call(String event, Instant end, Duration duration, String caller, String fields) {}

    /** What the agent counted for a function since the probe was there. */
    public record Statistics(long hits, long recorded, long filtered, long sampledOut, long dropped, long missed, long ownWork, long unfinished) {
        private static final Statistics NOTHING = new Statistics(0, 0, 0, 0, 0, 0, 0, 0);

        private Statistics plus(int sign, Statistics other) {
            return new Statistics(hits + sign * other.hits, recorded + sign * other.recorded, filtered + sign * other.filtered,
                    sampledOut + sign * other.sampledOut, dropped + sign * other.dropped, missed + sign * other.missed,
                    ownWork + sign * other.ownWork, unfinished + sign * other.unfinished);
        }
    }

    /** The first and the last statistics of one function. */
    private static final class Span {
        Instant from = Instant.MAX, to = Instant.MIN;
        Statistics first, last;

        void add(Instant time, Statistics counted) {
            if (time.isBefore(from)) {
                from = time;
                first = counted;
            }
            if (!time.isBefore(to)) {
                to = time;
                last = counted;
            }
        }
    }

    /** All functions of an event type together. */
    private static final class Counted {
        final Map<String, Span> functions = new TreeMap<>();

        Statistics first() {
            return functions.values().stream().map(span -> span.first).reduce(Statistics.NOTHING, (a, b) -> a.plus(1, b));
        }

        Statistics grew() {
            return functions.values().stream().map(span -> span.last.plus(-1, span.first)).reduce(Statistics.NOTHING, (a, b) -> a.plus(1, b));
        }

        Instant from() {
            return functions.values().stream().map(span -> span.from).min(Comparator.naturalOrder()).orElseThrow();
        }
    }

    private final Map<String, Row> rows = new TreeMap<>();
    private final Map<String, Counted> statistics = new TreeMap<>();
    private final Map<String, String> armed = new TreeMap<>();
    private final List<String> refused = new ArrayList<>();
    private final Set<Long> threads = new HashSet<>();

    /** @throws IOException if the file is not a recording that can be read */
    public static NativeCallTable of(Path recording) throws IOException {
        NativeCallTable table = new NativeCallTable();
        try (RecordingFile file = new RecordingFile(recording)) {
            while (file.hasMoreEvents()) {
                table.add(file.readEvent());
            }
        }
        return table;
    }

    private void add(RecordedEvent event) {
        String type = event.getEventType().getName();
        switch (type) {
            case "uprobe.ProbeStatistics" -> add(event.getString("probe"), event.getString("library") + "!" + event.getString("symbol"),
                    event.getStartTime(), new Statistics(event.getLong("hits"), event.getLong("recorded"), event.getLong("filtered"),
                    event.getLong("sampledOut"), event.getLong("dropped"), event.getLong("missed"), event.getLong("ownWork"),
                    event.getLong("unfinished")));
            case "uprobe.ProbeArmed" -> armed.put(event.getString("probe"), event.getString("library") + "!" + event.getString("symbol")
                    + " by " + event.getString("mechanism"));
            case "uprobe.ProbeRefused" -> refused.add(event.getString("probe") + ": " + event.getString("reason"));
            default -> {
                if (isCall(type)) {
                    if (event.getThread() != null) {
                        threads.add(event.getThread().getId());
                    }
                    add(new Call(type, event.getEndTime(), event.getDuration(), callerOf(event), fieldsOf(event)));
                }
            }
        }
    }

    /** A probe's events have two dots, {@code uprobe.zlib.deflate}; the agent's own one, and that which patterns share. */
    static boolean isCall(String eventType) {
        return eventType.equals("uprobe.NativeCall") || eventType.startsWith("uprobe.") && eventType.indexOf('.', "uprobe.".length()) > 0;
    }

    void add(Call call) {
        Row row = rows.computeIfAbsent(call.event(), name -> new Row());
        row.count++;
        row.ends.add(call.end());
        row.nanos += call.duration().toNanos();
        row.nanosOfCaller.merge(call.caller(), call.duration().toNanos(), Long::sum);
        if (row.longest == null || call.duration().compareTo(row.longest.duration()) > 0) {
            row.longest = call;
        }
    }

    void add(String event, String function, Instant time, Statistics counted) {
        statistics.computeIfAbsent(event, name -> new Counted()).functions.computeIfAbsent(function, name -> new Span()).add(time, counted);
    }

    private static String callerOf(RecordedEvent event) {
        String drained = event.hasField("drained") ? event.getString("drained") : null;
        RecordedStackTrace stack = event.getStackTrace();
        return drained != null ? "(no Java stack: " + drained + ")" : stack == null ? "(no Java stack)" : callerIn(stack.getFrames());
    }

    /**
     * @param frames of a probed call, the function's own first
     * @return class and method of the first frame outside the JDK; where the JDK itself is the caller, of its innermost Java method
     */
    static String callerIn(List<RecordedFrame> frames) {
        String innermost = null;
        for (RecordedFrame frame : frames.subList(Math.min(1, frames.size()), frames.size())) {
            RecordedMethod method = frame.getMethod();
            String name = method.getType().getName() + "." + method.getName();
            boolean nativeFunction = frame.getLineNumber() <= 0 && method.getType().getName().indexOf('.') < 0;
            if (nativeFunction || "Native".equals(frame.getType())) {
                continue;
            }
            if (JDK.stream().noneMatch(name::startsWith)) {
                return name;
            }
            if (innermost == null) {
                innermost = name;
            }
        }
        return innermost == null ? "(no Java caller)" : innermost;
    }

    static String fieldsOf(RecordedEvent event) {
        return event.getFields().stream().map(ValueDescriptor::getName).filter(name -> !NOT_THE_CALLS.contains(name))
                .map(name -> name + "=" + (event.getValue(name) instanceof Long value ? String.format(Locale.ROOT, "%,d", value) : event.getValue(name)))
                .collect(Collectors.joining(" "));
    }

    /**
     * Whether the recording is whole.
     *
     * @param events names of the event types that must be in it
     * @return one sentence for each thing that is wrong; empty if nothing is
     */
    public List<String> problems(List<String> events) {
        List<String> problems = new ArrayList<>(refused);
        for (String event : events) {
            if (!rows.containsKey(event)) {
                problems.add("the recording has no event " + event + (armed.containsKey(event) ? "" : "; its probe was not armed"));
            }
        }
        rows.forEach((event, row) -> {
            if (!statistics.containsKey(event)) {
                problems.add("the recording has " + row.count + " events " + event + ", but no uprobe.ProbeStatistics for them");
            }
        });
        statistics.forEach((event, counted) -> {
            /* Where another recording had the probe armed already, calls from before our first statistics are here too: those whose event was made
             * between the chunk's start and them, which they count, and those whose event was not made yet, which they do not. */
            long found = rows.containsKey(event) ? rows.get(event).count : 0, recorded = counted.grew().recorded();
            long before = rows.containsKey(event) ? rows.get(event).ends.stream().filter(end -> end.isBefore(counted.from())).count() : 0;
            long least = recorded + before - Math.min(before, counted.first().unfinished());
            /* Without any event: a probe that only counts (mode=count, mode=hist). */
            if ((found < least || found > recorded + before) && (found > 0 || events.contains(event))) {
                problems.add("the recording has " + found + " events " + event + ", but uprobe.ProbeStatistics counted " + (recorded + before));
            }
        });
        return problems;
    }

    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        long calls = rows.values().stream().mapToLong(row -> row.count).sum();
        long nanos = rows.values().stream().mapToLong(row -> row.nanos).sum();
        line(out, ROW, "event", "count", "mean", "longest", "share", "Java callers and their shares of it");
        out.append("-".repeat(WIDTH)).append('\n');
        List<Map.Entry<String, Row>> byTime = new ArrayList<>(rows.entrySet());
        byTime.sort(Comparator.comparingLong((Map.Entry<String, Row> entry) -> entry.getValue().nanos).reversed());
        byTime.forEach(entry -> row(out, entry.getKey(), entry.getValue(), nanos));
        line(out, "%,d calls on %s took %s in all (share is of that), waits for a processor included", calls,
                threads.size() == 1 ? "one thread" : threads.size() + " threads", duration(nanos));
        byTime.forEach(entry -> {
            String event = entry.getKey();
            out.append('\n').append(event);
            if (armed.containsKey(event)) {
                out.append(": ").append(armed.get(event));
            }
            out.append('\n');
            if (statistics.containsKey(event)) {
                Statistics grew = statistics.get(event).grew();
                line(out, "  hits     %,d = %,d recorded + %,d dropped + %,d missed%s", grew.hits(), grew.recorded(), grew.dropped(), grew.missed(),
                        other(grew.filtered(), "filtered") + other(grew.sampledOut(), "sampled out") + other(grew.ownWork(), "by the agent")
                                + other(grew.unfinished(), "unfinished"));
            }
            Call longest = entry.getValue().longest;
            line(out, "  longest  %s by %s", duration(longest.duration().toNanos()), longest.caller());
            if (!longest.fields().isEmpty()) {
                line(out, "           %s", longest.fields());
            }
        });
        return out.toString();
    }

    private static void row(StringBuilder out, String event, Row row, long all) {
        List<Map.Entry<String, Long>> callers = new ArrayList<>(row.nanosOfCaller.entrySet());
        callers.sort(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()));
        int named = callers.size() > CALLERS ? CALLERS - 1 : callers.size();
        for (int i = 0; i < named; i++) {
            String caller = percent(callers.get(i).getValue(), row.nanos) + "  " + tail(callers.get(i).getKey(), CALLER_WIDTH);
            if (i == 0) {
                line(out, ROW, tail(event, EVENT_WIDTH), String.format(Locale.ROOT, "%,d", row.count), duration(row.nanos / row.count),
                        duration(row.longest.duration().toNanos()), percent(row.nanos, all), caller);
            } else {
                out.append(" ".repeat(CALLER_COLUMN)).append(caller).append('\n');
            }
        }
        if (named < callers.size()) {
            long rest = callers.subList(named, callers.size()).stream().mapToLong(Map.Entry::getValue).sum();
            out.append(" ".repeat(CALLER_COLUMN)).append(percent(rest, row.nanos)).append("  ").append(callers.size() - named).append(" others\n");
        }
    }

    private static String other(long count, String what) {
        return count == 0 ? "" : String.format(Locale.ROOT, " %s %,d %s", count < 0 ? "-" : "+", Math.abs(count), what);
    }

    private static void line(StringBuilder out, String format, Object... values) {
        String line = String.format(Locale.ROOT, format, values);
        out.append(line.length() <= WIDTH ? line : line.substring(0, WIDTH - 3) + "...").append('\n');
    }

    /** The end of a name says more than its beginning. */
    private static String tail(String name, int width) {
        return name.length() <= width ? name : "..." + name.substring(name.length() - width + 3);
    }

    private static String percent(long part, long all) {
        return all == 0 ? "  -  " : String.format(Locale.ROOT, "%3d %%", Math.round(100.0 * part / all));
    }

    /** Three digits and a unit: 812 ns, 45.4 us, 1.07 ms, 2.50 s. */
    static String duration(long nanos) {
        if (nanos < 1_000) {
            return nanos + " ns";
        }
        String[] units = {"us", "ms", "s"};
        double value = nanos / 1e3;
        int unit = 0;
        while (value >= 999.5 && unit < units.length - 1) {
            value /= 1e3;
            unit++;
        }
        return String.format(Locale.ROOT, value < 9.995 ? "%.2f %s" : value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    }
}
