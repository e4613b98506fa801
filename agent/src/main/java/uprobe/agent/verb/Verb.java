package uprobe.agent.verb;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import uprobe.agent.console.Output;

/**
 * Something that is done in a JVM that has the agent. Its subclasses' annotations are its grammar: the command parses by them before it attaches, so that
 * what is wrong is said there, and the agent once more, from the same words.
 * <p>
 * A failure that the user can do something about is an exception with one sentence; {@link #run}'s number is the command's exit code.
 */
@Command(mixinStandardHelpOptions = true, usageHelpAutoWidth = true)
public abstract class Verb {
    /** What stands in the place of the PID inside of the process. */
    public static final String SELF = "self";
    /** Exit codes: all is well; it failed; what was typed means nothing. */
    public static final int OK = 0, FAILED = 1, USAGE = 2;

    @Parameters(index = "0", paramLabel = "PID", description = "process id of a JVM, or its main class or a part of it, as `ps` shows them")
    private String pid;

    @Option(names = "--json", description = "tables as JSON: an array of objects, numbers as nanoseconds, bytes and counts")
    private boolean json;

    public final String pid() {
        return pid;
    }

    public final boolean json() {
        return json;
    }

    /**
     * Called in the target.
     *
     * @return {@link #OK} or {@link #FAILED}
     * @throws Exception whose message is for the user
     */
    public abstract int run(Target target, Output out) throws Exception;

    /**
     * Called in the command's own JVM before it attaches: what can be said there already.
     *
     * @return the words that go to the target
     * @throws IllegalArgumentException with one sentence, if what was typed means nothing
     */
    public List<String> prepare(List<String> words) throws Exception {
        return words;
    }

    /** Whether what is shown meanwhile is of interest only to who looks on: the last of it is printed at the end. */
    public boolean endsByItself() {
        return true;
    }

    /** Of the command, that gets what the target sends as a file; most send none. */
    public Optional<Path> file() {
        return Optional.empty();
    }

    /** Called in the command's own JVM when all of the file has come, so many bytes. */
    public void fetched(long bytes) {}

    /** Whether traps may be written for it: then threads that have SIGTRAP blocked are opened first. */
    public boolean arms() {
        return false;
    }
}
