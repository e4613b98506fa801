package uprobe.probe.spec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import uprobe.probe.spec.Condition.Step;

/* What the engine does with a condition's program, as the table in Condition says it: the reference for tests. */
public final class ConditionProgram {
    private final ByteBuffer bytes;

    public ConditionProgram(Condition condition, double clockUnitsPerNano) {
        bytes = ByteBuffer.wrap(condition.program(clockUnitsPerNano)).order(ByteOrder.LITTLE_ENDIAN);
    }

    int steps() {
        return bytes.capacity() / Condition.STEP_SIZE;
    }

    Step step(int i) {
        return Step.values()[bytes.get(i * Condition.STEP_SIZE)];
    }

    int index(int i) {
        return bytes.getShort(i * Condition.STEP_SIZE + 2);
    }

    long constant(int i) {
        return bytes.getLong(i * Condition.STEP_SIZE + 8);
    }

    /* the value that is left on the stack */
    public long value(long[] fields, long duration) {
        long[] stack = new long[Condition.MAX_DEPTH];
        int top = 0;
        for (int i = 0; i < steps(); i++) {
            Step step = step(i);
            top -= step.operands();
            long a = step.operands() > 0 ? stack[top] : 0;
            long b = step.operands() > 1 ? stack[top + 1] : 0;
            stack[top++] = switch (step) {
                case FIELD -> fields[index(i)];
                case CONSTANT -> constant(i);
                case DURATION -> duration;
                case NOT -> truth(a == 0);
                case INVERT -> ~a;
                case NEGATE -> -a;
                case MULTIPLY -> a * b;
                case ADD -> a + b;
                case SUBTRACT -> a - b;
                case LESS -> truth(a < b);
                case LESS_UNSIGNED -> truth(Long.compareUnsigned(a, b) < 0);
                case LESS_EQUAL -> truth(a <= b);
                case LESS_EQUAL_UNSIGNED -> truth(Long.compareUnsigned(a, b) <= 0);
                case EQUAL -> truth(a == b);
                case NOT_EQUAL -> truth(a != b);
                case AND_BITS -> a & b;
                case XOR_BITS -> a ^ b;
                case OR_BITS -> a | b;
                case AND -> truth(a != 0 && b != 0);
                case OR -> truth(a != 0 || b != 0);
            };
        }
        if (top != 1) {
            throw new AssertionError(top + " values are left on the stack");
        }
        return stack[0];
    }

    private static long truth(boolean holds) {
        return holds ? 1 : 0;
    }
}
