package uprobe.agent.command;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;
import uprobe.agent.verb.Verb;

/** Which JVMs are there? */
@Command(name = "ps", mixinStandardHelpOptions = true, usageHelpAutoWidth = true, description = "The JVMs of this machine, and whether they can be attached to.")
final class PsCommand implements Callable<Integer> {
    @Option(names = "--json", description = "as JSON")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        Table table = Table.of(Column.right("PID"), Column.text("user"), Column.text("Java"), Column.text("agent"), Column.text("main class"), Column.text("can be attached to"));
        for (TargetProcess target : Jvms.all()) {
            table.row(target.pid(), target.owner(), target.javaVersion(), target.hasAgent() ? "yes" : "", target.mainClass(), target.obstacle().map(why -> "no: " + why).orElse("yes"));
        }
        if (table.isEmpty() && !json) {
            System.err.println("uprobe: no JVM that this user may look into is running");
            return Verb.OK;
        }
        new Screen(json, true).table(table);
        return Verb.OK;
    }
}
