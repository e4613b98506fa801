package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.app.ZipRounds;

/** {@code java -jar uprobe-agent.jar report} of what the agent recorded. */
class ReportIT {
    private static final String DEFLATE = "c:zlib/deflate {libz.so*,libzip.so}:deflate avail_in=+8($arg1):u32/bytes ret=$retval:s32";
    private static final String INFLATE = "c:zlib/inflate {libz.so*,libzip.so}:inflate ret=$retval:s32";
    private static final int ROUNDS = 300, THREADS = 3, SIZE = 20_000;

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    private record Said(int exit, String out, String err) {
        /** The number of a member in the first object that has all of these texts. */
        long number(String member, String... within) {
            for (String object : out.split("\\},?\\{|\\[\\{")) {
                Matcher number = Pattern.compile("\"" + Pattern.quote(member) + "\":(-?[0-9]+)").matcher(object);
                if (Stream.of(within).allMatch(object::contains) && number.find()) {
                    return Long.parseLong(number.group(1));
                }
            }
            throw new AssertionError("no " + member + " of " + String.join(", ", within) + " in " + out);
        }
    }

    private static Said report(Jdk jdk, Path folder, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(jdk.tool("java").toString(), "-jar", ChildJvm.agentJar().toString(), "report"));
        command.addAll(List.of(arguments));
        Path out = folder.resolve("report.txt"), err = folder.resolve("report-errors.txt");
        int exit = new ProcessBuilder(command).directory(folder.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();
        return new Said(exit, Files.readString(out), Files.readString(err));
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void theTablesHoldWhatWasRecorded(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class).probes(DEFLATE, INFLATE).run("rounds", "" + ROUNDS).ok();
        Recorded recorded = outcome.recorded();
        for (Jdk reader : Jdk.all()) {
            Said said = report(reader, outcome.folder(), "out.jfr", "--json", "--sum", "avail_in");
            assertEquals("", said.err);
            assertEquals(0, said.exit);
            for (String function : List.of("deflate", "inflate")) {
                List<RecordedEvent> events = recorded.of("uprobe.zlib." + function);
                String name = "." + function + "\"";
                assertEquals(events.size(), said.number("calls", "\"function\":", name));
                long nanos = events.stream().mapToLong(event -> event.getDuration().toNanos()).sum();
                assertEquals(nanos, said.number("totalNanos", "\"function\":", name), 2.0 * events.size());
                assertEquals(events.stream().mapToLong(event -> event.getDuration().toNanos()).max().orElseThrow(), said.number("longestNanos", "\"function\":", name), 2);
                assertEquals(events.size(), said.number("recorded", "\"probe\":\"uprobe.zlib." + function));
                assertEquals(events.size(), said.number("events", "\"probe\":\"uprobe.zlib." + function));
            }
            assertEquals(THREADS * ROUNDS, said.number("calls", "\"caller\":\"uprobe.it.app.ZipRounds.pack\"", "\"function\":"));
            assertEquals((long) THREADS * ROUNDS * SIZE, said.number("sum.avail_in", "\"caller\":\"uprobe.it.app.ZipRounds.pack\""));
        }
        outcome.forget();
    }

    /** The agent adds up self times as functions are entered and left, and adler32 jumps to adler32_z. */
    @ParameterizedTest
    @MethodSource("jdks")
    void selfTimesAreTheAgentsOwn(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class).probes("ring=4m", "c:z/all {libz.so*,libzip.so}:{*flate*,adler32*,Java_*}").run("rounds", "30").ok();
        Recorded recorded = outcome.recorded();
        Said said = report(jdk, outcome.folder(), "out.jfr", "--by", "function", "--json", "--top", "1000");
        int compared = 0;
        for (String symbol : recorded.of("uprobe.ProbeStatistics").stream().map(event -> event.getString("symbol")).distinct().toList()) {
            RecordedEvent last = recorded.lastStatistics("symbol", symbol);
            boolean isAlsoTheFrames = symbol.matches("\\w+");
            if (isAlsoTheFrames && last.getLong("recorded") > 0 && last.getLong("recorded") == last.getLong("hits")) {
                String function = "." + symbol + "\"";
                double self = last.getDuration("selfTime").toNanos();
                assertEquals(self, said.number("selfNanos", function), self / 100 + 2.0 * last.getLong("hits"), symbol + "\n" + said.out);
                compared++;
            }
        }
        assertTrue(compared >= 8, compared + " functions: " + said.out);
        outcome.forget();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void rulesRunAsInMissionControl(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, ZipRounds.class).probes(DEFLATE).run("rounds", "" + ROUNDS).ok();
        Said said = report(jdk, outcome.folder(), "out.jfr", "--rules");
        assertEquals(0, said.exit, said.err);
        assertTrue(Pattern.compile("Native Calls by Java Caller \\| uprobe\\.it\\.app\\.ZipRounds\\.pack spends .* in (libz|libzip)\\.deflate, .* in 900 calls\\.")
                .matcher(said.out).find(), said.out);
        assertEquals(3, report(jdk, outcome.folder(), "out.jfr", "--fail-on", "info").exit);
        said = report(jdk, outcome.folder(), "out.jfr", "--all-rules", "--top", "1000");
        assertTrue(said.exit == 0 && said.out.contains("Native Calls by Java Caller") && said.out.contains("Heap"), "both jars' rules: " + said);
        assertEquals(2, report(jdk, outcome.folder(), "out.jfr", "--sum", "nothing").exit);
        assertEquals(2, report(jdk, outcome.folder(), "out.jfr", "--by", "nothing").exit);
        assertEquals(1, report(jdk, outcome.folder(), "none.jfr").exit);
        outcome.forget();
    }

    /** None of what the report is made of. */
    @ParameterizedTest
    @MethodSource("jdks")
    void aProbedJvmLoadsNothingOfIt(Jdk jdk) throws Exception {
        ChildJvm child = ChildJvm.of(jdk, ZipRounds.class);
        Path loaded = child.folder().resolve("loaded.txt");
        ChildJvm.Outcome outcome = child.options("-Xlog:class+load:file=" + loaded).probes(DEFLATE).run("rounds", "10").ok();
        String classes = Files.readString(loaded);
        assertTrue(classes.contains(" uprobe.agent.Agent "), "the agent's classes are there");
        assertEquals("", Pattern.compile("^.* (one\\.(jfr|convert)|org\\.openjdk\\.jmc|org\\.HdrHistogram|com\\.grack|com\\.github\\.freva|uprobe\\.(jmc|agent\\.(report|console)))\\..*$",
                Pattern.MULTILINE).matcher(classes).results().map(found -> found.group()).reduce("", (a, b) -> a + "\n" + b));
        outcome.forget();
    }
}
