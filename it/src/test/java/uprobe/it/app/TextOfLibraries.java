package uprobe.it.app;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiConsumer;
import java.util.zip.Deflater;

/** Compares the text of every library in memory with its file; prints {@code changed FILE N} for each that differs in N bytes, and {@code compared N}. */
public final class TextOfLibraries {
    public static void main(String[] args) throws IOException {
        new Deflater().end();
        System.out.println("compared " + compareAll((file, different) -> System.out.println("changed " + file + " " + different)));
    }

    /** @param different gets the name of each library that differs from its file, and in how many bytes; returns how many were compared */
    static int compareAll(BiConsumer<String, Integer> different) throws IOException {
        int compared = 0;
        try (RandomAccessFile memory = new RandomAccessFile("/proc/self/mem", "r")) {
            for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
                String[] parts = line.split("\\s+", 6);
                if (parts.length == 6 && parts[1].startsWith("r-x") && parts[5].startsWith("/") && Files.exists(Path.of(parts[5]))) {
                    int bytes = compare(memory, parts);
                    if (bytes > 0) {
                        different.accept(Path.of(parts[5]).getFileName().toString(), bytes);
                    }
                    compared++;
                }
            }
        }
        return compared;
    }

    private static int compare(RandomAccessFile memory, String[] parts) throws IOException {
        String[] range = parts[0].split("-");
        long start = Long.parseUnsignedLong(range[0], 16), length = Long.parseUnsignedLong(range[1], 16) - start;
        try (RandomAccessFile file = new RandomAccessFile(parts[5], "r")) {
            long offset = Long.parseLong(parts[2], 16);
            byte[] now = new byte[(int) Math.min(length, file.length() - offset)], then = new byte[now.length];
            memory.seek(start);
            memory.readFully(now);
            file.seek(offset);
            file.readFully(then);
            int different = 0;
            for (int i = 0; i < now.length; i++) {
                different += now[i] == then[i] ? 0 : 1;
            }
            return different;
        }
    }

    private TextOfLibraries() {}
}
