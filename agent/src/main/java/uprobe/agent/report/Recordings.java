package uprobe.agent.report;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import uprobe.agent.console.Amounts;

/** Some files, read once from the first event to the last. */
final class Recordings {
    private final Calls calls;
    private final StackTree stacks;
    private final Pairs pairs;
    private final ChromeTrace trace;
    private final Losses losses = new Losses();
    private final RecordedFields fields = new RecordedFields();
    private List<Path> files = List.of();
    private int chunks;
    private long start = Long.MAX_VALUE, end = Long.MIN_VALUE, recordedNanos;

    /**
     * @param pairs null: none are asked for
     * @param trace null: none is asked for
     */
    Recordings(StackTree stacks, Calls calls, Pairs pairs, ChromeTrace trace) {
        this.stacks = stacks;
        this.calls = calls;
        this.pairs = pairs;
        this.trace = trace;
    }

    void read(List<Path> files, boolean wholeChunks) throws BadInput, IOException {
        this.files = files;
        List<List<Chunk>> all = new ArrayList<>();
        for (Path file : files) {
            all.add(Chunk.of(file, wholeChunks));
        }
        for (List<Chunk> ofFile : all) {
            if (trace != null) {
                trace.nextFile(ofFile.get(0).file());
            }
            for (Chunk chunk : ofFile) {
                read(chunk);
            }
            losses.endOfFile();
            calls.nextFile();
        }
        if (fields.isEmpty()) {
            throw BadInput.failure(names() + (files.size() == 1 ? " has" : " have") + " no events of native probes: record with"
                    + " java -javaagent:uprobe-agent.jar='record=FILE;PROBE' ..., e.g. the probe c libz:deflate");
        }
    }

    private void read(Chunk chunk) throws BadInput, IOException {
        ChunkReader reader = new ChunkReader(chunk);
        List<EventType> types = List.copyOf(reader.types());
        types.forEach(fields::look);
        stacks.nextChunk(reader);
        calls.nextChunk();
        if (pairs != null) {
            pairs.look(types);
        }
        if (trace != null) {
            trace.nextChunk(chunk);
        }
        chunks++;
        start = Math.min(start, chunk.startNanos());
        end = Math.max(end, chunk.startNanos() + chunk.durationNanos());
        recordedNanos += chunk.durationNanos();
        for (Hit hit; (hit = reader.next()) != null; ) {
            if (!hit.type.isHit()) {
                losses.add(hit);
                continue;
            }
            StackNode node = calls.add(reader, hit);
            if (pairs != null) {
                pairs.add(hit, node);
            }
            if (trace != null) {
                trace.add(reader, hit, node);
            }
        }
    }

    Losses losses() {
        return losses;
    }

    RecordedFields fields() {
        return fields;
    }

    String names() {
        return files.stream().map(Path::toString).collect(Collectors.joining(", "));
    }

    /** {@code 9,000 events of 2 probes in 12.3 s from 2026-... to 2026-... (1 file, 3 chunks)} */
    String header() {
        return Amounts.count(calls.hits()) + (calls.hits() == 1 ? " event" : " events") + " of " + calls.probes() + (calls.probes() == 1 ? " probe" : " probes")
                + " in " + Amounts.time(recordedNanos) + ", from " + time(start) + " to " + time(end) + " (" + files.size() + (files.size() == 1 ? " file, " : " files, ")
                + chunks + (chunks == 1 ? " chunk)" : " chunks)");
    }

    private static String time(long nanos) {
        return Instant.ofEpochMilli(nanos / 1_000_000).toString();
    }
}
