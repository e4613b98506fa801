/**
 * What a displaced instruction becomes: {@link uprobe.probe.code.InstructionTable} decodes, {@link uprobe.probe.code.FunctionCode} tells code from data,
 * {@link uprobe.probe.code.Relocator} makes the copy that means elsewhere what the original meant at its site, {@link uprobe.probe.code.Planner} chooses
 * among mechanisms. Nothing here changes code that runs.
 */
package uprobe.probe.code;
