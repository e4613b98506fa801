/**
 * The command {@code report}: recordings as tables, flame graphs and traces, in a JVM of its own.
 * <pre>
 *   Chunk -> ChunkReader -> Hit -> Hits    rows by function and caller, and the tree of their stacks
 *                                  Losses  what the recording does not show
 *                                  Pairs   what was opened and never closed
 *                                  ChromeTrace
 * </pre>
 * A hit is looked at once and forgotten: heap goes with the number of stacks, never with that of events. Read {@link uprobe.agent.report.ReportCommand},
 * then {@link uprobe.agent.report.ChunkReader}.
 */
package uprobe.agent.report;
