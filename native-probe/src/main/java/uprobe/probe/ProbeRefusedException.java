package uprobe.probe;

/** A probe that can not be armed. The message is one line: where, why, with the values and, where there is one, the way out. */
public final class ProbeRefusedException extends Exception {
    private static final long serialVersionUID = 1;
    private final Refusal refusal;
    private final String brief;

    public ProbeRefusedException(Refusal refusal, String where, String values) {
        super(where + ": " + refusal.sentence() + (values.isEmpty() ? "" : ": " + values));
        this.refusal = refusal;
        this.brief = where + ": " + refusal.sentence();
    }

    public Refusal refusal() {
        return refusal;
    }

    /** The message without its values. */
    public String brief() {
        return brief;
    }
}
