/** What the commands print: {@link uprobe.agent.console.Table} and its numbers. */
package uprobe.agent.console;
