package uprobe.samples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** {@code Report RECORDING.jfr EVENT...}: the table of its native calls; exit code 1 if it lacks one of the events or does not add up. */
public final class Report {
    public static void main(String[] arguments) {
        if (arguments.length == 0) {
            System.err.println("usage: Report RECORDING.jfr [EVENT...]");
            System.exit(2);
        }
        try {
            NativeCallTable table = NativeCallTable.of(Path.of(arguments[0]));
            System.out.print(table);
            List<String> problems = table.problems(List.of(arguments).subList(1, arguments.length));
            problems.forEach(System.err::println);
            System.exit(problems.isEmpty() ? 0 : 1);
        } catch (IOException e) {
            System.err.println(arguments[0] + " can not be read: " + e);
            System.exit(1);
        }
    }

    private Report() {}
}
