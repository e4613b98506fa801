package uprobe.probe.elf;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;

/**
 * Reading the own memory, where an address that is gone is an IOException and not a SIGSEGV: through {@code /proc/self/mem} (proc(5)), or by
 * process_vm_readv(2), as a process that is not dumpable and not root's may not open that file (PR_SET_DUMPABLE(2const)). Where a seccomp filter forbids
 * the second as well, {@link #available} is false and every read throws. One thread at a time.
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
            return withoutFile(e);
        }
    }

    static ProcessMemory withoutFile(IOException refusal) {
        return new ProcessMemory(null, refusal);
    }

    boolean available() {
        if (file != null) {
            return true;
        }
        try (Memory any = new Memory(1)) {
            return readByCall(ByteBuffer.allocate(1), Pointer.nativeValue(any)) == 1;
        } catch (IOException e) {
            return false;
        }
    }

    /** As pread(2): stops before the first page that is not mapped; IOException if already the first byte is not. */
    int read(ByteBuffer into, long address) throws IOException {
        try {
            return file == null ? readByCall(into, address) : WindowedFile.Source.of(file).read(into, address);
        } catch (IOException e) {
            throw new IOException(String.format("nothing readable at 0x%x: %s", address, e.getMessage()), e);
        }
    }

    private int readByCall(ByteBuffer into, long address) throws IOException {
        int length = into.remaining();
        if (length == 0) {
            return 0;
        }
        try (Memory copy = new Memory(length); Memory vectors = new Memory(4 * Long.BYTES)) {
            vectors.setPointer(0, copy);        /* two of struct iovec: where to, and where from */
            vectors.setLong(Long.BYTES, length);
            vectors.setLong(2 * Long.BYTES, address);
            vectors.setLong(3 * Long.BYTES, length);
            long read = NativeLibrary.getProcess().getFunction("process_vm_readv")
                    .invokeLong(new Object[] {(int) ProcessHandle.current().pid(), vectors, 1L, vectors.share(2 * Long.BYTES), 1L, 0L});
            if (read <= 0) {
                throw new IOException("the own memory cannot be read: " + refusal.getMessage() + "; process_vm_readv: error " + Native.getLastError());
            }
            into.put(copy.getByteArray(0, (int) read));
            return (int) read;
        }
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
