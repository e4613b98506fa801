package uprobe.agent;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** The options of the agent's argument: name, how it is written, what holds without it, and what it does. {@link AgentArguments} parses them. */
public enum AgentOption {
    RECORD("FILE", ", e.g. record=app.jfr", "no recording", "a recording begins with the agent and is written when the JVM ends; `jcmd PID JFR.dump name=uprobe` writes what there is so far"),
    JFC("FILE", ", e.g. jfc=probes.jfc", "none", "a recording configuration with the events of all probes is written, to be edited"),
    QUIET("", "", "what happens to probes is said on stderr", "nothing but errors is said"),
    ARMED("always", " or armed=recording", "armed=recording", "probes are armed from the start on, not only while a recording has their events enabled; what nobody wants is counted"),
    ENABLED("false", " or enabled=true", "enabled=true", "recordings that do not say so do not have the probes' events"),
    GUARD("N/s", ", e.g. guard=100k/s, or guard=off", "guard=100k/s", "a probe with more events a second only counts from then on, until its settings are set again or the next recording starts"),
    SITES("all", " or sites=totals", "sites=totals", "patterns with more than 1,000 functions have `ProbeArmed` and `ProbeStatistics` for each of them as well"),
    RING("SIZE", ", e.g. ring=64k", "ring=256k", "a thread's memory for hits that no event was made of yet, a power of two from 4k to 16m"),
    DIR("FOLDER", ", e.g. dir=/var/tmp", "java.io.tmpdir, or where natives may be mapped", "the agent's native libraries are unpacked there, until the JVM ends"),
    RINGS("N", ", e.g. rings=1024", "rings=1024", "threads that can record at one time, 1 to 65536"),
    OFF("", "", "", "every probe is disarmed, whatever recordings want, until the agent is told `on`"),
    ON("", "", "", "recordings arm probes again");

    private final String value;
    private final String example;
    private final String without;
    private final String help;

    AgentOption(String value, String example, String without, String help) {
        this.value = value;
        this.example = example;
        this.without = without;
        this.help = help;
    }

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** {@code record=FILE}. */
    public String written() {
        return text() + (value.isEmpty() ? "" : "=" + value);
    }

    boolean takesAValue() {
        return !value.isEmpty();
    }

    /** Behind {@link #written}, for who forgot the value. */
    String example() {
        return example;
    }

    /** What holds if it is left out. */
    public String without() {
        return without;
    }

    public String help() {
        return help;
    }

    static Optional<AgentOption> of(String name) {
        return Arrays.stream(values()).filter(option -> option.text().equals(name)).findFirst();
    }

    static String all() {
        String[] written = Arrays.stream(values()).map(AgentOption::written).toArray(String[]::new);
        return Arrays.stream(written).limit(written.length - 1).collect(Collectors.joining(", ")) + " and " + written[written.length - 1];
    }
}
