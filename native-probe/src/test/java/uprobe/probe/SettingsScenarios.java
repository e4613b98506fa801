package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import uprobe.probe.spec.Condition;
import uprobe.probe.spec.ConditionProgram;
import uprobe.probe.spec.Mode;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.ProbeSyntaxException;

/** Which hits become events: what the helper does with settings, and that every hit is in one counter. */
final class SettingsScenarios {
    private static final String SIX = " libodd:odd_six a=$arg1:s64 b=$arg2:u64 c=$arg3:s32 d=$arg4:u8";
    private static final List<String> CONDITIONS = List.of("a", "!a", "~a == b", "-a > c", "a * c == 6", "a + c < 3", "a - c <= -1", "a < c", "b < d", "a <= c", "b <= d", "b >= d",
            "a == c", "a != c", "(a & d) != 0", "(a ^ c) == d", "(a | c) > 5", "a && c", "a || c", "!(a && c) || b == d", "a < c == (c < a)",
            "a == 1 || a == 2 || (a > 5 && !(c == 3 || d == 4)) || b > 0xfffffffffffffff0");

    private static ProbeSettings all() {
        return ProbeSettings.ALL;
    }

    private static ProbeSettings with(Mode mode, long threshold, Condition condition, long oneOf, long perSecond, long until, boolean times) {
        return new ProbeSettings(mode, threshold, condition, oneOf, perSecond, until, times);
    }

    private static Condition condition(ProbeSpec spec, String text) {
        try {
            return Condition.parse(text, spec.fields(), spec.type(), 1);
        } catch (ProbeSyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private static ProbeSettings filtering(ProbeSpec spec, String text) {
        return with(Mode.EVENT, 0, condition(spec, text), 1, Long.MAX_VALUE, Long.MAX_VALUE, false);
    }

    /** What each of the counters grew by: recorded, filtered, sampledOut. */
    private static List<Long> grew(ProbeCounters before, ProbeCounters now) {
        assertEquals(0, now.unfinished(), now::toString);
        return List.of(now.recorded() - before.recorded(), now.filtered() - before.filtered(), now.sampledOut() - before.sampledOut());
    }

    private static void six(long a, long b, long c, long d) {
        assertEquals(a + 10 * b + 100 * c + 1000 * d, Odd.odd_six(a, b, c, d, 0, 0));
    }

    /** Against the reference, at entry and at the return. */
    @Scenario
    static void conditionsHoldAsTheirProgramsSay() throws Exception {
        Random random = new Random(11);
        for (String type : List.of("p", "c")) {
            try (TestProbe probe = TestProbe.arm(type + SIX + (type.equals("c") ? " r=$retval:s64" : ""))) {
                for (String text : CONDITIONS) {
                    for (String atReturn : type.equals("c") ? List.of("", " && r == r") : List.of("")) {
                        Condition condition = condition(probe.armed().spec(), "(" + text + ")" + atReturn);
                        probe.armed().use(filtering(probe.armed().spec(), "(" + text + ")" + atReturn));
                        ConditionProgram reference = new ConditionProgram(condition, 1);
                        for (int i = 0; i < 40; i++) {
                            long a = value(random), b = value(random), c = value(random), d = value(random);
                            boolean holds = reference.value(new long[] {a, b, (int) c, d & 0xff, a + 10 * b + 100 * c + 1000 * d}, 0) != 0;
                            ProbeCounters before = probe.counters();
                            six(a, b, c, d);
                            String what = type + " " + condition.text() + " of " + Arrays.toString(new long[] {a, b, c, d});
                            assertEquals(holds ? List.of(1L, 0L, 0L) : List.of(0L, 1L, 0L), grew(before, settled(probe)), what);
                        }
                    }
                }
            }
        }
    }

    private static long value(Random random) {
        return random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(9) - 2;
    }

    /** Once the hits have been made into events. */
    private static ProbeCounters settled(TestProbe probe) throws Exception {
        ProbeCounters now = probe.counters();
        if (now.unfinished() != 0) {
            TestProbe.engine().drain(false, 1000);
            now = probe.counters();
        }
        return now;
    }

    /** As SQL's WHERE: what is made of an unknown value is unknown, unless the other operand of && or || decides. */
    @Scenario
    static void whatCanNotBeReadIsUnknown() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_six a=$arg1:s64 lost=+0($arg2):s64")) {
            List<String> hold = List.of("a == 1", "a == 1 || lost == 0", "lost == 0 || a == 1", "!(a == 2 && lost == 0)", "!(lost == 0 && a == 2)");
            List<String> not = List.of("lost == 0", "lost != 0", "!(lost == 0)", "!(lost != 0)", "lost == lost", "a == 1 && lost == 0", "a == 2 || lost == 0", "lost + a > -5 || a == 2");
            for (String text : List.of("lost", "-lost", "~lost", "!lost", "lost * 0 == 0", "(lost | 1) == 1")) {
                probe.armed().use(filtering(probe.armed().spec(), text));
                ProbeCounters before = probe.counters();
                Odd.odd_six(1, 8, 0, 0, 0, 0);      /* nothing is mapped at 8 */
                assertEquals(List.of(0L, 1L, 0L), grew(before, settled(probe)), text);
            }
            for (String text : hold) {
                probe.armed().use(filtering(probe.armed().spec(), text));
                ProbeCounters before = probe.counters();
                Odd.odd_six(1, 8, 0, 0, 0, 0);
                assertEquals(List.of(1L, 0L, 0L), grew(before, settled(probe)), text);
            }
            for (String text : not) {
                probe.armed().use(filtering(probe.armed().spec(), text));
                ProbeCounters before = probe.counters();
                Odd.odd_six(1, 8, 0, 0, 0, 0);
                assertEquals(List.of(0L, 1L, 0L), grew(before, settled(probe)), text);
            }
        }
    }

