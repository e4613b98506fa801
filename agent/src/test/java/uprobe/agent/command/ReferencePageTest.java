package uprobe.agent.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import uprobe.agent.AgentOption;

/** docs/commands.md is made of what the commands and options say of themselves; {@code -Dreference=write} makes it anew. */
class ReferencePageTest {
    private static final Path PAGE = Path.of("../docs/commands.md");
    private static final int WIDTH = 120;

    @Test
    void thePageSaysWhatTheCommandsSay() throws IOException {
        String page = page();
        if ("write".equals(System.getProperty("reference"))) {
            Files.writeString(PAGE, page);
        }
        assertEquals(page, Files.readString(PAGE), "made anew by: mvn -pl agent -am test -Dtest=ReferencePageTest -Dreference=write -Dsurefire.failIfNoSpecifiedTests=false");
    }

    private static String page() {
        StringBuilder page = new StringBuilder("""
                # Commands and options

                What `--help` prints, for all commands; this page is made of it. [Getting started](getting-started.md) shows them at work.
                PID is a process id, or a main class or a part of it. Commands but for `ps`, `report` and `completion` are done in the target, by the agent; the same
                words without PID are understood by the MBean `uprobe:type=Probes`, operation `execute(String)`, which is there once the JVM has JMX running, and
                `remove`, `set`, `list`, `status` and `detach` by the agent's argument too.

                """);
        CommandLine main = Main.grammar();
        help(page, main, "java -jar uprobe-agent.jar");
        for (Map.Entry<String, CommandLine> command : main.getSubcommands().entrySet()) {
            help(page, command.getValue(), command.getKey());
        }
        page.append("""
                ## Options of the agent

                Behind `-javaagent:uprobe-agent.jar=`, in `attach PID OPTION...` and in files that `@FILE` names, beside [probes](probe-language.md), with `;` or a new line between.

                | option | without it | what it does |
                |---|---|---|
                """);
        for (AgentOption option : AgentOption.values()) {
            page.append("| `").append(option.written()).append("` | ").append(option.without()).append(" | ").append(option.help()).append(" |\n");
        }
        return page.toString();
    }

    private static void help(StringBuilder page, CommandLine command, String title) {
        command.getCommandSpec().usageMessage().autoWidth(false).width(WIDTH);
        page.append("## ").append(title).append("\n\n```text\n").append(command.getUsageMessage(Ansi.OFF).replaceAll("[ \t]+\n", "\n")).append("```\n\n");
    }
}
