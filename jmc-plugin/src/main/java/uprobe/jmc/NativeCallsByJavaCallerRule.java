package uprobe.jmc;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RunnableFuture;

import org.openjdk.jmc.common.IDisplayable;
import org.openjdk.jmc.common.item.IItemCollection;
import org.openjdk.jmc.common.unit.IQuantity;
import org.openjdk.jmc.common.unit.UnitLookup;
import org.openjdk.jmc.common.util.IPreferenceValueProvider;
import org.openjdk.jmc.common.util.TypedPreference;
import org.openjdk.jmc.flightrecorder.rules.IResult;
import org.openjdk.jmc.flightrecorder.rules.IResultValueProvider;
import org.openjdk.jmc.flightrecorder.rules.IRule;
import org.openjdk.jmc.flightrecorder.rules.ResultBuilder;
import org.openjdk.jmc.flightrecorder.rules.Severity;
import org.openjdk.jmc.flightrecorder.rules.TypedCollectionResult;
import org.openjdk.jmc.flightrecorder.rules.TypedResult;
import org.openjdk.jmc.flightrecorder.rules.util.RulesToolkit;
import org.openjdk.jmc.flightrecorder.rules.util.RulesToolkit.EventAvailability;

/**
 * Says which Java method spends how much time in which probed native function.
 * <p>
 * The pair of function and caller with the most time makes the sentence and the score. With share = its time / time from the
 * recording's first event to its last, and the two limits of the configuration (10 % and 50 % unless set otherwise):
 * <pre>
 *   share &lt; information:  score = 25 * share / information
 *   else:                 score = 25 + 75 * (1 - (1/3) ^ ((share - information) / (warning - information)))
 * </pre>
 * that is 25 (information) and 75 (warning) at the limits, and towards 100 above. Time is summed over threads, so a share may be
 * above 100 %. Entry probes know no time: where there is nothing else, calls are counted and the score is 0.
 * <p>
 * Pairs are never added up across functions: one probed function may call another, and its time contains the other's.
 */
public final class NativeCallsByJavaCallerRule implements IRule {

    /** The topic of everything about native probes; pages.xml shows the severity of its rules. */
    public static final String TOPIC = "Native Probes";

    public static final TypedPreference<IQuantity> INFO_LIMIT = new TypedPreference<>("uprobe.nativeCalls.info.limit",
            "Native time information limit",
            "The share of the recording's time in one native function, by one Java caller, that is worth an information",
            UnitLookup.PERCENTAGE, UnitLookup.PERCENT.quantity(10));
    public static final TypedPreference<IQuantity> WARNING_LIMIT = new TypedPreference<>("uprobe.nativeCalls.warning.limit",
            "Native time warning limit",
            "The share of the recording's time in one native function, by one Java caller, that is worth a warning",
            UnitLookup.PERCENTAGE, UnitLookup.PERCENT.quantity(50));
    public static final TypedPreference<IQuantity> MINIMUM_SHARE = new TypedPreference<>("uprobe.nativeCalls.minimum.share",
            "Smallest share listed",
            "Callers with a smaller share of the recording's time are left out of the ranking",
            UnitLookup.PERCENTAGE, UnitLookup.PERCENT.quantity(1));

    public static final TypedResult<String> CALLER = new TypedResult<>("caller", "Java caller",
            "The Java method that spends the most time in one native function", UnitLookup.PLAIN_TEXT, String.class);
    public static final TypedResult<String> FUNCTION = new TypedResult<>("function", "Native function",
            "The native function it spends that time in", UnitLookup.PLAIN_TEXT, String.class);
    public static final TypedResult<IQuantity> TIME = new TypedResult<>("time", "Time",
            "Duration of these calls, summed over threads", UnitLookup.TIMESPAN, IQuantity.class);
    public static final TypedResult<IQuantity> SHARE = new TypedResult<>("share", "Share",
            "That time in relation to the recording's", UnitLookup.PERCENTAGE, IQuantity.class);
    public static final TypedResult<IQuantity> CALLS = new TypedResult<>("calls", "Calls",
            "Number of these calls", UnitLookup.NUMBER, IQuantity.class);
    public static final TypedResult<IQuantity> MEAN_TIME = new TypedResult<>("meanTime", "Mean time",
            "Mean duration of these calls", UnitLookup.TIMESPAN, IQuantity.class);
    public static final TypedResult<IQuantity> RECORDING_TIME = new TypedResult<>("recordingTime", "Recording time",
            "Time from the recording's first event to its last", UnitLookup.TIMESPAN, IQuantity.class);
    public static final TypedCollectionResult<String> RANKING = new TypedCollectionResult<>("ranking", "Ranking",
            "Native functions and their Java callers, longest time first", UnitLookup.PLAIN_TEXT, String.class);

