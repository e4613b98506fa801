package uprobe.agent.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import uprobe.agent.console.Amounts;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;

/**
 * What the recordings do not show
 * <p>
 * A probe's counters run since it was there, so what a recording has of them is the newest less the first. Each file has its own first. A counter that went back
 * is another JVM's, or the probe was defined anew: it is counted from there.
 */
final class Losses {
    private static final List<String> COUNTERS = List.of("hits", "recorded", "filtered", "sampledOut", "dropped", "missed", "ownWork", "unfinished");
    private static final int HITS = 0, RECORDED = 1, FILTERED = 2, SAMPLED_OUT = 3, DROPPED = 4, MISSED = 5, OWN_WORK = 6, UNFINISHED = 7;
    private static final int LATENCIES = 6;

    private record Counted(String probe, String library, String symbol) {}

    private record Loss(String probe, String reason) {}

    private record Refused(String probe, String library, String symbol, String reason) {}

    /** One probe's counters in one file. */
    private static final class Counters {
        private long firstTime, newestTime;
        private long[] first, newest;
        private final long[] before = new long[COUNTERS.size()];
        private Object[] latencies = new Object[LATENCIES];

        void add(Hit hit) {
            long time = hit.chunk().timeNanos(hit.startTicks());
            long[] now = COUNTERS.stream().mapToLong(hit::number).toArray();
            if (first == null) {
                first = newest = now;
                firstTime = newestTime = time;
            } else if (time >= newestTime) {
                if (now[HITS] < newest[HITS]) {
                    addTo(before);
                    first = new long[now.length];
                }
                newest = now;
                newestTime = time;
            } else if (time < firstTime) {
                first = now;
                firstTime = time;
            }
            if (newest == now && hit.number("timed") > 0) {
                latencies = new Object[] {hit.number("timed"), time(hit, "totalTime"), time(hit, "p50"), time(hit, "p90"), time(hit, "p99"), time(hit, "max")};
            }
        }

        private static Double time(Hit hit, String field) {
            return (double) hit.number(field);
        }

        private void addTo(long[] sums) {
            for (int i = 0; i < sums.length; i++) {
                sums[i] += newest[i] - first[i];
            }
        }
    }

    private Map<Counted, Counters> ofFile = new LinkedHashMap<>();
    private final Map<Counted, long[]> counters = new LinkedHashMap<>();
    private final Map<Counted, Object[]> latencies = new LinkedHashMap<>();
    private final Map<Loss, Long> losses = new LinkedHashMap<>();
    private final Set<Refused> refused = new LinkedHashSet<>();
    private long lostBytes;

    void add(Hit hit) {
        switch (hit.type.name()) {
            case EventType.STATISTICS -> ofFile.computeIfAbsent(new Counted(text(hit, "probe"), text(hit, "library"), text(hit, "symbol")), key -> new Counters())
                    .add(hit);
            case EventType.LOSS -> losses.merge(new Loss(text(hit, "probe"), text(hit, "reason")), hit.number("count"), Long::sum);
            case EventType.REFUSED -> refused.add(new Refused(text(hit, "probe"), text(hit, "library"), text(hit, "symbol"), text(hit, "reason")));
            case EventType.JFR_LOSS -> lostBytes += hit.number("amount");
            default -> { }
        }
    }

    private static String text(Hit hit, String field) {
        String text = hit.string(field);
        return text == null ? "" : text;
    }

    void endOfFile() {
        ofFile.forEach((probe, file) -> {
            long[] sums = counters.computeIfAbsent(probe, key -> new long[COUNTERS.size()]);
            file.addTo(sums);
            for (int i = 0; i < sums.length; i++) {
                sums[i] += file.before[i];
            }
            if (file.latencies[0] != null) {
                latencies.put(probe, file.latencies);
            }
        });
        ofFile = new LinkedHashMap<>();
    }

    /** What became of each probe's hits while it was recorded. A type's events are in the file whatever library they came from. */
    Table statistics(Calls calls) {
        Table table = new Table("hits", "Hits while it was recorded, and what became of them", Column.text("probe"), Column.text("library"), Column.text("symbol"),
                Column.count("hits"), Column.count("recorded"), Column.count("filtered"), Column.count("sampled out").named("sampledOut"), Column.count("dropped"),
                Column.count("missed"), Column.count("own work").named("ownWork"), Column.count("unfinished"), Column.count("events here").named("events"));
        Map<String, Long> ofProbe = new HashMap<>();
        counters.keySet().forEach(key -> ofProbe.merge(key.probe, 1L, Long::sum));
        counters.entrySet().stream().sorted(Comparator.comparingLong(each -> -each.getValue()[HITS])).forEach(each -> {
            Counted probe = each.getKey();
            List<Object> cells = new ArrayList<>(List.of(probe.probe, probe.library, probe.symbol));
            for (long sum : each.getValue()) {
                cells.add(sum);
            }
            cells.add(ofProbe.get(probe.probe) == 1 ? calls.hitsOf(probe.probe) : null);
            table.row(cells.toArray());
        });
        return table;
    }

