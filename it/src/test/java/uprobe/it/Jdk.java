package uprobe.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A JDK on this machine.
 *
 * @param home its folder
 * @param version of the Java language it runs: 17, 25
 */
public record Jdk(Path home, int version) {
    private static final int OLDEST = 17;

    /** Every JDK beside the one that runs the tests, one for each version, oldest first. */
    public static List<Jdk> all() {
        Path own = realPath(Path.of(System.getProperty("java.home")));
        Map<Integer, Jdk> byVersion = new TreeMap<>();
        try (Stream<Path> homes = Files.list(own.getParent())) {
            homes.filter(home -> Files.isExecutable(home.resolve("bin/jfr")) && Files.isRegularFile(home.resolve("release")))
                    .map(Jdk::realPath).distinct().sorted(Comparator.comparing(Path::toString))
                    .map(home -> new Jdk(home, versionOf(home))).filter(jdk -> jdk.version >= OLDEST)
                    .forEach(jdk -> byVersion.putIfAbsent(jdk.version, jdk));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return List.copyOf(byVersion.values());
    }

    private static Path realPath(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int versionOf(Path home) {
        try {
            return Files.readAllLines(home.resolve("release")).stream().filter(line -> line.startsWith("JAVA_VERSION="))
                    .map(line -> line.replaceAll("[^0-9.]", "").split("\\.")[0]).mapToInt(Integer::parseInt).findFirst().orElse(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path tool(String name) {
        return home.resolve("bin").resolve(name);
    }

    @Override
    public String toString() {
        return "JDK " + version;
    }
}
