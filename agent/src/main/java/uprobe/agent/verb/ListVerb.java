package uprobe.agent.verb;

import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import uprobe.agent.console.Output;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;
import uprobe.jfr.EventBridge;
import uprobe.jfr.ProbeRequest;
import uprobe.jfr.RecordedProbe;
import uprobe.probe.ProbeCounters;

/** Which probes are there? */
@Command(name = "list", description = "The probes that were put into a JVM: what they are, whether they are armed, what came of their hits.")
public final class ListVerb extends Verb {
    @Override
    public int run(Target target, Output out) throws Exception {
        Table table = Table.of(Column.text("probe"), Column.text("state"), Column.count("sites"), Column.text("by"), Column.count("hits"), Column.count("recorded"), Column.count("filtered"), Column.count("sampled out"), Column.count("lost"), Column.text("text"));
        Optional<EventBridge> bridge = target.bridgeIfOpen();
        for (ProbeRequest request : bridge.map(EventBridge::requests).orElse(List.of())) {
            for (RecordedProbe probe : request.probes()) {
                ProbeCounters counters = probe.probe().counters();
                String by = probe.probe().sites().stream().map(site -> site.mechanism().text()).collect(Collectors.toCollection(TreeSet::new)).stream().collect(Collectors.joining(", "));
                table.row(probe.eventName(), state(probe), (long) probe.probe().sites().size(), by, counters.hits(), counters.recorded(), counters.filtered(),
                        counters.sampledOut(), counters.dropped() + counters.missed(), probe.text());
            }
            if (request.probes().isEmpty()) {
                table.row("", "waits for its library", 0L, "", 0L, 0L, 0L, 0L, 0L, request.written().text());
            }
        }
        if (table.isEmpty() && !json()) {
            out.line("no probes; attach PID 'c LIBRARY:FUNCTION' puts one in, functions PID shows what there is");
            return OK;
        }
        out.table(table);
        return OK;
    }

    private static String state(RecordedProbe probe) {
        return !probe.refusal().isEmpty() ? "refused: " + probe.refusal() : probe.probe().isArmed() ? "armed" : "no recording wants it";
    }
}
