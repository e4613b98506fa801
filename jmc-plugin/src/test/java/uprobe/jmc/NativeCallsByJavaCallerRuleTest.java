package uprobe.jmc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static uprobe.jmc.SyntheticRecording.calls;
import static uprobe.jmc.SyntheticRecording.ofType;
import static uprobe.jmc.SyntheticRecording.read;
import static uprobe.jmc.recording.NativeLibrary.LIBZ;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

import app.Archive;
import app.Plugins;
import app.Thumbnails;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.openjdk.jmc.common.IDisplayable;
import org.openjdk.jmc.common.unit.IQuantity;
import org.openjdk.jmc.common.unit.UnitLookup;
import org.openjdk.jmc.common.util.IPreferenceValueProvider;
import org.openjdk.jmc.common.util.TypedPreference;
import org.openjdk.jmc.flightrecorder.rules.IResult;
import org.openjdk.jmc.flightrecorder.rules.RuleRegistry;
import org.openjdk.jmc.flightrecorder.rules.Severity;
import org.openjdk.jmc.flightrecorder.rules.TypedResult;
import uprobe.jmc.recording.Events;

class NativeCallsByJavaCallerRuleTest {

    private static final Predicate<RecordedEvent> PACK = calls("uprobe.zlib.deflate", "pack");
    private static final Predicate<RecordedEvent> RENDER = calls("uprobe.zlib.deflate", "render");

    private static Locale locale;

    private final NativeCallsByJavaCallerRule rule = new NativeCallsByJavaCallerRule();

    @BeforeAll
    static void readInEnglish() {
        locale = Locale.getDefault();
        Locale.setDefault(Locale.ENGLISH);
    }

    @AfterAll
    static void readAsBefore() {
        Locale.setDefault(locale);
    }

    @Test
    void saysWhichCallerSpendsHowMuchTimeInWhichFunction() throws Exception {
        SyntheticRecording recording = SyntheticRecording.of(() -> Archive.pack(3, 20));

        IResult result = recording.evaluate(rule);

        assertEquals("app.Archive.pack spends " + recording.shownTime(PACK) + " in libz.deflate, " + recording.shownShare(PACK)
                + " of the recording, in 3 calls.", read(result, result.getSummary()));
        assertEquals("The probed native functions, by the Java method that called them: libz.deflate from app.Archive.pack: "
                + recording.shownTime(PACK) + " (" + recording.shownShare(PACK) + ") in 3 calls\n"
                + "The caller is the innermost method outside the JDK. Times are summed over threads, against "
                + shown(recording.recordingTime()) + " of recording; a function's time includes that of probed functions it calls.",
                read(result, result.getExplanation()));
        assertEquals("A call takes " + shown(UnitLookup.NANOSECOND.quantity(nanos(recording.timeOf(PACK)) / 3))
                + " on average: look at the arguments of the longest ones on the page Native Probes.",
                read(result, result.getSolution()));
    }

    @Test
    void ranksCallersByTimeNotByCalls() throws Exception {
        SyntheticRecording recording = SyntheticRecording.of(() -> {
            Archive.pack(4, 2);
            Thumbnails.render(60);
            Archive.verify(100);
        });

        IResult result = recording.evaluate(rule);

        assertEquals("app.Thumbnails.render spends " + recording.shownTime(RENDER) + " in libz.deflate, "
                + recording.shownShare(RENDER) + " of the recording, in one call.", read(result, result.getSummary()));
        assertEquals(List.of(
                "libz.deflate from app.Thumbnails.render: " + recording.shownTime(RENDER) + " (" + recording.shownShare(RENDER)
                        + ") in 1 call",
                "libz.deflate from app.Archive.pack: " + recording.shownTime(PACK) + " (" + recording.shownShare(PACK)
                        + ") in 4 calls",
                "libz.crc32 from app.Archive.verify: 100 calls"),
                new ArrayList<>(result.getResult(NativeCallsByJavaCallerRule.RANKING)));
    }

    @Test
    void countsAloneWhereTheProbeSeesEntriesOnly() throws Exception {
        SyntheticRecording recording = SyntheticRecording.of(() -> Archive.verify(17));

        IResult result = recording.evaluate(rule);

        assertEquals("app.Archive.verify calls libz.crc32 17 times; how long that takes is not recorded.",
                read(result, result.getSummary()));
        assertEquals("Probe the function with c: instead of p: to see how long its calls take.",
                read(result, result.getSolution()));
        assertEquals(Severity.OK, result.getSeverity());
        assertEquals(0, result.getResult(TypedResult.SCORE).doubleValue());
        assertNull(result.getResult(NativeCallsByJavaCallerRule.TIME));
    }

