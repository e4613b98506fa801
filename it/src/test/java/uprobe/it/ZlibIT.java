package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmc.common.item.IItemCollection;
import org.openjdk.jmc.common.util.IPreferenceValueProvider;
import org.openjdk.jmc.flightrecorder.JfrLoaderToolkit;
import org.openjdk.jmc.flightrecorder.rules.IResult;
import org.openjdk.jmc.flightrecorder.rules.ResultProvider;
import uprobe.it.app.TextOfLibraries;
import uprobe.it.app.ZipRounds;
import uprobe.jmc.NativeCallsByJavaCallerRule;

/** The JDK's own zlib, the distribution's or the bundled one, as a user would probe it. */
class ZlibIT {
    private static final String DEFLATE = "c:zlib/deflate {libz.so*,libzip.so}:deflate avail_in=+8($arg1):u32/bytes flush=$arg2:s32 ret=$retval:s32";
    private static final String INFLATE = "c:zlib/inflate {libz.so*,libzip.so}:inflate ret=$retval:s32";
    private static final String ROUNDS = "2000";

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void theSameBytesComeOutWithAndWithoutProbes(Jdk jdk) throws Exception {
        ChildJvm.Outcome plain = ChildJvm.of(jdk, ZipRounds.class).withoutAgent().run("rounds", ROUNDS).ok();
        ChildJvm.Outcome probed = ChildJvm.of(jdk, ZipRounds.class).probes(DEFLATE, INFLATE).run("rounds", ROUNDS).ok();
        assertEquals(plain.number("sum"), probed.number("sum"));
        Recorded recorded = probed.recorded();
        assertEquals(6000, recorded.of("uprobe.zlib.deflate").size());
        for (RecordedEvent event : recorded.of("uprobe.zlib.deflate")) {
            assertEquals(20_000, event.getLong("avail_in"));
            assertEquals(4, event.getLong("flush"), "Z_FINISH");
            assertEquals(1, event.getLong("ret"), "Z_STREAM_END");
            assertEquals("java.util.zip.Deflater.deflateBytesBytes", Recorded.frame(event, 1));
            assertTrue(Recorded.stack(event, 2).contains("uprobe.it.app.ZipRounds.pack:"));
        }
        plain.forget();
        probed.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void aProbeChangesOneByteOfItsLibraryOneThatTellsOfNewLibrariesAndWhatKeepsSigtrapOpenInLibc(Jdk jdk) throws Exception {
        ChildJvm.Outcome without = ChildJvm.of(jdk, TextOfLibraries.class).run().ok();
        assertTrue(without.number("compared") > 5, without.out());
        assertEquals(0, without.out().lines().filter(line -> line.startsWith("changed")).count(), without.out());
        ChildJvm.Outcome with = ChildJvm.of(jdk, TextOfLibraries.class).probes(DEFLATE).run().ok();
        List<String> changed = with.out().lines().filter(line -> line.matches("changed (?!libc\\.so|ld-linux).*")).sorted().toList();
        assertEquals(2, changed.size(), with.out());
        assertEquals("changed libjvm.so 1", changed.get(0), "the agent's own probe on JVM_LoadLibrary");
        assertTrue(changed.get(1).matches("changed (libz\\.so.*|libzip\\.so) 1"), "one byte of one library: " + changed);
        int inLibc = with.out().lines().filter(line -> line.matches("changed (libc\\.so|ld-linux).*")).mapToInt(line -> Integer.parseInt(line.split(" ")[2])).sum();
        assertTrue(inLibc > 0 && inLibc <= 200, "a jump of five bytes for each call that sets masks or handlers: " + with.out());
        without.forget();
        with.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void theToolsOfEitherJdkReadTheFile(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class).probes(DEFLATE, "p:zlib/none libzip:Java_java_util_zip_Deflater_endd").run("rounds", "10").ok();
        for (Jdk reader : Jdk.all()) {
            String text = print(reader, outcome.folder().resolve("out.jfr"));
            assertTrue(text.contains("uprobe.zlib.deflate {") && text.contains(".deflate()"), text);
            assertTrue(text.contains("uprobe.ProbeArmed {") && text.contains("mechanism = \"boost\""), text);
            assertTrue(text.contains("uprobe.ProbeRefused {") && text.contains("no such function: similar names there: Java_java_util_zip_Deflater_end"), text);
        }
        outcome.forget();
    }

    private static String print(Jdk jdk, Path file) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(jdk.tool("jfr").toString(), "print", "--events", "uprobe.*", file.toString()).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), text);
        return text;
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void attachedToARunningJvmUnderLoadTheRightEventsComeAndTheApplicationRunsOn(Jdk jdk) throws Exception {
        ChildJvm.Running running = ChildJvm.of(jdk, ZipRounds.class).withoutAgent().start("forever").waitFor("running");
        String pid = "" + running.process().pid();
        Path file = Files.createTempDirectory("uprobe-it-").resolve("attached.jfr");
        assertEquals("0 armed", command(jdk, "-jar", ChildJvm.agentJar().toString(), "attach", pid, DEFLATE, "record=" + file));
        assertEquals("1 no such function", command(jdk, "-jar", ChildJvm.agentJar().toString(), "attach", pid, "p:z/x libzip:Java_java_util_zip_Deflater_endd"));
        assertEquals("2 unknown register", command(jdk, "-jar", ChildJvm.agentJar().toString(), "attach", pid, "p:z/x libz:deflate a=%foo"));
        Process jcmd = new ProcessBuilder(jdk.tool("jcmd").toString(), pid, "JVMTI.agent_load", ChildJvm.agentJar().toString(), "\"" + INFLATE + "\"")
                .redirectErrorStream(true).start();
        String said = new String(jcmd.getInputStream().readAllBytes());
        assertTrue(said.contains("return code: 0"), said);
        Thread.sleep(1000);
        running.process().getOutputStream().write('\n');
        running.process().getOutputStream().flush();
        ChildJvm.Outcome outcome = running.finish().ok();
        outcome.number("sum");
        Recorded recorded = Recorded.read(file);
        for (String function : List.of("deflate", "inflate")) {
            String type = "uprobe.zlib." + function;
            assertTrue(recorded.of(type).size() > 50, type + " " + recorded.of(type).size());
            assertEquals(recorded.counters(type).assertWhole().recorded(), recorded.of(type).size());
            assertEquals(0, recorded.counters(type).dropped());
            /* Those from before are class loading of the agent's; the application's own have its stack. */
            assertTrue(recorded.of(type).stream().filter(e -> Recorded.stack(e, 2).contains("uprobe.it.app.ZipRounds.work")).count() > 50);
        }
        Files.delete(file);
        outcome.forget();
    }

    /** Files of probes could not be given here, and a file named behind a semicolon was the target's. */
    @ParameterizedTest
    @MethodSource("jdks")
    void filesThatTheCommandNamesAreThoseOfItsOwnFolder(Jdk jdk) throws Exception {
        ChildJvm.Running running = ChildJvm.of(jdk, ZipRounds.class).withoutAgent().start("forever").waitFor("running");
        Path folder = Files.createTempDirectory("uprobe-it-").resolve("a #1");
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("my.probes"), "# zlib\n" + DEFLATE + "   # the one\n");
        Process attach = new ProcessBuilder(jdk.tool("java").toString(), "-jar", ChildJvm.agentJar().toString(), "attach", "" + running.process().pid(),
                "@my.probes", INFLATE + ";record=my.jfr").directory(folder.toFile()).redirectErrorStream(true).start();
        String said = new String(attach.getInputStream().readAllBytes());
        assertEquals(0, attach.waitFor(), said);
        Thread.sleep(500);
        running.process().getOutputStream().close();
        running.finish().ok().forget();
        Recorded recorded = Recorded.read(folder.resolve("my.jfr"));
        assertTrue(recorded.of("uprobe.zlib.deflate").size() > 10 && recorded.of("uprobe.zlib.inflate").size() > 10, said);
    }

    /** Exit code, and which of the answers that are looked for was given. */
    private static String command(Jdk jdk, String... arguments) throws IOException, InterruptedException {
        List<String> command = new java.util.ArrayList<>(List.of(jdk.tool("java").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes());
        int exit = process.waitFor();
        return exit + " " + Stream.of("armed", "no such function", "unknown register").filter(text::contains).findFirst().orElse(text);
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void anOrdinaryUserNeedsNothingMore(Jdk jdk) throws Exception {
        Path folder = Files.createTempDirectory("uprobe-user-");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        Files.copy(ChildJvm.agentJar(), folder.resolve("uprobe-agent.jar"));
        Path classes = Files.createDirectories(folder.resolve("uprobe/it/app"));
        Files.copy(Path.of("target/test-classes/uprobe/it/app/ZipRounds.class"), classes.resolve("ZipRounds.class"));
        List<String> command = new java.util.ArrayList<>();
        if ("root".equals(System.getProperty("user.name"))) {
            command.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"));
        }
        command.addAll(List.of(jdk.tool("java").toString(), "-javaagent:uprobe-agent.jar=record=out.jfr;" + DEFLATE, "-cp", ".", ZipRounds.class.getName(),
                "rounds", "100"));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        builder.environment().put("HOME", folder.toString());
        Process process = builder.start();
        String text = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), text);
        assertEquals(300, Recorded.read(folder.resolve("out.jfr")).of("uprobe.zlib.deflate").size(), text);
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void theRuleOfMissionControlNamesTheCallerOfARealRecording(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class).probes(DEFLATE).run("rounds", "300").ok();
        IItemCollection events = JfrLoaderToolkit.loadEvents(outcome.folder().resolve("out.jfr").toFile());
        var evaluation = new NativeCallsByJavaCallerRule().createEvaluation(events, IPreferenceValueProvider.DEFAULT_VALUES, new ResultProvider());
        evaluation.run();
        IResult result = evaluation.get();
        assertTrue(result.getSummary() != null && result.getSeverity() != null);
        String said = org.openjdk.jmc.flightrecorder.rules.ResultToolkit.populateMessage(result, result.getSummary(), false);
        assertTrue(said.matches("uprobe\\.it\\.app\\.ZipRounds\\.pack spends .* in (libz|libzip)\\.deflate, .* of the recording, in 900 calls\\."), said);
        outcome.forget();
    }
}
