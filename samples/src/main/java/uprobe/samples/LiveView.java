package uprobe.samples;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;

/**
 * What native code costs, seen by the application itself while it runs: a row a second for each probe, with the slowest call and its Java stack. The
 * probes are armed when {@link #start} returns and disarmed when {@link #close} does, if no other recording wants them.
 *
 * <pre>
 * java -javaagent:uprobe-agent.jar='enabled=false;@samples/zlib.probes' -cp samples/target/classes uprobe.samples.LiveView 10 &lt;FILES
 * </pre>
 */
public final class LiveView implements AutoCloseable {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final LiveTable table = new LiveTable();
    private final RecordingStream stream = new RecordingStream();
    private final Set<String> enabled = new HashSet<>();
    private final PrintStream out;
    private boolean ended;

    private LiveView(PrintStream out) {
        this.out = out;
    }

    /** @param out gets the rows, some seconds after the calls that they count: see {@link LiveTable} */
    public static LiveView start(PrintStream out) {
        LiveView view = new LiveView(out);
        view.stream.enable("uprobe.ProbeStatistics").withPeriod(SECOND);
        view.enableProbes();
        view.stream.onEvent(view::take);
        view.stream.onFlush(view::show);
        view.stream.startAsync();
        return view;
    }

    private synchronized void take(RecordedEvent event) {
        if (!ended) {
            table.add(event);
        }
    }

    private synchronized void show() {
        if (!ended) {
            table.rows(Instant.now()).forEach(out::println);
            enableProbes();
        }
    }

    /** An agent with {@code enabled=false} leaves it to us; types come later when their library does. */
    private void enableProbes() {
        for (EventType type : FlightRecorder.getFlightRecorder().getEventTypes()) {
            if (NativeCallTable.isCall(type.getName()) && enabled.add(type.getName())) {
                stream.enable(type.getName());
            }
        }
    }

    /** Waits until everything that happened before has been handed out, then ends the stream and prints the sums. */
    @Override
    public void close() {
        try {
            /* A stream that is closed forgets what was not flushed (RecordingStream.stop came with JDK 20). */
            Thread.sleep(LiveTable.GRACE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        stream.close();
        synchronized (this) {       /* close() does not wait for the thread that calls our actions, nor does JDK 17's awaitTermination() */
            ended = true;
            table.end().forEach(out::println);
        }
    }

    /** Compresses the files that standard input names, again and again for so many seconds, and watches itself. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1 || !arguments[0].matches("[1-9][0-9]{0,4}")) {
            System.err.println("usage: LiveView SECONDS <FILES");
            System.exit(2);
        }
        LiveView view = start(System.out);
        try {
            CompressFiles.main(arguments);
        } finally {
            view.close();
        }
        System.exit(0);
    }
}