    private static long selfTime(TestProbe probe) {
        return probe.armed().points().stream().mapToLong(point -> point.counters().selfTime()).sum();
    }

    /** totalTime of a recursion or of nested functions of one pattern was some hundred times what had passed, and nothing else told. */
    @Scenario
    static void selfTimesAddUpToTheOutermostCalls() throws Exception {
        try (TestProbe probe = TestProbe.arm("c libodd:{odd_recursion,odd_deep*,odd_tail_*}");
                TestProbe other = TestProbe.arm("c libodd:{odd_recursion,odd_deep5}")) {
            for (TestProbe each : List.of(probe, other)) {
                each.armed().use(with(Mode.HIST, 0, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, true));
            }
            assertEquals(200, Odd.odd_recursion(200));
            long recursion = probe.counters().maxTime();
            assertEquals(recursion, selfTime(probe), "the outermost call's duration, whatever went on inside");
            assertTrue(probe.counters().totalTime() > 20 * recursion, () -> probe.counters().toString());
            assertEquals(other.counters().maxTime(), selfTime(other), "of each probe for itself");

            List<Long> before = probe.armed().points().stream().map(point -> point.counters().totalTime()).toList();
            long self = selfTime(probe), otherSelf = selfTime(other);
            assertEquals(1999993 + 36, Odd.odd_deep8(1999993));
            long longest = 0;
            for (int i = 0; i < before.size(); i++) {
                longest = Math.max(longest, probe.armed().points().get(i).counters().totalTime() - before.get(i));
            }
            assertEquals(longest, selfTime(probe) - self, "that of odd_deep8, around the other seven");
            assertTrue(selfTime(other) > otherSelf && selfTime(other) - otherSelf <= longest, "one function of eight, with what it calls");

            self = selfTime(probe);
            long total = probe.counters().totalTime();
            assertEquals(19999937, Odd.odd_tail_first(1999993));
            long grown = probe.counters().totalTime() - total;
            self = selfTime(probe) - self;
            assertTrue(self < grown && self * 2 >= grown, "both return together; the first began before: " + self + " of " + grown);
        }
    }

    /** Calls that an exception ends have no duration: what was timed inside them is inner time of the calls around. */
    @Scenario
    static void selfTimesPassCallsThatNeverReturn() throws Exception {
        Function catches = NativeLibrary.getInstance(Odd.folder().resolve("libthrows_shared.so").toString()).getFunction("odd_catch");
        try (TestProbe probe = TestProbe.arm("c libthrows_shared:{odd_catch,odd_catches_inside,odd_throws}")) {
            probe.armed().use(with(Mode.HIST, 0, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, true));
            assertEquals(0, catches.invokeInt(new Object[] {5L}));
            assertEquals(2, probe.counters().timed(), "odd_catch, and the one of the others that returned");
            assertEquals(probe.counters().maxTime(), selfTime(probe));
        }
    }

