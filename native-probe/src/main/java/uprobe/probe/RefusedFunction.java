package uprobe.probe;

/**
 * A function that a pattern names and that can not be probed. The pattern's others can.
 *
 * @param address of its first byte
 * @param message one line: where and why
 */
public record RefusedFunction(String library, String symbol, long address, Refusal refusal, String message) {}