    /** The drain thread commits with its own stack, which has nothing to do with the hit. */
    @Test
    void drainedHitsHaveNoJavaCallerThoughTheyHaveAStack() throws Exception {
        SyntheticRecording recording = SyntheticRecording.of(() -> {
            LIBZ.deflateDrained(15, "native thread");
            LIBZ.deflateDrained(15, "long call");
            Archive.pack(1, 5);
        });
        Predicate<RecordedEvent> drained = ofType("uprobe.zlib.deflate").and(event -> event.getString("drained") != null);

        IResult result = recording.evaluate(rule);

        assertEquals("libz.deflate takes " + recording.shownTime(drained) + ", " + recording.shownShare(drained)
                + " of the recording, in 2 calls with no Java caller (native threads).", read(result, result.getSummary()));
        assertTrue(read(result, result.getExplanation()).endsWith(
                " Hits without their caller's stack trace count as \"no Java caller (native threads)\"."));
        assertEquals("The field nativeThreadName of these events tells which threads do this work.",
                read(result, result.getSolution()));
        assertEquals(2, result.getResult(NativeCallsByJavaCallerRule.RANKING).size());
    }

    @Test
    void hitsWithoutAStackHaveNoJavaCallerAndTheNameOfTheirType() throws Exception {
        SyntheticRecording recording = SyntheticRecording.withoutStackTraces(() -> Archive.pack(2, 5));
        Predicate<RecordedEvent> all = ofType("uprobe.zlib.deflate");

        IResult result = recording.evaluate(rule);

        assertEquals("zlib.deflate takes " + recording.shownTime(all) + ", " + recording.shownShare(all)
                + " of the recording, in 2 calls with no Java caller (native threads).", read(result, result.getSummary()));
    }

    @Test
    void passesTheNativeMethodAndTheJdkOnTheWayToTheCaller() throws Exception {
        ClassLoader libloader = (ClassLoader) Class.forName("libloader").getConstructor().newInstance();
        SyntheticRecording recording = SyntheticRecording.of(() -> Plugins.load(libloader));
        Predicate<RecordedEvent> all = ofType("uprobe.loader.loadClass");

        IResult result = recording.evaluate(rule);

        assertEquals("app.Plugins.load spends " + recording.shownTime(all) + " in libloader.loadClass, "
                + recording.shownShare(all) + " of the recording, in one call.", read(result, result.getSummary()));
    }

    @Test
    void functionsOfAWildcardProbeAreToldApartByTheirFields() throws Exception {
        SyntheticRecording recording = SyntheticRecording.of(() -> Thumbnails.sum(10));
        Predicate<RecordedEvent> all = ofType("uprobe.NativeCall");

        IResult result = recording.evaluate(rule);

        assertEquals("app.Thumbnails.sum spends " + recording.shownTime(all) + " in libz.adler32, " + recording.shownShare(all)
                + " of the recording, in one call.", read(result, result.getSummary()));
    }

    @Test
    void eventsAboutProbesAreNotHits() throws Exception {
        SyntheticRecording recording = SyntheticRecording.of(() -> {
            new Events.ProbeArmed().commit();
            new Events.ProbeRefused().commit();
            new Events.ProbeStatistics().commit();
            new Events.DataLoss().commit();
        });

        assertEquals(Severity.NA, recording.evaluate(rule).getSeverity());
    }

    @Test
    void namesTheProbesThatWereEnabledAndNeverHit() throws Exception {
        SyntheticRecording recording = SyntheticRecording.of(() -> { });

        IResult result = recording.evaluate(rule);

        assertEquals(Severity.NA, result.getSeverity());
        assertEquals("Native probes were enabled, but none was hit: uprobe.NativeCall, uprobe.loader.loadClass,"
                + " uprobe.zlib.crc32, uprobe.zlib.deflate.", read(result, result.getSummary()));
    }

    @Test
    void notApplicableToARecordingWithoutProbes() throws Exception {
        SyntheticRecording recording = SyntheticRecording.withoutProbes(() -> Archive.pack(1, 1));

        IResult result = recording.evaluate(rule);

        assertEquals(Severity.NA, result.getSeverity());
        assertEquals("The recording has no events of native probes.", read(result, result.getSummary()));
    }

    @Test
    void admitsThatHitsAreMissing() throws Exception {
        String admission = " Not every hit became an event, so counts and times are lower bounds: the page Probe State has the"
                + " numbers.";
        SyntheticRecording dropped = SyntheticRecording.of(() -> {
            Archive.pack(1, 5);
            new Events.DataLoss().commit();
        });
        SyntheticRecording sampled = SyntheticRecording.of(() -> {
            Archive.pack(1, 5);
            Events.ProbeStatistics statistics = new Events.ProbeStatistics();
            statistics.hits = 100;
            statistics.recorded = 1;
            statistics.sampledOut = 99;
            statistics.commit();
        });
        SyntheticRecording whole = SyntheticRecording.of(() -> {
            Archive.pack(1, 5);
            Events.ProbeStatistics statistics = new Events.ProbeStatistics();
            statistics.hits = 1;
            statistics.recorded = 1;
            statistics.commit();
        });

        assertTrue(dropped.evaluate(rule).getExplanation().endsWith(admission));
        assertTrue(sampled.evaluate(rule).getExplanation().endsWith(admission));
        assertFalse(whole.evaluate(rule).getExplanation().contains(admission));
    }

