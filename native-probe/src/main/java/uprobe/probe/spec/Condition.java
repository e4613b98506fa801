package uprobe.probe.spec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * When a hit counts: what stands behind {@code if} in a probe, {@code len > 4096 && $duration > 10ms}. The engine evaluates it at the hit,
 * before anything is recorded; a hit for which it does not hold is counted as filtered. Every value has 64 bits, as {@link FieldSpec#type}
 * widens it; operators and precedence are C's. An order ({@code <}) is unsigned if an operand is {@code u64}, {@code x64} or a number above
 * 2^63 - 1, else signed. Both sides of {@code &&} and {@code ||} are evaluated. A condition over a value that could not be read does not hold.
 *
 * <p>Immutable. {@link ConditionParser} has the grammar.
 */
public final class Condition {
    /** The most steps a program can have. */
    public static final int MAX_STEPS = 64;
    /** The most values that a program keeps at one time. */
    public static final int MAX_DEPTH = 16;
    /** Bytes of a step in {@link #program}. */
    public static final int STEP_SIZE = 16;

    /**
     * What a step does with a stack of 64-bit values. Those with two operands take the right one first, as it was pushed last. Truth is 1 or
     * 0; every value but 0 is true. Arithmetic wraps around. {@code enum up_condition_step}: the ordinal is the number.
     */
    public enum Step {
        /** Push the field whose position in {@link ProbeSpec#fields} is the step's index, from 0. */
        FIELD,
        /** Push the step's constant. */
        CONSTANT,
        /** Push how long the call took, in units of the engine's clock. */
        DURATION,
        /** {@code !a}. */
        NOT,
        /** {@code ~a}. */
        INVERT,
        /** {@code -a}. */
        NEGATE,
        /** {@code a * b}. */
        MULTIPLY,
        /** {@code a + b}. */
        ADD,
        /** {@code a - b}. */
        SUBTRACT,
        /** {@code a < b}, both signed; {@code b > a} is this with its operands exchanged. */
        LESS,
        /** {@code a < b}, both unsigned. */
        LESS_UNSIGNED,
        /** {@code a <= b}, both signed. */
        LESS_EQUAL,
        /** {@code a <= b}, both unsigned. */
        LESS_EQUAL_UNSIGNED,
        /** {@code a == b}. */
        EQUAL,
        /** {@code a != b}. */
        NOT_EQUAL,
        /** {@code a & b}. */
        AND_BITS,
        /** {@code a ^ b}. */
        XOR_BITS,
        /** {@code a | b}. */
        OR_BITS,
        /** {@code a && b}. */
        AND,
        /** {@code a || b}. */
        OR;

        /** How many values the step takes off the stack. */
        int operands() {
            return this.compareTo(NOT) < 0 ? 0 : this.compareTo(MULTIPLY) < 0 ? 1 : 2;
        }
    }

    /* nanos: the constant is a time that stands beside $duration, in nanoseconds */
    record Instruction(Step step, int index, long constant, boolean nanos) {
    }

    private final String text;
    private final boolean atReturn;
    private final List<Instruction> instructions;

    Condition(String text, boolean atReturn, List<Instruction> instructions) {
        this.text = text;
        this.atReturn = atReturn;
        this.instructions = List.copyOf(instructions);
    }

    /**
     * @param text   the condition alone, without {@code if}: also what JFR's setting {@code filter} has
     * @param fields of the probe, whose names it can use
     * @param type   of the probe: {@code $duration} exists in {@code c} only
     * @param column 1-based column of the text's first character in what the user wrote; 1 if that is all
     * @throws ProbeSyntaxException for the first mistake from the left; its text is this one behind {@code column - 1} blanks
     */
    public static Condition parse(String text, List<FieldSpec> fields, ProbeType type, int column) throws ProbeSyntaxException {
        String placed = " ".repeat(column - 1) + text;
        return new ConditionParser(placed, column - 1, placed.length(), fields, type).condition();
    }

    /**
     * The condition that holds if one of these holds, for several recordings with filters of their own. They must be of the same probe.
     *
     * @param conditions at least one; null among them stands for "no condition"
     * @return null, which every hit passes, if one of them is null, or if together they are more than a program can have: never less is
     *         recorded than one of them asks for
     */
    public static Condition or(List<Condition> conditions) {
        if (conditions.isEmpty()) {
            throw new IllegalArgumentException("no condition is there");
        }
        if (conditions.stream().anyMatch(Objects::isNull)) {
            return null;
        }
        /* the deepest first, while the stack is empty */
        List<Condition> different = new ArrayList<>(new LinkedHashSet<>(conditions));
        different.sort(Comparator.comparingInt((Condition c) -> depth(c.instructions)).reversed());
        if (different.size() == 1) {
            return different.get(0);
        }
        List<Instruction> joined = new ArrayList<>();
        for (Condition condition : different) {
            boolean first = joined.isEmpty();
            joined.addAll(condition.instructions);
            if (!first) {
                joined.add(new Instruction(Step.OR, 0, 0, false));
            }
        }
        if (joined.size() > MAX_STEPS || depth(joined) > MAX_DEPTH) {
            return null;
        }
        return new Condition(different.stream().map(c -> "(" + c.text + ")").collect(Collectors.joining(" || ")),
                different.stream().anyMatch(Condition::atReturn), joined);
    }

    /** As it was written, without the blanks and commas around it. */
    public String text() {
        return text;
    }

    /** Whether it needs a value that exists only at the return: {@code $duration}, or a field for which {@link ProbeSpec#readsAtReturn} holds. */
    public boolean atReturn() {
        return atReturn;
    }

    /**
     * The condition for the engine, in postfix: {@value #STEP_SIZE} bytes for each step, little-endian. It begins with an empty stack and ends
     * with one value on it, the result.
     * <pre>
     *   0      1      2             4                     8                          16
     *   +------+------+-------------+---------------------+---------------------------+
     *   | step |  0   |    index    |          0          |         constant          |
     *   +------+------+-------------+---------------------+---------------------------+
     * </pre>
     *
     * @param clockUnitsPerNano how many units of the engine's clock, in which {@link Step#DURATION} counts, a nanosecond has; above 0
     * @return at most {@value #MAX_STEPS} steps, which need at most {@value #MAX_DEPTH} places on the stack
     */
    public byte[] program(double clockUnitsPerNano) {
        if (!(clockUnitsPerNano > 0)) {
            throw new IllegalArgumentException("clock units per nanosecond: " + clockUnitsPerNano);
        }
        ByteBuffer out = ByteBuffer.allocate(instructions.size() * STEP_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (Instruction i : instructions) {
            out.put((byte) i.step.ordinal()).put((byte) 0).putShort((short) i.index).putInt(0);
            out.putLong(i.nanos ? Math.round(i.constant * clockUnitsPerNano) : i.constant);
        }
        return out.array();
    }

    /** The most values on the stack at one time. */
    static int depth(List<Instruction> instructions) {
        int now = 0;
        int deepest = 0;
        for (Instruction i : instructions) {
            now += 1 - i.step.operands();
            deepest = Math.max(deepest, now);
        }
        return deepest;
    }

    /** The same steps, however they are written. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Condition condition && condition.instructions.equals(instructions);
    }

    @Override
    public int hashCode() {
        return instructions.hashCode();
    }

    /** {@link #text}. */
    @Override
    public String toString() {
        return text;
    }
}
