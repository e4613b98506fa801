package uprobe.it.app;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import jdk.jfr.consumer.RecordingStream;
import jdk.management.jfr.FlightRecorderMXBean;

/**
 * What recordings want, probes do: each case makes recordings of its own and compares what is in them, and what the agent says of itself, with
 * what it did. The agent has {@link #PROBES}.
 */
public final class Steering {
    public static final String[] PROBES = {
        "c:s/leaf libprobed:probed_leaf i=$arg1:s64 ret=$retval:s64",
        "p:s/enter libprobed:probed_leaf i=$arg1:s64",
        "r:s/exit libprobed:probed_leaf ret=$retval:s64",
        "c:s/quiet libprobed:probed_float enabled=false",
        "c:s/thirds libprobed:probed_narrow a=$arg1:s8 if a > 0 limit=1000/s mode=count",
        "c:s/ends libprobed:probed_bool i=$arg1:s64 until=10",
        "c:s/first libprobed:probed_first id=$arg1:s64",
        "c:s/brief libprobed:probed_second id=$arg1:s64 until=300ms enabled=false"
    };
    private static final String LEAF = "uprobe.s.leaf", ENTER = "uprobe.s.enter", EXIT = "uprobe.s.exit", QUIET = "uprobe.s.quiet", THIRDS = "uprobe.s.thirds";
    private static final String[] ALL = {LEAF, ENTER, EXIT, QUIET, THIRDS, "uprobe.s.ends", "uprobe.s.first", "uprobe.s.brief"};

    /** A recording of nothing but what is asked for; every probe is enabled by default. */
    private static Recording recording(String... enabled) {
        Recording recording = new Recording();
        for (String name : ALL) {
            recording.disable(name);
        }
        for (String name : enabled) {
            recording.enable(name);
        }
        return recording;
    }

    static void calls(long from, int n) {
        for (long i = from; i < from + n; i++) {
            Fixture.same(i * 3 + 1, Probed.leaf(i), "leaf");
        }
    }

    /** What a recording holds; the recording is closed. */
    private static final class Held {
        final Map<String, List<RecordedEvent>> events = new TreeMap<>();

        Held(Recording recording) throws IOException {
            Path file = Files.createTempFile(Path.of("."), "steering", ".jfr");
            recording.dump(file);
            recording.close();
            for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
                events.computeIfAbsent(event.getEventType().getName(), name -> new ArrayList<>()).add(event);
            }
            Files.delete(file);
        }

        List<RecordedEvent> of(String name) {
            return events.getOrDefault(name, List.of());
        }

        void has(String name, long count) {
            Fixture.same(count, of(name).size(), name + " among " + events.keySet());
        }

        private RecordedEvent last(String probe) {
            return of("uprobe.ProbeStatistics").stream().filter(e -> e.getString("probe").equals(probe)).max(Comparator.comparing(RecordedEvent::getStartTime)).orElseThrow();
        }

        private RecordedEvent first(String probe) {
            return of("uprobe.ProbeStatistics").stream().filter(e -> e.getString("probe").equals(probe)).min(Comparator.comparing(RecordedEvent::getStartTime)).orElseThrow();
        }

        /** How much a counter grew from the recording's beginning to its end. */
        long grew(String probe, String counter) {
            return last(probe).getLong(counter) - first(probe).getLong(counter);
        }

        /** hits, recorded, filtered, sampledOut; nothing else, and the sum holds in each event. */
        void grew(String probe, long hits, long recorded, long filtered, long sampledOut) {
            Fixture.same(hits, grew(probe, "hits"), probe + " hits");
            Fixture.same(recorded, grew(probe, "recorded"), probe + " recorded");
            Fixture.same(filtered, grew(probe, "filtered"), probe + " filtered");
            Fixture.same(sampledOut, grew(probe, "sampledOut"), probe + " sampledOut");
            sums();
        }

