package uprobe.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static uprobe.agent.report.NativeLibrary.LIBZ;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import jdk.jfr.Recording;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole sentence that the user reads, and the exit code. */
class BadInputTest {
    @TempDir
    static Path folder;

    private static Path good;

    @BeforeAll
    static void recordOne() throws Exception {
        good = Reported.record(folder.resolve("good.jfr"), () -> {
            LIBZ.malloc(7, 0x10);
            try (Recording begins = new Recording()) {
                begins.start();
                LIBZ.deflate(10);
            }
            LIBZ.free(0x10);
        });
    }

    private static void assertSaid(int exit, String sentence, Object... arguments) {
        Reported reported = Reported.of(arguments);
        assertEquals("uprobe: " + sentence + "\n", reported.err());
        assertEquals(exit, reported.exit());
        assertEquals("", reported.out());
    }

    /** Which other types there are depends on the tests before. */
    private static void assertComplains(String pattern, Object... arguments) {
        Reported reported = Reported.of(arguments);
        assertTrue(reported.err().matches("uprobe: " + pattern + "\n"), reported.err());
        assertEquals(2, reported.exit());
    }

    @Test
    void noFileIsNamed() {
        assertSaid(2, "no recording is named: java -jar uprobe-agent.jar report FILE...; --help shows the options");
    }

    @Test
    void theFileIsNotThere() {
        assertSaid(1, "there is no file nowhere.jfr in " + Path.of("").toAbsolutePath(), "nowhere.jfr");
    }

    @Test
    void itIsAFolder() {
        assertSaid(1, folder + " is a folder, not a recording: name its files, as in " + folder + "/*.jfr", folder);
    }

    @Test
    void itIsEmpty() throws Exception {
        Path file = Files.createFile(folder.resolve("empty.jfr"));
        assertSaid(1, file + " is empty: the JVM that records has not written it yet; jcmd PID JFR.dump filename=FILE writes one now", file);
    }

    @Test
    void itIsNoRecording() throws Exception {
        Path file = Files.writeString(folder.resolve("text.jfr"), "no recording, though its name says so; but long enough to hold a chunk's header, which has 68 bytes");
        assertSaid(1, file + " is not a recording: its first bytes are not FLR; a recording comes of the agent's record=FILE or of jcmd PID JFR.dump filename=FILE",
                file);
    }

    @Test
    void itIsCutInItsFirstChunk() throws Exception {
        byte[] bytes = Files.readAllBytes(good);
        Path file = Files.write(folder.resolve("cut.jfr"), Arrays.copyOf(bytes, 1000));
        assertSaid(1, String.format("%s is cut: the chunk at byte 0 has %,d bytes, and the file ends after 1,000 of them;"
                + " dump it again (jcmd PID JFR.dump filename=FILE) or copy it again", file, ByteBuffer.wrap(bytes).getLong(8)), file);
    }

    @Test
    void itIsCutInALaterChunkOfWhichTheOthersCanBeRead() throws Exception {
        byte[] bytes = Files.readAllBytes(good);
        long first = ByteBuffer.wrap(bytes).getLong(8);
        Path file = Files.write(folder.resolve("later.jfr"), Arrays.copyOf(bytes, (int) first + 30));
        assertSaid(1, String.format("%s is cut: the bytes from %,d to its end at %,d are no whole chunk; copy it again, or read the 1 before with --whole-chunks",
                file, first, first + 30), file);
        Reported whole = Reported.of(file, "--whole-chunks");
        assertTrue(whole.out().startsWith("1 event of 1 probe "), whole.toString());
    }

    @Test
    void itIsStillBeingWritten() throws Exception {
        Path file = Files.copy(good, folder.resolve("open.jfr"));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(24), 8);
        }
        assertSaid(1, file + " is cut: the chunk at byte 0 was never finished; dump it again (jcmd PID JFR.dump filename=FILE) or copy it again", file);
    }

    @Test
    void itIsDamagedInside() throws Exception {
        byte[] bytes = Files.readAllBytes(good);
        Arrays.fill(bytes, 68, 600, (byte) 0);
        Path file = Files.write(folder.resolve("damaged.jfr"), bytes);
        Reported reported = Reported.of(file);
        assertTrue(reported.err().startsWith("uprobe: " + file + " is damaged: the chunk at byte 0 can not be read ("), reported.err());
        assertEquals(1, reported.err().lines().count());
        assertEquals(1, reported.exit());
    }

    @Test
    void nothingOfProbesIsInIt() throws Exception {
        ProcessBuilder java = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-XX:StartFlightRecording:filename=plain.jfr", "-version");
        assertEquals(0, java.directory(folder.toFile()).redirectErrorStream(true).redirectOutput(folder.resolve("out.txt").toFile()).start().waitFor());
        Path file = folder.resolve("plain.jfr");
        assertSaid(1, file + " has no events of native probes: record with java -javaagent:uprobe-agent.jar='record=FILE;PROBE' ..., e.g. the probe c libz:deflate",
                file);
    }

    @Test
    void aFieldIsUnknown() {
        assertComplains("--sum bytes: no probe fetches a number of this name; there are .*ptr, size.*", good, "--sum", "bytes");
        assertComplains("--pair: no probe is called 'maloc'; there are .*uprobe.libc.free, uprobe.libc.malloc, .*", good, "--pair", "maloc:ret", "free:ptr");
        assertSaid(2, "--pair: uprobe.libc.free has no field 'p' of numbers; it has ptr", good, "--pair", "malloc:ret", "free:p");
        assertSaid(2, "--pair wants two of PROBE:FIELD, not 'malloc'; e.g. --pair malloc:ret free:ptr", good, "--pair", "malloc", "free:ptr");
        assertSaid(2, "--pair is given 2 times: one pair is looked at in a run", good, "--pair", "malloc:ret", "free:ptr", "--pair", "malloc:ret", "free:ptr");
        assertSaid(2, "--weight size is none of time, calls; a field has to be named by --sum as well", good, "--weight", "size");
        assertSaid(2, "--top 0 leaves nothing: give a number of rows from 1 on", good, "--top", "0");
    }

    @Test
    void whatIsToBeWrittenCanNotBe() {
        Path nowhere = folder.resolve("nowhere/page");
        for (String option : new String[] {"--html", "--collapsed", "--chrome"}) {
            Reported reported = Reported.of(good, option, nowhere);
            assertTrue(reported.err().startsWith("uprobe: " + nowhere + " can not be written: "), reported.err());
            assertEquals(1, reported.exit());
        }
    }
}
