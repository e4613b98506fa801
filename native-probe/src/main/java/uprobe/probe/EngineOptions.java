package uprobe.probe;

/**
 * What is fixed when the engine starts.
 *
 * @param ringBytes size of a thread's ring; a power of two, 4 KiB to 16 MiB
 * @param rings how many threads can have one at a time; {@code ringBytes * rings} is below 2 GiB and is address space until used
 * @param tsc whether hits take their time from the processor's counter; the caller has found it trustworthy
 * @param drainMillis how often the drain thread looks
 * @param longCallMillis after how long the hits of a JNI call that has not returned are taken without their Java stack
 * @param farSlots put slots farther than 2 GiB from their libraries, as where no memory near them is free; to try that out
 */
public record EngineOptions(int ringBytes, int rings, boolean tsc, int drainMillis, int longCallMillis, boolean farSlots) {
    public static final EngineOptions DEFAULT = new EngineOptions(256 << 10, 4096, false, 250, 500, false);

    public EngineOptions {
        if (Integer.bitCount(ringBytes) != 1 || ringBytes < 4 << 10 || ringBytes > 16 << 20) {
            throw new IllegalArgumentException("ring size " + ringBytes + ": want a power of two from 4096 to 16777216 bytes");
        }
        if (rings < 1 || (long) ringBytes * rings > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(rings + " rings of " + ringBytes + " bytes: together they must stay below 2 GiB");
        }
    }

    public EngineOptions withTsc(boolean use) {
        return new EngineOptions(ringBytes, rings, use, drainMillis, longCallMillis, farSlots);
    }

    public EngineOptions withRings(int bytes, int count) {
        return new EngineOptions(bytes, count, tsc, drainMillis, longCallMillis, farSlots);
    }

    public EngineOptions withFarSlots(boolean far) {
        return new EngineOptions(ringBytes, rings, tsc, drainMillis, longCallMillis, far);
    }
}
