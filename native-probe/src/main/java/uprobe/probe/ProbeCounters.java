package uprobe.probe;

/**
 * What came of a probe's hits. {@code hits = recorded + dropped + missed}, plus what still waits in the rings or for its return.
 *
 * @param hits how often a thread came by
 * @param recorded events made
 * @param dropped lost because the thread's ring was full, or none was left, or the event could not be made twice
 * @param missed caused by the making of events itself, or its return could not be seen
 */
public record ProbeCounters(long hits, long recorded, long dropped, long missed) {
    static ProbeCounters of(int probe) {
        long[] w = new long[4];
        Helper.up_probe_counters(probe, w);
        return new ProbeCounters(w[0], w[1], w[2], w[3]);
    }
}