    /** Durations that the agent kept, of all calls since the probe was there: of probes in mode count or hist the only ones. */
    Table latencies() {
        Table table = new Table("latencies", "Durations kept by the agent since the probe was there", Column.text("probe"), Column.text("symbol"),
                Column.count("timed"), Column.time("total"), Column.time("p50"), Column.time("p90"), Column.time("p99"), Column.time("longest"));
        latencies.entrySet().stream().sorted(Comparator.comparingDouble(each -> -(Double) each.getValue()[1])).forEach(each -> {
            Object[] cells = each.getValue();
            table.row(each.getKey().probe, each.getKey().symbol, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]);
        });
        return table;
    }

    Table losses() {
        Table table = new Table("losses", "Hits that are in no event", Column.text("probe"), Column.count("count"), Column.text("reason"));
        losses.forEach((loss, count) -> table.row(loss.probe, count, loss.reason));
        return table;
    }

    Table refusals() {
        Table table = new Table("refused", "Refused probes", Column.text("probe"), Column.text("library"), Column.text("symbol"), Column.text("reason"));
        refused.forEach(each -> table.row(each.probe, each.library, each.symbol, each.reason));
        return table;
    }

    /** DataLoss tells of the same hits as the counters do, if all is recorded. */
    private long lost(long counted) {
        return Math.max(counted, losses.values().stream().mapToLong(Long::longValue).sum());
    }

    /** By the counters, of probes of which there are any: in mode count and hist what is recorded is no event. */
    private long missingEvents(Calls calls) {
        Map<String, Long> recorded = new HashMap<>();
        counters.forEach((probe, sums) -> recorded.merge(probe.probe, sums[RECORDED], Long::sum));
        return recorded.entrySet().stream().filter(probe -> calls.hitsOf(probe.getKey()) > 0)
                .mapToLong(probe -> Math.max(0, probe.getValue() - calls.hitsOf(probe.getKey()))).sum();
    }

    /** In sentences. */
    List<String> notes(Calls calls) {
        List<String> notes = new ArrayList<>();
        long dropped = 0, missed = 0, chosen = 0, unfinished = 0, own = 0, hits = 0;
        for (long[] sums : counters.values()) {
            hits += sums[HITS];
            chosen += sums[FILTERED] + sums[SAMPLED_OUT];
            dropped += sums[DROPPED];
            missed += sums[MISSED];
            own += sums[OWN_WORK];
            unfinished += sums[UNFINISHED];
        }
        if (counters.isEmpty()) {
            notes.add("No uprobe.ProbeStatistics is recorded: whether hits are missing can not be told.");
        } else if (lost(dropped + missed) + chosen + unfinished + missingEvents(calls) + lostBytes == 0) {
            notes.add("No hit was lost or left out" + (own == 0 ? "." : ", but for " + Amounts.count(own) + " of the agent's own work."));
        }
        if (lost(dropped + missed) > 0) {
            notes.add(Amounts.count(lost(dropped + missed)) + " hits were lost: counts and times are lower bounds."
                    + (dropped == 0 ? "" : " " + Amounts.count(dropped) + " of them were dropped: raise ring=, or record fewer with a filter or sample=1/N."));
        }
        long away = missingEvents(calls);
        if (away > 0) {
            notes.add(Amounts.count(away) + " events that were made are not in these files: JFR lost them, or they were in chunks that it dropped (maxsize, maxage).");
        }
        if (lostBytes > 0) {
            notes.add("JFR itself lost " + Amounts.bytes(lostBytes) + " of events of any kind (jdk.DataLoss).");
        }
        if (chosen > 0) {
            notes.add(Amounts.count(chosen) + " of " + Amounts.count(hits) + " hits were left out by a condition, threshold, sample or limit;"
                    + " what they took inside other calls counts as those calls' own.");
        }
        if (unfinished > 0) {
            notes.add(Amounts.count(unfinished) + " calls had not returned or had no event yet.");
        }
        if (!refused.isEmpty()) {
            notes.add(Amounts.count(refused.size()) + (refused.size() == 1 ? " probe was refused." : " probes were refused."));
        }
        if (calls.deep() > 0) {
            notes.add(Amounts.count(calls.deep()) + " of " + Amounts.count(calls.hits()) + " events have " + StackTree.DEPTH + " frames or more, where JFR cuts stacks by default:"
                    + " what called may be missing. Record with -XX:FlightRecorderOptions:stackdepth=256.");
        }
        if (calls.unreturned() > 0) {
            notes.add(Amounts.count(calls.unreturned()) + " calls were left by an exception or did not end while it was recorded: they have no time.");
        }
        if (calls.withMissing() > 0) {
            notes.add(Amounts.count(calls.withMissing()) + " events have values that could not be read; they count as 0.");
        }
        return notes;
    }
}
