package uprobe.jmc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

import jdk.jfr.Event;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.openjdk.jmc.common.IDisplayable;
import org.openjdk.jmc.common.item.IItemCollection;
import org.openjdk.jmc.common.unit.IQuantity;
import org.openjdk.jmc.common.unit.UnitLookup;
import org.openjdk.jmc.common.util.IPreferenceValueProvider;
import org.openjdk.jmc.flightrecorder.CouldNotLoadRecordingException;
import org.openjdk.jmc.flightrecorder.JfrLoaderToolkit;
import org.openjdk.jmc.flightrecorder.rules.IResult;
import org.openjdk.jmc.flightrecorder.rules.IRule;
import org.openjdk.jmc.flightrecorder.rules.ResultToolkit;
import org.openjdk.jmc.flightrecorder.rules.util.RulesToolkit;
import uprobe.jmc.recording.Events;

/**
 * A recording made by this JVM's own JFR, read twice: by Mission Control's parser for the rule, and by the JDK's for the numbers
 * that the rule has to arrive at.
 */
final class SyntheticRecording {

    interface Program {
        void run() throws Exception;
    }

    private final IItemCollection items;
    private final List<RecordedEvent> events;

    private SyntheticRecording(IItemCollection items, List<RecordedEvent> events) {
        this.items = items;
        this.events = events;
    }

    static SyntheticRecording of(Program program) throws Exception {
        return record(program, (recording, probe) -> recording.enable(probe).withoutThreshold().withStackTrace());
    }

    /** As with the probe option stack=none. */
    static SyntheticRecording withoutStackTraces(Program program) throws Exception {
        return record(program, (recording, probe) -> recording.enable(probe).withoutThreshold().withoutStackTrace());
    }

    /** A recording in which no probe is enabled. */
    static SyntheticRecording withoutProbes(Program program) throws Exception {
        return record(program, Recording::disable);
    }

    private static SyntheticRecording record(Program program, BiConsumer<Recording, Class<? extends Event>> settings)
            throws Exception {
        Path file = Files.createTempFile("native-probes", ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable("jdk.ActiveSetting");
            for (Class<?> event : Events.class.getClasses()) {
                settings.accept(recording, event.asSubclass(Event.class));
            }
            recording.start();
            program.run();
            recording.stop();
            recording.dump(file);
            return read(file);
        } finally {
            Files.delete(file);
        }
    }

    private static SyntheticRecording read(Path file) throws IOException, CouldNotLoadRecordingException {
        return new SyntheticRecording(JfrLoaderToolkit.loadEvents(file.toFile()), RecordingFile.readAllEvents(file));
    }

    IItemCollection items() {
        return items;
    }

    IResult evaluate(IRule rule) throws ExecutionException, InterruptedException {
        return evaluate(rule, IPreferenceValueProvider.DEFAULT_VALUES);
    }

    IResult evaluate(IRule rule, IPreferenceValueProvider preferences) throws ExecutionException, InterruptedException {
        Map<IRule, Future<IResult>> results = RulesToolkit.evaluateParallel(List.of(rule), items, preferences, 1);
        return results.get(rule).get();
    }

    /** What Mission Control shows: the message with its values in place. */
    static String read(IResult result, String message) {
        return ResultToolkit.populateMessage(result, message, false);
    }

    /** Events of this type whose second frame, the one above the probed function, is the method of this name. */
    static Predicate<RecordedEvent> calls(String typeId, String method) {
        return event -> event.getEventType().getName().equals(typeId) && event.getStackTrace() != null
                && event.getStackTrace().getFrames().get(1).getMethod().getName().equals(method);
    }

    static Predicate<RecordedEvent> ofType(String typeId) {
        return event -> event.getEventType().getName().equals(typeId);
    }

    IQuantity timeOf(Predicate<RecordedEvent> calls) {
        Duration sum = events.stream().filter(calls).map(RecordedEvent::getDuration).reduce(Duration.ZERO, Duration::plus);
        return UnitLookup.NANOSECOND.quantity(sum.toNanos());
    }

    IQuantity recordingTime() {
        Instant first = events.stream().map(RecordedEvent::getStartTime).min(Comparator.naturalOrder()).orElseThrow();
        Instant last = events.stream().map(RecordedEvent::getEndTime).max(Comparator.naturalOrder()).orElseThrow();
        return UnitLookup.NANOSECOND.quantity(first.until(last, ChronoUnit.NANOS));
    }

    double percentOf(Predicate<RecordedEvent> calls) {
        return 100 * timeOf(calls).ratioTo(recordingTime());
    }

    String shownTime(Predicate<RecordedEvent> calls) {
        return timeOf(calls).displayUsing(IDisplayable.AUTO);
    }

    String shownShare(Predicate<RecordedEvent> calls) {
        return UnitLookup.PERCENT.quantity(percentOf(calls)).displayUsing(IDisplayable.AUTO);
    }
}
