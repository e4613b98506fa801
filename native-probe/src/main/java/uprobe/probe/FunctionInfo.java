package uprobe.probe;

/**
 * A function, and how it could be probed.
 *
 * @param library file name of its library
 * @param symbol its name
 * @param address in this process
 * @param size in bytes; 0 if nothing tells
 * @param probes types that are possible: {@code p r c}, {@code p}, or none
 * @param mechanism what a probe of the best of these types would get; empty for none
 * @param reason why not a better mechanism, or not all types, or none; empty if there is nothing to be said
 * @param nativeMethod Java's name of it, {@code java.util.zip.Deflater.deflateBytesBytes}, if JNI binds it by its own; else empty
 * @param armed whether a probe is armed there now
 */
public record FunctionInfo(String library, String symbol, long address, long size, String probes, String mechanism, String reason, String nativeMethod,
                           boolean armed) {}
