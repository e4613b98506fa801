/**
 * What is loaded in this process and what can be named in it: {@link uprobe.probe.elf.ProcessMaps mappings},
 * {@link uprobe.probe.elf.LoadedLibraries libraries}, {@link uprobe.probe.elf.SymbolTable symbols}.
 *
 * <p>jelf parses; what is here tells it what to parse. Read {@link uprobe.probe.elf.LoadedLibraries} first, then LoadedImage, which shows
 * jelf a library whose file is gone. Nothing here writes memory, takes a lock of ld.so's, or calls native code
 * but one system call (ProcessMemory).
 */
package uprobe.probe.elf;
