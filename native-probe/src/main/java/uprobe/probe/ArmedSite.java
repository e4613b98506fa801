package uprobe.probe;

import uprobe.probe.spec.Mechanism;

/**
 * One address of a probe.
 *
 * @param library file name of the library
 * @param symbol the function's symbol, with {@code +0x..} if the address lies inside it
 * @param address where the trap is, in this process
 * @param mechanism what it got
 * @param reason why not a better mechanism; empty if there is none
 * @param countsIterations the function's loop begins at its first instruction, so that each hit of this {@code p} is an iteration
 */
public record ArmedSite(String library, String symbol, long address, Mechanism mechanism, String reason, boolean countsIterations) {
    /** What one must know to read its counts. */
    public static final String ITERATIONS = "a hit is an iteration of the loop that begins at the function's first instruction; r and c count calls";
}
