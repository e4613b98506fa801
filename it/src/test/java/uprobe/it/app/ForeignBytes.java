package uprobe.it.app;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes over the only trap in libprobed.so, as a debugger would, waits, and prints the address as {@code written ADDRESS}. */
public final class ForeignBytes {
    private static final int HLT = 0xf4;
    private static final long WAIT_MS = 3_000;

    static {
        Fixture.load("probed");
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        try (RandomAccessFile memory = new RandomAccessFile("/proc/self/mem", "rw")) {
            long address = trap(memory);
            memory.seek(address);
            memory.write(HLT);
            System.out.println("written " + Long.toHexString(address));
            Thread.sleep(WAIT_MS);
            memory.seek(address);
            Fixture.same(HLT, memory.read(), "the byte that nobody else may touch");
        }
        Fixture.ok();
    }

    /** Where memory differs from the file. */
    private static long trap(RandomAccessFile memory) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            String[] parts = line.split("\\s+", 6);
            if (parts.length == 6 && parts[1].startsWith("r-x") && parts[5].endsWith("/libprobed.so")) {
                String[] range = parts[0].split("-");
                long start = Long.parseUnsignedLong(range[0], 16), offset = Long.parseLong(parts[2], 16);
                byte[] file = Files.readAllBytes(Path.of(parts[5]));
                byte[] now = new byte[(int) Math.min(Long.parseUnsignedLong(range[1], 16) - start, file.length - offset)];
                memory.seek(start);
                memory.readFully(now);
                for (int i = 0; i < now.length; i++) {
                    if (now[i] != file[(int) offset + i]) {
                        return start + i;
                    }
                }
            }
        }
        throw new AssertionError("no trap in libprobed.so");
    }

    private ForeignBytes() {}
}
