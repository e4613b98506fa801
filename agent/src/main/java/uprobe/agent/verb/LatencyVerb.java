package uprobe.agent.verb;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import uprobe.agent.console.Amounts;
import uprobe.agent.console.Output;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;
import uprobe.probe.Durations;
import uprobe.probe.Probe;
import uprobe.probe.ProbeCounters;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbePoint;
import uprobe.probe.ProbeSettings;
import uprobe.probe.spec.Mode;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeType;

/** How long do calls take? */
@Command(name = "latency", description = "How long calls of functions take: percentiles, live, of what took most time first. Ends with Ctrl-C.")
public final class LatencyVerb extends Verb {
    /** What is told apart. */
    enum By { function, caller }

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PATTERN", description = "LIBRARY:FUNCTION with * and {a,b}, or a probe: 'c libc:read if n > 4k' n=$arg3")
    private List<String> patterns;

    @Option(names = "--by", paramLabel = "WHAT", defaultValue = "function", description = "function, or caller: the Java method that called, see --driver (default: ${DEFAULT-VALUE})")
    private By by;

    @Mixin
    private JavaCaller caller;

    @Mixin
    private LiveOptions live;

    @Override
    public boolean arms() {
        return true;
    }

    @Override
    public List<String> prepare(List<String> words) {
        Patterns.check('c', patterns, "mode=hist");
        return words;
    }

    @Override
    public int run(Target target, Output out) throws Exception {
        List<ProbeSpec> specs = new ArrayList<>();
        for (String pattern : patterns) {
            ProbeSpec spec = Patterns.parse('c', pattern, "mode=hist");
            if (spec.type() != ProbeType.CALL) {
                out.problem("only c has a duration: " + pattern);
                return USAGE;
            }
            specs.add(spec);
        }
        ProbeEngine engine = target.bridge().engine();
        ProbeSettings all = ProbeSettings.ALL.withMode(by == By.caller ? Mode.EVENT : Mode.HIST).timed();
        try (EngineProbes probes = new EngineProbes(target, out)) {
            CallerTimes times = by == By.caller ? new CallerTimes(caller, engine) : null;
            for (ProbeSpec spec : specs) {
                probes.define(spec, all.withCondition(spec.condition()), times);
            }
            live.run(probes, out, clock -> show(engine, probes, times, clock, out));
        }
        return OK;
    }

    private void show(ProbeEngine engine, EngineProbes probes, CallerTimes times, LiveOptions.Clock clock, Output out) throws Exception {
        if (times == null) {
            show(engine, probes.points(), clock, out);
        } else {
            live.show(clock.text(), times.table(live.top()), clock, out);
        }
    }

    @Override
    public boolean endsByItself() {
        return live.endsByItself();
    }

    private record Row(ProbePoint point, ProbeCounters counters) {}

    private void show(ProbeEngine engine, List<ProbePoint> points, LiveOptions.Clock clock, Output out) throws Exception {
        List<ProbeCounters> each = Probe.counters(points);
        List<Row> rows = IntStream.range(0, points.size()).mapToObj(i -> new Row(points.get(i), each.get(i))).filter(row -> row.counters.timed() > 0)
                .sorted(Comparator.comparingLong((Row row) -> row.counters.totalTime()).reversed()).toList();
        Table table = Table.of(Column.text("library"), Column.text("function"), Column.count("calls"), Column.time("p50"), Column.time("p90"), Column.time("p99"), Column.time("max"), Column.time("total"), Column.time("self"));
        for (Row row : rows.subList(0, Math.min(rows.size(), live.top()))) {
            Durations durations = row.point.durations();
            long max = row.counters.maxTime();
            table.row(row.point.site().library(), row.point.site().symbol(), row.counters.timed(), engine.nanos(Math.min(max, durations.atMost(0.5))),
                    engine.nanos(Math.min(max, durations.atMost(0.9))), engine.nanos(Math.min(max, durations.atMost(0.99))), engine.nanos(max),
                    engine.nanos(row.counters.totalTime()), engine.nanos(row.counters.selfTime()));
        }
        if (rows.size() > live.top()) {
            List<Row> others = rows.subList(live.top(), rows.size());
            table.row("", "others (" + Amounts.count(others.size()) + " functions)", others.stream().mapToLong(row -> row.counters.timed()).sum(), null, null, null, null,
                    engine.nanos(others.stream().mapToLong(row -> row.counters.totalTime()).sum()), engine.nanos(others.stream().mapToLong(row -> row.counters.selfTime()).sum()));
        }
        String head = Amounts.count(points.size()) + (points.size() == 1 ? " function" : " functions") + ", " + Amounts.count(rows.size()) + " called, " + clock.text();
        if (rows.size() == 1 && !json()) {
            head += "\n\n" + Histogram.of(rows.get(0).point.durations(), engine);
        }
        live.show(head, table, clock, out);
    }
}
