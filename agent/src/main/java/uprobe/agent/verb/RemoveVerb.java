package uprobe.agent.verb;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import uprobe.agent.console.Output;

/** Takes probes out. */
@Command(name = "remove", description = "Takes probes out of a JVM for good. What they recorded stays in the recordings.")
public final class RemoveVerb extends Verb {
    @Parameters(index = "1..*", arity = "1..*", paramLabel = "NAME", description = "GROUP/EVENT as `list` shows it, with * and ?; -:GROUP/EVENT as in the kernel's language")
    private List<String> names;

    @Override
    public int run(Target target, Output out) throws Exception {
        int code = OK;
        for (String name : names) {
            List<String> removed = target.bridgeIfOpen().map(bridge -> bridge.remove(Names.of(name))).orElse(List.of());
            for (String text : removed) {
                out.line("removed: " + text);
            }
            if (removed.isEmpty()) {
                out.problem(Names.none(name, target.bridgeIfOpen()));
                code = FAILED;
            }
        }
        return code;
    }
}
