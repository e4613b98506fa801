package uprobe.agent.mbean;

/** {@code uprobe:type=Probes}. */
public interface ProbesMBean {
    /** Of the agent. */
    String getVersion();

    /**
     * Does what a command line behind {@code java -jar uprobe-agent.jar} would do, without PID: {@code count 'libz*:*' -d 5s}, {@code list --json}, {@code help}.
     *
     * @return what the command would print
     * @throws IllegalStateException with what it would say on stderr, if it failed
     */
    String execute(String line);
}
