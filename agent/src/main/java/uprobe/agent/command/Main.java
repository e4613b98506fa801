package uprobe.agent.command;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParseResult;
import uprobe.agent.report.ReportCommand;
import uprobe.agent.verb.Verb;
import uprobe.agent.verb.Verbs;
import uprobe.agent.verb.Version;

/** The command line: {@code java -jar uprobe-agent.jar COMMAND}. */
@Command(name = "java -jar uprobe-agent.jar", mixinStandardHelpOptions = true, version = Version.TEXT, usageHelpAutoWidth = true, synopsisSubcommandLabel = "COMMAND",
        description = {"Native probes for the JVM. Begin with `ps`, then `functions PID`, `count PID 'LIBRARY:*'`.",
                "As an agent: java -javaagent:uprobe-agent.jar='record=out.jfr;c libz:deflate' ..."},
        footer = {"", "Exit codes: 0 done; 1 it failed, and why is on stderr; 2 what was typed means nothing; 130 ended by Ctrl-C."},
        subcommands = {PsCommand.class, ReportCommand.class, CompletionCommand.class})
public final class Main {
    public static void main(String[] arguments) {
        System.exit(execute(arguments.length == 0 ? new String[] {"--help"} : arguments));
    }

    /** All commands and their options. */
    static CommandLine grammar() {
        CommandLine line = new CommandLine(new Main());
        Verbs.addTo(line);
        /* @FILE is a file of probes, not one of picocli's, whose words are arguments */
        return line.setExpandAtFiles(false).setCaseInsensitiveEnumValuesAllowed(true);
    }

    private static int execute(String[] arguments) {
        return grammar().setExecutionStrategy(Main::execute).setExecutionExceptionHandler((e, command, parsed) -> {
            String message = e.getMessage() == null || e instanceof RuntimeException && !(e instanceof IllegalArgumentException) ? e.toString() : e.getMessage();
            message.lines().forEach(text -> System.err.println("uprobe: " + text));
            return e instanceof IllegalArgumentException ? Verb.USAGE : Verb.FAILED;
        }).execute(arguments);
    }

    private static int execute(ParseResult parsed) {
        ParseResult sub = parsed.subcommand();
        if (sub == null || sub.isUsageHelpRequested() || !(sub.commandSpec().userObject() instanceof Verb verb)) {
            return new CommandLine.RunLast().execute(parsed);
        }
        List<String> words = new ArrayList<>(parsed.originalArgs());
        words.remove(verb.pid());       /* the first that is as it */
        try {
            return new Remote(Jvms.find(verb.pid()), verb).run(verb.prepare(words));
        } catch (Exception e) {
            throw new CommandLine.ExecutionException(sub.commandSpec().commandLine(), e.getMessage(), e);
        }
    }

    private Main() {}
}
