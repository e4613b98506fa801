package uprobe.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import app.Archive;
import com.grack.nanojson.JsonArray;
import com.grack.nanojson.JsonObject;
import com.grack.nanojson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written to files. */
class OutputsTest {
    @TempDir
    static Path folder;

    private static Path recording;

    @BeforeAll
    static void recordOne() throws Exception {
        recording = Reported.record(folder.resolve("out.jfr"), () -> {
            Archive.pack(3, 1999);
            Archive.read(2);
            NativeLibrary.LIBZ.drained("native thread");
        });
    }

    private static String written(String option, Object... more) throws Exception {
        Path out = folder.resolve("out" + option);
        Object[] all = new Object[more.length + 3];
        all[0] = recording;
        all[1] = option;
        all[2] = out;
        System.arraycopy(more, 0, all, 3, more.length);
        Reported reported = Reported.of(all);
        assertEquals(0, reported.exit(), reported.err());
        assertTrue(reported.out().contains("\nwritten: " + out + "\n"), reported.out());
        return Files.readString(out);
    }

    private static long weight(String collapsed, String end) {
        return collapsed.lines().filter(line -> line.replaceAll(" [0-9]+$", "").endsWith(end)).mapToLong(line -> Long.parseLong(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    @Test
    void collapsedStacksAreFromTheOutermostFrameToTheProbedFunction() throws Exception {
        String calls = written("--collapsed", "--weight", "calls");
        assertEquals(3, weight(calls, ";app.Archive.pack_[j];libz.deflate"));
        assertEquals(2, weight(calls, ";app.Archive.read_[j];libz.inflate"));
        assertEquals(4, weight(calls, ";app.Archive.read_[j];libz.inflate;libz.crc32"));
        assertEquals(1, weight(calls, "(no Java caller: native thread)_[j];libz.drained"));
        assertEquals(3 * 1999, weight(written("--collapsed", "--weight", "avail_in", "--sum", "avail_in"), "libz.deflate"));
    }

    /** A frame's width is its own time and that of those above: nothing counts twice. */
    @Test
    void timeIsThatOfTheFunctionItself() throws Exception {
        String time = written("--collapsed");
        JsonObject json = Reported.json(recording);
        for (String function : List.of("libz.inflate", "libz.crc32", "libz.deflate")) {
            assertEquals(Reported.row(json, "byFunction", "function", function).getLong("selfNanos"), weight(time, function), 10, function);
        }
    }

    @Test
    void tracesHaveAnEventForEachHit() throws Exception {
        JsonObject trace = JsonParser.object().from(written("--chrome"));
        JsonArray events = trace.getArray("traceEvents");
        List<JsonObject> calls = events.stream().map(JsonObject.class::cast).filter(event -> event.getString("ph").equals("X")).toList();
        assertEquals(10, calls.size());
        JsonObject deflate = calls.stream().filter(event -> event.getString("name").equals("libz.deflate")).findFirst().orElseThrow();
        assertEquals("app.Archive.pack", deflate.getObject("args").getString("caller"));
        assertEquals(1999, deflate.getObject("args").getLong("avail_in"));
        assertTrue(deflate.getDouble("ts") > 0 && deflate.getDouble("dur") > 0, deflate.toString());
        List<String> threads = events.stream().map(JsonObject.class::cast).filter(event -> event.getString("name").equals("thread_name"))
                .map(event -> event.getObject("args").getString("name")).toList();
        assertEquals(List.of(Thread.currentThread().getName(), "compressor-3"), threads);
    }

    @Test
    void thePageIsOneFileThatAsksForNoOther() throws Exception {
        String page = written("--html", "--sum", "avail_in");
        assertTrue(page.contains("default-src 'none'"));
        assertFalse(page.replaceAll("<a href='https?://[^']*'>|https:\\\\?/\\\\?/[^' ]*async-profiler'>", "").matches("(?s).*(src|href)=.?.?https?:.*"), "nothing is fetched");
        for (String place : List.of("<table id=\"byFunction\">", "<table id=\"byCaller\">", "\"time\":\"<!DOCTYPE html>", "\"avail_in\":\"<!DOCTYPE html>", "<td>libz.deflate</td>",
                "let inverted = true;")) {
            assertTrue(page.contains(place) || page.contains(place.replace("<td>", "<td data-value=\"libz.deflate\">")), place);
        }
        assertFalse(page.matches("(?s).*/\\*[a-z]+\\*/.*"), "every place is filled");
    }
}
