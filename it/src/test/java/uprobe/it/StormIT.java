package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.Storm;

/**
 * Arming and disarming beside running threads, signals, exceptions, threads and children: nothing lost, nothing wrong ({@link Storm} says what that
 * means and checks it). {@code -Dstorm=true} has it run for half an hour, {@code -Dstorm.seconds=N} for as long as wanted.
 */
class StormIT {
    private static final boolean STORM = Boolean.getBoolean("storm");
    private static final int SECONDS = Integer.getInteger("storm.seconds", STORM ? 1800 : 60);
    /** A storm that has not been to a place says nothing of it. */
    private static final long AT_LEAST = STORM ? 1000 : 10;
    private static final List<String> PATHS = List.of("traps", "stale traps", "foreign traps", "arms", "disarms", "threads born and gone", "children", "signals",
            "hits in handlers inside a probed call", "handlers inside handlers", "handlers that interrupted a return or a flush of the engine",
            "handlers that interrupted a slot", "handlers on a stack of their own", "unwound returns", "records of calls left by exceptions", "flushes",
            "rings recycled");

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void nothingIsLostAndNothingWrong(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Storm.class).engineOnly().options("-Xmx256m").seconds(SECONDS + 300).run("" + SECONDS).ok();
        Map<String, Long> paths = new LinkedHashMap<>();
        outcome.out().lines().filter(line -> line.startsWith("path ")).forEach(line -> {
            int last = line.lastIndexOf(' ');
            paths.put(line.substring("path ".length(), last), Long.parseLong(line.substring(last + 1)));
        });
        System.out.println(jdk + ", " + SECONDS + " s: " + paths);
        for (String path : PATHS) {
            assertTrue(paths.getOrDefault(path, 0L) >= AT_LEAST, path + " was taken less than " + AT_LEAST + " times: " + paths);
        }
        assertEquals(paths.get("foreign traps"), paths.get("foreign traps seen by their own handler"));
        outcome.forget();
    }
}
