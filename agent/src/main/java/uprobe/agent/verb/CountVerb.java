package uprobe.agent.verb;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import uprobe.agent.console.Amounts;
import uprobe.agent.console.Output;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;
import uprobe.probe.ArmedSite;
import uprobe.probe.Probe;
import uprobe.probe.ProbeCounters;
import uprobe.probe.ProbePoint;
import uprobe.probe.ProbeSettings;
import uprobe.probe.spec.Mode;
import uprobe.probe.spec.ProbeSpec;

/** Which native functions does this JVM call most? */
@Command(name = "count", description = "Counts the calls of functions: a live table, the most called first. Ends with Ctrl-C.")
public final class CountVerb extends Verb {
    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PATTERN", description = "LIBRARY:FUNCTION with * and {a,b}, e.g. 'libz*:*'; or a probe: 'p libc:read if n > 4k' n=$arg3")
    private List<String> patterns;

    @Mixin
    private LiveOptions live;

    /** Calls by the numbers of points, at the beat before. */
    private final Map<Integer, Long> counted = new HashMap<>();

    @Override
    public boolean arms() {
        return true;
    }

    @Override
    public boolean endsByItself() {
        return live.endsByItself();
    }

    /** One function, and what was counted of it. */
    private record Row(ArmedSite site, long calls, long before) {
        private long more() {
            return calls - before;
        }
    }

    @Override
    public List<String> prepare(List<String> words) {
        Patterns.check('p', patterns, "mode=count");
        return words;
    }

    @Override
    public int run(Target target, Output out) throws Exception {
        try (EngineProbes probes = new EngineProbes(target, out)) {
            for (String pattern : patterns) {
                ProbeSpec spec = Patterns.parse('p', pattern, "mode=count");
                probes.define(spec, ProbeSettings.ALL.withMode(Mode.COUNT).withCondition(spec.condition()), null);
            }
            live.run(probes, out, clock -> show(rows(probes), clock, probes.functions(), out));
        }
        return OK;
    }

    private List<Row> rows(EngineProbes probes) {
        List<ProbePoint> points = probes.points();
        List<ProbeCounters> each = Probe.counters(points);
        List<Row> rows = new ArrayList<>(points.size());
        for (int i = 0; i < points.size(); i++) {
            ProbeCounters counters = each.get(i);
            long calls = counters.hits() - counters.ownWork() - counters.filtered();
            Long before = counted.put(points.get(i).id(), calls);
            rows.add(new Row(points.get(i).site(), calls, before == null ? 0 : before));
        }
        return rows;
    }

    private void show(List<Row> rows, LiveOptions.Clock clock, int functions, Output out) throws Exception {
        double seconds = clock.seconds();
        if (clock.isLast()) {       /* what was called all in all */
            rows.replaceAll(row -> new Row(row.site, row.calls, 0));
        }
        rows.sort(Comparator.comparingLong(Row::more).thenComparing(Row::calls).reversed());
        Table table = Table.of(Column.text("library"), Column.text("function"), Column.count("calls/s"), Column.count("calls"));
        long calls = rows.stream().mapToLong(Row::calls).sum(), more = rows.stream().mapToLong(Row::more).sum(), shownCalls = 0, shownMore = 0;
        List<Row> called = rows.stream().filter(row -> row.calls > 0).toList();
        for (Row row : called.subList(0, Math.min(called.size(), live.top()))) {
            shownCalls += row.calls;
            shownMore += row.more();
            table.row(row.site.library(), row.site.symbol() + (row.site.countsIterations() ? " (iterations)" : ""), Math.round(row.more() / seconds), row.calls);
        }
        if (called.size() > live.top()) {
            table.row("", "others (" + Amounts.count(called.size() - live.top()) + " functions)", Math.round((more - shownMore) / seconds), calls - shownCalls);
        }
        if (table.rows().size() > 1) {
            table.row("", "all", Math.round(more / seconds), calls);
        }
        String head = Amounts.count(functions) + (functions == 1 ? " function" : " functions") + ", " + Amounts.count(called.size()) + " called, " + clock.text();
        live.show(head, table, clock, out);
    }
}
