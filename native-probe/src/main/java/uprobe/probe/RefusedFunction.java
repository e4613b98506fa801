package uprobe.probe;

/**
 * A function that a pattern names and that can not be probed. The pattern's others can.
 *
 * @param message one line: where and why
 */
public record RefusedFunction(String library, String symbol, Refusal refusal, String message) {}
