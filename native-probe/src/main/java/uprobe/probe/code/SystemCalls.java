package uprobe.probe.code;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import uprobe.probe.code.InstructionTable.Instruction;
import uprobe.probe.helper.Helper;

/**
 * The system calls in a library's text, and what the straight code before each says of its arguments
 * --------------------------------------------------------------------------------------------------
 * A compiler loads the registers of a system call right before it:
 *
 * <pre>
 * 8988f: b8 0e 00 00 00          mov eax, 14               its number
 * 89894: 48 8d 35 dd 78 11 00    lea rsi, [rip+0x1178dd]   a set in read-only data
 * 8989b: 0f 05                   syscall
 * </pre>
 *
 * Straight is what no direct branch of the whole text leads into. A register's value counts as known if the last instruction there that uses the
 * register loads it with a constant.
 */
public final class SystemCalls {
    /** psABI x86-64, A.2.1: number, first and second argument. */
    private static final int RAX = 0, RSI = 6, RDI = 7;
    public static final int CLONE3 = 435;
    /** rt_sigreturn, clone, vfork, clone3: with another stack, or twice. */
    private static final Set<Integer> COMES_BACK_ELSEWHERE = Set.of(15, 56, 58, CLONE3);
    private static final int MOVE_TO_RAX = 0xb8, MOVE_SIZE = 5, REX_B = 0x41;
    /** glibc 2.31 writes a set of 128 bytes to the stack between the number and the call. */
    private static final int STRAIGHT_BYTES = 384;
    /** How far a branch with an offset of one byte reaches, with its own length. */
    private static final int SHORT_BRANCH = 128 + InstructionTable.LONGEST;
    /** What lies closer is decoded in one piece: few calls of the helper. */
    private static final int CHUNK = 1 << 12;
    private static final int NOT_STRAIGHT = InstructionTable.BRANCH | InstructionTable.CALL | InstructionTable.RETURN | InstructionTable.TRAP
            | InstructionTable.PRIVILEGED | InstructionTable.SYSCALL | InstructionTable.INDIRECT | InstructionTable.FAR
            | InstructionTable.TRANSACTION;

    /**
     * What a register holds at the call.
     *
     * @param value the constant, or the address that {@code lea} loads
     */
    public record Value(Kind kind, long value) {
        public enum Kind { CONSTANT, ADDRESS, UNKNOWN }

        static final Value UNKNOWN = new Value(Kind.UNKNOWN, 0);

        public boolean is(long constant) {
            return kind == Kind.CONSTANT && value == constant;
        }
    }

    /**
     * One system call.
     *
     * @param address of the {@code syscall} instruction
     * @param function where the function begins that holds it, as far as is known
     * @param straight the instructions before it, in order; nothing branches to one but the first
     * @param numbers those of the wanted ones that it may have
     * @param first argument
     */
    public record Call(long address, long function, List<Displaced> straight, Set<Integer> numbers, Value first, Value second) {
        public static final int SIZE = 2;

        /** As it is for who asks for these numbers; empty if it has none of them. */
        public Optional<Call> among(Set<Integer> wanted) {
            Set<Integer> both = new TreeSet<>(numbers);
            both.retainAll(wanted);
            return both.isEmpty() ? Optional.empty() : Optional.of(new Call(address, function, straight, both, first, second));
        }

        /** Address of the instruction behind it. */
        public long next() {
            return address + SIZE;
        }
    }

    /** Where functions begin, ascending: there decoding begins anew. A library may have 60,000, of which few are asked for. */
    public interface Starts {
        int count();

        long at(int i);

        static Starts of(long... starts) {
            return new Starts() {
                @Override
                public int count() {
                    return starts.length;
                }

                @Override
                public long at(int i) {
                    return starts[i];
                }
            };
        }
    }

    private final byte[] text;
    private final long address;
    private final Starts starts;

    /**
     * @param text as it is without probes
     * @param address of its first byte
     * @param starts may lie outside
     */
    public SystemCalls(byte[] text, long address, Starts starts) {
        this.text = text;
        this.address = address;
        this.starts = starts;
    }

