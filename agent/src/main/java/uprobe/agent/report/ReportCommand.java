package uprobe.agent.report;

import com.grack.nanojson.JsonStringWriter;
import com.grack.nanojson.JsonWriter;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.openjdk.jmc.flightrecorder.rules.Severity;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import uprobe.agent.console.Amounts;
import uprobe.agent.console.Drivers;
import uprobe.agent.console.Table;
import uprobe.agent.report.ReportTables.By;

/** {@code report FILE...}: the command line. What it does is {@link Recordings}' and the tables'. */
@Command(name = "report", mixinStandardHelpOptions = true, sortOptions = false, usageHelpWidth = 110,
        description = "Shows what recordings have of native probes: who called what, how often and how long.",
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {"0:all went well", "1:a file is missing, cut, or no recording of native probes; or something can not be written",
            "2:the command line is wrong, or names a field or probe that is not there", "3:a rule says what --fail-on names, or worse"})
public final class ReportCommand implements Callable<Integer> {
    private static final String PLUGIN = "Mission Control shows this as well: put jmc-plugin-*.jar into its dropins folder";
    private static final int RULES_FAILED = 3;

    private enum FailOn { INFO, WARNING }

    @Parameters(paramLabel = "FILE", arity = "0..*", description = "recordings (.jfr), looked at together")
    private List<Path> files = List.of();

    @Option(names = "--by", paramLabel = "WHAT", description = "one table only: function, caller or both")
    private By by;

    @Option(names = "--top", paramLabel = "N", defaultValue = "20", description = "rows of a table at most (${DEFAULT-VALUE})")
    private int top;

    @Option(names = "--driver", paramLabel = "PREFIX", description = "classes that are no callers, beside the JDK's and those of well known native libraries"
            + " (org.sqlite, org.rocksdb, io.netty, ...); may be repeated; 'none' has the well known ones count as callers")
    private List<String> drivers = new ArrayList<>();

    @Option(names = "--sum", paramLabel = "FIELD", description = "adds up this field of numbers; may be repeated")
    private List<String> sums = new ArrayList<>();

    @Option(names = "--pair", paramLabel = "PROBE:FIELD", arity = "2", description = "what one probe opened and the other never closed, as in"
            + " --pair malloc:ret free:ptr")
    private List<String> pair;

    @Option(names = "--html", paramLabel = "OUT", description = "writes a page with flame graphs and tables")
    private Path html;

    @Option(names = "--collapsed", paramLabel = "OUT", description = "writes stacks as collapsed text, for flame graph tools")
    private Path collapsed;

    @Option(names = "--weight", paramLabel = "WHAT", description = "of --collapsed: calls, time (in ns; the default if there is any) or a field of --sum")
    private String weight;

    @Option(names = "--chrome", paramLabel = "OUT", description = "writes each hit as a trace event (JSON), for Perfetto")
    private Path chrome;

    @Option(names = "--json", description = "prints the tables as JSON; times are in ns")
    private boolean json;

    @Option(names = "--rules", description = "evaluates Mission Control's rules for native probes; they want all events in memory")
    private boolean rules;

    @Option(names = "--all-rules", description = "its rules for the JDK as well")
    private boolean allRules;

    @Option(names = "--fail-on", paramLabel = "SEVERITY", description = "evaluates the rules; exit code 3 if one says so: warning or info")
    private FailOn failOn;

    @Option(names = "--whole-chunks", description = "of a file that is cut, the chunks that are whole")
    private boolean wholeChunks;

    @Override
    public Integer call() {
        try {
            return report();
        } catch (BadInput e) {
            System.err.println("uprobe: " + e.getMessage());
            return e.exitCode();
        } catch (IOException e) {
            System.err.println("uprobe: " + e.getClass().getSimpleName() + ": " + e.getMessage());
            return BadInput.FAILURE;
        } catch (OutOfMemoryError e) {
            System.err.println("uprobe: a heap of " + Amounts.bytes(Runtime.getRuntime().maxMemory()) + " is too small for this; give more, as in java -Xmx4g -jar ..."
                    + (wantsRules() ? ", or leave out the rules, which want all events in memory" : ""));
            return BadInput.FAILURE;
        }
    }

    private boolean wantsRules() {
        return rules || allRules || failOn != null;
    }

