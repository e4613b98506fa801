package uprobe.agent.command;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Spec;
import uprobe.agent.verb.Verb;

/** For who calls the jar by a short name. */
@Command(name = "completion", mixinStandardHelpOptions = true, usageHelpAutoWidth = true, description = {"Prints a completion script for bash and zsh, for an alias:",
        "alias uprobe='java -jar /path/to/uprobe-agent.jar'; source <(uprobe completion)"})
final class CompletionCommand implements Callable<Integer> {
    private static final String ALIAS = "uprobe";

    @Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        System.out.print(AutoComplete.bash(ALIAS, spec.parent().commandLine()));
        return Verb.OK;
    }
}
