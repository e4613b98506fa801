package uprobe.samples;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The machine code of a process beside what its file has there (proc(5): {@code maps}, {@code mem}). Needs the right to trace the process: its user, and
 * {@code kernel.yama.ptrace_scope} 0, or root.
 */
final class TextOfProcess {
    private static final int BYTES = 8;

    private final Path proc;

    TextOfProcess(long pid) {
        proc = Path.of("/proc", String.valueOf(pid));
    }

    /** Some bytes of code, in memory and in the file. */
    record Place(String library, long address, byte[] memory, byte[] file) {
        boolean isOriginal() {
            return Arrays.equals(memory, file);
        }

        @Override
        public String toString() {
            HexFormat hex = HexFormat.ofDelimiter(" ");
            return String.format("%s at 0x%x: %s, ", library, address, hex.formatHex(memory))
                    + (isOriginal() ? "as in the file" : "in the file " + hex.formatHex(file));
        }
    }

    /** @throws IOException if nothing of a file is mapped there, or it may not be read */
    Place at(long address) throws IOException {
        for (String line : Files.readAllLines(proc.resolve("maps"))) {
            /* 7f1c08a03000-7f1c08a16000 r-xp 00003000 fe:00 1234   /usr/lib/x86_64-linux-gnu/libz.so.1.2.13 */
            String[] parts = line.split("\\s+", 6);
            String[] range = parts[0].split("-");
            long start = Long.parseUnsignedLong(range[0], 16);
            if (parts.length == 6 && parts[5].startsWith("/") && address >= start && address < Long.parseUnsignedLong(range[1], 16)) {
                byte[] memory = read(proc.resolve("mem"), address);
                byte[] file = read(proc.resolve("root" + parts[5]), address - start + Long.parseLong(parts[2], 16));
                return new Place(Path.of(parts[5]).getFileName().toString(), address, memory, file);
            }
        }
        throw new IOException("no file is mapped there");
    }

    private static byte[] read(Path file, long offset) throws IOException {
        byte[] bytes = new byte[BYTES];
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            in.seek(offset);
            in.readFully(bytes);
        }
        return bytes;
    }
}