    @Scenario
    static void modesThresholdUntilAndTimes() throws Exception {
        try (TestProbe probe = TestProbe.arm("c libodd:odd_identity a=$arg1:s64")) {
            Probe armed = probe.armed();
            ProbeCounters before = probe.counters();
            armed.use(with(Mode.COUNT, 0, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, true));
            call(100);
            assertEquals(List.of(100L, 0L, 0L), grew(before, settled(probe)));
            assertEquals(0, probe.counters().timed(), "counting does not await returns");

            before = probe.counters();
            armed.use(with(Mode.HIST, 0, condition(armed.spec(), "a < 50"), 1, Long.MAX_VALUE, Long.MAX_VALUE, true));
            call(100);
            assertEquals(List.of(50L, 50L, 0L), grew(before, settled(probe)));
            assertEquals(50, probe.counters().timed());
            assertEquals(0, probe.hits().size(), "no record was made");

            before = probe.counters();
            armed.use(with(Mode.EVENT, Long.MAX_VALUE >> 1, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, true));
            call(100);
            assertEquals(List.of(0L, 100L, 0L), grew(before, settled(probe)));
            ProbeCounters now = probe.counters();
            assertEquals(50, now.timed(), "what the threshold filters is not timed");
            Durations durations = armed.points().get(0).durations();
            assertEquals(50, durations.count());
            assertTrue(durations.atMost(1) <= now.maxTime() * 1.01 && durations.atMost(1) >= now.maxTime() * 0.99, durations.atMost(1) + " " + now);
            assertTrue(now.totalTime() >= now.maxTime() && now.totalTime() <= 50 * now.maxTime(), now::toString);

            before = probe.counters();
            armed.use(with(Mode.EVENT, 0, null, 1, Long.MAX_VALUE, now.hits() + 7, false));
            call(100);
            assertEquals(List.of(7L, 0L, 93L), grew(before, settled(probe)));
            assertEquals(50, probe.counters().timed(), "not timed any more");

            before = probe.counters();
            armed.use(with(Mode.EVENT, 0, null, 1, 0, Long.MAX_VALUE, false));
            call(100);
            assertEquals(List.of(0L, 0L, 100L), grew(before, settled(probe)), "no event a second");
            armed.use(all());
            before = probe.counters();
            call(100);
            assertEquals(List.of(100L, 0L, 0L), grew(before, settled(probe)));
        }
        try (TestProbe entry = TestProbe.arm("p libodd:odd_identity"); TestProbe exit = TestProbe.arm("r libodd:odd_identity")) {
            for (TestProbe probe : List.of(entry, exit)) {
                ProbeCounters before = probe.counters();
                probe.armed().use(with(Mode.EVENT, ProbeSettings.INSTANT, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, true));
                call(10);
                assertEquals(List.of(10L, 0L, 0L), grew(before, settled(probe)), "an instant lasts one unit");
                before = probe.counters();
                probe.armed().use(with(Mode.EVENT, ProbeSettings.INSTANT + 1, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, true));
                call(10);
                assertEquals(List.of(0L, 10L, 0L), grew(before, settled(probe)), "and is shorter than two");
                probe.armed().use(all());
            }
        }
    }

    private static void call(int n) {
        for (int i = 0; i < n; i++) {
            assertEquals(i, Odd.odd_identity(i));
        }
    }

    @Scenario
    static void oneOfManyIsDrawnAtRandom() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity a=$arg1:s64")) {
            probe.armed().use(with(Mode.EVENT, 0, null, 10, Long.MAX_VALUE, Long.MAX_VALUE, false));
            int calls = 20_000;
            call(calls);
            ProbeCounters now = settled(probe);
            assertEquals(calls, now.hits());
            assertEquals(calls, now.recorded() + now.sampledOut());
            /* Binomial: 2,000 expected, standard deviation 42. */
            assertTrue(Math.abs(now.recorded() - calls / 10) < 6 * 42, now::toString);
            /* Not each tenth: all last digits are among those drawn, none of them much more often than the others. */
            int[] digits = new int[10];
            probe.hits().forEach(hit -> digits[(int) (hit.values()[0] % 10)]++);
            assertTrue(Arrays.stream(digits).allMatch(n -> n > 100 && n < 300), Arrays.toString(digits));
        }
    }

    @Scenario
    static void probesCanBeDisarmedAndArmedAgain() throws Exception {
        Probe again;
        try (TestProbe probe = TestProbe.arm("c libodd:odd_identity a=$arg1:s64")) {
            again = probe.armed();
            for (int round = 0; round < 50; round++) {
                ProbeCounters before = probe.counters();
                call(3);
                assertEquals(List.of(3L, 0L, 0L), grew(before, settled(probe)), "round " + round);
                assertEquals(List.of(), again.disarm());
                assertTrue(!again.isArmed());
                call(3);
                assertEquals(before.hits() + 3, probe.counters().hits(), "disarmed");
                again.arm();
                again.arm();
                assertTrue(again.isArmed());
            }
            assertEquals(150, probe.hits().size());
        }
    }

    @Scenario
    static void badSettingsAreRefused() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity")) {
            assertThrows(IllegalArgumentException.class, () -> with(Mode.EVENT, -1, null, 1, 1, 1, false));
            assertThrows(IllegalArgumentException.class, () -> with(Mode.EVENT, 0, null, 0, 1, 1, false));
            /* A condition over another probe's fields. */
            ProbeSpec other = uprobe.probe.spec.ProbeParser.parse("p" + SIX);
            assertThrows(IOException.class, () -> probe.armed().use(filtering(other, "d == 1")));
            call(1);
            assertEquals(1, settled(probe).recorded(), "the former settings hold");
        }
    }

    private SettingsScenarios() {}
}