    private int report() throws BadInput, IOException {
        if (files.isEmpty()) {
            throw BadInput.usage("no recording is named: java -jar uprobe-agent.jar report FILE...; --help shows the options");
        }
        if (top <= 0) {
            throw BadInput.usage("--top " + top + " leaves nothing: give a number of rows from 1 on");
        }
        if (pair != null && pair.size() > 2) {
            throw BadInput.usage("--pair is given " + pair.size() / 2 + " times: one pair is looked at in a run");
        }
        StackTree stacks = new StackTree(new Frames(driversMeant()));
        Calls calls = new Calls(stacks, sums);
        Pairs pairs = pair == null ? null : new Pairs(Pairs.End.parse(pair.get(0)), Pairs.End.parse(pair.get(1)), sums);
        Recordings recordings;
        for (Path out : written()) {
            checkWritable(out);
        }
        try (ChromeTrace trace = chrome == null ? null : new ChromeTrace(chrome)) {
            recordings = new Recordings(stacks, calls, pairs, trace);
            recordings.read(files, wholeChunks);
        }
        check(recordings.fields(), pairs);
        FlameGraphs graphs = new FlameGraphs(stacks, calls);
        String collapsedWeight = weight == null ? graphs.weights().get(0) : weight;
        if (!graphs.weights().contains(collapsedWeight)) {
            throw BadInput.usage("--weight " + weight + " is none of " + String.join(", ", graphs.weights()) + "; a field has to be named by --sum as well");
        }
        ProbeRules evaluated = wantsRules() ? ProbeRules.evaluate(files, allRules) : null;

        List<Table> tables = tables(calls, recordings, pairs, evaluated);
        List<String> notes = new ArrayList<>(recordings.losses().notes(calls));
        if (pairs != null) {
            notes.add(pairs.note());
        }
        if (html != null) {
            new HtmlPage("Native calls in " + recordings.names(), recordings.header(), notes, tables).write(html, graphs);
        }
        if (collapsed != null) {
            try (PrintStream out = new PrintStream(collapsed.toFile(), StandardCharsets.UTF_8)) {
                graphs.collapsed(collapsedWeight, out);
            }
        }
        print(recordings.header(), tables, notes);
        return failOn != null && evaluated.isAtLeast(Severity.valueOf(failOn.name())) ? RULES_FAILED : 0;
    }

    private List<Path> written() {
        return Stream.of(html, collapsed, chrome).filter(Objects::nonNull).toList();
    }

    /** Before all is read. */
    private static void checkWritable(Path out) throws BadInput {
        Path parent = out.toAbsolutePath().getParent();
        if (!Files.isDirectory(parent)) {
            throw BadInput.failure(out + " can not be written: there is no folder " + parent);
        }
        if (Files.isDirectory(out) || !Files.isWritable(Files.exists(out) ? out : parent)) {
            throw BadInput.failure(out + " can not be written: " + (Files.isDirectory(out) ? "it is a folder" : "permission is denied"));
        }
    }

    private List<String> driversMeant() {
        List<String> meant = new ArrayList<>(drivers.contains("none") ? List.of() : Drivers.KNOWN);
        drivers.stream().filter(each -> !each.equals("none")).forEach(meant::add);
        return meant;
    }

    private void check(RecordedFields fields, Pairs pairs) throws BadInput {
        for (String sum : sums) {
            if (!fields.hasNumber(sum)) {
                throw BadInput.usage("--sum " + sum + ": no probe fetches a number of this name; " + fields.allNumbers());
            }
        }
        if (pairs != null) {
            pairs.check(fields);
        }
    }

    private List<Table> tables(Calls calls, Recordings recordings, Pairs pairs, ProbeRules evaluated) {
        List<Table> tables = new ArrayList<>(new ReportTables(calls).of(by == null ? List.of(By.values()) : List.of(by)));
        if (pairs != null) {
            tables.add(pairs.table(calls));
        }
        tables.add(recordings.losses().statistics(calls));
        tables.add(recordings.losses().latencies());
        tables.add(recordings.losses().losses());
        tables.add(recordings.losses().refusals());
        if (evaluated != null) {
            tables.add(evaluated.table());
        }
        return tables.stream().map(table -> table.top(top)).toList();
    }

    private void print(String header, List<Table> tables, List<String> notes) {
        if (json) {
            JsonStringWriter out = JsonWriter.string().object().value("header", header).array("notes", notes);
            tables.forEach(table -> table.json(out));
            System.out.println(out.end().done());
            return;
        }
        System.out.println(header);
        tables.stream().filter(table -> !table.isEmpty()).forEach(table -> System.out.println("\n" + table.text(Ansi.AUTO)));
        System.out.println();
        notes.forEach(System.out::println);
        written().forEach(out -> System.out.println("written: " + out));
        System.out.println(PLUGIN);
    }
}
