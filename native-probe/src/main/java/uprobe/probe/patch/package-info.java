/**
 * What is written into text, and what is taken from signals: sites, the guards that keep SIGTRAP open, references that keep libraries mapped. Read
 * {@link uprobe.probe.patch.SiteTable} first. Callers hold the engine's lock.
 */
package uprobe.probe.patch;
