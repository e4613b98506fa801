package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
 * Every function of libc probed while {@link LibcStorm} does what libc does with every signal blocked. The first thread's end killed the process, and so did
 * the helper threads of timers and aio. {@code -Dstorm=true} makes 20,000 threads and 1,000 children of each kind.
 */
class LibcIT {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final String THREADS = STORM ? "20000" : "60", CHILDREN = STORM ? "1000" : "2";
    private static final int SECONDS = STORM ? 3600 : 300;
    private static final List<Path> FOLDERS = List.of(Path.of("/usr/lib/x86_64-linux-gnu"), Path.of("/usr/lib64"), Path.of("/usr/lib"));

    private static ChildJvm storm(Jdk jdk, String launchMechanism, String... probes) {
        return ChildJvm.of(jdk, LibcStorm.class).options("-Xmx200m", "-Djdk.lang.Process.launchMechanism=" + launchMechanism).probes(probes).seconds(SECONDS);
    }

    static Stream<Arguments> jdksAndProbes() {
        return Jdk.all().stream().flatMap(jdk -> Stream.of(
                Arguments.of(jdk, "p libc:* mode=count", "FORK"),
                Arguments.of(jdk, "c libc:* mode=count", "POSIX_SPAWN")));
    }

    @ParameterizedTest
    @MethodSource("jdksAndProbes")
    void allOfLibcIsProbedAndItsThreadsAndChildrenAreRight(Jdk jdk, String probes, String launchMechanism) throws Exception {
        ChildJvm.Outcome outcome = storm(jdk, launchMechanism, probes, "p:it/witness libwhole_libc:storm_witness mode=count").run(THREADS, CHILDREN).ok();
        long calls = outcome.number("expected storm_witness");
        assertEquals(Recorded.Counters.allRecorded(calls), outcome.recorded().counters("uprobe.it.witness").assertWhole());
        System.out.println(jdk + ", " + probes + ": " + THREADS + " threads, " + CHILDREN + " children of each kind, masks read " + outcome.number("looks"));
        outcome.forget();
    }

    static Stream<Arguments> jdksAndAllocators() {
        return Jdk.all().stream().flatMap(jdk -> Stream.of("libjemalloc.so.2", "libtcmalloc_minimal.so.4").map(name -> Arguments.of(jdk, name)));
    }

    /** glibc's ending thread calls them with every signal blocked. */
    @ParameterizedTest
    @MethodSource("jdksAndAllocators")
    void anAllocatorOfTheUsersOwnIsProbedWhole(Jdk jdk, String allocator) throws Exception {
        Optional<Path> file = FOLDERS.stream().map(folder -> folder.resolve(allocator)).filter(Files::exists).findFirst();
        Assumptions.assumeTrue(file.isPresent(), allocator + " is not installed");
        String stem = allocator.substring(0, allocator.indexOf(".so"));
        ChildJvm.Outcome outcome = storm(jdk, "FORK", "p " + stem + ":* mode=count", "p:it/free " + stem + ":free mode=count").environment("LD_PRELOAD", "" + file.get())
                .run(THREADS, CHILDREN).ok();
        assertTrue(outcome.recorded().counters("uprobe.it.free").assertWhole().hits() > 1000, "frees");
        outcome.forget();
    }
}
