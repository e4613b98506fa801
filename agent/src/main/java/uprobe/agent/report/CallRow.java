package uprobe.agent.report;

/** What came of the calls of one function by one caller; or of all that a line of a table stands for. */
final class CallRow {
    /** Name of the events' type; null in a row of callers. */
    final String type;
    /** null in a table that does not ask for it */
    final String function, caller;
    long calls;
    double nanos;
    /** Without what probed functions took that were called inside. */
    double selfNanos;
    /** An element is null as long as no hit had the field. */
    final Long[] sums;
    final Durations durations = new Durations();
    double longest;
    String longestValues;

    CallRow(String type, String function, String caller, int sums) {
        this.type = type;
        this.function = function;
        this.caller = caller;
        this.sums = new Long[sums];
    }

    void add(Hit hit, double took) {
        calls++;
        if (took > 0) {
            nanos += took;
            durations.add(took);
            if (took > longest) {
                longest = took;
                longestValues = hit.fetched();
            }
        }
    }

    void add(CallRow other) {
        calls += other.calls;
        nanos += other.nanos;
        selfNanos += other.selfNanos;
        for (int i = 0; i < sums.length; i++) {
            if (other.sums[i] != null) {
                addSum(i, other.sums[i]);
            }
        }
        durations.add(other.durations);
        if (other.longest > longest) {
            longest = other.longest;
            longestValues = other.longestValues;
        }
    }

    void addSum(int field, long value) {
        sums[field] = sums[field] == null ? value : sums[field] + value;
    }

    boolean isTimed() {
        return nanos > 0;
    }
}
