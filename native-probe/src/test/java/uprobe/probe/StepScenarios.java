package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.List;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.spec.Condition;
import uprobe.probe.spec.Mode;

/** The engine's return path, interrupted or left at each of its instructions in turn: steps_out.c. */
final class StepScenarios {
    private static final boolean STORM = Boolean.getBoolean("storm");

    private static long callLong(String function, Object... arguments) {
        return Odd.LIBRARY.getFunction(function).invokeLong(arguments);
    }

    private static long stepOut(LoadedLibrary helper, int how, long stride, Pointer counters, int probe) {
        return callLong("odd_step_out", new Pointer(helper.textStart()), new Pointer(helper.textEnd()), how, stride, counters, probe);
    }

    /** How odd_step_out does it. */
    private static final int STEPS_WITH_OTHERS = 1, STEPS_NESTED = 2, STEPS_TRACE = 4;

    /* One hit was in two counters: the frame that was left had counted it as recorded or sampled out, and unwound it was filtered. */
    @Scenario(alone = true, oneJdk = true)
    static void leftForGoodAtEachInstructionOfTheReturnPath() throws Exception {
        TestProbe.engine();
        LoadedLibrary helper = TestProbe.library("libuprobe.so");
        Pointer counters = NativeLibrary.getInstance(helper.path().toString()).getFunction("up_probe_counters");
        try (TestProbe value = TestProbe.arm("c libodd:odd_step_value n=$arg1:s64 r=$retval:s64")) {
            Condition result = Condition.parse("r == r", value.armed().spec().fields(), value.armed().spec().type(), 1);
            List<ProbeSettings> all = List.of(new ProbeSettings(Mode.COUNT, Long.MAX_VALUE, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, false),
                    new ProbeSettings(Mode.COUNT, 0, result, 1, Long.MAX_VALUE, Long.MAX_VALUE, false),
                    new ProbeSettings(Mode.HIST, 2, null, 1, Long.MAX_VALUE, Long.MAX_VALUE, true),
                    new ProbeSettings(Mode.EVENT, 0, result, 1, 0, Long.MAX_VALUE, false), ProbeSettings.ALL);
            for (ProbeSettings settings : all) {
                value.armed().use(settings);
                boolean counted = settings != ProbeSettings.ALL;
                for (int how : new int[] {0, STEPS_WITH_OTHERS | STEPS_NESTED}) {
                    long stride = STORM || how == 0 && settings == all.get(1) ? 1 : 7;
                    long wrong = stepOut(helper, how, stride, counted ? counters : Pointer.NULL, value.armed().id());
                    long steps = callLong("odd_step_steps");
                    assertEquals(0, wrong, () -> settings + ", how " + how + ": left after that many instructions of " + steps + ", "
                            + callLong("odd_step_difference") + " too many are counted: " + value.counters());
                    LeavingScenarios.awaitFinished(value);
                    assertEquals(0, value.counters().unfinished(), () -> settings + ", how " + how + ": " + value.counters());
                    assertTrue(steps > 100, steps + " instructions");
                    ChildJvm.note(settings + ", how " + how + ": left after each of " + steps + " instructions");
                }
            }
        }
    }

    /* A handler's own call took the slot whose trampoline was still running, and unwinders went on at the wrong address. */
    @Scenario(alone = true, oneJdk = true)
    static void unwindersFindTheCallerAtEachInstructionOfTheReturnPath() throws Exception {
        TestProbe.engine();
        LoadedLibrary helper = TestProbe.library("libuprobe.so");
        try (TestProbe value = TestProbe.arm("c libodd:odd_step_value n=$arg1:s64 r=$retval:s64")) {
            assertEquals(0, stepOut(helper, STEPS_NESTED | STEPS_TRACE, 1L, Pointer.NULL, value.armed().id()));
            long steps = callLong("odd_step_steps");
            assertEquals(0, callLong("odd_step_lost_callers"), () -> "of " + steps + " instructions");
            assertTrue(steps > 100, steps + " instructions");
        }
    }

    private StepScenarios() {}
}
