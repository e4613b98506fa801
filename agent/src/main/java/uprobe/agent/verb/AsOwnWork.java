package uprobe.agent.verb;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import uprobe.jfr.EventBridge;
import uprobe.probe.OwnWork;
import uprobe.probe.ProbeRefusedException;

/** The agent for a verb on this thread, whose work is nobody's data: from its beginning on, or from when the engine is there. */
final class AsOwnWork implements Target, AutoCloseable {
    private final Target target;
    private boolean begun = OwnWork.begin();

    AsOwnWork(Target target) {
        this.target = target;
    }

    private void begin() {
        begun = begun || OwnWork.begin();
    }

    @Override
    public EventBridge bridge() throws ProbeRefusedException, IOException {
        EventBridge bridge = target.bridge();
        begin();
        return bridge;
    }

    @Override
    public Optional<EventBridge> bridgeIfOpen() {
        return target.bridgeIfOpen();
    }

    @Override
    public boolean apply(String items, Consumer<String> said) {
        boolean all = target.apply(items, said);
        begin();
        return all;
    }

    @Override
    public List<String> optionsGiven() {
        return target.optionsGiven();
    }

    @Override
    public List<String> detach() throws IOException {
        return target.detach();
    }

    @Override
    public void close() {
        OwnWork.end(begun);
    }
}