    @Test
    void scoreIs25And75AtTheLimits() throws Exception {
        SyntheticRecording recording = SyntheticRecording.of(() -> Archive.pack(1, 20));
        double share = recording.percentOf(PACK);

        IResult atInfo = recording.evaluate(rule, limits(share, 2 * share, 0));
        IResult atWarning = recording.evaluate(rule, limits(share / 2, share, 0));
        IResult half = recording.evaluate(rule, limits(2 * share, 4 * share, 0));

        assertEquals(25, atInfo.getResult(TypedResult.SCORE).doubleValue(), 0.01);
        assertEquals(75, atWarning.getResult(TypedResult.SCORE).doubleValue(), 0.01);
        assertEquals(12.5, half.getResult(TypedResult.SCORE).doubleValue(), 0.01);
        assertEquals(Severity.OK, half.getSeverity());
        assertEquals(Severity.INFO, recording.evaluate(rule, limits(share / 2, 2 * share, 0)).getSeverity());
        assertEquals(Severity.WARNING, recording.evaluate(rule, limits(share / 8, share / 4, 0)).getSeverity());
    }

    @Test
    void leavesCallersBelowTheMinimumShareOutOfTheRankingButNeverTheFirst() throws Exception {
        SyntheticRecording recording = SyntheticRecording.of(() -> {
            Archive.pack(1, 40);
            Thumbnails.render(4);
        });
        double between = (recording.percentOf(PACK) + recording.percentOf(RENDER)) / 2;

        assertEquals(1, recording.evaluate(rule, limits(10, 50, between)).getResult(NativeCallsByJavaCallerRule.RANKING).size());
        assertEquals(1, recording.evaluate(rule, limits(10, 50, 1000)).getResult(NativeCallsByJavaCallerRule.RANKING).size());
        assertEquals(2, recording.evaluate(rule, limits(10, 50, 0)).getResult(NativeCallsByJavaCallerRule.RANKING).size());
    }

    @Test
    void advisesByTheLengthOfTheCalls() {
        assertEquals("The calls are short, {meanTime} on average: fewer and larger ones (a larger buffer, a batch) save the way"
                + " into native code and back.", NativeCallsByJavaCallerRule.solution(callsOf(1_000, 9_999_000)));
        assertEquals("A call takes {meanTime} on average: look at the arguments of the longest ones on the page Native Probes.",
                NativeCallsByJavaCallerRule.solution(callsOf(1_000, 10_000_000)));
        assertEquals("It is one long call: its arguments are on the page Native Probes.",
                NativeCallsByJavaCallerRule.solution(callsOf(1, 10_000_000)));
    }

    @Test
    void everyValueInAMessageIsADeclaredResult() throws Exception {
        IResult result = SyntheticRecording.of(() -> Archive.pack(2, 5)).evaluate(rule);

        for (String message : List.of(result.getSummary(), result.getExplanation(), result.getSolution())) {
            assertFalse(read(result, message).contains("{"), message);
        }
    }

    @Test
    void isFoundThroughMetaInfServices() {
        assertTrue(RuleRegistry.getRules().stream().anyMatch(NativeCallsByJavaCallerRule.class::isInstance));
    }

    private static NativeCalls callsOf(long count, double nanos) {
        return new NativeCalls("libz.deflate", "app.Archive.pack", count, nanos);
    }

    private static IPreferenceValueProvider limits(double info, double warning, double minimum) {
        Map<TypedPreference<?>, IQuantity> values = Map.of(
                NativeCallsByJavaCallerRule.INFO_LIMIT, UnitLookup.PERCENT.quantity(info),
                NativeCallsByJavaCallerRule.WARNING_LIMIT, UnitLookup.PERCENT.quantity(warning),
                NativeCallsByJavaCallerRule.MINIMUM_SHARE, UnitLookup.PERCENT.quantity(minimum));
        return new IPreferenceValueProvider() {
            @Override
            @SuppressWarnings("unchecked")
            public <T> T getPreferenceValue(TypedPreference<T> preference) {
                return (T) values.get(preference);
            }
        };
    }

    private static double nanos(IQuantity time) {
        return time.doubleValueIn(UnitLookup.NANOSECOND);
    }

    private static String shown(IQuantity quantity) {
        return quantity.displayUsing(IDisplayable.AUTO);
    }
}
