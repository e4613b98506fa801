package uprobe.samples;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import jdk.jfr.consumer.RecordedEvent;
import jdk.management.jfr.FlightRecorderMXBean;
import jdk.management.jfr.RecordingInfo;
import jdk.management.jfr.RemoteRecordingStream;

/**
 * {@code RemoteView PID|HOST:PORT SECONDS EVENT [FILTER [THRESHOLD-MS]]}: watches a probe of another JVM, which has the agent, over JMX. While it looks,
 * and no longer, the probe is armed, with a filter and a threshold of its own; what other recordings of that JVM want holds beside it. For a PID, the
 * bytes of each probed place are shown before and after. Exit code 1 if it can not look or leaves a probe behind.
 */
public final class RemoteView {
    /** If this program is killed, its recording ends by itself so long after it should have. */
    private static final Duration SPARE = Duration.ofSeconds(30);

    private final LiveTable table = new LiveTable();
    private final Set<Long> addresses = new ConcurrentSkipListSet<>();
    private final FlightRecorderMXBean recorder;
    private final MBeanServerConnection connection;
    private boolean ended;

    private RemoteView(MBeanServerConnection connection) throws IOException {
        this.connection = connection;
        this.recorder = ManagementFactory.newPlatformMXBeanProxy(connection, FlightRecorderMXBean.MXBEAN_NAME, FlightRecorderMXBean.class);
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 3 || arguments.length > 5 || !arguments[1].matches("[1-9][0-9]{0,4}")
                || arguments.length == 5 && !arguments[4].matches("[0-9]{1,9}")) {
            System.err.println("usage: RemoteView PID|HOST:PORT SECONDS EVENT [FILTER [THRESHOLD-MS]]");
            System.exit(2);
        }
        String target = arguments[0], filter = arguments.length > 3 ? arguments[3] : "";
        Duration threshold = Duration.ofMillis(arguments.length > 4 ? Long.parseLong(arguments[4]) : 0);
        boolean gone;
        try (JMXConnector connector = JMXConnectorFactory.connect(address(target))) {
            RemoteView view = new RemoteView(connector.getMBeanServerConnection());
            TextOfProcess text = target.contains(":") ? null : new TextOfProcess(Long.parseLong(target));
            gone = view.watch(Duration.ofSeconds(Long.parseLong(arguments[1])), arguments[2], filter, threshold, text);
        } catch (IOException | AttachNotSupportedException | IllegalArgumentException e) {
            System.err.println(target + ": " + e.getMessage());
            gone = false;
        }
        System.exit(gone ? 0 : 1);
    }

    /** A JVM of this machine and user starts its JMX server when it is asked to; others were started with com.sun.management.jmxremote.port. */
    private static JMXServiceURL address(String target) throws IOException, AttachNotSupportedException {
        if (target.contains(":")) {
            return new JMXServiceURL("service:jmx:rmi:///jndi/rmi://" + target + "/jmxrmi");
        }
        VirtualMachine vm = VirtualMachine.attach(target);
        try {
            return new JMXServiceURL(vm.startLocalManagementAgent());
        } finally {
            vm.detach();
        }
    }

    private boolean watch(Duration time, String event, String filter, Duration threshold, TextOfProcess text) throws Exception {
        Set<String> probes = probes();
        if (!probes.contains(event)) {
            throw new IllegalArgumentException("there is no event " + event + "; the JVM's probes have " + probes);
        }
        RemoteRecordingStream stream = stream(time.plus(SPARE));
        try {
            stream.setSettings(settings(probes, event, filter, threshold));
            stream.onEvent(this::take);
            stream.onEvent("uprobe.ProbeArmed", this::armed);
            stream.onFlush(this::show);
            stream.startAsync();
            System.out.println(event + (filter.isEmpty() ? "" : ", filter " + filter)
                    + (threshold.isZero() ? "" : ", threshold " + threshold.toMillis() + " ms") + ": armed");
            Thread.sleep(time.plus(LiveTable.GRACE).toMillis());
            show(text, "while it was watched");
        } finally {
            stream.close();
        }
        synchronized (this) {       /* close() does not wait for the thread that calls our actions, nor does JDK 17's awaitTermination() */
            ended = true;
            table.end().forEach(System.out::println);
        }
        boolean original = show(text, "now");
        List<String> others = recorder.getRecordings().stream().filter(r -> r.getState().equals("RUNNING")).map(RecordingInfo::getName).toList();
        if (!others.isEmpty()) {
            System.out.println("other recordings still run: " + others);
        }
        return original || !others.isEmpty();
    }

    /**
     * What {@code stream.enable(event).withThreshold(threshold).with("filter", filter)} should do; but the stream of JDK 17 forgets whose settings
     * they are and sends {@code filter} for {@code uprobe.zlib.deflate#filter}, so that nothing comes of it.
     */
    private static Map<String, String> settings(Set<String> probes, String event, String filter, Duration threshold) {
        Map<String, String> settings = new HashMap<>();
        /* Probes are enabled by default: a recording that says nothing would arm them all. */
        probes.forEach(probe -> settings.put(probe + "#enabled", String.valueOf(probe.equals(event))));
        settings.put(event + "#stackTrace", "true");
        settings.put(event + "#threshold", threshold.toMillis() + " ms");
        settings.put(event + "#filter", filter);
        settings.put("uprobe.ProbeStatistics#enabled", "true");
        settings.put("uprobe.ProbeStatistics#period", "1 s");
        settings.put("uprobe.ProbeArmed#enabled", "true");
        return settings;
    }

    /** The names of the probes' events, from the MBean's open data: on JDK 17 a proxy can not turn it into EventTypeInfo. */
    private Set<String> probes() throws IOException, JMException {
        Set<String> names = new TreeSet<>();
        for (CompositeData type : (CompositeData[]) connection.getAttribute(new ObjectName(FlightRecorderMXBean.MXBEAN_NAME), "EventTypes")) {
            names.add((String) type.get("name"));
        }
        names.removeIf(name -> !NativeCallTable.isCall(name));
        return names;
    }

    /**
     * A stream whose recording ends by itself: the JVM would keep the recording of a client that is gone, and the probes armed. RemoteRecordingStream
     * makes its recording with itself and does not tell which it is.
     */
    private RemoteRecordingStream stream(Duration atMost) throws IOException {
        Set<Long> before = recorder.getRecordings().stream().map(RecordingInfo::getId).collect(Collectors.toCollection(HashSet::new));
        RemoteRecordingStream stream = new RemoteRecordingStream(connection);
        for (RecordingInfo recording : recorder.getRecordings()) {
            if (!before.contains(recording.getId()) && recording.getState().equals("NEW") && recording.getName().startsWith("Remote Recording Stream")) {
                recorder.setRecordingOptions(recording.getId(), Map.of("duration", atMost.toSeconds() + " s"));
            }
        }
        return stream;
    }

    private synchronized void take(RecordedEvent event) {
        if (!ended) {
            table.add(event);
        }
    }

    private synchronized void show() {
        if (!ended) {
            table.rows(Instant.now()).forEach(System.out::println);
        }
    }

    private void armed(RecordedEvent event) {
        if (event.getLong("address") != 0) {        /* 0: more than a thousand places, told as one total */
            addresses.add(event.getLong("address"));
        }
    }

    /** @return whether no probed place differs from its file; true if they can not be looked at */
    private boolean show(TextOfProcess text, String when) {
        boolean original = true;
        if (text != null) {
            for (long address : addresses) {
                try {
                    TextOfProcess.Place place = text.at(address);
                    System.out.println(when + ": " + place);
                    original &= place.isOriginal();
                } catch (IOException e) {
                    System.out.printf("%s: 0x%x can not be looked at: %s%n", when, address, e.getMessage());
                }
            }
        }
        return original;
    }
}
