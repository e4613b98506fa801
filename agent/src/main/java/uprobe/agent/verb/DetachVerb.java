package uprobe.agent.verb;

import java.util.List;
import picocli.CommandLine.Command;
import uprobe.agent.console.Output;

/** Takes everything out. */
@Command(name = "detach", description = "Takes the agent out of a JVM: probes, threads, event types, its recording. What has to stay is listed.")
public final class DetachVerb extends Verb {
    @Override
    public int run(Target target, Output out) throws Exception {
        List<String> stays = target.detach();
        out.line("detached" + (stays.isEmpty() ? "" : "; what stays:"));
        for (String text : stays) {
            out.line("  " + text);
        }
        return OK;
    }
}