    private static final int LONGEST_RANKING = 20;

    /** Below this mean, what surrounds a call (a JNI transition, pinning, copying of arrays) begins to matter beside it. */
    private static final IQuantity SHORT_CALL = UnitLookup.MICROSECOND.quantity(10);

    private static final String ID = "uprobe.NativeCallsByJavaCaller";

    @Override
    public String getId() {
        return ID;
    }

    @Override
    public String getTopic() {
        return TOPIC;
    }

    @Override
    public String getName() {
        return "Native Calls by Java Caller";
    }

    /** Empty: the types are named after the probes, so they are looked for in each recording instead. */
    @Override
    public Map<String, EventAvailability> getRequiredEvents() {
        return Map.of();
    }

    @Override
    public Collection<TypedPreference<?>> getConfigurationAttributes() {
        return List.of(INFO_LIMIT, WARNING_LIMIT, MINIMUM_SHARE);
    }

    @Override
    public Collection<TypedResult<?>> getResults() {
        return List.of(TypedResult.SCORE, CALLER, FUNCTION, TIME, SHARE, CALLS, MEAN_TIME, RECORDING_TIME, RANKING);
    }

    @Override
    public RunnableFuture<IResult> createEvaluation(
            IItemCollection items, IPreferenceValueProvider preferences, IResultValueProvider dependencies) {
        return new FutureTask<>(() -> evaluate(items, preferences));
    }

    private IResult evaluate(IItemCollection items, IPreferenceValueProvider preferences) {
        List<NativeCalls> calls = NativeCalls.longestFirst(items.apply(ProbeEvents.HITS));
        if (calls.isEmpty()) {
            return notApplicable(items, preferences);
        }
        NativeCalls top = calls.get(0);
        IQuantity recordingTime = RulesToolkit.getLatestEndTime(items).subtract(RulesToolkit.getEarliestStartTime(items));
        double score = top.isTimed() ? score(shareOf(top, recordingTime), preferences) : 0;

        ResultBuilder result = ResultBuilder.createFor(this, preferences)
                .setSeverity(Severity.get(score))
                .setSummary(summary(top))
                .setExplanation(explanation(top, calls, ProbeEvents.someHitsHaveNoEvent(items)))
                .setSolution(solution(top))
                .addResult(TypedResult.SCORE, UnitLookup.NUMBER_UNITY.quantity(score))
                .addResult(CALLER, top.caller())
                .addResult(FUNCTION, top.function())
                .addResult(CALLS, UnitLookup.NUMBER_UNITY.quantity(top.count()))
                .addResult(RECORDING_TIME, recordingTime)
                .addResult(RANKING, ranking(calls, recordingTime, preferences.getPreferenceValue(MINIMUM_SHARE)));
        if (top.isTimed()) {
            result.addResult(TIME, top.time()).addResult(MEAN_TIME, meanTime(top))
                    .addResult(SHARE, shareOf(top, recordingTime));
        }
        return result.build();
    }

    private IResult notApplicable(IItemCollection items, IPreferenceValueProvider preferences) {
        Set<String> enabled = ProbeEvents.enabledHitTypes(items);
        return RulesToolkit.getNotApplicableResult(this, preferences, enabled.isEmpty()
                ? "The recording has no events of native probes."
                : "Native probes were enabled, but none was hit: " + String.join(", ", enabled) + ".");
    }

