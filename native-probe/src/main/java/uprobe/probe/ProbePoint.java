package uprobe.probe;

/**
 * One place that a probe means.
 *
 * @param id the number that stands in {@link HitRecordDescriptor#PROBE}, and under which its hits are counted. The places of a symbol share one,
 *     each function of a pattern has its own
 */
public record ProbePoint(int id, ArmedSite site) {
    /** What came of the hits there, or at all places that share its number. */
    public ProbeCounters counters() {
        return ProbeCounters.of(id);
    }

    /** The durations of its calls while its settings asked for them. */
    public Durations durations() {
        return Durations.of(id);
    }
}
