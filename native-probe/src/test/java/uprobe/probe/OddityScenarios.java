package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import uprobe.probe.spec.Mechanism;

/** Every oddity of src/test/odd/oddities.S by every mechanism: the machine must be as it is without a probe. */
final class OddityScenarios {
    private static final int NO_FAR_BOOST = 8, BUFFER = 256, STATE = 18, FLAGS = 16, RSI = 6, RDI = 7, RCX = 1;
    /** CF PF AF ZF SF OF (SDM vol. 1, 3.4.3.1), and DF, which strings heed, stays clear. */
    private static final long[] FLAG_STATES = {0x202, 0x203, 0x206, 0x242, 0x282, 0xa02, 0xa83, 0xa46, 0xad7, 0x2c7};
    private static final long[] COUNTS = {0, 1, 2, 7, 0x1_0000_0000L, 0x1_0000_0001L};

    private record Oddity(String name, long function, long site, int mechanisms) {
        boolean allows(Mechanism mechanism) {
            return (mechanisms >> mechanism.ordinal() & 1) != 0;
        }
    }

    private record State(long[] registers, byte[] memory) {
        @Override
        public boolean equals(Object other) {
            return other instanceof State s && Arrays.equals(registers, s.registers) && Arrays.equals(memory, s.memory);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(registers) ^ Arrays.hashCode(memory);
        }

        @Override
        public String toString() {
            return Arrays.stream(registers).mapToObj(Long::toHexString).toList() + " " + Arrays.hashCode(memory);
        }
    }

    private static final Memory MEMORY = new Memory(2 * BUFFER + 2 * STATE * Long.BYTES);

    private static List<Oddity> oddities() {
        List<Oddity> all = new ArrayList<>();
        Pointer table = Odd.LIBRARY.getGlobalVariableAddress("odd_table");
        for (long at = 0; table.getLong(at) != 0; at += 32) {
            all.add(new Oddity(table.getPointer(at).getString(0), table.getLong(at + 8), table.getLong(at + 16), table.getInt(at + 24)));
        }
        return all;
    }

    private static State run(Oddity oddity, long flags, long count) {
        for (int i = 0; i < 2 * BUFFER; i++) {
            MEMORY.setByte(i, (byte) (i * 37 % 251 + 1));
        }
        MEMORY.setByte(BUFFER / 2, (byte) 0);
        Pointer in = MEMORY.share(2 * BUFFER), out = MEMORY.share(2 * BUFFER + STATE * Long.BYTES);
        for (int i = 0; i < STATE; i++) {
            in.setLong(8L * i, 0x0123_4567_89ab_cdefL * (2 * i + 1));
            out.setLong(8L * i, 0);
        }
        in.setLong(8 * RDI, Pointer.nativeValue(MEMORY));
        in.setLong(8 * RSI, Pointer.nativeValue(MEMORY) + BUFFER);
        in.setLong(8 * RCX, count);
        in.setLong(8 * FLAGS, flags);
        Odd.odd_run(in, out, new Pointer(oddity.function()));
        return new State(out.getLongArray(0, STATE), MEMORY.getByteArray(0, 2 * BUFFER));
    }

    private static List<State> runs(Oddity oddity) {
        List<State> states = new ArrayList<>();
        for (long flags : FLAG_STATES) {
            for (long count : COUNTS) {
                states.add(run(oddity, flags, count));
            }
        }
        return states;
    }

