package uprobe.probe;

import uprobe.probe.helper.Helper;

/**
 * How often the ways of a hit from record to event were taken since the engine started.
 *
 * @param swaps JNI calls whose return address was swapped
 * @param flushes runs of the flush at a JNI return
 * @param upcalls calls of commit methods, one per run of equal records
 * @param failed commit methods that ended with StackOverflowError or OutOfMemoryError
 * @param runtimeCalls hits in state {@code native} above a call of the VM's own, left to the drain
 * @param otherStates hits of Java threads that were in the VM or in Java code, left to the drain
 * @param insideJfr hits below a native method of jdk.jfr.internal, left to the drain
 * @param stackEnds flushes left to the drain because little stack was left
 * @param stateChanges flushes left to the drain because the thread was not in state {@code native} at the return
 * @param unwound probed calls left by an exception or longjmp
 * @param threadsTaken rings taken by threads
 * @param threadsRecycled rings given back after their thread's end
 * @param threadsRefused first hits of threads that found the pool of rings empty
 * @param slotsRefused returns that could not be seen because every return slot was in use
 * @param abandoned records left half-written, by a signal handler's siglongjmp out of the return path or by a thread's end
 * @param chainsRefused open calls of probed functions that are no frames of the hits inside them: too deep, or too many different chains
 */
public record FlushStatistics(long swaps, long flushes, long upcalls, long failed, long runtimeCalls, long otherStates, long insideJfr,
        long stackEnds, long stateChanges, long unwound, long threadsTaken, long threadsRecycled, long threadsRefused, long slotsRefused,
        long abandoned, long chainsRefused) {
    /** 64-bit words of {@code struct up_flush_statistics}. */
    static final int WORDS = 16;

    static FlushStatistics now() {
        long[] w = new long[WORDS];
        Helper.up_flush_statistics(w);
        return new FlushStatistics(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13],
                w[14], w[15]);
    }
}
