package uprobe.agent;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import uprobe.agent.report.ReportCommand;

/** The command line: {@code java -jar uprobe-agent.jar COMMAND}. */
@Command(name = "java -jar uprobe-agent.jar", mixinStandardHelpOptions = true, version = "uprobe 0.1.0",
        description = "Native probes for the JVM. As an agent: java -javaagent:uprobe-agent.jar='record=out.jfr;c libz:deflate' ...",
        subcommands = {AttachCommand.class, ReportCommand.class})
public final class Main {
    public static void main(String[] arguments) {
        /* @FILE is a file of probes, not one of picocli's, whose words are arguments */
        System.exit(new CommandLine(new Main()).setExpandAtFiles(false).setCaseInsensitiveEnumValuesAllowed(true)
                .execute(arguments.length == 0 ? new String[] {"--help"} : arguments));
    }

    private Main() {}
}