    private static double score(IQuantity share, IPreferenceValueProvider preferences) {
        return RulesToolkit.mapExp100(share.doubleValueIn(UnitLookup.PERCENT_UNITY),
                preferences.getPreferenceValue(INFO_LIMIT).doubleValueIn(UnitLookup.PERCENT_UNITY),
                preferences.getPreferenceValue(WARNING_LIMIT).doubleValueIn(UnitLookup.PERCENT_UNITY));
    }

    private static IQuantity shareOf(NativeCalls calls, IQuantity recordingTime) {
        return recordingTime.doubleValue() > 0 ? RulesToolkit.toRatioPercent(calls.time(), recordingTime)
                : UnitLookup.PERCENT.quantity(0);
    }

    private static IQuantity meanTime(NativeCalls calls) {
        return UnitLookup.NANOSECOND.quantity(calls.nanos() / calls.count());
    }

    private static String summary(NativeCalls top) {
        String inCalls = top.count() == 1 ? "in one call" : "in {calls} calls";
        if (!top.isTimed()) {
            String times = top.count() == 1 ? "once" : "{calls} times";
            return top.hasJavaCaller() ? "{caller} calls {function} " + times + "; how long that takes is not recorded."
                    : "{function} is called " + times + " with {caller}; how long that takes is not recorded.";
        }
        return top.hasJavaCaller()
                ? "{caller} spends {time} in {function}, {share} of the recording, " + inCalls + "."
                : "{function} takes {time}, {share} of the recording, " + inCalls + " with {caller}.";
    }

    private static String explanation(NativeCalls top, List<NativeCalls> calls, boolean hitsAreMissing) {
        StringBuilder text = new StringBuilder("The probed native functions, by the Java method that called them: {ranking}");
        text.append("\nThe caller is the innermost method outside the JDK.");
        if (top.isTimed()) {
            text.append(" Times are summed over threads, against {recordingTime} of recording; a function's time includes that of"
                    + " probed functions it calls.");
        }
        if (calls.stream().anyMatch(each -> !each.hasJavaCaller())) {
            text.append(" Hits without their caller's stack trace count as \"" + NativeCalls.NO_JAVA_CALLER + "\".");
        }
        if (hitsAreMissing) {
            text.append(" Not every hit became an event, so counts and times are lower bounds: the page Probe State has the"
                    + " numbers.");
        }
        return text.toString();
    }

    static String solution(NativeCalls top) {
        if (!top.isTimed()) {
            return "Probe the function with c: instead of p: to see how long its calls take.";
        }
        if (!top.hasJavaCaller()) {
            return "The field nativeThreadName of these events tells which threads do this work.";
        }
        if (top.count() == 1) {
            return "It is one long call: its arguments are on the page Native Probes.";
        }
        return meanTime(top).compareTo(SHORT_CALL) < 0
                ? "The calls are short, {meanTime} on average: fewer and larger ones (a larger buffer, a batch) save the way into"
                        + " native code and back."
                : "A call takes {meanTime} on average: look at the arguments of the longest ones on the page Native Probes.";
    }

    private static List<String> ranking(List<NativeCalls> calls, IQuantity recordingTime, IQuantity minimumShare) {
        NativeCalls top = calls.get(0);
        return calls.stream()
                .filter(each -> each == top || !each.isTimed() || shareOf(each, recordingTime).compareTo(minimumShare) >= 0)
                .limit(LONGEST_RANKING)
                .map(each -> rankingLine(each, recordingTime))
                .toList();
    }

    private static String rankingLine(NativeCalls calls, IQuantity recordingTime) {
        String count = UnitLookup.NUMBER_UNITY.quantity(calls.count()).displayUsing(IDisplayable.AUTO)
                + (calls.count() == 1 ? " call" : " calls");
        String line = calls.function() + (calls.hasJavaCaller() ? " from " : " with ") + calls.caller() + ": ";
        return calls.isTimed()
                ? line + calls.time().displayUsing(IDisplayable.AUTO)
                        + " (" + shareOf(calls, recordingTime).displayUsing(IDisplayable.AUTO) + ") in " + count
                : line + count;
    }
}
