package uprobe.probe.spec;

/** The place in a library that a probe names. Addresses, JNI methods and source lines will be further kinds. */
public sealed interface ProbeTarget permits Symbol, SymbolPattern {
}
