package uprobe.agent.verb;

import java.util.Optional;
import picocli.CommandLine.Command;
import uprobe.agent.console.Output;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;
import uprobe.jfr.EventBridge;
import uprobe.probe.ProbeEngine;

/** How the agent is. */
@Command(name = "status", description = "The agent in a JVM: version, options, probes, rings, limits in force, what would stay after detaching.")
public final class StatusVerb extends Verb {
    @Override
    public int run(Target target, Output out) throws Exception {
        Table table = Table.of(Column.text("what"), Column.text("is"));
        table.row("version", Version.TEXT);
        table.row("JVM", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        table.row("options", target.optionsGiven().isEmpty() ? "none" : String.join("; ", target.optionsGiven()));
        Optional<EventBridge> bridge = target.bridgeIfOpen();
        if (bridge.isEmpty()) {
            table.row("probes", "none, and nothing of the engine is loaded");
        } else {
            ProbeEngine engine = bridge.get().engine();
            long armed = bridge.get().probes().stream().filter(probe -> probe.probe().isArmed()).count();
            table.row("probes", bridge.get().probes().size() + ", " + armed + " of them armed");
            ProbeEngine.TrapStatistics traps = engine.trapStatistics();
            table.row("traps", traps.traps() + ", of these stale " + traps.stale() + "; others' " + traps.foreign());
            engine.limits().forEach(limit -> table.row("limit", limit));
            if (!engine.withoutJavaStacks().isEmpty()) {
                table.row("limit", engine.withoutJavaStacks());
            }
        }
        out.table(table);
        return OK;
    }
}