    private static void compare(Mechanism mechanism, boolean far) throws Exception {
        TestProbe.engine();
        List<String> wrong = new ArrayList<>();
        int armed = 0;
        for (Oddity oddity : oddities()) {
            String text = "p libodd:" + oddity.name() + "+" + oddity.site() + " mechanism=" + mechanism.text();
            boolean allowed = oddity.allows(mechanism) && !(far && mechanism == Mechanism.BOOST && (oddity.mechanisms() & NO_FAR_BOOST) != 0);
            if (!allowed) {
                ProbeRefusedException refused = assertThrows(ProbeRefusedException.class, () -> TestProbe.arm(text), text);
                assertTrue(List.of(Refusal.NOT_EMULATED, Refusal.NOT_DISPLACEABLE, Refusal.OUT_OF_REACH).contains(refused.refusal()), refused::getMessage);
                continue;
            }
            List<State> expected = runs(oddity);
            try (TestProbe probe = TestProbe.arm(text)) {
                assertEquals(mechanism, probe.armed().sites().get(0).mechanism());
                armed++;
                List<State> seen = runs(oddity);
                for (int i = 0; i < expected.size(); i++) {
                    if (!expected.get(i).equals(seen.get(i))) {
                        wrong.add(oddity.name() + " flags 0x" + Long.toHexString(FLAG_STATES[i / COUNTS.length]) + " count " + COUNTS[i % COUNTS.length]
                                + "\n  without " + expected.get(i) + "\n  with    " + seen.get(i));
                        break;
                    }
                }
                long hits = probe.counters().hits();
                if (oddity.name().equals("call_rsp") ? hits != 0 : hits < expected.size()) {
                    wrong.add(oddity.name() + ": " + hits + " hits in " + expected.size() + " runs");
                }
            }
            TestProbe.assertTextIsOriginal("libodd.so");
        }
        assertEquals(List.of(), wrong);
        assertTrue(armed > 50, armed + " armed");
    }

    @Scenario
    static void boosted() throws Exception {
        compare(Mechanism.BOOST, false);
    }

    @Scenario
    static void emulated() throws Exception {
        compare(Mechanism.EMULATE, false);
        assertTrue(TestProbe.engine().trapStatistics().emulated() > 1000);
    }

    @Scenario
    static void stepped() throws Exception {
        compare(Mechanism.STEP, false);
        assertTrue(TestProbe.engine().trapStatistics().stepped() > 1000);
    }

    @Scenario(alone = true)
    static void boostedFarAway() throws Exception {
        TestProbe.options = TestProbe.options.withFarSlots(true);
        compare(Mechanism.BOOST, true);
    }

    @Scenario(alone = true)
    static void steppedFarAway() throws Exception {
        TestProbe.options = TestProbe.options.withFarSlots(true);
        compare(Mechanism.STEP, true);
    }

    /* One site, all mechanisms in turn; the second probe on an armed site gets what is there. */
    @Scenario
    static void aSiteChangesItsMechanismWhenNobodyUsesIt() throws Exception {
        for (int round = 0; round < 3; round++) {
            for (Mechanism mechanism : Mechanism.values()) {
                try (TestProbe probe = TestProbe.arm("p libodd:push_register mechanism=" + mechanism.text());
                        TestProbe second = TestProbe.arm("p libodd:push_register mechanism=boost")) {
                    assertEquals(mechanism, probe.armed().sites().get(0).mechanism());
                    assertEquals(mechanism, second.armed().sites().get(0).mechanism());
                    runs(oddities().stream().filter(o -> o.name().equals("push_register")).findFirst().orElseThrow());
                    assertEquals(FLAG_STATES.length * COUNTS.length, probe.counters().hits());
                    assertEquals(FLAG_STATES.length * COUNTS.length, second.counters().hits());
                }
            }
        }
    }

    /** A resolver runs when a library is loaded; its name is that of the function that it chose for this processor. */
    @Scenario
    static void anIfuncIsTheFunctionThatItsResolverChose() throws Exception {
        for (String type : List.of("p", "c")) {
            try (TestProbe chosen = TestProbe.arm(type + " libodd:odd_chosen n=$arg1")) {
                assertEquals(42, call("odd_chosen_calls", 21));
                assertEquals(21, chosen.counters().hits());
                assertEquals(Odd.LIBRARY.getFunction("odd_chosen_second").invokeLong(new Object[] {1L}), 2);
                assertEquals(22, chosen.counters().hits(), "the same function under its own name");
            }
            try (TestProbe copies = TestProbe.arm(type + " libc:strlen text=$arg1")) {
                assertEquals(7, NativeLibrary.getProcess().getFunction("strlen").invokeLong(new Object[] {"seventy"}));
                assertTrue(copies.counters().hits() >= 1, copies.counters()::toString);
            }
        }
        TestProbe.assertTextIsOriginal("libodd.so");
        TestProbe.assertTextIsOriginal("libc.so.6");
    }

    private static long call(String function, long argument) {
        return Odd.LIBRARY.getFunction(function).invokeLong(new Object[] {argument});
    }

    private OddityScenarios() {}
}
