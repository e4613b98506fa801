package uprobe.probe.code;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import uprobe.probe.helper.Helper;

/** A stretch of a library's code, read in one piece. It lies outside the Java heap, where the helper looks at it without another copy. */
public final class CodeText implements AutoCloseable {
    private final long start;
    private final int length;
    private final Memory memory;
    private final ByteBuffer bytes;

    private CodeText(long start, int length) {
        this.start = start;
        this.length = length;
        memory = new Memory(Math.max(1, length));
        bytes = memory.getByteBuffer(0, length);
    }

    /** null if some of it is not mapped any more. */
    public static CodeText read(long start, int length) {
        CodeText text = new CodeText(start, length);
        if (Helper.up_text_read(start, text.memory, length) < 0) {
            text.close();
            return null;
        }
        return text;
    }

    public long start() {
        return start;
    }

    /** Address behind its last byte. */
    public long end() {
        return start + length;
    }

    /** What stands there is another byte without probes. */
    public void put(long address, byte original) {
        if (address >= start && address < end()) {
            bytes.put((int) (address - start), original);
        }
    }

    /** Fewer than asked for where it ends before. */
    public byte[] bytes(long address, int wanted) {
        byte[] copy = new byte[(int) Math.min(wanted, end() - address)];
        bytes.get((int) (address - start), copy);
        return copy;
    }

    /** Whether these bytes stand there. */
    public boolean has(byte[] wanted, long address) {
        if (address < start || address + wanted.length > end()) {
            return false;
        }
        for (int i = 0, at = (int) (address - start); i < wanted.length; i++, at++) {
            if (bytes.get(at) != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    /** Where the copy lies. */
    long address() {
        return Pointer.nativeValue(memory);
    }

    @Override
    public void close() {
        memory.close();
    }
}
