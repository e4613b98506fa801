package uprobe.agent.report;

import java.io.InputStream;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassWriter;

/** A library whose methods commit events, as the agent's generated classes do: without a package, and without line numbers. */
public interface NativeLibrary {
    NativeLibrary LIBZ = withoutLines("libz");

    void deflate(long bytes);

    /** Calls the probed function crc32. */
    void inflate();

    void crc32();

    void drained(String reason);

    void deflateUnread();

    void neverReturns();

    long malloc(long size, long address);

    void free(long address);

    void pattern(String function);

    private static NativeLibrary withoutLines(String name) {
        try (InputStream in = NativeLibrary.class.getResourceAsStream("/" + name + ".class")) {
            ClassWriter writer = new ClassWriter(0);
            new ClassReader(in.readAllBytes()).accept(writer, ClassReader.SKIP_DEBUG);
            byte[] bytes = writer.toByteArray();
            ClassLoader loader = new ClassLoader(NativeLibrary.class.getClassLoader()) {
                @Override
                protected Class<?> loadClass(String wanted, boolean resolve) throws ClassNotFoundException {
                    return wanted.equals(name) ? findLoadedClass(name) != null ? findLoadedClass(name) : defineClass(name, bytes, 0, bytes.length)
                            : super.loadClass(wanted, resolve);
                }
            };
            return (NativeLibrary) loader.loadClass(name).getConstructor().newInstance();
        } catch (ReflectiveOperationException | java.io.IOException e) {
            throw new AssertionError(e);
        }
    }
}
