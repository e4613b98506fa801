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
 */
public record ArmedSite(String library, String symbol, long address, Mechanism mechanism, String reason) {}
