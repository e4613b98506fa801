/** Programs that use native code as real ones do, and a table of what it cost whom, read from a recording. */
package uprobe.samples;
