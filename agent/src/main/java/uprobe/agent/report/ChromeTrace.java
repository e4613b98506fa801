package uprobe.agent.report;

import com.grack.nanojson.JsonAppendableWriter;
import com.grack.nanojson.JsonWriter;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import uprobe.agent.report.EventType.Field;
import uprobe.agent.report.EventType.Kind;

/**
 * Each hit as a trace event, written as it comes: complete ("X") if it has a duration, else instant ("i"); times are microseconds from the first chunk on.
 * A file is a process. Threads are numbered as they come: the recording's own ids of Java threads and of native ones may be equal.
 */
final class ChromeTrace implements Closeable {
    private static final double NANOS_PER_MICRO = 1000;

    private record Track(int process, String name, long id) {}

    private final OutputStream stream;
    private final JsonAppendableWriter out;
    private final Map<Track, Integer> tracks = new HashMap<>();
    private int process;
    private long origin = Long.MIN_VALUE;

    ChromeTrace(Path file) throws IOException {
        stream = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        out = JsonWriter.on(stream).object().value("displayTimeUnit", "ns").array("traceEvents");
    }

    void nextFile(Path file) {
        process++;
        named("process_name", 0, file.getFileName().toString());
    }

    void nextChunk(Chunk chunk) {
        if (origin == Long.MIN_VALUE) {
            origin = chunk.startNanos();
        }
    }

    void add(ChunkReader chunk, Hit hit, StackNode node) {
        int track = track(chunk, hit);
        out.object().value("name", node.frame.name()).value("cat", hit.type.shortName()).value("pid", process).value("tid", track)
                .value("ts", micros(hit.chunk().timeNanos(hit.startTicks()) - origin));
        if (hit.isTimed()) {
            out.value("ph", "X").value("dur", micros(hit.nanos()));
        } else {
            out.value("ph", "i").value("s", "t");
        }
        out.object("args").value("caller", Calls.callerOf(node));
        for (int i = 0; i < hit.type.fields().size(); i++) {
            Field field = hit.type.fields().get(i);
            if (EventType.isFetched(field) && hit.isRead(i)) {
                if (field.kind() == Kind.VARINT && field.unit() != EventType.Unit.ADDRESS && (field.unit() != EventType.Unit.UNSIGNED || hit.number(i) >= 0)) {
                    out.value(field.name(), hit.number(i));
                } else {
                    out.value(field.name(), hit.value(i));
                }
            }
        }
        out.end().end();
    }

    private static double micros(double nanos) {
        return nanos / NANOS_PER_MICRO;
    }

    private int track(ChunkReader chunk, Hit hit) {
        boolean drained = hit.drained() != null;
        String said = drained ? hit.string("nativeThreadName") : chunk.threadName(hit.thread());
        String name = said == null ? "?" : said;
        Track track = new Track(process, name, drained ? hit.number("nativeThreadId") : chunk.javaThreadId(hit.thread()));
        Integer known = tracks.get(track);
        if (known == null) {
            known = tracks.size() + 1;
            tracks.put(track, known);
            named("thread_name", known, name);
        }
        return known;
    }

    private void named(String what, int track, String name) {
        out.object().value("name", what).value("ph", "M").value("pid", process).value("tid", track).object("args").value("name", name).end().end();
    }

    @Override
    public void close() throws IOException {
        try (stream) {
            out.end().end().done();
        }
    }
}
