package uprobe.probe.elf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class ProcessMemoryTest {
    /** Where the process is not dumpable /proc/self/mem can not be opened: r and c were refused there. */
    @Test
    void memoryIsReadAlsoWithoutItsFile() throws IOException {
        LoadedLibrary libc = LoadedLibraries.snapshot().all().stream().filter(l -> l.fileName().equals("libc.so.6")).findFirst().orElseThrow();
        int length = (int) (libc.textEnd() - libc.textStart());
        ByteBuffer through = ByteBuffer.allocate(length), without = ByteBuffer.allocate(length);
        try (ProcessMemory file = ProcessMemory.open(); ProcessMemory call = ProcessMemory.withoutFile(new IOException("none"))) {
            assertTrue(call.available());
            assertEquals(length, file.read(through, libc.textStart()));
            assertEquals(length, call.read(without, libc.textStart()));
            IOException gone = assertThrows(IOException.class, () -> call.read(ByteBuffer.allocate(8), 8));
            assertTrue(gone.getMessage().startsWith("nothing readable at 0x8: "), gone::getMessage);
        }
        assertArrayEquals(through.array(), without.array());
    }
}