        void sums() {
            for (RecordedEvent e : of("uprobe.ProbeStatistics")) {
                Fixture.same(e.getLong("hits"), e.getLong("recorded") + e.getLong("filtered") + e.getLong("sampledOut") + e.getLong("dropped") + e.getLong("missed")
                        + e.getLong("ownWork") + e.getLong("unfinished"), e.toString());
            }
        }
    }

    /** The libraries that differ from their files, without libc and ld.so, where the guards of our signals stay. */
    private static Map<String, Integer> changedText() throws IOException {
        Map<String, Integer> changed = new TreeMap<>();
        Fixture.check(TextOfLibraries.compareAll((file, bytes) -> {
            if (!file.startsWith("libc.so") && !file.startsWith("libc-") && !file.startsWith("ld-")) {
                changed.put(file, bytes);
            }
        }) > 5, () -> "too few libraries were compared");
        return changed;
    }

    static void awaitOriginalText() throws Exception {
        for (int i = 0; i < 500 && changedText().size() > 0; i++) {
            Thread.sleep(20);
        }
        Fixture.same(0, changedText().size(), "libraries still changed");
    }

    /** One trap for one probe, and the one that has loading threads wait. */
    private static final Map<String, Integer> ONE_PROBE = Map.of("libprobed.so", 1, "libjvm.so", 1);

    static void armedWhileARecordingWantsIt() throws Exception {
        Fixture.same(0, changedText().size(), "libraries changed before any recording: " + changedText());
        Recording one = recording(LEAF), two = recording(LEAF);
        one.start();
        Fixture.check(changedText().equals(ONE_PROBE), () -> "one trap for one probe");
        two.start();
        one.stop();
        Fixture.check(changedText().equals(ONE_PROBE), () -> "another recording wants it");
        two.stop();
        Fixture.same(0, changedText().size(), "libraries changed after the last recording");
        one.close();
        two.close();
    }

    /** Recording.close() of one that runs calls the agent with JFR's lock held: several threads once waited for each other here. */
    static void recordingsThatAreClosedWhileOthersStart() throws Exception {
        Fixture.together(3, thread -> {
            for (int i = 0; i < 40; i++) {
                Recording r = recording();
                r.enable(LEAF).with("filter", "i == " + thread);
                r.start();
                if (thread == 0) {
                    r.stop();
                }
                r.close();
            }
        });
        Fixture.same(0, changedText().size(), "libraries changed after the last recording");
    }

    /** The library comes while no recording runs; the probes are there when the next one has started. */
    static void theFirstCallOfALibraryThatHasJustComeIsRecorded() throws Exception {
        Fixture.same(0, Probed.calls("probed_leaf"), "calls of a library that has just been loaded");
        Recording r = recording(LEAF);
        r.start();
        calls(7, 1);
        r.stop();
        new Held(r).has(LEAF, 1);
    }

    static void theCallBetweenStartAndStopIsRecorded() throws Exception {
        for (int i = 0; i < 30; i++) {
            Recording r = recording(LEAF, ENTER, EXIT);
            calls(1000, 3);
            r.start();
            calls(i, 1);
            r.stop();
            calls(2000, 3);
            Held held = new Held(r);
            for (String name : List.of(LEAF, ENTER, EXIT)) {
                held.has(name, 1);
                held.grew(name, 1, 1, 0, 0);
            }
            Fixture.same(i, held.of(LEAF).get(0).getLong("i"), "i");
            Fixture.same(i * 3L + 1, held.of(EXIT).get(0).getLong("ret"), "ret");
        }
    }

    static void twoRecordingsWithSettingsOfTheirOwn() throws Exception {
        Recording even = recording(LEAF), small = recording(LEAF);
        even.enable(LEAF).with("filter", "(i & 1) == 0");
        small.enable(LEAF).with("filter", "i < 10").with("sample", "all");
        even.start();
        calls(0, 100);
        small.start();
        calls(0, 100);
        small.stop();
        calls(0, 100);
        even.stop();
        Held ofEven = new Held(even), ofSmall = new Held(small);
        ofEven.has(LEAF, 50 + 55 + 50);
        ofSmall.has(LEAF, 55);
        ofEven.grew(LEAF, 300, 155, 145, 0);
    }

    static void combinedSettingsLetThroughWhatAnyOfThemWants() throws Exception {
        Recording few = new Recording(), all = new Recording();
        few.enable(LEAF).with("sample", "1/1000000").with("threshold", "1 h").with("limit", "1/s").with("mode", "count");
        all.enable(LEAF).with("threshold", "0 ns");
        few.start();
        calls(0, 100);
        all.start();
        calls(0, 100);
        all.stop();
        calls(0, 100);
        few.stop();
        Held ofAll = new Held(all);
        ofAll.has(LEAF, 100);
        Held ofFew = new Held(few);
        ofFew.has(LEAF, 100);
        Fixture.same(300, ofFew.grew(LEAF, "hits"), "hits");
    }

    static void changesInARunningRecordingAreSeenAMomentLater() throws Exception {
        Recording r = recording();
        r.start();
        calls(0, 10);
        r.enable(LEAF);
        Thread.sleep(100);
        calls(0, 10);
        r.enable(LEAF).with("filter", "i == 3");
        Thread.sleep(100);
        calls(0, 10);
        r.disable(LEAF);
        Thread.sleep(100);
        calls(0, 10);
        r.stop();
        Held held = new Held(r);
        held.has(LEAF, 11);
        held.grew(LEAF, 20, 11, 9, 0);

        r = recording();
        r.start();
        r.enable(ENTER);        /* nothing is said of our own settings: JFR does not call us */
        Thread.sleep(150);
        calls(0, 10);
        r.enable(ENTER).withThreshold(Duration.ofMillis(1));
        Thread.sleep(150);
        calls(0, 10);
        r.disable(ENTER);
        Thread.sleep(150);
        Fixture.same(0, changedText().size(), "libraries changed while nothing is wanted");
        calls(0, 10);
        r.stop();
        held = new Held(r);
        held.grew(ENTER, 20, 10, 10, 0);
    }

    static void filtersSampleAndLimit() throws Exception {
        Recording r = recording();
        r.enable(LEAF).with("filter", "i >= 90 && ret != 298 && !(i == 95)");
        r.enable(ENTER).with("filter", "i < 5 || i == 0x20");
        r.start();
        calls(0, 100);
        r.stop();
        Held held = new Held(r);
        held.has(LEAF, 8);
        held.grew(LEAF, 100, 8, 92, 0);
        held.has(ENTER, 6);
        held.grew(ENTER, 100, 6, 94, 0);

        r = recording();
        r.enable(LEAF).with("sample", "1/100");
        r.start();
        calls(0, 20_000);
        r.stop();
        held = new Held(r);
        int drawn = held.of(LEAF).size();
        Fixture.check(drawn > 100 && drawn < 320, () -> "of 20,000 hits one in 100 would be 200, six deviations are 85: " + drawn);
        held.grew(LEAF, 20_000, drawn, 0, 20_000 - drawn);

        r = recording();
        r.enable(LEAF).with("limit", "50/s");
        r.start();
        long begin = System.nanoTime();
        calls(0, 10_000);
        long seconds = 2 + (System.nanoTime() - begin) / 1_000_000_000;
        r.stop();
        held = new Held(r);
        int made = held.of(LEAF).size();
        Fixture.check(made >= 50 && made <= 50 * seconds, () -> "50 a second: " + made + " in at most " + seconds + " of the clock's seconds");
        held.grew(LEAF, 10_000, made, 0, 10_000 - made);
    }

    static void thresholds() throws Exception {
        Recording r = recording();
        r.enable("uprobe.s.first").withThreshold(Duration.ofHours(1));
        r.enable(LEAF).withThreshold(Duration.ofHours(1));
        r.enable(ENTER).withThreshold(Duration.ofMillis(1));
        r.enable(EXIT).withThreshold(Duration.ofNanos(0));
        r.start();
        calls(0, 100);
        r.stop();
        Held held = new Held(r);
        held.grew(LEAF, 100, 0, 100, 0);
        held.grew(ENTER, 100, 0, 100, 0);      /* an instant is shorter than any threshold */
        held.grew(EXIT, 100, 100, 0, 0);

        r = recording(LEAF);
        r.start();
        calls(0, 1000);
        r.stop();
        held = new Held(r);
        List<Duration> durations = held.of(LEAF).stream().map(RecordedEvent::getDuration).sorted().toList();
        Duration middle = durations.get(500);
        r = recording();
        r.enable(LEAF).withThreshold(middle);
        r.start();
        calls(0, 1000);
        r.stop();
        held = new Held(r);
        held.grew(LEAF, 1000, held.of(LEAF).size(), 1000 - held.of(LEAF).size(), 0);
        Fixture.check(held.of(LEAF).stream().allMatch(e -> e.getDuration().compareTo(middle.minusNanos(1)) >= 0), () -> "shorter than " + middle);
    }

    static void modesWithoutEvents() throws Exception {
        for (String mode : List.of("count", "hist")) {
            Recording r = recording();
            r.enable(LEAF).with("mode", mode).with("filter", "i < 600");
            r.enable(ENTER).with("mode", mode);
            r.start();
            calls(0, 1000);
            r.stop();
            Held held = new Held(r);
            held.has(LEAF, 0);
            held.has(ENTER, 0);
            held.grew(LEAF, 1000, 600, 400, 0);
            held.grew(ENTER, 1000, 1000, 0, 0);
            Fixture.same(mode.equals("hist") ? 600 : 0, held.grew(LEAF, "timed"), "timed in mode " + mode);
        }
        /* judged at the return, where what did not pass was once timed as well */
        for (String mode : List.of("event", "count", "hist")) {
            Recording r = recording();
            r.enable(LEAF).with("mode", mode).with("filter", "ret <= 1000");
            r.start();
            calls(0, 1000);
            r.stop();
            Held held = new Held(r);
            held.grew(LEAF, 1000, 334, 666, 0);
            Fixture.same(mode.equals("count") ? 0 : 334, held.grew(LEAF, "timed"), "timed in mode " + mode);
        }
        Recording r = recording(THIRDS);
        r.start();
        for (int i = -50; i < 100; i++) {
            Fixture.same(i - 1, Probed.ofByte((byte) i), "narrow");
        }
        r.stop();
        Held held = new Held(r);
        held.has(THIRDS, 0);
        held.grew(THIRDS, 150, 99, 51, 0);
    }

    /** Against the durations of all events of the same calls. The first statistics of this probe are of this recording. */
    static void percentilesAreWithinOnePercent() throws Exception {
        Recording r = recording("uprobe.s.first");
        r.start();
        for (int i = 0; i < 400; i++) {
            Fixture.same(i * 2 + 3, Probed.sleepBetween(i, 0), "sleepBetween");
        }
        r.stop();
        Held held = new Held(r);
        List<Long> durations = held.of("uprobe.s.first").stream().map(e -> e.getDuration().toNanos()).sorted().toList();
        RecordedEvent last = held.last("uprobe.s.first");
        Fixture.same(durations.size(), last.getLong("timed"), "timed");
        near(durations.stream().mapToLong(d -> d).sum(), last.getDuration("totalTime").toNanos(), "totalTime");
        near(durations.get(durations.size() - 1), last.getDuration("max").toNanos(), "max");
        near(durations.get(durations.size() / 2 - 1), last.getDuration("p50").toNanos(), "p50");
        near(durations.get(durations.size() * 9 / 10 - 1), last.getDuration("p90").toNanos(), "p90");
        near(durations.get(durations.size() * 99 / 100 - 1), last.getDuration("p99").toNanos(), "p99");
    }

    /** 1 %, and a nanosecond of rounding for each of the parts. */
    private static void near(long expected, long found, String what) {
        Fixture.check(Math.abs(found - expected) <= expected / 100 + 400, () -> what + ": expected " + expected + " ns, found " + found);
    }

    static void disabledByDefault() throws Exception {
        Recording plain = new Recording(), asking = new Recording();
        asking.enable(QUIET);
        plain.start();
        Probed.ofFloat(1);
        asking.start();
        Probed.ofFloat(1);
        asking.stop();
        Probed.ofFloat(1);
        plain.stop();
        Held ofPlain = new Held(plain);
        ofPlain.has(QUIET, 1);      /* JFR writes what one of them wants for all that run */
        Held ofAsking = new Held(asking);
        ofAsking.has(QUIET, 1);
    }

    static void comesToItsEnd() throws Exception {
        Recording r = recording("uprobe.s.ends");
        r.start();
        for (int i = 0; i < 25; i++) {
            Probed.ofBoolean(i);
        }
        awaitOriginalText();
        r.stop();
        Held held = new Held(r);
        held.has("uprobe.s.ends", 10);
        held.grew("uprobe.s.ends", 25, 10, 0, 15);
        r = recording("uprobe.s.ends");
        r.start();
        Fixture.same(0, changedText().size(), "an ended probe is not armed again");
        r.close();
    }

    /** Its time runs from when it was first armed, also while it is not. It was armed once more here, for a moment. */
    static void comesToItsEndWhileNoRecordingRuns() throws Exception {
        Recording r = recording("uprobe.s.brief");
        r.start();
        Probed.sleepBetween(1, 0);
        r.stop();
        new Held(r).has("uprobe.s.brief", 1);
        Thread.sleep(400);
        r = recording("uprobe.s.brief");
        r.start();
        Fixture.same(0, changedText().size(), "an ended probe is not armed again");
        r.close();
    }

    static void streams() throws Exception {
        AtomicLong seen = new AtomicLong();
        try (RecordingStream stream = new RecordingStream()) {
            for (String name : ALL) {
                stream.disable(name);
            }
            stream.enable(LEAF).with("filter", "i < 50");
            stream.onEvent(LEAF, event -> seen.addAndGet(event.getLong("i") < 50 && event.getStackTrace() != null ? 1 : 1_000_000));
            stream.startAsync();
            calls(0, 100);
            for (int i = 0; i < 100 && seen.get() < 50; i++) {
                Thread.sleep(100);
            }
        }
        Fixture.same(50, seen.get(), "events of the stream");
        Fixture.same(0, changedText().size(), "libraries changed after the stream");
    }

    /** What Mission Control does. */
    static void overJmx() throws Exception {
        FlightRecorderMXBean bean = ManagementFactory.getPlatformMXBean(FlightRecorderMXBean.class);
        Fixture.check(bean.getEventTypes().stream().filter(t -> t.getName().equals(LEAF))
                .flatMap(t -> t.getSettingDescriptors().stream()).map(s -> s.getName()).sorted().toList()
                .equals(List.of("enabled", "filter", "limit", "mode", "sample", "stackTrace", "threshold")), () -> "settings of " + LEAF);
        long id = bean.newRecording();
        Map<String, String> settings = new TreeMap<>();
        for (String name : ALL) {
            settings.put(name + "#enabled", "false");
        }
        settings.putAll(Map.of(LEAF + "#enabled", "true", LEAF + "#stackTrace", "false"));
        settings.put(LEAF + "#filter", "i == 7 || i == 9");
        bean.setRecordingSettings(id, settings);
        bean.startRecording(id);
        calls(0, 10);
        bean.stopRecording(id);
        Path file = Path.of("overJmx.jfr").toAbsolutePath();
        bean.copyTo(id, file.toString());
        bean.closeRecording(id);
        List<RecordedEvent> events = RecordingFile.readAllEvents(file).stream().filter(e -> e.getEventType().getName().equals(LEAF)).toList();
        Files.delete(file);
        Fixture.same(2, events.size(), "events over JMX");
        Fixture.check(events.stream().allMatch(e -> e.getStackTrace() == null), () -> "stackTrace=false");
    }

    /** A bad wish is said once for each time it is made, and is no wish. */
    static void badSettings() throws Exception {
        Recording r = recording();
        r.enable(LEAF).with("filter", "j == 3").with("sample", "1/0").with("limit", "many").with("mode", "sometimes");
        r.start();
        calls(0, 10);
        r.stop();
        new Held(r).has(LEAF, 10);
    }

    public static void main(String[] args) throws Exception {
        theFirstCallOfALibraryThatHasJustComeIsRecorded();
        armedWhileARecordingWantsIt();
        recordingsThatAreClosedWhileOthersStart();
        theCallBetweenStartAndStopIsRecorded();
        percentilesAreWithinOnePercent();
        twoRecordingsWithSettingsOfTheirOwn();
        combinedSettingsLetThroughWhatAnyOfThemWants();
        changesInARunningRecordingAreSeenAMomentLater();
        filtersSampleAndLimit();
        thresholds();
        modesWithoutEvents();
        disabledByDefault();
        comesToItsEnd();
        comesToItsEndWhileNoRecordingRuns();
        streams();
        overJmx();
        badSettings();
        Fixture.ok();
    }

    private Steering() {}
}
