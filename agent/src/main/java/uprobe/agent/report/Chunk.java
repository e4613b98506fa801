package uprobe.agent.report;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import uprobe.agent.console.Amounts;

/**
 * A chunk of a recording: it can be read without any other.
 *
 * <pre>
 *   0  FLR\0   4 version   8 size   16 constant pools   24 metadata   32 start ns   40 duration ns   48 start ticks   56 ticks per second   64 features
 * </pre>
 *
 * @param offset in the file
 * @param metadata where its types are described, from its start
 * @param startNanos since the epoch
 */
record Chunk(Path file, long offset, long size, long metadata, long startNanos, long durationNanos, long startTicks, long ticksPerSecond) {
    private static final int HEADER = 68, MAGIC = 0x464c5200, SIZE = 8, POOLS = 16, METADATA = 24, START = 32, DURATION = 40, TICKS = 48, FREQUENCY = 56;
    private static final double NANOS = 1e9;

    /**
     * @param wholeOnly leaves out what is cut; otherwise that is an error
     * @return not empty
     */
    static List<Chunk> of(Path file, boolean wholeOnly) throws BadInput, IOException {
        if (Files.isDirectory(file)) {
            throw BadInput.failure(file + " is a folder, not a recording: name its files, as in " + file.resolve("*.jfr"));
        }
        List<Chunk> chunks = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long length = channel.size(), offset = 0;
            while (offset < length) {
                ByteBuffer header = ByteBuffer.allocate(HEADER);
                channel.read(header, offset);
                header.flip();
                if (offset == 0 && (header.limit() < Integer.BYTES || header.getInt(0) != MAGIC)) {
                    throw BadInput.failure(file + " is not a recording: its first bytes are not FLR; a recording comes of the agent's record=FILE"
                            + " or of jcmd PID JFR.dump filename=FILE");
                }
                String cut = whyCut(header, offset, length);
                if (cut != null) {
                    if (wholeOnly && !chunks.isEmpty()) {
                        return chunks;
                    }
                    throw BadInput.failure(file + " is cut: " + cut + (chunks.isEmpty() ? "; dump it again (jcmd PID JFR.dump filename=FILE) or copy it again"
                            : "; copy it again, or read the " + chunks.size() + " before with --whole-chunks"));
                }
                chunks.add(new Chunk(file, offset, header.getLong(SIZE), header.getLong(METADATA), header.getLong(START), header.getLong(DURATION),
                        header.getLong(TICKS), header.getLong(FREQUENCY)));
                offset += header.getLong(SIZE);
            }
        } catch (NoSuchFileException e) {
            throw BadInput.failure("there is no file " + file + " in " + Path.of("").toAbsolutePath());
        }
        if (chunks.isEmpty()) {
            throw BadInput.failure(file + " is empty: the JVM that records has not written it yet; jcmd PID JFR.dump filename=FILE writes one now");
        }
        return chunks;
    }

    /** null if it is whole */
    private static String whyCut(ByteBuffer header, long offset, long length) {
        if (header.limit() < HEADER || header.getInt(0) != MAGIC) {
            return "the bytes from " + Amounts.count(offset) + " to its end at " + Amounts.count(length) + " are no whole chunk";
        }
        long size = header.getLong(SIZE);
        if (size <= HEADER || header.getLong(METADATA) <= 0 || header.getLong(POOLS) <= 0) {
            return "the chunk at byte " + Amounts.count(offset) + " was never finished";
        }
        if (offset + size > length) {
            return "the chunk at byte " + Amounts.count(offset) + " has " + Amounts.count(size) + " bytes, and the file ends after " + Amounts.count(length - offset)
                    + " of them";
        }
        return null;
    }

    ByteBuffer map() throws IOException, BadInput {
        if (size > Integer.MAX_VALUE) {
            throw BadInput.failure(file + " has a chunk of " + Amounts.bytes(size) + ", and 2 GB are the most that is read; record with"
                    + " -XX:FlightRecorderOptions:maxchunksize=100M");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, offset, size);
        }
    }

    double nanos(long ticks) {
        return ticks * (NANOS / ticksPerSecond);
    }

    /** Since the epoch. */
    long timeNanos(long ticks) {
        return startNanos + Math.round(nanos(ticks - startTicks));
    }
}
