package uprobe.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import app.Archive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Five million events, in a JVM of its own with a heap of 1 GiB. Prints seconds, and the most of the heap that was in use after a collection. */
@EnabledIfSystemProperty(named = "storm", matches = "true")
class StormTest {
    private static final int EVENTS = 5_000_000, THREADS = 2, MOST_SECONDS = 30;
    private static final Pattern AFTER = Pattern.compile("->(\\d+)M\\(");

    @TempDir
    Path folder;

    /** What the child runs. */
    public static final class Main {
        public static void main(String[] arguments) {
            System.exit(new CommandLine(new ReportCommand()).setCaseInsensitiveEnumValuesAllowed(true).execute(arguments));
        }
    }

    @Test
    void fiveMillionEventsTakeHalfAMinuteAndAGibibyteAtMost() throws Exception {
        Path file = Reported.record(folder.resolve("storm.jfr"), () -> {
            Thread[] threads = new Thread[THREADS];
            for (int t = 0; t < THREADS; t++) {
                int number = t;
                threads[t] = new Thread(() -> work(number));
                threads[t].start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        });
        System.out.println(EVENTS + " events, " + Files.size(file) / 1_000_000 + " MB");
        run("tables", true, file);
        run("pairs and sums", true, file, "--sum", "size", "--pair", "malloc:ret", "free:ptr");
        run("all that is written", true, file, "--html", folder.resolve("page.html"), "--collapsed", folder.resolve("stacks"), "--chrome", folder.resolve("trace.json"));
        run("rules", false, file, "--rules");
    }

    private static void work(int number) {
        for (int i = 0; i < EVENTS / THREADS / 4; i++) {
            long address = 16L * (i * THREADS + number + 1);
            Archive.allocate(1 + i % 100, address);
            if (i % 1000 != 0) {
                NativeLibrary.LIBZ.free(address);
            } else {
                Archive.pack(1, 0);
            }
            Archive.pack(1, 1);
            NativeLibrary.LIBZ.pattern("_ZN7rocksdb13DBImplReadOnly3GetERKNS_11ReadOptionsEPNS_18ColumnFamilyHandle" + i % 50);
        }
    }

    private void run(String what, boolean limited, Object... arguments) throws IOException, InterruptedException {
        Path gc = folder.resolve("gc.txt"), out = folder.resolve("out.txt");
        List<String> command = Stream.concat(Stream.of(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-Xmx1g", "-Xlog:gc:file=" + gc, "-cp",
                System.getProperty("java.class.path"), Main.class.getName()), Stream.of(arguments).map(Object::toString)).toList();
        long start = System.nanoTime();
        int exit = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start().waitFor();
        double seconds = (System.nanoTime() - start) / 1e9;
        Matcher after = AFTER.matcher(Files.readString(gc));
        int most = 0;
        while (after.find()) {
            most = Math.max(most, Integer.parseInt(after.group(1)));
        }
        System.out.printf("%s: %.1f s, %d MB of the heap after a collection, exit code %d, %s%n", what, seconds, most, exit, Files.readAllLines(out).get(0));
        if (limited) {
            assertEquals(0, exit, Files.readString(out));
            assertTrue(Files.readString(out).startsWith("5,000,000 events of 4 probes in "), Files.readString(out));
            assertTrue(seconds <= MOST_SECONDS, what + " took " + seconds + " s");
        }
    }
}
