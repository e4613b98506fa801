package uprobe.probe.code;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import uprobe.probe.code.SystemCalls.Value;
import uprobe.probe.code.SystemCalls.Value.Kind;
import uprobe.probe.helper.Helper;

/** What straight code says of the system call behind it; the shapes are glibc's. */
class SystemCallsTest {
    private static final long AT = 0x10000;
    private static final int SIGPROCMASK = 14;

    @BeforeAll
    static void helper() throws Exception {
        Helper.load();
    }

    private static List<SystemCalls.Call> find(String code, long... starts) {
        byte[] text = HexFormat.of().parseHex(code.replaceAll("[^0-9a-f]", ""));
        return new SystemCalls(text, AT, SystemCalls.Starts.of(starts.length == 0 ? new long[] {AT} : starts)).find(Set.of(SIGPROCMASK));
    }

    @Test
    void aConstantSetIsAnAddressAndTheNumberAConstant() {
        SystemCalls.Call call = find("41ba08000000 31ff b80e000000 488d3510000000 0f05").get(0);
        assertEquals(Set.of(SIGPROCMASK), call.numbers());
        assertTrue(call.first().is(0));
        assertEquals(new Value(Kind.ADDRESS, AT + 20 + 16), call.second());
        assertEquals(List.of(6, 2, 5, 7), call.straight().stream().map(d -> d.bytes().length).toList());
        assertEquals(AT + 22, call.next());
    }

    @Test
    void aRegisterThatIsUsedAfterItsConstantIsUnknown() {
        /* mov edi, 2; lea edi, [rdi-1] */
        assertEquals(Kind.UNKNOWN, find("bf02000000 8d7fff b80e000000 0f05").get(0).first().kind());
    }

    /** glibc 2.31's raise and aio keep the number in a register, for the call before and the one behind what they protect. */
    @Test
    void aNumberThatIsKeptInARegister() {
        /* mov r14d, 14; mov eax, r14d; syscall; call .; mov eax, r14d; syscall */
        List<SystemCalls.Call> calls = find("41be0e000000 4489f0 0f05 e800000000 4489f0 0f05");
        assertEquals(List.of(AT + 9, AT + 19), calls.stream().map(SystemCalls.Call::address).toList());
        /* the register holds another number, in another function one that is meant */
        assertEquals(List.of(), find("ba3c000000 89d0 0f05 c3 ba0e000000 c3", AT, AT + 10));
    }

    @Test
    void otherNumbersAreNotMeant() {
        assertEquals(List.of(), find("b80d000000 0f05 31c0 0f05"));
    }

    @Test
    void whatABranchLeadsIntoIsNotStraight() {
        /* jne to the lea; mov eax, 14; lea rsi, [rsp+8]; syscall: rax may be 14 there, or something else */
        SystemCalls.Call call = find("7505 b80e000000 488d742408 0f05").get(0);
        assertEquals(List.of(AT + 7), call.straight().stream().map(Displaced::address).toList());
        /* jne to the mov */
        call = find("7500 b80e000000 488d742408 0f05").get(0);
        assertEquals(AT + 2, call.straight().get(0).address());
    }

    @Test
    void soItIsWhereTheBranchComesFromAnotherFunction() {
        String call = "b80e000000 488d742408 0f05 c3 ", jumpsOver = "90".repeat(5000);
        /* jmp to the lea: from the function before it, and from far away; an immediate that looks like such a jump costs no more */
        assertEquals(List.of(AT + 7), find("eb05 " + call, AT, AT + 2).get(0).straight().stream().map(Displaced::address).toList());
        assertEquals(List.of(AT + 5), find(call + jumpsOver + "e96becffff", AT, AT + 13, AT + 13 + 5000).get(0).straight().stream().map(Displaced::address).toList());
        assertEquals(List.of(AT + 5), find(call + jumpsOver + "0f856aecffff", AT, AT + 13, AT + 13 + 5000).get(0).straight().stream().map(Displaced::address).toList());
        /* one into the middle of the lea */
        assertEquals(List.of(AT + 10), find(call + jumpsOver + "e96decffff", AT, AT + 13, AT + 13 + 5000).stream().map(SystemCalls.Call::address).toList());
        assertEquals(AT, find(call + jumpsOver + "e900000000", AT, AT + 13, AT + 13 + 5000).get(0).straight().get(0).address());
    }

    @Test
    void clone3IsFoundWhereItCanBeNoOther() {
        Set<Integer> wanted = Set.of(SIGPROCMASK, SystemCalls.CLONE3);
        byte[] text = HexFormat.of().parseHex("b8b30100000f05c3" + "7505b80e0000000f05c3b8b3010000c3");
        List<SystemCalls.Call> calls = new SystemCalls(text, AT, SystemCalls.Starts.of(AT, AT + 8)).find(wanted);
        assertEquals(List.of(AT + 5), calls.stream().map(SystemCalls.Call::address).toList());
        assertEquals(Set.of(SystemCalls.CLONE3), calls.get(0).numbers());
        assertEquals(List.of(), new SystemCalls(text, AT, SystemCalls.Starts.of(AT, AT + 8)).find(Set.of(SIGPROCMASK)));
    }

    @Test
    void aCallThatMayBeVforkIsLeftAlone() {
        assertEquals(List.of(), find("7505 b80e000000 488d742408 0f05 c3 b83a000000"));
    }
}
