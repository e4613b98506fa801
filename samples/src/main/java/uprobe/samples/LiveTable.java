package uprobe.samples;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.stream.Collectors;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;

/**
 * From a stream of events to a table every second
 * -----------------------------------------------
 * A stream hands out one flush after the other, and in each only what was committed before it. A hit is committed when the native method that it happened
 * in returns to Java, or when the drain thread comes by, so a call that ended at 1.9 may come behind one that ended at 2.1; and a long call
 * that started first comes last. Whoever closes a second at the first event of the next, or sorts by start, counts calls in the wrong second or not at all.
 * So calls are sorted by their end, and a row waits {@link #GRACE} before it is closed:
 *
 * <pre>
 *   ProbeStatistics      A                 B                 C          hits so far, once a second
 *   calls end           ..|...x....y.....z..|......            now      the row of A to B is printed when B is GRACE old
 *   handed out                 y     x         z                        x and z belong into it, whenever they come
 * </pre>
 *
 * What comes later than that is counted as late and is in no row. The statistics tell how often the function was called; events are those that
 * passed the filter, the threshold and so on. A call counts when it begins and its event when it ends, so the two may differ by the calls under way.
 * Not safe for several threads: a stream calls its actions on one.
 */
final class LiveTable {
    /** A thread that stays in native code is drained within a second, JFR flushes every second. */
    static final Duration GRACE = Duration.ofSeconds(3);
    private static final Duration SHORTEST_ROW = Duration.ofMillis(800);
    /** Statistics of a pattern's functions are made one behind the other. */
    private static final Duration BATCH = Duration.ofMillis(100);
    private static final int FRAMES = 12;
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);
    private static final String LINE = "%-8s  %-28s %10s %10s %9s %9s%s";

    /**
     * One event.
     *
     * @param fields what the probe recorded; empty if nothing
     * @param stack the probed function's frame first; empty if there is none
     */
    record Call(Instant end, Duration duration, String fields, List<String> stack) {}

    /** Hits that statistics brought, and when. */
    private static final class Batch {
        final Instant time;
        long hits;

        Batch(Instant time) {
            this.time = time;
        }
    }

    private static final class Probe {
        final Map<String, Long> hitsOfSite = new HashMap<>();
        final Deque<Batch> batches = new ArrayDeque<>();
        final PriorityQueue<Call> waiting = new PriorityQueue<>(Comparator.comparing(Call::end));
        Instant closed;
        long calls, events, late;
    }

    private record Row(Instant time, List<String> lines) {}

    private final Map<String, Probe> probes = new TreeMap<>();
    private boolean headed;

    /** Takes any event; those that are not the agent's are left alone. */
    void add(RecordedEvent event) {
        String type = event.getEventType().getName();
        if (type.equals("uprobe.ProbeStatistics")) {
            counted(event.getString("probe"), event.getString("library") + "!" + event.getString("symbol"), event.getStartTime(), event.getLong("hits"));
        } else if (NativeCallTable.isCall(type)) {
            /* The event object may be used for the next one: only what is copied stays. */
            add(type, new Call(event.getEndTime(), event.getDuration(), NativeCallTable.fieldsOf(event), stackOf(event)));
        }
    }

    void add(String type, Call call) {
        Probe probe = probes.computeIfAbsent(type, name -> new Probe());
        if (probe.closed != null && !call.end().isAfter(probe.closed)) {
            probe.late++;
        } else {
            probe.waiting.add(call);
        }
    }

    /** @param hits so far of this function */
    void counted(String type, String site, Instant time, long hits) {
        Probe probe = probes.computeIfAbsent(type, name -> new Probe());
        Batch last = probe.batches.peekLast();
        if (last == null || Duration.between(last.time, time).compareTo(BATCH) > 0) {
            last = new Batch(time);
            probe.batches.add(last);
        }
        Long before = probe.hitsOfSite.put(site, hits);
        /* Statistics count from when the probe was there: the first ones are where the table begins. */
        last.hits += before == null ? 0 : hits - before;
    }

    /** @return the lines of all rows that are complete; a probe that was not hit has none */
    List<String> rows(Instant now) {
        List<Row> rows = new ArrayList<>();
        probes.forEach((type, probe) -> {
            while (!probe.batches.isEmpty() && !probe.batches.peek().time.plus(GRACE).isAfter(now)) {
                close(type, probe, rows);
            }
        });
        rows.sort(Comparator.comparing(Row::time));
        List<String> lines = new ArrayList<>();
        if (!headed && !rows.isEmpty()) {
            headed = true;
            lines.add(String.format(Locale.ROOT, LINE, "until", "event", "calls", "events", "p99", "slowest", ""));
        }
        rows.forEach(row -> lines.addAll(row.lines()));
        return lines;
    }

    /** @return the lines of what is left, and the sums */
    List<String> end() {
        List<String> lines = rows(Instant.MAX.minus(GRACE));
        probes.forEach((type, probe) -> {
            if (probe.calls + probe.events + probe.late > 0) {
                lines.add(String.format(Locale.ROOT, "%s: %,d calls, %,d events in all%s", type, probe.calls, probe.events,
                        probe.late == 0 ? "" : String.format(Locale.ROOT, "; %,d came too late for their row", probe.late)));
            }
        });
        return lines;
    }

    private static void close(String type, Probe probe, List<Row> rows) {
        Batch batch = probe.batches.remove();
        boolean begins = probe.closed == null;
        if (!begins && Duration.between(probe.closed, batch.time).compareTo(SHORTEST_ROW) < 0 && !probe.batches.isEmpty()) {
            probe.batches.peek().hits += batch.hits;        /* made at the end of a chunk: the next one is soon there */
            return;
        }
        List<Call> calls = new ArrayList<>();
        while (!probe.waiting.isEmpty() && !probe.waiting.peek().end().isAfter(batch.time)) {
            calls.add(probe.waiting.remove());
        }
        probe.closed = batch.time;
        if (begins || batch.hits == 0 && calls.isEmpty()) {
            return;
        }
        probe.calls += batch.hits;
        probe.events += calls.size();
        calls.sort(Comparator.comparing(Call::duration));
        int n = calls.size();
        List<String> lines = new ArrayList<>();
        lines.add(String.format(Locale.ROOT, LINE, CLOCK.format(batch.time.atZone(ZoneId.systemDefault())), type, String.format(Locale.ROOT, "%,d", batch.hits),
                String.format(Locale.ROOT, "%,d", n), n == 0 ? "-" : duration(calls.get((int) Math.ceil(n * 0.99) - 1)),
                n == 0 ? "-" : duration(calls.get(n - 1)), n == 0 || calls.get(n - 1).fields().isEmpty() ? "" : "  " + calls.get(n - 1).fields()));
        if (n > 0) {
            calls.get(n - 1).stack().forEach(frame -> lines.add("            " + frame));
        }
        rows.add(new Row(batch.time, lines));
    }

    private static String duration(Call call) {
        return NativeCallTable.duration(call.duration().toNanos());
    }

    private static List<String> stackOf(RecordedEvent event) {
        if (event.getStackTrace() == null) {
            return List.of();
        }
        List<RecordedFrame> frames = event.getStackTrace().getFrames();
        List<String> lines = frames.stream().limit(FRAMES).map(frame -> frame.getMethod().getType().getName() + "." + frame.getMethod().getName()
                + (frame.getLineNumber() > 0 ? ":" + frame.getLineNumber() : "")).collect(Collectors.toList());
        if (frames.size() > FRAMES) {
            lines.add("... " + (frames.size() - FRAMES) + " more");
        }
        return lines;
    }
}
