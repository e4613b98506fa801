package uprobe.it.app;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * A recording, chunk by chunk, with the agent's events. Reading it shows that it is whole: each chunk's header is finished, the chunks fill the file, all
 * events can be read, and every statistics event's parts make its whole.
 */
public final class Chunks {
    /* Chunk header of the format 2: magic, version, size, ..., state at 64: 0 when it is finished (jdk.jfr.internal.consumer.ChunkHeader). */
    private static final int MAGIC = 'F' << 24 | 'L' << 16 | 'R' << 8, SIZE_AT = 8, STATE_AT = 64, HEADER = 68;

    private final List<List<RecordedEvent>> chunks = new ArrayList<>();

    private Chunks() {}

    public static Chunks read(Path file) throws IOException {
        Chunks all = new Chunks();
        byte[] bytes = Files.readAllBytes(file);
        int at = 0;
        while (at < bytes.length) {
            ByteBuffer header = ByteBuffer.wrap(bytes, at, Math.min(HEADER, bytes.length - at)).slice();
            Fixture.check(header.limit() == HEADER && header.getInt(0) == MAGIC && header.get(STATE_AT) == 0, () -> file + ": a chunk's header is torn");
            int size = (int) header.getLong(SIZE_AT);
            Fixture.check(size > HEADER && at + size <= bytes.length, () -> file + ": a chunk of " + size + " bytes");
            Path one = Files.createTempFile(Path.of("."), "chunk", ".jfr");
            Files.write(one, Arrays.copyOfRange(bytes, at, at + size));
            all.chunks.add(eventsOf(one));
            Files.delete(one);
            at += size;
        }
        return all;
    }

    /** Stops the recording and closes it. */
    public static Chunks ended(Recording recording) throws IOException {
        recording.stop();
        Path file = Files.createTempFile(Path.of("."), "ended", ".jfr");
        recording.dump(file);
        recording.close();
        return readAndDelete(file);
    }

    public static Chunks readAndDelete(Path file) throws IOException {
        Chunks chunks = read(file);
        Files.delete(file);
        return chunks;
    }

    /**
     * What a JVM that was halted has left in its folder of JFR's repository. Behind what the last chunk's header covers lies what JFR was about to add to
     * it; {@code jfr assemble} copies that as well, and nobody can read its file.
     */
    public static void assemble(Path folder, Path into) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> file.toString().endsWith(".jfr")).sorted().toList();
        }
        try (OutputStream out = Files.newOutputStream(into)) {
            for (Path file : files) {
                byte[] bytes = Files.readAllBytes(file);
                if (bytes.length > HEADER) {
                    out.write(bytes, 0, (int) ByteBuffer.wrap(bytes).getLong(SIZE_AT));
                }
            }
        }
    }

    private static List<RecordedEvent> eventsOf(Path chunk) throws IOException {
        List<RecordedEvent> events = new ArrayList<>();
        try (RecordingFile in = new RecordingFile(chunk)) {
            while (in.hasMoreEvents()) {
                RecordedEvent event = in.readEvent();
                if (event.getEventType().getName().startsWith("uprobe.")) {
                    events.add(event);
                }
            }
        }
        for (RecordedEvent e : events) {
            if (e.getEventType().getName().equals("uprobe.ProbeStatistics")) {
                Fixture.same(e.getLong("hits"), e.getLong("recorded") + e.getLong("filtered") + e.getLong("sampledOut") + e.getLong("dropped") + e.getLong("missed")
                        + e.getLong("ownWork") + e.getLong("unfinished"), e.toString());
            }
        }
        return events;
    }

    /** What the agent says of all probes, last. */
    String said() {
        StringBuilder out = new StringBuilder();
        of("uprobe.ProbeStatistics").stream().sorted(Comparator.comparing(RecordedEvent::getStartTime)).filter(e -> e.getLong("hits") > 0).forEach(out::append);
        return out.toString();
    }

    int count() {
        return chunks.size();
    }

    /** The n-th chunk as if it were all. */
    Chunks only(int n) {
        Chunks one = new Chunks();
        one.chunks.add(chunks.get(n));
        return one;
    }

    public List<RecordedEvent> of(String type) {
        return chunks.stream().flatMap(List::stream).filter(e -> e.getEventType().getName().equals(type)).toList();
    }

    private List<RecordedEvent> statistics(String probe) {
        List<RecordedEvent> all = of("uprobe.ProbeStatistics").stream().filter(e -> e.getString("probe").equals(probe))
                .sorted(Comparator.comparing(RecordedEvent::getStartTime)).toList();
        Fixture.check(all.size() >= 2, () -> all.size() + " statistics of " + probe);
        return all;
    }

    long first(String probe, String counter) {
        return statistics(probe).get(0).getLong(counter);
    }

    public long last(String probe, String counter) {
        List<RecordedEvent> all = statistics(probe);
        return all.get(all.size() - 1).getLong(counter);
    }

    long grew(String probe, String counter) {
        return last(probe, counter) - first(probe, counter);
    }

    /** Every chunk says at which place the probe is. */
    void armedInEach(String probe) {
        for (List<RecordedEvent> chunk : chunks) {
            Fixture.check(chunk.stream().anyMatch(e -> e.getEventType().getName().equals("uprobe.ProbeArmed") && e.getString("probe").equals(probe)),
                    () -> "a chunk of " + chunk.size() + " events, number " + chunks.indexOf(chunk) + " of " + chunks.size() + ", does not tell of " + probe + ": "
                            + chunk.stream().filter(e -> !e.getEventType().getName().startsWith("uprobe.k.")).toList());
        }
    }

    /** The numbers in a field of all events of a type, none of them twice. */
    public Set<Long> distinct(String type, String field) {
        Set<Long> seen = new HashSet<>();
        for (RecordedEvent e : of(type)) {
            Fixture.check(seen.add(e.getLong(field)), () -> "twice: " + e);
        }
        return seen;
    }
}
