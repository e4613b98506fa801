package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.LibcStorm;

/**
 * {@link LibcIT}'s storm with all of another glibc probed, under its own ld.so: 2.31 (its threads and timers are libraries of their own) and 2.41 (its
 * posix_spawn has the kernel take all handlers from the child, which then died of the first trap). {@code it/other-libcs.sh} brings them.
 */
class OtherLibcsIT {
    private static final Path LIBCS = Path.of("target/libcs").toAbsolutePath();

    static Stream<Arguments> libcs() {
        return Stream.of("bullseye", "trixie").flatMap(release -> Jdk.all().stream().flatMap(jdk -> Stream.of(
                Arguments.of(release, jdk, "p {libc,libc-*}:* mode=count", "FORK"),
                Arguments.of(release, jdk, "c {libc,libc-*}:* mode=count", "POSIX_SPAWN"))));
    }

    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("libcs")
    void allOfAnotherLibcIsProbed(String release, Jdk jdk, String probe, String launchMechanism) throws Exception {
        Path folder = LIBCS.resolve(release), library = folder.resolve("libwhole_libc.so");
        Assumptions.assumeTrue(Files.exists(library), () -> release + "'s C library is not in " + folder + ": it/other-libcs.sh could not bring it");
        Path loader = find(folder, "ld-linux-x86-64.so.2").orElseThrow(), libc = find(folder, "libc.so.6").orElseThrow();
        String[] under = {loader.toString(), "--library-path", libc.getParent() + ":" + folder.resolve("usr/lib/x86_64-linux-gnu")};
        Assumptions.assumeTrue(starts(jdk, under), () -> jdk + " was built for a newer C library than " + release + "'s");
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, LibcStorm.class).startedBy(under).libraries(folder).options("-Xmx200m", "-Djdk.lang.Process.launchMechanism=" + launchMechanism)
                .probes(probe, "p:it/witness libwhole_libc:storm_witness mode=count").seconds(300).run("60", "5").ok();
        assertEquals(Recorded.Counters.allRecorded(outcome.number("expected storm_witness")), outcome.recorded().counters("uprobe.it.witness").assertWhole());
        Recorded.Whole all = outcome.recorded().whole("uprobe.NativeCall");
        assertTrue(all.hits() > 100_000, all::toString);
        System.out.println(release + ", " + jdk + ", " + probe + ": " + all.hits() + " hits, masks read " + outcome.number("looks"));
        outcome.forget();
    }

    private static Optional<Path> find(Path folder, String name) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(path -> path.getFileName().toString().equals(name)).sorted().findFirst();
        }
    }

    private static boolean starts(Jdk jdk, String... under) throws Exception {
        List<String> command = Stream.concat(Stream.of(under), Stream.of(jdk.tool("java").toString(), "-version")).toList();
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
    }
}
