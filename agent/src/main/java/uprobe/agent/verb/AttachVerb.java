package uprobe.agent.verb;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import uprobe.agent.AgentArguments;
import uprobe.agent.console.Output;

/** Puts probes in. */
@Command(name = "attach", description = {"Puts probes into a running JVM; they stay when the command has ended. One of a name that is there already takes its place.",
        "Without any: what native code is there."})
public final class AttachVerb extends Verb {
    @Parameters(index = "1..*", paramLabel = "ITEM", description = "probes and options, each as behind -javaagent:uprobe-agent.jar=; @FILE holds one a line")
    private List<String> items = List.of();

    @Override
    public boolean arms() {
        return true;
    }

    /** Files are this side's: what is in them goes over, and their names as the target would find them. */
    @Override
    public List<String> prepare(List<String> words) throws IOException {
        List<String> prepared = new ArrayList<>(List.of(words.get(0)));
        prepared.addAll(AgentArguments.handedOver(items));
        return prepared;
    }

    @Override
    public int run(Target target, Output out) throws Exception {
        if (items.isEmpty()) {
            LibrariesVerb.show(target, out);
            return OK;
        }
        List<String> said = new ArrayList<>();      /* told afterwards: who does not read holds nobody up */
        boolean all = target.apply(String.join(";", items), said::add);
        for (String line : said) {
            out.problem(line);
        }
        return all ? OK : FAILED;
    }
}
