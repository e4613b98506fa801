package uprobe.probe;

import java.util.List;
import java.util.stream.IntStream;
import uprobe.probe.helper.Helper;

/**
 * What came of a probe's hits. {@code hits = recorded + filtered + sampledOut + dropped + missed + ownWork}, plus what still waits in the rings or for its
 * return.
 *
 * @param hits how often a thread came by
 * @param recorded events made; in the modes without events: counted
 * @param filtered by the condition or the threshold, or no recording wanted the event
 * @param sampledOut left out by sampling, by the limit a second, or behind the last hit that was wanted
 * @param dropped lost because the thread's ring was full, or none was left, or the event could not be made twice
 * @param missed caused by the making of events itself, or its return could not be seen
 * @param ownWork made by the engine's own threads, and by its work on other threads: {@link OwnWork}
 * @param timed calls whose duration is known, while {@link ProbeSettings#times}
 * @param totalTime of these, in units of {@link ProbeEngine#clock()}
 * @param maxTime the longest of these, in the same units
 * @param selfTime totalTime without what was spent in timed calls of the same probe inside: over the functions of a pattern the sum is the time that
 *     threads spent in any of them
 */
public record ProbeCounters(long hits, long recorded, long filtered, long sampledOut, long dropped, long missed, long ownWork, long timed, long totalTime,
        long maxTime, long selfTime) {
    /** 64-bit words of {@code struct up_counters}. */
    static final int WORDS = 11;

    /** Of all of these together. */
    static ProbeCounters of(int... probes) {
        long[] w = new long[WORDS];
        Helper.up_probes_counters(probes, probes.length, w);
        return of(w, 0);
    }

    /** Of all of these together. */
    public static ProbeCounters sum(List<ProbeCounters> all) {
        return all.stream().reduce(new ProbeCounters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), (a, b) -> new ProbeCounters(a.hits + b.hits, a.recorded + b.recorded,
                a.filtered + b.filtered, a.sampledOut + b.sampledOut, a.dropped + b.dropped, a.missed + b.missed, a.ownWork + b.ownWork, a.timed + b.timed,
                a.totalTime + b.totalTime, Math.max(a.maxTime, b.maxTime), a.selfTime + b.selfTime));
    }

    /** Of each of these, in their order: one call of native code, which may be probed itself. */
    static List<ProbeCounters> ofEach(int[] probes) {
        long[] w = new long[WORDS * probes.length];
        Helper.up_probes_counters_each(probes, probes.length, w);
        return IntStream.range(0, probes.length).mapToObj(i -> of(w, i * WORDS)).toList();
    }

    private static ProbeCounters of(long[] w, int at) {
        return new ProbeCounters(w[at], w[at + 1], w[at + 2], w[at + 3], w[at + 4], w[at + 5], w[at + 9], w[at + 6], w[at + 7], w[at + 8], w[at + 10]);
    }

    /** Hits of which nothing is known yet: records that no event was made of, calls that have not returned. */
    public long unfinished() {
        return hits - recorded - filtered - sampledOut - dropped - missed - ownWork;
    }
}
