package uprobe.probe.elf;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import net.fornwall.jelf.BackingFile;
import net.fornwall.jelf.ElfException;

/**
 * What jelf reads from: 64 KiB of a source at a time. jelf's own ways read a whole file into the heap (54 MB for DuckDB) or map it, where
 * a file that is truncated meanwhile is a SIGBUS.
 *
 * <p>jelf declares no IOException; one is wrapped in {@link UncheckedIOException}. One thread at a time, like jelf itself.
 */
final class WindowedFile implements BackingFile {

    static final int WINDOW = 1 << 16;

    /** Bytes by position. */
    interface Source {
        /** Reads at least one byte into {@code into}, which has an array; 0 or less means that nothing is there. */
        int read(ByteBuffer into, long position) throws IOException;

        /** Not a FileChannel: that is closed under the reader when its thread is interrupted, and we may run on any thread. */
        static Source of(RandomAccessFile file) {
            return (into, position) -> {
                file.seek(position);
                int count = file.read(into.array(), into.arrayOffset() + into.position(), into.remaining());
                if (count > 0) {
                    into.position(into.position() + count);
                }
                return count;
            };
        }
    }

    private final Source source;
    private final byte[] window;
    private final ByteBuffer buffer;
    private long windowStart;
    private int windowLength;
    private long position;

    WindowedFile(Source source) {
        this(source, WINDOW);
    }

    WindowedFile(Source source, int windowSize) {
        this.source = source;
        this.window = new byte[windowSize];
        this.buffer = ByteBuffer.wrap(window).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void seek(long offset) {
        position = offset;
    }

    @Override
    public void skip(int bytesToSkip) {
        position += bytesToSkip;
    }

    @Override
    public short readUnsignedByte() {
        long at = position - windowStart;
        if (at < 0 || at >= windowLength) {
            fill();
            at = 0;
        }
        position++;
        return (short) (window[(int) at] & 0xff);
    }

    /** Fills {@code data} or throws: jelf checks the count in some places only. */
    @Override
    public int read(byte[] data) {
        int done = 0;
        while (done < data.length) {
            long at = position - windowStart;
            if (at < 0 || at >= windowLength) {
                fill();
                at = 0;
            }
            int count = Math.min(data.length - done, windowLength - (int) at);
            System.arraycopy(window, (int) at, data, done, count);
            done += count;
            position += count;
        }
        return done;
    }

    private void fill() {
        windowStart = position;
        windowLength = 0;
        buffer.clear();
        int count;
        try {
            count = position < 0 ? 0 : source.read(buffer, position);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (count <= 0) {
            throw new ElfException(String.format("the image ends before 0x%x", position));
        }
        windowLength = count;
    }

    byte[] bytesAt(long offset, int length) {
        byte[] bytes = new byte[length];
        seek(offset);
        read(bytes);
        return bytes;
    }

    int intAt(long offset) {
        return ByteBuffer.wrap(bytesAt(offset, Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    long longAt(long offset) {
        return ByteBuffer.wrap(bytesAt(offset, Long.BYTES)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    /** The bytes from {@code offset} up to the first 0. */
    String stringAt(long offset) {
        seek(offset);
        byte[] text = new byte[32];
        int length = 0;
        for (byte b; (b = (byte) readUnsignedByte()) != 0; length++) {
            if (length == text.length) {
                text = Arrays.copyOf(text, 2 * length);
            }
            text[length] = b;
        }
        return new String(text, 0, length, StandardCharsets.UTF_8);
    }
}
