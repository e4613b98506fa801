package uprobe.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import app.Archive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Five million events, in a JVM of its own with a heap of 1 GiB. Prints seconds, and the most of the heap that was in use after a collection. */
@EnabledIfSystemProperty(named = "storm", matches = "true")
class StormTest {
    private static final int EVENTS = 5_000_000, MADE = 5_600_000, THREADS = 2, MOST_SECONDS = 30;
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
        long events = count(file);
        System.out.println(events + " events, " + Files.size(file) / 1_000_000 + " MB");
        assertTrue(events >= EVENTS, "JFR lost too many of " + MADE);
        run("tables", events, file);
        run("pairs and sums", events, file, "--sum", "size", "--pair", "malloc:ret", "free:ptr");
        run("all that is written", events, file, "--html", folder.resolve("page.html"), "--collapsed", folder.resolve("stacks"), "--chrome", folder.resolve("trace.json"));
        run("rules", 0, file, "--rules");
    }

    /** JFR loses events, and says nothing, when they come faster than it writes: its own parser tells how many there are. */
    private static long count(Path file) throws IOException {
        long events = 0;
        try (RecordingFile recorded = new RecordingFile(file)) {
            while (recorded.hasMoreEvents()) {
                events += recorded.readEvent().getEventType().getName().startsWith("uprobe.") ? 1 : 0;
            }
        }
        return events;
    }

    private static void work(int number) {
        for (int i = 0; i < MADE / THREADS / 4; i++) {
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

    /** @param events that have to be there, in the time that is allowed; 0: it is only shown what happens */
    private void run(String what, long events, Object... arguments) throws IOException, InterruptedException {
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
        if (events > 0) {
            assertEquals(0, exit, Files.readString(out));
            assertTrue(Files.readString(out).startsWith(String.format(Locale.ROOT, "%,d events of 4 probes in ", events)), Files.readString(out));
            assertTrue(seconds <= MOST_SECONDS, what + " took " + seconds + " s");
        }
    }
}
