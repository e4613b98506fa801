package uprobe.probe.elf;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;

/**
 * Reading the own memory through {@code /proc/self/mem} (proc(5)): an address that is gone is an IOException there, where a load would be a
 * SIGSEGV. A process that is not dumpable and not root's may not open it (PR_SET_DUMPABLE(2const)); then {@link #available} is false and
 * every read throws. One thread at a time.
 */
final class ProcessMemory implements AutoCloseable {

    private final RandomAccessFile file;
    private final IOException refusal;

    private ProcessMemory(RandomAccessFile file, IOException refusal) {
        this.file = file;
        this.refusal = refusal;
    }

    static ProcessMemory open() {
        try {
            return new ProcessMemory(new RandomAccessFile("/proc/self/mem", "r"), null);
        } catch (IOException e) {
            return new ProcessMemory(null, e);
        }
    }

    boolean available() {
        return file != null;
    }

    /** As pread(2): stops before the first page that is not mapped; IOException if already the first byte is not. */
    int read(ByteBuffer into, long address) throws IOException {
        if (file == null) {
            throw new IOException("the own memory cannot be read: " + refusal.getMessage(), refusal);
        }
        try {
            return WindowedFile.Source.of(file).read(into, address);
        } catch (IOException e) {
            throw new IOException(String.format("nothing readable at 0x%x: %s", address, e.getMessage()), e);
        }
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
