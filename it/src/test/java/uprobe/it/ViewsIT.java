package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.ZipRounds;

/** The samples that look at a running JVM, as users start them. */
class ViewsIT {
    private static final Path SAMPLES = Path.of("../samples/target/classes").toAbsolutePath();
    private static final String DEFLATE = "c:zlib/deflate {libz.so*,libzip.so}:deflate avail_in=+8($arg1):u32/bytes ret=$retval:s32";
    private static final String INFLATE = "c:zlib/inflate {libz.so*,libzip.so}:inflate ret=$retval:s32";

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    private static long sum(String out, String event, String what) {
        String line = out.lines().filter(l -> l.startsWith(event + ": ") && l.contains(" in all")).findFirst().orElseThrow(() -> new AssertionError(out));
        return Long.parseLong(line.replaceAll(".*?([0-9,]+) " + what + ".*", "$1").replace(",", ""));
    }

    private static String run(List<String> command, Path input) throws Exception {
        Path out = Files.createTempFile(Path.of("target"), "view", ".txt");
        Process process = new ProcessBuilder(command).redirectInput(input.toFile()).redirectErrorStream(true).redirectOutput(out.toFile()).start();
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        String text = Files.readString(out);
        Files.delete(out);
        assertTrue(ended && process.exitValue() == 0, text);
        return text;
    }

    /** The other JVM has two probes; the one that is asked for is armed while it is looked at, and no byte of its library is changed afterwards. */
    @ParameterizedTest
    @MethodSource("jdks")
    void theRemoteViewArmsOneProbeAndLeavesTheTextAsItWas(Jdk jdk) throws Exception {
        ChildJvm.Running app = ChildJvm.of(jdk, ZipRounds.class).withoutRecording().probes("enabled=false", DEFLATE, INFLATE)
                .start("forever").waitFor("running");
        String out = run(List.of(jdk.tool("java").toString(), "-cp", SAMPLES.toString(), "uprobe.samples.RemoteView", "" + app.process().pid(), "3",
                "uprobe.zlib.deflate", "avail_in == 20000 && ret == 1", "0"), Path.of("/dev/null"));
        app.process().getOutputStream().close();
        app.finish().ok().forget();
        assertTrue(out.lines().anyMatch(line -> line.matches("while it was watched: libz.* at 0x[0-9a-f]+: cc [0-9a-f ]{20}, in the file [0-9a-f ]{23}")), out);
        assertTrue(out.lines().anyMatch(line -> line.matches("now: libz.* at 0x[0-9a-f]+: [0-9a-f ]{23}, as in the file")), out);
        assertEquals(2, out.lines().filter(line -> line.contains(" at 0x")).count(), "one probe of two was armed: " + out);
        assertTrue(sum(out, "uprobe.zlib.deflate", "events") > 0, out);
        assertTrue(out.contains("            uprobe.it.app.ZipRounds.pack:"), out);
        assertTrue(out.lines().noneMatch(line -> line.contains("zlib.inflate")), "nobody asked for it: " + out);
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void theLiveViewShowsEveryCallOfItsOwnProgram(Jdk jdk) throws Exception {
        Path files = Files.writeString(Files.createTempFile(Path.of("target"), "files", ".txt"), "pom.xml\0src/test/java/uprobe/it/ViewsIT.java\0");
        String agent = "-javaagent:" + ChildJvm.agentJar() + "=quiet;enabled=false;" + DEFLATE + ";" + INFLATE;
        String out = run(List.of(jdk.tool("java").toString(), agent, "-cp", SAMPLES.toString(), "uprobe.samples.LiveView", "3"), files);
        Files.delete(files);
        for (String event : List.of("uprobe.zlib.deflate", "uprobe.zlib.inflate")) {
            long calls = sum(out, event, "calls"), events = sum(out, event, "events");
            assertTrue(events > 0 && Math.abs(calls - events) <= 5 + calls / 100,
                    "all but those under way at the beginning, on five threads, and those between the counting and the time that JFR gives it: " + calls
                            + " calls, " + events + " events\n" + out);
            assertTrue(out.lines().filter(line -> line.contains("  " + event + "  ")).count() >= 2, out);
        }
        assertTrue(out.contains("            uprobe.samples.MessageCodec.pack:") || out.contains("            uprobe.samples.BlockStore.store:")
                || out.contains("            uprobe.samples.BackupArchive.write:") || out.contains("            uprobe.samples.LogRotation.rotate:"), out);
        assertTrue(!out.contains("too late"), out);
    }
}
