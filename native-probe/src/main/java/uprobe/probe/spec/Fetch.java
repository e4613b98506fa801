package uprobe.probe.spec;

import java.util.Objects;

/** Where a field's value comes from: a register, or memory that is reached from one. Every fetch yields 64 bits; the type cuts them. */
public sealed interface Fetch permits Fetch.Argument, Fetch.ReturnValue, Fetch.Register, Fetch.Dereference {

    /** The most {@link Dereference}s around one register. */
    int MAX_DEPTH = 8;

    /** Whether the value is made from the function's result, and so exists only at its return. */
    boolean usesReturnValue();

    /**
     * {@code $arg1} .. {@code $arg6}: an integer or pointer argument, read at the function's entry from the register that the psABI
     * (x86-64, 3.2.3) gives it. Floating-point arguments are not counted: in {@code f(double x, int n)}, n is number 1.
     *
     * @param number 1 to 6
     */
    record Argument(int number) implements Fetch {
        public Argument {
            MachineRegister.ofArgument(number);
        }

        /** The register that holds the argument at entry. */
        public MachineRegister register() {
            return MachineRegister.ofArgument(number);
        }

        @Override
        public boolean usesReturnValue() {
            return false;
        }
    }

    /** {@code $retval}: what the function leaves in rax. */
    record ReturnValue() implements Fetch {
        @Override
        public boolean usesReturnValue() {
            return true;
        }
    }

    /** {@code %rdi}: the whole 64-bit register at the moment the field is read (entry in {@code p} and {@code c}, return in {@code r}). */
    record Register(MachineRegister register) implements Fetch {
        public Register {
            Objects.requireNonNull(register, "register");
        }

        @Override
        public boolean usesReturnValue() {
            return false;
        }
    }

    /**
     * {@code +8(FETCH)}: memory at the address that {@code address} yields plus {@code offset}. The outermost one reads as many bytes as
     * the field's type has, inner ones read a pointer of 8. Memory that cannot be read makes the value missing, never a crash.
     *
     * @param offset in bytes, negative for {@code -8(FETCH)}
     */
    record Dereference(long offset, Fetch address) implements Fetch {
        public Dereference {
            Objects.requireNonNull(address, "address");
        }

        @Override
        public boolean usesReturnValue() {
            return address.usesReturnValue();
        }
    }
}
