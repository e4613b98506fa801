package uprobe.agent.verb;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import uprobe.agent.console.Output;
import uprobe.agent.console.Table;
import uprobe.agent.console.Table.Column;
import uprobe.probe.LibraryInfo;

/** What native code is there. */
@Command(name = "libraries", description = "The native libraries that a JVM has loaded, the largest first.")
public final class LibrariesVerb extends Verb {
    @Option(names = "--all", description = "those without functions that have names as well")
    private boolean all;

    @Override
    public int run(Target target, Output out) throws Exception {
        out.table(table(target.bridge().engine().libraries(), all));
        next(out);
        return OK;
    }

    private static Table table(List<LibraryInfo> libraries, boolean all) throws IOException {
        Table table = Table.of(Column.text("library"), Column.count("functions"), Column.count("JNI"), Column.bytes("code"), Column.text("path"));
        libraries.stream().filter(library -> all || library.functions() > 0).sorted(Comparator.comparingLong(LibraryInfo::codeBytes).reversed())
                .forEach(library -> table.row(library.name(), (long) library.functions(), (long) library.jniFunctions(), library.codeBytes(), library.path()));
        return table;
    }

    private static void next(Output out) throws IOException {
        out.problem("next: functions PID 'LIBRARY:*'   what can be probed there;   count PID 'LIBRARY:*'   what is called, and how often");
    }

    /** For who attaches and asks for nothing. */
    static void show(Target target, Output out) throws Exception {
        out.table(table(target.bridge().engine().libraries(), false));
        next(out);
    }
}
