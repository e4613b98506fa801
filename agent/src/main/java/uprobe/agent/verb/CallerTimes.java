package uprobe.agent.verb;

import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.AtomicHistogram;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;
import uprobe.probe.HitRecordDescriptor;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbePoint;

/** Durations by the Java method that called. */
final class CallerTimes implements LiveHits.Listener {
    /** Callers beyond so many are one. */
    private static final int MOST = 1_000;
    private static final long LONGEST_NANOS = 3_600_000_000_000L;
    /** Two digits: 1 % off at most. */
    private static final int DIGITS = 2;

    private record Key(String caller, String function) {}

    private static final class Times {
        final AtomicHistogram durations = new AtomicHistogram(LONGEST_NANOS, DIGITS);
        final LongAdder nanos = new LongAdder();
    }

    private final JavaCaller caller;
    private final ProbeEngine engine;
    private final Map<Key, Times> times = new ConcurrentHashMap<>();

    CallerTimes(JavaCaller caller, ProbeEngine engine) {
        this.caller = caller;
        this.engine = engine;
        caller.prepare();
        new Times().durations.recordValue(1);
    }

    @Override
    public void hit(ProbePoint point, ByteBuffer record, boolean drained) {
        if ((record.getShort(HitRecordDescriptor.MISSING) & HitRecordDescriptor.MISSING_DURATION) != 0) {
            return;
        }
        Key key = new Key(drained ? JavaCaller.NONE : caller.now(), point.site().symbol());
        Times of = times.get(key);
        if (of == null) {
            of = times.computeIfAbsent(times.size() < MOST ? key : new Key("other callers", key.function), first -> new Times());
        }
        long nanos = engine.nanos(record.getLong(HitRecordDescriptor.VALUES));
        of.durations.recordValue(Math.max(0, Math.min(LONGEST_NANOS, nanos)));
        of.nanos.add(nanos);
    }

    Table table(int top) {
        Table table = Table.of(Column.text("Java caller"), Column.text("function"), Column.count("calls"), Column.time("p50"), Column.time("p90"), Column.time("p99"), Column.time("max"), Column.time("total"));
        List<Map.Entry<Key, Times>> rows = times.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<Key, Times> row) -> row.getValue().nanos.sum()).reversed()).toList();
        for (Map.Entry<Key, Times> row : rows.subList(0, Math.min(rows.size(), top))) {
            AtomicHistogram durations = row.getValue().durations;
            table.row(row.getKey().caller, row.getKey().function, durations.getTotalCount(), durations.getValueAtPercentile(50), durations.getValueAtPercentile(90),
                    durations.getValueAtPercentile(99), durations.getMaxValue(), row.getValue().nanos.sum());
        }
        if (rows.size() > top) {
            List<Map.Entry<Key, Times>> others = rows.subList(top, rows.size());
            table.row("others (" + others.size() + ")", "", others.stream().mapToLong(row -> row.getValue().durations.getTotalCount()).sum(), null, null, null, null,
                    others.stream().mapToLong(row -> row.getValue().nanos.sum()).sum());
        }
        return table;
    }
}
