package uprobe.it.app;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.LongStream;
import jdk.jfr.Recording;

/** Copies of a library: in class loaders, in namespaces of the dynamic linker, closed and opened again. The argument says which. */
public final class Copies {
    private static final String NATIVE = System.getProperty("native.dir");

    /** The class in a loader of its own. */
    private record Loaded(Class<?> type) {
        static Loaded from(Path library) throws Exception {
            URL here = Copies.class.getProtectionDomain().getCodeSource().getLocation();
            Class<?> type = new URLClassLoader(new URL[] {here}, ClassLoader.getPlatformClassLoader()).loadClass(Copied.class.getName());
            type.getMethod("load", String.class).invoke(null, library.toString());
            return new Loaded(type);
        }

        void work(int times) throws Exception {
            long before = (long) type.getMethod("calls").invoke(null);
            for (long i = 0; i < times; i++) {
                Fixture.same(i * 3 + 1, (long) type.getMethod("work", long.class).invoke(null, i), "work");
            }
            Fixture.same(before + times, (long) type.getMethod("calls").invoke(null), "calls");
        }
    }

    private static void workIn(long handle, int times) {
        LongStream.range(0, times).forEach(i -> Fixture.same(i * 3 + 1, Copied.workIn(handle, i), "work"));
    }

    private static Path library(String name) {
        return Path.of(NATIVE, "lib" + name + ".so");
    }

    /** As Java libraries unpack themselves: each copy has a file and a name of its own. */
    private static Path unpacked(String name, int copy) throws Exception {
        Path file = Path.of("x-1.0.0-0028bc7" + copy + "-5488-411d-bab1-da34e4097258-lib" + name + ".so").toAbsolutePath();
        return Files.copy(library(name), file);
    }

    private static long mapped() throws Exception {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream().filter(line -> line.contains("r-xp") && line.endsWith("libcopied_a.so")).count();
    }

    /** Until the agent has said so, at least so often; the parent has put it into this file. */
    private static void awaitLines(String text, int number) throws Exception {
        for (long end = System.nanoTime() + 20_000_000_000L;;) {
            long lines = Files.readAllLines(Path.of("err.txt")).stream().filter(line -> line.contains(text)).count();
            if (lines >= number) {
                return;
            }
            Fixture.check(System.nanoTime() < end, () -> lines + " lines with '" + text + "'");
            Thread.sleep(20);
        }
    }

    private static void inClassLoaders() throws Exception {
        Loaded first = Loaded.from(unpacked("copied_a", 1));
        first.work(5);
        Loaded second = Loaded.from(unpacked("copied_a", 2)), other = Loaded.from(library("copied_b"));
        second.work(7);
        first.work(1);
        other.work(10);
    }

    /** Two probes; each says a line for each copy. */
    private static void inNamespaces() throws Exception {
        Copied.load(library("copied_b").toString());
        String path = library("copied_a").toString();
        long first = Copied.open(path, true);
        awaitLines("armed at libcopied_a.so!copied_work", 2);
        long second = Copied.open(path, true);
        awaitLines("armed at libcopied_a.so!copied_work", 4);
        workIn(first, 3);
        workIn(second, 4);
        Fixture.same(0, Copied.close(first), "dlclose");
        awaitLines("libcopied_a.so was unloaded", 2);
        workIn(second, 4);
        long third = Copied.open(path, true);
        awaitLines("armed at libcopied_a.so!copied_work", 6);
        workIn(third, 5);
        workIn(second, 1);
        Fixture.same(0, Copied.close(second), "dlclose");
        awaitLines("libcopied_a.so was unloaded", 4);
        Fixture.same(0, Copied.close(third), "dlclose");
        awaitLines("libcopied_a.so was unloaded; the probe waits for it", 2);
        long fourth = Copied.open(path, true);
        awaitLines("armed at libcopied_a.so!copied_work", 8);
        workIn(fourth, 6);
    }

    /** Held while it is armed; unloaded, and loaded again, while it is not. */
    private static void again() throws Exception {
        Copied.load(library("copied_b").toString());
        String path = library("copied_a").toString();
        long handle = Copied.open(path, false);
        awaitLines("ready at libcopied_a.so!copied_work", 1);
        Recording first = new Recording();
        first.start();
        workIn(handle, 3);
        Fixture.same(0, Copied.close(handle), "dlclose");
        Fixture.same(1, mapped(), "copies while it is armed");
        handle = Copied.open(path, false);
        workIn(handle, 4);
        first.stop();
        Fixture.same(0, Copied.close(handle), "dlclose");
        Fixture.same(0, mapped(), "copies when it is disarmed and closed");
        handle = Copied.open(path, false);
        Recording second = new Recording();
        second.start();
        workIn(handle, 5);
        second.stop();
        first.dump(Path.of("first.jfr"));
        second.dump(Path.of("second.jfr"));
    }

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "loaders" -> inClassLoaders();
            case "namespaces" -> inNamespaces();
            case "again" -> again();
            default -> throw new IllegalArgumentException(args[0]);
        }
        Fixture.ok();
    }

    private Copies() {}
}