    /**
     * Those whose number is one of these, or may be: it comes from a register that the function loads with one. By address. Of those that come back with
     * another stack, or twice, only {@link #CLONE3}, and where it can be no other.
     */
    public List<Call> find(Set<Integer> numbers) {
        TreeMap<Long, long[]> straight = new TreeMap<>();      /* by call: where its instructions begin, and its own */
        int[] all = new int[Helper.up_calls_find(text, text.length, new int[0], 0)];
        Helper.up_calls_find(text, text.length, all, all.length);
        InstructionTable last = null;
        long decoded = 0;
        for (int at : all) {
            long function = functionOf(address + at);
            InstructionTable table = last == null || function != decoded ? decode(function, endOf(function)) : last;
            last = table;       /* where starts are not known, as of Go's, all of the text is one function */
            decoded = function;
            int row = table.row(address + at);
            if (row >= 0 && table.get(row).is(InstructionTable.SYSCALL)) {
                straight.put(address + at, IntStream.rangeClosed(straightTo(table, row), row).mapToLong(i -> table.get(i).address()).toArray());
            }
        }
        if (straight.isEmpty()) {
            return List.of();
        }
        long[] calls = straight.keySet().stream().mapToLong(Long::longValue).toArray();
        long[] from = straight.values().stream().mapToLong(instructions -> instructions[0]).toArray();
        Helper.up_straight_far(text, text.length, address, calls, from, calls.length);
        shortBranches(calls, from);
        for (int i = 0; i < calls.length; i++) {        /* what only looks like a branch may lead into an instruction, and so may a branch */
            long least = from[i];
            from[i] = Arrays.stream(straight.get(calls[i])).filter(begin -> begin >= least).findFirst().orElse(calls[i]);
        }
        List<Call> found = new ArrayList<>();
        for (int i = 0; i < calls.length; i++) {
            Set<Integer> possible = numbers(calls[i], from[i]);
            boolean leaves = possible.stream().anyMatch(COMES_BACK_ELSEWHERE::contains) && !(possible.equals(Set.of(CLONE3)) && numbers.contains(CLONE3));
            possible.retainAll(numbers);
            if (!possible.isEmpty() && !leaves) {
                found.add(call(calls[i], from[i], possible));
            }
        }
        return found;
    }

    /** Those that reach 128 bytes at most come from the functions around: these are decoded. */
    private void shortBranches(long[] calls, long[] from) {
        for (int i = 0, next; i < calls.length; i = next) {
            long start = functionOf(from[i] - SHORT_BRANCH), end = endOf(functionOf(calls[i] + SHORT_BRANCH));
            for (next = i + 1; next < calls.length && functionOf(from[next] - SHORT_BRANCH) <= end + CHUNK; next++) {
                end = endOf(functionOf(calls[next] + SHORT_BRANCH));
            }
            byte[] code = bytes(start, (int) (end - start));
            Helper.up_straight(code, code.length, start, calls, from, calls.length);
        }
    }

    /** The one between two addresses, whatever its number; null if there is none, or more. */
    public Call onlyOneIn(long from, long to) {
        Call only = null;
        InstructionTable table = decode(from, to);
        for (int row = 0; row < table.size(); row++) {
            if (table.get(row).is(InstructionTable.SYSCALL)) {
                if (only != null) {
                    return null;
                }
                only = call(table.get(row).address(), table.get(straightTo(table, row)).address(), Set.of());
            }
        }
        return only;
    }

    private Set<Integer> numbers(long at, long from) {
        Displaced last = lastUser(at, from, RAX);
        if (last == null) {         /* several ways lead here, and each may have loaded it */
            return constantsIn(functionOf(at), RAX);
        }
        Value number = loaded(last, RAX);
        if (number.kind() == Value.Kind.CONSTANT) {
            return new TreeSet<>(Set.of((int) number.value()));
        }
        /* [44] 89 /r: mov eax, r32. Code that makes several calls keeps their number in a register. */
        byte[] code = last.bytes();
        int modrm = code.length - 1, rex = code.length == 3 ? last.unsigned(0) : 0x40;
        boolean copies = (code.length == 2 || code.length == 3 && (rex == 0x44 || rex == 0x40)) && last.unsigned(modrm - 1) == 0x89
                && (last.unsigned(modrm) & 0xc7) == 0xc0;
        return copies ? constantsIn(functionOf(at), last.unsigned(modrm) >> 3 & 7 | (rex & 4) << 1) : new TreeSet<>();
    }

