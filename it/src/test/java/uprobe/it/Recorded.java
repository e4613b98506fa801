package uprobe.it;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import java.util.regex.Pattern;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;

/** The events of a recording that tests ask for, by the names of their types. */
public final class Recorded {
    private static final Pattern LAMBDA = Pattern.compile("\\S*\\$\\$Lambda\\S* ?");

    private static final Pattern OTHERS = Pattern.compile("others \\((\\d+) functions\\)");

    private final Map<String, List<RecordedEvent>> byType = new HashMap<>();

    static Recorded read(Path file) throws IOException {
        return read(file, type -> !type.startsWith("jdk."));
    }

    static Recorded read(Path file, Predicate<String> types) throws IOException {
        Recorded recorded = new Recorded();
        try (RecordingFile in = new RecordingFile(file)) {
            while (in.hasMoreEvents()) {
                RecordedEvent event = in.readEvent();
                String type = event.getEventType().getName();
                if (types.test(type)) {
                    recorded.byType.computeIfAbsent(type, t -> new ArrayList<>()).add(event);
                }
            }
        }
        return recorded;
    }

    public List<RecordedEvent> of(String type) {
        return byType.getOrDefault(type, List.of());
    }

    /** The newest {@code uprobe.ProbeStatistics} with this value in one of its fields. */
    public RecordedEvent lastStatistics(String field, String value) {
        return of("uprobe.ProbeStatistics").stream().filter(e -> e.getString(field).equals(value))
                .max(Comparator.comparing(RecordedEvent::getStartTime)).orElseThrow(() -> new AssertionError("no statistics of " + value));
    }

    /** The counters that the agent itself gave for a probe last; the file has each thread's events together. */
    public Counters counters(String probe) {
        RecordedEvent last = lastStatistics("probe", probe);
        return new Counters(last.getLong("hits"), last.getLong("recorded"), last.getLong("dropped"), last.getLong("missed"),
                last.getLong("ownWork"));
    }

    /** All functions of a pattern's probe: the newest counters of each that has some of its own, and of the others, which are one. */
    public Whole whole(String probe) {
        Map<String, RecordedEvent> last = new HashMap<>();
        of("uprobe.ProbeStatistics").stream().filter(e -> e.getString("probe").equals(probe)).sorted(Comparator.comparing(RecordedEvent::getStartTime))
                .forEach(e -> last.put(others(e) > 0 ? "others" : e.getString("library") + "!" + e.getString("symbol"), e));
        String[] parts = {"recorded", "filtered", "sampledOut", "dropped", "missed", "ownWork", "unfinished"};
        return new Whole(last.values().stream().mapToLong(e -> Math.max(1, others(e))).sum(), last.values().stream().mapToLong(e -> e.getLong("hits")).sum(),
                last.values().stream().mapToLong(e -> Stream.of(parts).mapToLong(e::getLong).sum()).sum());
    }

    private static long others(RecordedEvent statistics) {
        Matcher others = OTHERS.matcher(statistics.getString("symbol"));
        return others.matches() ? Long.parseLong(others.group(1)) : 0;
    }

    /** hits: as counted; parts: what came of them, added up. */
    public record Whole(long functions, long hits, long parts) {}

    /** {@code uprobe.ProbeStatistics}. */
    public record Counters(long hits, long recorded, long dropped, long missed, long ownWork) {
        /** Every hit is in one of the parts. */
        public Counters assertWhole() {
            if (hits != recorded + dropped + missed + ownWork) {
                throw new AssertionError("the parts do not make the whole: " + this);
            }
            return this;
        }

        public static Counters allRecorded(long hits) {
            return new Counters(hits, hits, 0, 0, 0);
        }
    }

    /** {@code Class.method:line} of each frame from the n-th on, innermost first, joined by blanks. */
    public static String stack(RecordedEvent event, int from) {
        StringBuilder out = new StringBuilder();
        List<RecordedFrame> frames = event.getStackTrace() == null ? List.of() : event.getStackTrace().getFrames();
        for (RecordedFrame frame : frames.subList(Math.min(from, frames.size()), frames.size())) {
            out.append(out.isEmpty() ? "" : " ").append(frame(frame)).append(':').append(frame.getLineNumber());
        }
        return out.toString();
    }

    /** The same without the classes that lambdas become, which a Throwable does not show. */
    public static String stackWithoutLambdas(RecordedEvent event, int from) {
        return LAMBDA.matcher(stack(event, from)).replaceAll("").strip();
    }

    /** {@code Class.method}. */
    public static String frame(RecordedEvent event, int n) {
        return event.getStackTrace() == null || event.getStackTrace().getFrames().size() <= n ? "none" : frame(event.getStackTrace().getFrames().get(n));
    }

    private static String frame(RecordedFrame frame) {
        return frame.getMethod().getType().getName() + "." + frame.getMethod().getName();
    }
}
