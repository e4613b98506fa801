package uprobe.agent.verb;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import uprobe.agent.console.Output;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;
import uprobe.probe.FunctionInfo;

/** What can be probed. */
@Command(name = "functions", description = {"The functions of a JVM's native libraries, and how each can be probed.",
        "Without a pattern: its libraries."})
public final class FunctionsVerb extends Verb {
    @Parameters(index = "1..*", paramLabel = "PATTERN", description = "LIBRARY:FUNCTION with * and {a,b}, e.g. 'librocksdb*:*Compaction*'; without LIBRARY: in all of them")
    private List<String> patterns = List.of();

    @Option(names = "--top", paramLabel = "N", defaultValue = "0", description = "the N largest (default: all)")
    private int top;

    @Option(names = "--jni", description = "only those that are Java's native methods")
    private boolean jni;

    @Override
    public List<String> prepare(List<String> words) {
        Patterns.check('c', patterns, "");
        return words;
    }

    @Override
    public int run(Target target, Output out) throws Exception {
        if (patterns.isEmpty() && !jni) {
            LibrariesVerb.show(target, out);
            return OK;
        }
        List<FunctionInfo> functions = new ArrayList<>();
        for (String pattern : patterns.isEmpty() ? List.of("*:*") : patterns) {
            functions.addAll(target.bridge().engine().functions(Patterns.parse('c', pattern, "")));
        }
        Stream<FunctionInfo> wanted = functions.stream().distinct().filter(function -> !jni || !function.nativeMethod().isEmpty());
        Stream<FunctionInfo> sorted = top > 0 ? wanted.sorted(Comparator.comparingLong(FunctionInfo::size).reversed()).limit(top) : wanted;
        Table table = Table.of(Column.text("library"), Column.text("function"), Column.count("size"), Column.text("probes"), Column.text("by"), Column.text("armed"), Column.text("Java's name, or why not"));
        List<FunctionInfo> shown = sorted.toList();
        shown.forEach(f -> table.row(f.library(), f.symbol(), f.size(), f.probes(), f.mechanism(), f.armed() ? "yes" : "", f.nativeMethod().isEmpty() ? f.reason() : f.nativeMethod()));
        if (shown.isEmpty() && !json()) {      /* what a pattern does not find is refused above: only --jni leaves nothing */
            out.problem("no native method of Java has its name there; a library may register its own under names that nobody sees");
            return FAILED;
        }
        out.table(table);
        long refused = shown.stream().filter(f -> f.probes().isEmpty()).count();
        out.problem(table.rows().size() + (table.rows().size() == 1 ? " function" : " functions") + (refused == 0 ? "" : ", " + refused + " of which can not be probed")
                + "; count PID PATTERN tells which are called");
        return OK;
    }
}