    /** What the function moves into this register as a constant, anywhere. */
    private Set<Integer> constantsIn(long function, int register) {
        Set<Integer> constants = new TreeSet<>();
        InstructionTable table = decode(function, endOf(function));
        for (int row = 0; row < table.size(); row++) {
            int at = (int) (table.get(row).address() - address), length = table.get(row).length();
            boolean extended = length == MOVE_SIZE + 1 && (text[at] & 0xff) == REX_B;
            if ((extended || length == MOVE_SIZE) && (text[at + length - MOVE_SIZE] & 0xff) == MOVE_TO_RAX + (register & 7) && extended == register > 7) {
                constants.add(ByteBuffer.wrap(text).order(ByteOrder.LITTLE_ENDIAN).getInt(at + length - Integer.BYTES));
            }
        }
        return constants;
    }

    private long functionOf(long where) {
        int before = above(where) - 1;
        return before < 0 ? address : Math.max(address, starts.at(before));
    }

    private long endOf(long function) {
        int next = above(function);
        long end = address + text.length;
        return next < starts.count() ? Math.min(end, starts.at(next)) : end;
    }

    /** Index of the first start above this address. */
    private int above(long where) {
        int low = 0, high = starts.count();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (starts.at(middle) <= where) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private InstructionTable decode(long from, long to) {
        return InstructionTable.decode(bytes(from, (int) (to - from)), from);
    }

    private byte[] bytes(long from, int length) {
        int at = (int) (from - address);
        return Arrays.copyOfRange(text, at, at + length);
    }

    /** The row from which straight code leads to this one. */
    private static int straightTo(InstructionTable table, int call) {
        int first = call;
        while (first > 0 && table.get(first - 1).length() > 0 && (table.get(first - 1).flags() & NOT_STRAIGHT) == 0
                && table.get(call).address() - table.get(first - 1).address() <= STRAIGHT_BYTES) {
            first--;
        }
        return first;
    }

    private Call call(long at, long from, Set<Integer> numbers) {
        return new Call(at, functionOf(at), straight(at, from), numbers, value(at, from, RDI), value(at, from, RSI));
    }

    private List<Displaced> straight(long at, long from) {
        List<Displaced> straight = new ArrayList<>();
        InstructionTable table = decode(from, at);
        for (int row = 0; row < table.size(); row++) {
            straight.add(described(table.get(row)));
        }
        return List.copyOf(straight);
    }

    private Displaced described(Instruction i) {
        return Displaced.of(i, bytes(i.address(), i.length()));
    }

    private Value value(long at, long from, int register) {
        Displaced last = lastUser(at, from, register);
        return last == null ? Value.UNKNOWN : loaded(last, register);
    }

    private Displaced lastUser(long at, long from, int register) {
        InstructionTable table = decode(from, at);
        for (int row = table.size() - 1; row >= 0; row--) {
            Displaced d = described(table.get(row));
            if (d.uses(register)) {
                return d;
            }
        }
        return null;
    }

    /** b8+r imm32: mov r32, imm32. 31 /r, 33 /r: xor r, r. 48 8d /r: lea r, [rip+x]. Of registers below r8. */
    private static Value loaded(Displaced d, int register) {
        byte[] code = d.bytes();
        if (code.length == MOVE_SIZE && d.unsigned(0) == MOVE_TO_RAX + register) {
            return new Value(Value.Kind.CONSTANT, ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN).getInt(1));
        } else if (code.length == 2 && (code[0] == 0x31 || code[0] == 0x33) && d.unsigned(1) == (0xc0 | register << 3 | register)) {
            return new Value(Value.Kind.CONSTANT, 0);
        } else if (code.length == 7 && code[0] == 0x48 && d.unsigned(1) == 0x8d && d.is(InstructionTable.RIP_RELATIVE) && (code[2] >> 3 & 7) == register) {
            return new Value(Value.Kind.ADDRESS, d.instruction().target());
        }
        return Value.UNKNOWN;
    }
}
