package uprobe.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;
import uprobe.probe.spec.ProbeSpec;
import uprobe.probe.spec.RateLimit;

class AgentArgumentsTest {
    private static final String ALL = "options are record=FILE, jfc=FILE, quiet, armed=always, enabled=false, guard=N/s, sites=all, ring=SIZE, dir=FOLDER, "
            + "rings=N, off and on; verbs are remove NAME, set NAME SETTING=VALUE, list, status and detach; a probe begins with p, r or c, e.g. p libz:deflate";

    @TempDir
    Path folder;

    private static List<String> probes(AgentArguments.Result result) {
        return result.probes().stream().map(ProbeSpec::text).toList();
    }

    /* one mistake in one item: its line, and the probe behind it is still there */
    private static void mistake(String item, String line) {
        AgentArguments.Result result = AgentArguments.parse(item + ";p libz:deflate");
        assertEquals(List.of(line), result.errors());
        assertEquals(List.of("p libz:deflate"), probes(result));
    }

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("my.probes"), text);
    }

    // ---- what holds

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "  ", ";", " ; ;"})
    void nothingIsFine(String arguments) {
        assertEquals(new AgentArguments.Result(Optional.empty(), false, 262144, 1024, false, true, new RateLimit(100_000), false, Optional.empty(),
                Optional.empty(), Optional.empty(), Map.of(), List.of(), List.of(), List.of()), AgentArguments.parse(arguments));
    }

    @Test
    void oneSwitchForAllProbes() {
        assertEquals(Optional.of(true), AgentArguments.parse("off").off());
        assertEquals(Optional.of(false), AgentArguments.parse("on;quiet").off());
        assertEquals(Set.of("off", "quiet"), AgentArguments.parse("quiet;off").given().keySet());
        mistake("off=1", "column 4 of \"off=1\": option off takes no value; write off, or leave it out");
    }

    @Test
    void readsOptionsAndProbes() {
        AgentArguments.Result result = AgentArguments.parse(" record=app.jfr ; quiet;ring=1m;rings=64; c:zlib/deflate libz:deflate len=$arg2;r libz:inflate ");
        assertEquals(List.of(), result.errors());
        assertEquals(Optional.of(Path.of("app.jfr")), result.record());
        assertTrue(result.quiet());
        assertEquals(1 << 20, result.ringBytes());
        assertEquals(64, result.rings());
        assertEquals(List.of("c:zlib/deflate libz:deflate len=$arg2", "r libz:inflate"), probes(result));
    }

    @Test
    void readsWhatSteersRecording() {
        AgentArguments.Result result = AgentArguments.parse("armed=always;enabled=false;guard=20k/s;sites=all;jfc=my.jfc;"
                + "c libz:deflate if $duration > 1ms");
        assertEquals(List.of(), result.errors());
        assertTrue(result.armedAlways());
        assertFalse(result.enabled());
        assertEquals(new RateLimit(20_000), result.guard());
        assertTrue(result.allSites());
        assertEquals(Optional.of(Path.of("my.jfc")), result.jfc());
        assertEquals(1, result.probes().size());
    }

    @Test
    void takesTheDefaultsWhenTheyAreWritten() {
        AgentArguments.Result written = AgentArguments.parse("armed=recording;enabled=true;guard=100k/s;sites=totals"), none = AgentArguments.parse("");
        assertEquals(List.of(), written.errors());
        assertEquals(List.of(none.armedAlways(), none.enabled(), none.guard(), none.allSites()),
                List.of(written.armedAlways(), written.enabled(), written.guard(), written.allSites()));
        assertEquals(Set.of("armed", "enabled", "guard", "sites"), written.given().keySet());
    }

    @ParameterizedTest
    @CsvSource({"guard=off", "guard=none", "guard = 'off'"})
    void doesWithoutAGuard(String item) {
        assertEquals(RateLimit.NONE, AgentArguments.parse(item).guard());
    }

    @Test
    void takesCommasForBlanksInACondition() {
        AgentArguments.Result result = AgentArguments.parse("c,libz:deflate,a=$arg1,if,a,>,4k,&&,(a,!=,5),mode=count;quiet");
        assertEquals(List.of(), result.errors());
        assertEquals("a,>,4k,&&,(a,!=,5)", result.probes().get(0).condition().text());
        assertTrue(result.quiet());
    }

    @Test
    void takesCommasForBlanksWhereWhereBlanksCannotBe() {
        AgentArguments.Result result = AgentArguments.parse("quiet;c:zlib/deflate,libz:deflate,a=$arg1;p,libz:inflate");
        assertEquals(List.of(), result.errors());
        assertEquals(2, result.probes().size());
    }

    @ParameterizedTest
    @CsvSource({"4096,4096", "4k,4096", "64k,65536", "64K,65536", "1m,1048576", "16M,16777216", "16777216,16777216"})
    void readsSizesOfRings(String size, int bytes) {
        assertEquals(bytes, AgentArguments.parse("ring=" + size).ringBytes());
    }

    /* All rings are one ByteBuffer: ring=2m alone once left a JVM without any probe. */
    @Test
    void makesAsManyRingsAsFitIntoTwoGigabytes() {
        assertEquals(1023, AgentArguments.parse("ring=2m").rings());
        assertEquals(List.of(), AgentArguments.parse("ring=2m").errors());
        assertEquals(127, AgentArguments.parse("ring=16m;rings=127").rings());
        assertEquals(65536, AgentArguments.parse("rings=65536;ring=16k").rings());
        mistake("ring=16m;rings=128", "column 7 of \"rings=128\": 128 rings of 16m are not below 2 GiB together; write rings=127 or less, or a smaller "
                + "ring=SIZE; there are 127 now");
        assertEquals(127, AgentArguments.parse("ring=16m;rings=128").rings());
    }

    @Test
    void takesBlanksAndQuotesAroundAValue() {
        assertEquals(Optional.of(Path.of("my;file.jfr")), AgentArguments.parse("record = 'my;file.jfr'").record());
    }

    @Test
    void doesNotSplitInsideQuotes() {
        assertEquals(List.of("p libfoo:'f;g'", "p libfoo:\"h;i\"", "quiet"), AgentArguments.items("p libfoo:'f;g';p libfoo:\"h;i\"; quiet"));
    }

    @Test
    void doesNotSplitInsideADescriptorNorBehindItsResult() {
        assertEquals(List.of("c jni:a.B.f(Ljava/lang/String;[I)V", "c jni:a.B.g(J)[Ljava/lang/String;", "quiet"),
                AgentArguments.items("c jni:a.B.f(Ljava/lang/String;[I)V;c jni:a.B.g(J)[Ljava/lang/String;;quiet"));
    }

    @Test
    void splitsBehindAParenthesisThatIsNeverClosed() {
        assertEquals(List.of("p f:f a=+8($arg1", "quiet", "p f:f a=$arg1)"), AgentArguments.items("p f:f a=+8($arg1;quiet;p f:f a=$arg1)"));
    }

    @Test
    void splitsBehindAnApostrophe() {
        assertEquals(List.of("record=it's.jfr", "quiet"), AgentArguments.items("record=it's.jfr;quiet"));
    }

    @Test
    void readsTextsOfAnyLength() {
        AgentArguments.Result result = AgentArguments.parse("p libz:deflate;p f:f(" + "[I".repeat(500_000) + ";" + "(".repeat(10_000) + ";quiet");
        assertEquals(2, result.errors().size());
        assertTrue(result.quiet());
    }

    // ---- @FILE

    @Test
    void readsAFileWithOneItemALine() throws Exception {
        Path file = file("\ufeff# zlib\r\n\r\nquiet   # no chatter\r\n  c:zlib/deflate libz:deflate len=$arg2\r\np libfoo:'f #1'\np libz:inflate;\n");
        AgentArguments.Result result = AgentArguments.parse("ring=4k;@" + file);
        assertEquals(List.of(), result.errors());
        assertTrue(result.quiet());
        assertEquals(4096, result.ringBytes());
        assertEquals(List.of("c:zlib/deflate libz:deflate len=$arg2", "p libfoo:'f #1'", "p libz:inflate"), probes(result));
    }

    @Test
    void namesTheLineOfAMistakeInAFile() throws Exception {
        Path file = file("# mine\np libz:deflate\n  p libz:inflate a=%rid\np libz:crc32\n");
        AgentArguments.Result result = AgentArguments.parse("@" + file);
        assertEquals(List.of(file + " line 3, column 18 of \"p libz:inflate a=%rid\": unknown register '%rid'; did you mean %rdi? registers are "
                + "%rax %rcx %rdx %rbx %rsp %rbp %rsi %rdi %r8 %r9 %r10 %r11 %r12 %r13 %r14 %r15"), result.errors());
        assertEquals(2, result.probes().size());
    }

    @Test
    void saysThatAFileIsNotThere() {
        mistake("@no/such.probes", "column 2 of \"@no/such.probes\": cannot read no/such.probes: there is no such file; relative names begin at the "
                + "JVM's working directory");
    }

    @Test
    void saysThatAFileIsAFolder() {
        mistake("@" + folder, "column 2 of \"@" + folder + "\": cannot read " + folder + ": Is a directory; relative names begin at the JVM's "
                + "working directory");
    }

    @Test
    void saysThatAFileIsNoText() throws Exception {
        Path file = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        mistake("@" + file, "column 2 of \"@" + file + "\": cannot read " + file + ": it is not UTF-8 text; relative names begin at the JVM's "
                + "working directory");
    }

    @Test
    void doesNotReadAFileWithoutEnd() {
        mistake("@/dev/zero", "column 2 of \"@/dev/zero\": cannot read /dev/zero: it is larger than 8 MiB; relative names begin at the JVM's working "
                + "directory");
    }

    @Test
    void missesTheFilesName() {
        mistake("@", "column 2 of \"@\": a file's name is missing after '@'; write @FILE, one item a line");
    }

    @Test
    void refusesAFileInAFile() throws Exception {
        Path file = file("@other.probes\nquiet\n");
        AgentArguments.Result result = AgentArguments.parse("@" + file);
        assertEquals(List.of(file + " line 1, column 1 of \"@other.probes\": a file cannot name another; name both in the agent's arguments: "
                + "@FILE;@FILE"), result.errors());
        assertTrue(result.quiet());
    }

    // ---- mistakes

    @Test
    void tellsTheColumnInTheItemNotInTheWhole() {
        mistake("  p libz:deflate a=$arg9 ", "column 18 of \"p libz:deflate a=$arg9\": $arg9 is passed on the stack, and $stack is not there yet; "
                + "$arg1 to $arg6 are in registers");
    }

    @Test
    void saysWhatToDoWhenOnlyTheTypeArrived() {
        mistake("p", "column 2 of \"p\": LIBRARY:TARGET is missing after 'p'; a probe is TYPE[:[GROUP/]EVENT] LIBRARY:TARGET [FIELD...] [if CONDITION] "
                + "[OPTION=VALUE...], e.g. p libz:deflate; if the rest was lost at a blank, quote the whole probe or use @file");
    }

    @Test
    void keepsAnUnclosedQuoteToItsItem() {
        mistake("p libfoo:'f", "column 10 of \"p libfoo:'f\": the quote ' is not closed; put another ' behind the name");
    }

    @Test
    void namesTheOptionThatWasMeant() {
        mistake("recrod=app.jfr", "column 1 of \"recrod=app.jfr\": unknown option 'recrod'; the nearest is record=FILE; " + ALL);
        mistake("Quiet", "column 1 of \"Quiet\": unknown option 'Quiet'; the nearest is quiet; " + ALL);
    }

    @Test
    void saysThatAProbeBeginsWithItsType() {
        mistake("libz:deflate a=$arg1", "column 1 of \"libz:deflate a=$arg1\": a probe begins with its type: p, r or c; write c libz:deflate a=$arg1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            pack=zlib     | pack    | write the probes themselves, or keep them in a file: @FILE
            drain=100ms   | drain   | hits without a Java frame are drained within 1 s
            coexist       | coexist | detach perf and other uprobes from the same functions first
            """, quoteCharacter = '`')
    void saysWhichOptionsAreNotThereYet(String item, String name, String instead) {
        mistake(item, "column 1 of \"" + item + "\": option " + name + " is not there yet; " + instead);
    }

    @ParameterizedTest
    @CsvSource({"armed,always,recording", "enabled,true,false", "sites,all,totals"})
    void refusesAnythingButTheTwoWords(String name, String one, String other) {
        mistake(name + "=1", "column " + (name.length() + 2) + " of \"" + name + "=1\": " + name + " is " + one + " or " + other + ", not '1'");
        /* the wrong one is no first one */
        assertEquals(List.of(), AgentArguments.parse(name + "=" + one).errors());
        assertEquals(1, AgentArguments.parse(name + "=1;" + name + "=" + one).errors().size());
    }

    @ParameterizedTest
    @CsvSource({"armed,armed=always or armed=recording", "enabled,enabled=false or enabled=true", "sites,sites=all or sites=totals",
        "guard,'guard=N/s, e.g. guard=100k/s, or guard=off'", "jfc,'jfc=FILE, e.g. jfc=probes.jfc'"})
    void missesTheValue(String name, String write) {
        mistake(name, "column " + (name.length() + 1) + " of \"" + name + "\": option " + name + " needs a value; write " + write);
    }

    @Test
    void refusesAGuardThatIsNoRate() {
        mistake("guard=100k", "column 7 of \"guard=100k\": '100k' is no rate; write hits a second, e.g. 1000/s or 100k/s, or none");
        mistake("guard=0/s", "column 7 of \"guard=0/s\": rate 0/s is out of range; write 1/s to 1000000000/s, or none");
    }

    @Test
    void refusesAConfigurationThatCannotBeAFile() {
        mistake("jfc=a\0b", "column 5 of \"jfc=a b\": 'a b' cannot be a file's name: Nul character not allowed");
    }

    @Test
    void refusesAnOptionTwiceAndKeepsTheFirst() {
        mistake("ring=4k;ring=8k", "column 1 of \"ring=8k\": option ring is there twice; \"ring=4k\" holds, take the other out");
        assertEquals(4096, AgentArguments.parse("ring=4k;ring=8k").ringBytes());
    }

    @Test
    void takesTheSecondWhereTheFirstWasWrong() {
        AgentArguments.Result result = AgentArguments.parse("ring=4x;ring=8k");
        assertEquals(8192, result.ringBytes());
        assertEquals(1, result.errors().size());
    }

    @Test
    void refusesAValueForQuiet() {
        mistake("quiet=yes", "column 6 of \"quiet=yes\": option quiet takes no value; write quiet, or leave it out");
        assertFalse(AgentArguments.parse("quiet=no").quiet());
    }

    @Test
    void missesTheFileOfTheRecording() {
        mistake("record=", "column 8 of \"record=\": option record needs a value; write record=FILE, e.g. record=app.jfr");
    }

    @Test
    void missesTheSizeOfARing() {
        mistake("ring", "column 5 of \"ring\": option ring needs a value; write ring=SIZE, e.g. ring=64k");
    }

    @Test
    void missesTheNumberOfRings() {
        mistake("rings=", "column 7 of \"rings=\": option rings needs a value; write rings=N, e.g. rings=1024");
    }

    @Test
    void refusesARecordingThatCannotBeAFile() {
        mistake("record=a\0b", "column 8 of \"record=a b\": 'a b' cannot be a file's name: Nul character not allowed");
    }

    @Test
    void refusesARingSizeThatIsNoNumber() {
        mistake("ring=64kb", "column 6 of \"ring=64kb\": ring size '64kb' is not a number of bytes; write e.g. 65536, 64k or 1m");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "2k", "2048", "32m", "99999999999999999999m"})
    void refusesARingSizeOutOfRange(String size) {
        mistake("ring=" + size, "column 6 of \"ring=" + size + "\": ring size " + size + " is out of range; write a power of two from 4k to 16m");
    }

    @Test
    void refusesARingSizeThatIsNoPowerOfTwo() {
        mistake("ring=100k", "column 6 of \"ring=100k\": ring size 100k is not a power of two; write 64k or 128k");
    }

    @Test
    void refusesANumberOfRingsThatIsNone() {
        mistake("rings=many", "column 7 of \"rings=many\": number of rings 'many' is not a number; write e.g. rings=1024");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "65537", "99999999999999999999"})
    void refusesANumberOfRingsOutOfRange(String number) {
        mistake("rings=" + number, "column 7 of \"rings=" + number + "\": number of rings " + number + " is out of range; write 1 to 65536, one for "
                + "each thread that records");
    }

    /* docs/probe-language.md: | `argument` | column 1 of "argument": .. | */
    @Test
    void saysWhatThePageSays() throws Exception {
        Path docs = Path.of("").toAbsolutePath();
        while (!Files.exists(docs.resolve("docs/probe-language.md"))) {
            docs = docs.getParent();
        }
        Pattern row = Pattern.compile("\\| `([^`]+)`(?: \\(also [^)]*\\))? \\| (column .*) \\|");
        int rows = 0;
        for (String line : Files.readAllLines(docs.resolve("docs/probe-language.md"))) {
            Matcher found = row.matcher(line);
            if (found.matches()) {
                assertEquals(List.of(found.group(2)), AgentArguments.parse(found.group(1)).errors(), line);
                rows++;
            }
        }
        assertTrue(rows > 15, "only " + rows + " rows were found");
    }

    @Test
    void keepsEveryErrorOnOneLine() {
        for (String error : AgentArguments.parse("p 'a\nb';x\ny;record=a\0b;@a\nb").errors()) {
            assertEquals(1, error.lines().count(), error);
        }
    }
}
