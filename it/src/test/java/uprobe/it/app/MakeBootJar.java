package uprobe.it.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;

/** Writes the jar for {@link BootAppendClasses}. Arguments: its path, the number of classes. */
public final class MakeBootJar {
    static final String CALLER = "uprobe/it/boot/Caller";
    static final String NUMBERED = "uprobe/it/boot/Numbered";
    private static final int FILLER = 16 * 1024;

    private MakeBootJar() {
    }

    public static void main(String[] args) throws IOException {
        write(Path.of(args[0]), Fixture.argument(args, 1, 500));
    }

    static void write(Path jar, int classes) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            put(out, CALLER, ClassFile.callerOf(CALLER, NUMBERED, classes));
            for (int k = 0; k < classes; k++) {
                put(out, NUMBERED + k, ClassFile.withNumber(NUMBERED + k, numberOf(k), FILLER));
            }
        }
    }

    static long numberOf(int k) {
        return k * 1_000_000_007L + 3;
    }

    private static void put(JarOutputStream out, String name, byte[] bytes) throws IOException {
        out.putNextEntry(new JarEntry(name + ".class"));
        out.write(bytes);
        out.closeEntry();
    }
}
