package uprobe.agent.verb;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import uprobe.agent.AgentArguments;
import uprobe.agent.console.Amounts;
import uprobe.agent.console.Output;
import uprobe.jfr.EventBridge;
import uprobe.jfr.ProbeRequest;
import uprobe.jfr.RecordedProbe;
import uprobe.jfr.RepositorySpace;
import uprobe.probe.ProbeCounters;

/** Records for a while, and fetches the recording. */
@Command(name = "record", description = "Records hits of probes for a while into a file on this side; the probes are taken out again.")
public final class RecordVerb extends Verb {
    private static final int PIECE = 1 << 16;

    @Parameters(index = "1..*", paramLabel = "PROBE", description = "probes as for attach, @FILE too; those that are there already are recorded as well")
    private List<String> items = List.of();

    @Option(names = {"-d", "--duration"}, paramLabel = "TIME", defaultValue = "10s", description = "how long: 500ms, 10s, 2m (default: ${DEFAULT-VALUE}); Ctrl-C ends it without a file",
            converter = Millis.class)
    private long duration;

    @Option(names = {"-o", "--output"}, paramLabel = "FILE", required = true, description = "the recording")
    private Path file;

    @Option(names = "--settings", paramLabel = "NAME", description = "the JDK's own events as well: default or profile (default: none)")
    private String settings;

    @Override
    public boolean arms() {
        return true;
    }

    @Override
    public Optional<Path> file() {
        return Optional.of(file);
    }

    @Override
    public void fetched(long bytes) {
        System.err.println("uprobe: " + Amounts.bytes(bytes) + " in " + file + "; report " + file + " shows what is in it");
    }

    @Override
    public List<String> prepare(List<String> words) throws Exception {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
            throw new IllegalArgumentException("-o " + file + ": the folder " + folder + " is not there or can not be written to");
        }
        List<String> prepared = new ArrayList<>(words);
        prepared.removeAll(items);
        prepared.addAll(AgentArguments.handedOver(items));
        return prepared;
    }

    @Override
    public int run(Target target, Output out) throws Exception {
        RepositorySpace.check();
        EventBridge bridge = target.bridge();
        List<ProbeRequest> before = bridge.requests();
        List<String> said = new ArrayList<>();      /* told afterwards: who does not read holds nobody up */
        boolean all = items.isEmpty() || target.apply(String.join(";", items), said::add);
        List<ProbeRequest> ours = bridge.requests().stream().filter(request -> !before.contains(request)).toList();
        try {
            for (String line : said) {
                out.problem(line);
            }
            if (bridge.probes().isEmpty()) {
                out.problem("there is no probe to be recorded");
                return FAILED;
            }
            return record(bridge, out) && all ? OK : FAILED;
        } finally {
            ours.forEach(bridge::remove);
        }
    }

    private static long recorded(EventBridge bridge) {
        return bridge.probes().stream().map(RecordedProbe::probe).map(probe -> probe.counters()).mapToLong(ProbeCounters::recorded).sum();
    }

    private boolean record(EventBridge bridge, Output out) throws Exception {
        try (Recording recording = settings == null ? new Recording() : new Recording(Configuration.getConfiguration(settings))) {
            recording.setName("uprobe record");
            Set<String> names = new LinkedHashSet<>();
            bridge.probes().forEach(probe -> names.add(probe.eventName()));
            names.forEach(recording::enable);
            long before = recorded(bridge);
            recording.start();
            long start = System.nanoTime(), end = start + duration * 1_000_000;
            for (long left; (left = end - System.nanoTime()) > 0;) {
                long events = Math.max(0, recorded(bridge) - before);
                out.live(String.format(Locale.ROOT, "recording %s: %.0f of %.0f s, %s events", String.join(", ", names), (System.nanoTime() - start) / 1e9, duration / 1e3,
                        Amounts.count(events)), null);
                if (!out.pause(Math.min(1_000, left / 1_000_000 + 1))) {
                    return false;
                }
            }
            recording.stop();
            out.live("", null);
            try (InputStream in = recording.getStream(null, null)) {
                if (in == null) {
                    out.problem("the recording is empty");
                    return false;
                }
                byte[] piece = new byte[PIECE];
                for (int length; (length = in.read(piece)) >= 0;) {
                    out.file(piece, length);
                }
            }
            return true;
        }
    }
}
