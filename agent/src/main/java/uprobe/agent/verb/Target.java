package uprobe.agent.verb;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import uprobe.jfr.EventBridge;
import uprobe.probe.ProbeRefusedException;

/** The agent, as verbs use it. */
public interface Target {
    /**
     * Opened now if it was not yet; libraries that come from now on are looked at.
     *
     * @throws IOException if this JVM can have no probes, and why
     */
    EventBridge bridge() throws ProbeRefusedException, IOException;

    /** Empty as long as nobody needed it. */
    Optional<EventBridge> bridgeIfOpen();

    /**
     * Probes and options as in the agent's argument.
     *
     * @param said gets a line for each thing that is worth being told
     * @return whether all of it holds
     */
    boolean apply(String items, Consumer<String> said);

    /** The items of its starts so far that are options, as they were written. */
    List<String> optionsGiven();

    /**
     * Takes probes, threads, event types and the agent's recording out.
     *
     * @return what has to stay, a line each
     */
    List<String> detach() throws IOException;
}
