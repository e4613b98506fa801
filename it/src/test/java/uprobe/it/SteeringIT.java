package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.Always;
import uprobe.it.app.ComesAndGoes;
import uprobe.it.app.Interrupted;
import uprobe.it.app.OutOfMemory;
import uprobe.it.app.Steering;
import uprobe.it.app.ZipRounds;

/** Recordings steer the probes, and every number that the agent gives of itself is right. */
class SteeringIT {
    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void probesDoWhatRecordingsWant(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Steering.class).withoutRecording().probes(Steering.PROBES).run().ok();
        for (String bad : List.of("filter=j == 3", "sample=1/0", "limit=many", "mode=sometimes")) {
            assertTrue(outcome.err().contains("uprobe: setting " + bad + " of uprobe.s.leaf: "), bad + " in " + outcome.err());
        }
        assertTrue(outcome.err().contains("uprobe.s.ends has come to its end (until=10)"), outcome.err());
        outcome.forget();
    }

    /** It did not wait for the arming of what it had loaded, and took threads that were just starting for such as block signals. */
    @ParameterizedTest
    @MethodSource("jdks")
    void anInterruptedThreadLosesNoCall(Jdk jdk) throws Exception {
        ChildJvm.of(jdk, Interrupted.class).withoutRecording().probes(Interrupted.PROBES).run().ok().forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void whatIsArmedAlwaysCountsWhatNobodyWants(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Always.class).withoutRecording().probes(Always.PROBES).run().ok();
        assertTrue(!outcome.err().contains("guard: "), outcome.err());
        outcome.forget();
    }

    /** One refusal was told again whenever another library came, and in every chunk from then on, armed or not. */
    @ParameterizedTest
    @MethodSource("jdks")
    void aProbeWhoseLibraryIsGoneIsRefusedOnceAndOnlyWhileItIs(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ComesAndGoes.class).withLibrary(NativeLibrary.class).withoutRecording().probes(ComesAndGoes.PROBES).run().ok();
        assertEquals(1, outcome.err().lines().filter(line -> line.startsWith("uprobe: " + ComesAndGoes.PROBES[0] + ": refused: ")).count(), outcome.err());
        outcome.forget();
    }

    /** The steward ended with the first OutOfMemoryError that came to it, and nobody noticed. */
    @ParameterizedTest
    @MethodSource("jdks")
    void whenMemoryIsThereAgainProbesDoWhatRecordingsWant(Jdk jdk) throws Exception {
        ChildJvm.of(jdk, OutOfMemory.class).options("-Xmx64m").withoutRecording().probes(OutOfMemory.PROBES).run().ok().forget();
    }

    /** {@code off}, given to a JVM that runs, disarms what a recording wants; {@code on} takes it back. What an earlier start said holds on. */
    @ParameterizedTest
    @MethodSource("jdks")
    void oneSwitchDisarmsAllProbes(Jdk jdk) throws Exception {
        ChildJvm.Running running = ChildJvm.of(jdk, ZipRounds.class).probes("c:z/deflate {libz.so*,libzip.so}:deflate", "guard=off").start("forever").waitFor("running");
        tell(jdk, running, "off");
        long atOff = hits(jdk, running, "off");
        Thread.sleep(500);
        assertEquals(atOff, hits(jdk, running, "still-off"), "no hit while it is off");
        tell(jdk, running, "on");
        Thread.sleep(500);
        assertTrue(hits(jdk, running, "on") > atOff, "hits when it is on again");
        running.process().getOutputStream().close();
        ChildJvm.Outcome outcome = running.finish().ok();
        assertTrue(outcome.err().contains("uprobe: off: every probe is disarmed") && outcome.err().contains("uprobe: on: recordings arm probes again"), outcome.err());
        outcome.forget();
    }

    private static void tell(Jdk jdk, ChildJvm.Running running, String word) throws Exception {
        Process attach = new ProcessBuilder(jdk.tool("java").toString(), "-jar", ChildJvm.agentJar().toString(), "attach", "" + running.process().pid(), word)
                .redirectErrorStream(true).start();
        String said = new String(attach.getInputStream().readAllBytes());
        assertEquals(0, attach.waitFor(), said);
    }

    private static long hits(Jdk jdk, ChildJvm.Running running, String name) throws Exception {
        Path file = Files.createTempDirectory("uprobe-it-").resolve(name + ".jfr");
        Process dump = new ProcessBuilder(jdk.tool("jcmd").toString(), "" + running.process().pid(), "JFR.dump", "filename=" + file).redirectErrorStream(true).start();
        String said = new String(dump.getInputStream().readAllBytes());
        assertEquals(0, dump.waitFor(), said);
        long hits = Recorded.read(file).counters("uprobe.z.deflate").hits();
        Files.delete(file);
        return hits;
    }
}
