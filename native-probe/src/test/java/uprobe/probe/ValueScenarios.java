package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Memory;
import java.util.List;
import uprobe.probe.helper.Helper;

/** What records hold, and what a hit leaves alone. */
final class ValueScenarios {
    private static final String TYPES = "u8 u16 u32 u64 s8 s16 s32 s64 x8 x16 x32 x64";

    @Scenario
    static void entryProbeSeesArgumentsThatOnlyThisCallHas() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_seven n=$arg1:s64 seve=+0($arg2):x32 n0=+4($arg2):x16")) {
            assertEquals(4000001, Odd.odd_seven(1999993, "seven", 2.5));
            probe.assertValues(1999993, 0x65766573, 0x006e);
            assertEquals("odd_seven", probe.hit().caller(), "the frame below the commit method's own");
            assertNull(probe.hit().drained());
            assertEquals(0, probe.hit().missing());
            assertEquals(TestProbe.counters(1, 1, 0, 0), probe.counters());
        }
    }

    @Scenario
    static void argumentsAreInTheirOrder() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_six $arg1 $arg2 $arg3 $arg4 $arg5 $arg6")) {
            assertEquals(654321, Odd.odd_six(1, 2, 3, 4, 5, 6));
            probe.assertValues(1, 2, 3, 4, 5, 6);
        }
    }

    @Scenario
    static void returnProbeSeesTheResultAndRegistersOfThatMoment() throws Exception {
        try (TestProbe probe = TestProbe.arm("r libodd:odd_seven result=$retval:s64 low=%rax:u16")) {
            assertEquals(4000001, Odd.odd_seven(1999993, "seven", 2.5));
            probe.assertValues(4000001, 4000001 & 0xffff);
        }
        try (TestProbe probe = TestProbe.arm("r libodd:odd_negative s32=$retval:s32 u32=$retval:u32 s8=$retval:s8")) {
            assertEquals(-7, Odd.odd_negative());
            probe.assertValues(-7, 0xfffffff9L, -7);
        }
    }

    @Scenario
    static void callProbeHasArgumentsResultAndDurationInOneRecord() throws Exception {
        try (TestProbe probe = TestProbe.arm("c libodd:odd_seven result=$retval:s64 n=$arg1:s64 first=+0($arg2):u8")) {
            long before = ProbeEngine.clock();
            Odd.odd_seven(1999993, "seven", 2.5);
            long after = ProbeEngine.clock();
            TestProbe.Hit hit = probe.hit();
            assertArrayEquals(new long[] {hit.values()[0], 4000001, 1999993, 's'}, hit.values());
            assertTrue(hit.values()[0] > 0 && hit.time() >= before && hit.time() + hit.values()[0] <= after, hit::toString);
            assertEquals("odd_seven", hit.caller());
            assertEquals(0, hit.missing());
        }
    }

    @Scenario
    static void widensEveryTypeFromARegister() throws Exception {
        long value = 0x8182838485868788L;
        StringBuilder fields = new StringBuilder();
        for (String type : TYPES.split(" ")) {
            fields.append(' ').append("f_").append(type).append("=$arg1:").append(type);
        }
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity" + fields)) {
            assertEquals(value, Odd.odd_identity(value));
            probe.assertValues(0x88, 0x8788, 0x85868788L, value, (byte) 0x88, (short) 0x8788, (int) 0x85868788L, value, 0x88, 0x8788, 0x85868788L, value);
        }
    }

    @Scenario
    static void widensEveryTypeFromMemory() throws Exception {
        try (Memory memory = new Memory(16)) {
            long value = 0x0102838485868788L;
            memory.setLong(0, -1);
            memory.setLong(8, value);
            StringBuilder fields = new StringBuilder();
            for (String type : TYPES.split(" ")) {
                fields.append(' ').append("f_").append(type).append("=+8($arg1):").append(type);
            }
            try (TestProbe probe = TestProbe.arm("p libodd:odd_pointer" + fields)) {
                Odd.odd_pointer(com.sun.jna.Pointer.nativeValue(memory));
                probe.assertValues(0x88, 0x8788, 0x85868788L, value, (byte) 0x88, (short) 0x8788, (int) 0x85868788L, value, 0x88, 0x8788, 0x85868788L, value);
            }
        }
    }

    @Scenario
    static void followsPointersAsDeepAsTheyGo() throws Exception {
        try (TestProbe probe = TestProbe.arm("c libodd:odd_chain length=+0($arg1):u32 before=+0(+8($arg1)):x64 level=+8(+8($arg1)):s32"
                + " small=+12(+8($arg1)):u8 first=+0(+16(+8($arg1))):u8 fourth=+3(+16(+8($arg1))):u8 last=+16($arg1):s64 back=-4(+16($arg1)) result=$retval:s64")) {
            assertEquals(3998765431L, Odd.odd_call_chain());
            long[] values = probe.hit().values();
            assertArrayEquals(new long[] {values[0], 4000000007L, 0x1122334455667788L, -1234567, 200, 'Z', 'i', -99, 0, 3998765431L}, values);
            assertEquals(1 << 7, probe.hit().missing(), "only what was reached through -99");
        }
    }

    @Scenario
    static void badPointersAreMissingValuesAndNoCrash() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_pointer given=$arg1 at=+0($arg1):u64 deep=+0(+0($arg1)):u64 again=$arg1:u8")) {
            long[] bad = {0, 16, -1, Long.MIN_VALUE, 0x0000800000000000L, 0x7fffffffffffffffL, 0xffff800000000000L};
            for (long pointer : bad) {
                Odd.odd_pointer(pointer);
            }
            List<TestProbe.Hit> hits = probe.hits();
            assertEquals(bad.length, hits.size());
            for (int i = 0; i < bad.length; i++) {
                assertArrayEquals(new long[] {bad[i], 0, 0, bad[i] & 0xff}, hits.get(i).values());
                assertEquals(0b0110, hits.get(i).missing());
            }
        }
    }

    /* Four bytes before the end of what is mapped: four can be read, five can not. */
    @Scenario
    static void aValueAcrossTheEndOfMemoryIsMissing() throws Exception {
        long cliff = com.sun.jna.Pointer.nativeValue(Odd.odd_cliff());
        try (TestProbe probe = TestProbe.arm("p libodd:odd_pointer u32=+0($arg1):x32 u64=+0($arg1):x64 u16=+3($arg1):x16 u8=+3($arg1):x8 deep=+0(+0($arg1))")) {
            Odd.odd_pointer(cliff);
            probe.assertValues(0x1d2c3b4a, 0, 0, 0x1d, 0);
            assertEquals(0b10110, probe.hit().missing());
        }
    }

    /** Fifteen fields are the most, so two probes on one address: both get every hit. */
    @Scenario
    static void sixteenRegistersAreReadAndNoneIsChanged() throws Exception {
        long site = Odd.label("odd_registers_site");
        String target = " libodd:odd_registers+" + site;
        try (Memory in = new Memory(16 * 8); Memory out = new Memory(33 * 8);
                TestProbe low = TestProbe.arm("p" + target + " %rax %rcx %rdx %rbx %rsp %rbp %rsi %rdi");
                TestProbe high = TestProbe.arm("p" + target + " %r8 %r9 %r10 %r11 %r12 %r13 %r14 %r15")) {
            for (int i = 0; i < 16; i++) {
                in.setLong(8L * i, 0x1100_0000_0000_0007L * (i + 1) ^ 0x5aa5L << i);
            }
            Odd.odd_registers(in, out);
            long[] expected = in.getLongArray(0, 16), after = out.getLongArray(0, 16);
            expected[4] = after[4];
            assertArrayEquals(expected, after, "registers after the probed instruction");
            assertArrayEquals(java.util.Arrays.copyOfRange(expected, 0, 8), low.hit().values());
            assertArrayEquals(java.util.Arrays.copyOfRange(expected, 8, 16), high.hit().values());
            for (int i = 1; i <= 16; i++) {
                assertEquals(0x5ea0000000000000L + i, out.getLong(8L * (16 + i)), "red zone, word " + i);
            }
            long probedFlags = out.getLong(8 * 16);
            low.armed().disarm();
            high.armed().disarm();
            Odd.odd_registers(in, out);
            assertEquals(out.getLong(8 * 16), probedFlags, "flags");
            assertEquals(1, probedFlags & 1, "CF was set before the probed instruction");
        }
    }

    @Scenario
    static void redZoneOfALeafIsKept() throws Exception {
        try (TestProbe inside = TestProbe.arm("p libodd:odd_red_zone+" + Odd.label("odd_red_zone_site") + " first=-8(%rsp) last=-128(%rsp)");
                TestProbe call = TestProbe.arm("c libodd:odd_red_zone $retval")) {
            assertEquals(1999993 + 136, Odd.odd_red_zone(1999993));
            inside.assertValues(1, 16);
            assertEquals(1999993 + 136, call.hit().values()[1]);
        }
    }

    @Scenario
    static void vectorAndX87StateIsKeptAcrossEntryMiddleAndReturn() throws Exception {
        assertEquals(0, Odd.odd_check_state(), "unprobed");
        long middle = Odd.label("odd_state_middle");
        try (TestProbe entry = TestProbe.arm("p libodd:odd_state_leaf $arg1"); TestProbe inside = TestProbe.arm("p libodd:odd_state_leaf+" + middle + " %r15");
                TestProbe call = TestProbe.arm("c libodd:odd_state_leaf $retval at=+0(%rsp)")) {
            assertEquals(0, Odd.odd_check_state(), () -> "parts that differ, bits 16 and up are state components");
            entry.assertValues(0xa6 * 0x0101010101010101L & Long.MAX_VALUE);
            inside.assertValues(0xae * 0x0101010101010101L & Long.MAX_VALUE);
            assertEquals(0xaf * 0x0101010101010101L & Long.MAX_VALUE, call.hit().values()[1]);
        }
        ChildJvm.note("state components compared (XCR0): 0x" + Long.toHexString(Odd.odd_state_parts()));
    }

    /** Each kind of displaced instruction at work in its slot, at a function's start or behind it. */
    @Scenario
    static void displacedInstructionsDoTheirWorkElsewhere() throws Exception {
        assertBoosted("odd_reads_rip", 0, 0x7e57);
        assertBoosted("odd_jumps_short", 0, 11);
        assertBoosted("odd_jumps_near", 0, 12);
        assertBoosted("odd_branches_short", 4, 13, 5);
        assertBoosted("odd_branches_short", 4, 14, 6);
        assertBoosted("odd_branches_near", 4, 15, 4);
        assertBoosted("odd_branches_near", 4, 16, 5);
        assertBoosted("odd_jumps_indirect", 7, 17);
        assertBoosted("odd_jumps_through_memory", 0, 18);
        assertBoosted("odd_endbr", 0, 19);
        assertBoosted("odd_pushes_rsp", 0, 20);
        assertBoosted("odd_returns_plainly", 5, 21);
        assertBoosted("odd_compares_rip", 0, 22);
        assertBoosted("odd_takes_rip", 0, TestProbe.library("libodd.so").symbols().find("odd_takes_rip").get(0).address());
    }

    private static void assertBoosted(String function, int offset, long expected, long... arguments) throws Exception {
        com.sun.jna.Function f = Odd.LIBRARY.getFunction(function);
        Object[] boxed = java.util.Arrays.stream(arguments).boxed().toArray();
        assertEquals(expected, f.invokeLong(boxed), function + ", unprobed");
        try (TestProbe entry = TestProbe.arm("p libodd:" + function + "+" + offset); TestProbe call = TestProbe.arm("c libodd:" + function + " $retval")) {
            assertEquals(expected, f.invokeLong(boxed), function);
            assertEquals(1, entry.hits().size(), function);
            assertEquals(expected, call.hit().values()[1], function);
        }
    }

    /** The instruction at the site is the ret itself, which leaves for the trampoline. */
    @Scenario
    static void aFunctionThatOnlyReturnsCanBeACall() throws Exception {
        try (TestProbe call = TestProbe.arm("c libodd:odd_only_returns $arg1")) {
            Odd.LIBRARY.getFunction("odd_only_returns").invokeLong(new Object[] {1999993L});
            assertEquals(1999993, call.hit().values()[1]);
            assertEquals(0, call.hit().missing());
        }
    }

    @Scenario
    static void probesOnOneAddressComeAndGoByThemselves() throws Exception {
        try (TestProbe one = TestProbe.arm("p libodd:odd_identity one=$arg1")) {
            Odd.odd_identity(1);
            TestProbe two = TestProbe.arm("c libodd:odd_identity two=$arg1 r=$retval");
            Odd.odd_identity(2);
            two.close();
            Odd.odd_identity(3);
            assertEquals(List.of(1L, 2L, 3L), one.hits().stream().map(h -> h.values()[0]).toList());
            assertEquals(List.of(2L), two.hits().stream().map(h -> h.values()[1]).toList());
            assertEquals(1, two.counters().hits());
        }
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    @Scenario
    static void disarmingTwiceOrTheFirstOfTwoTakesNothingFromTheOther() throws Exception {
        TestProbe one = TestProbe.arm("p libodd:odd_identity $arg1");
        try (TestProbe two = TestProbe.arm("p libodd:odd_identity $arg1")) {
            one.close();
            one.close();
            Odd.odd_identity(77);
            two.assertValues(77);
            assertEquals(0, one.counters().hits());
        }
        TestProbe.assertTextIsOriginal("libodd.so");
    }

    @Scenario
    static void armsAgainAfterDisarming() throws Exception {
        for (int i = 0; i < 50; i++) {
            try (TestProbe probe = TestProbe.arm("c libodd:odd_seven $arg1 $retval")) {
                assertEquals(2 * i + 15, Odd.odd_seven(i, "seven", 2.5));
                assertEquals(i, probe.hit().values()[1]);
            }
            Odd.odd_seven(i, "seven", 2.5);
            TestProbe.assertTextIsOriginal("libodd.so");
        }
    }

    @Scenario
    static void textIsTheFilesAgainAfterDisarming() throws Exception {
        TestProbe.assertTextIsOriginal("libodd.so");
        long address;
        byte[] now = new byte[1];
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity"); TestProbe other = TestProbe.arm("c libc:strtol")) {
            address = probe.armed().sites().get(0).address();
            Helper.up_text_read(address, now, 1);
            assertEquals((byte) 0xcc, now[0]);
            assertEquals("strtol", other.armed().sites().get(0).symbol());
        }
        TestProbe.assertTextIsOriginal("libodd.so");
        TestProbe.assertTextIsOriginal("libc.so.6");
        Helper.up_text_read(address, now, 1);
        assertNotEquals((byte) 0xcc, now[0]);
    }

    /* Calls on a thread of the library's own: no Java stack, the thread's name and number instead. */
    @Scenario
    static void hitsOfNativeThreadsAreDrained() throws Exception {
        try (TestProbe probe = TestProbe.arm("c libodd:odd_identity $arg1 $retval")) {
            assertEquals(0, Odd.odd_on_new_thread(100));
            List<TestProbe.Hit> hits = probe.hits();
            assertEquals(100, hits.size());
            for (int i = 0; i < 100; i++) {
                assertEquals(i, hits.get(i).values()[1]);
                assertEquals(i, hits.get(i).values()[2]);
                assertEquals("native thread", hits.get(i).drained());
                assertTrue(hits.get(i).nativeThread() > 0);
                assertEquals(0, hits.get(i).javaThread());
            }
            probe.assertNothingLostSilently();
        }
    }

    @Scenario
    static void everyHitOfOneJniCallComesInItsOrder() throws Exception {
        try (TestProbe probe = TestProbe.arm("p libodd:odd_identity $arg1")) {
            assertEquals(0, Odd.odd_many(5000));
            List<TestProbe.Hit> hits = probe.hits();
            assertEquals(5000, hits.size());
            for (int i = 0; i < 5000; i++) {
                assertEquals(i, hits.get(i).values()[0]);
                assertEquals("odd_many", hits.get(i).caller());
            }
        }
    }

    private ValueScenarios() {}
}
