/**
 * What Mission Control gets to know about native probes. {@link uprobe.jmc.NativeCallsByJavaCallerRule} is the automated analysis;
 * the pages beside it are declarations in pages.xml. Leans on event names alone, never on the agent.
 */
package uprobe.jmc;
