package uprobe.probe;

/** Why a probe is refused. Each has one sentence, which {@link ProbeRefusedException} completes with the values and the way out. */
public enum Refusal {
    PLATFORM("this platform is not supported"),
    LIBRARY_NOT_LOADED("no loaded library matches"),
    SYMBOL_UNKNOWN("no such function"),
    NOT_THERE_YET("none of the loaded libraries that match has such a function"),
    NOT_A_FUNCTION("the symbol is no function"),
    IFUNC("the symbol is a resolver (IFUNC) and has chosen a function outside of the library, mostly the kernel's own in [vdso]"),
    OFFSET_OUTSIDE("the offset lies outside the function"),
    MID_INSTRUCTION("the offset lies inside an instruction"),
    NOT_AN_INSTRUCTION("the bytes there are no instruction"),
    FOREIGN_TRAP("a breakpoint or trap instruction is already there"),
    NOT_DISPLACEABLE("the instruction can not run elsewhere"),
    NOT_EMULATED("the trap handler does not know how to do what the instruction does"),
    DATA_IN_TEXT("what stands there may be data"),
    RESTARTABLE_SEQUENCE("the instruction lies in a restartable sequence (rseq), which a trap would abort"),
    PRIVILEGED("the displaced instruction is privileged or leaves the code segment"),
    OUT_OF_REACH("the displaced instruction can not reach its operand from any free memory"),
    SIGNAL_BLOCKED("a thread has SIGTRAP blocked and would be killed by the trap"),
    RUNS_WITH_SIGNALS_BLOCKED("libc may run this function with all signals blocked, where a trap kills the process"),
    GUARDED("the engine itself stands there, to keep SIGTRAP open"),
    HANDLES_SIGNALS("the trap's own return goes through this function"),
    FAULTS_ON_PURPOSE("the VM expects faults in this function and looks at the instruction that faulted"),
    RETURNS_TWICE("the function returns twice or elsewhere, so its return can not be seen"),
    READS_RETURN_ADDRESS("the function reads its own return address, which a return probe changes"),
    PART_OF_FUNCTION("what begins there is a part of a function, whose return address lies elsewhere on the stack"),
    GO_FUNCTION("the function is Go's, whose runtime walks and moves its stacks and must find its own return addresses there"),
    RETURNS_ENTRY_ONLY("returns can be seen only from the function's first instruction on"),
    SHADOW_STACK("user shadow stacks (CET) are on, which forbid changed return addresses"),
    OWN_CODE("the library is the probe engine's own"),
    LIBRARY_GONE("the library has been unmapped"),
    TEXT_CHANGED("somebody else changed the code there"),
    TEXT_NOT_WRITABLE("the code there can not be written"),
    NO_MEMORY("the helper has no room for it");

    private final String sentence;

    Refusal(String sentence) {
        this.sentence = sentence;
    }

    /** Whether a probe that was refused so may yet find its library: none is there, another of the pattern may have it, or the one that was has just gone. */
    public boolean isForWantOfALibrary() {
        return this == LIBRARY_NOT_LOADED || this == NOT_THERE_YET || this == LIBRARY_GONE;
    }

    /** The sentence, without values; no full stop. */
    public String sentence() {
        return sentence;
    }
}
