package uprobe.samples;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * {@code CompressFiles [SECONDS]}: compresses and decompresses files in the ways Java programs do, and compares; once, or again and again for so many
 * seconds. Standard input: the files' names, each with a 0 behind it.
 */
public final class CompressFiles {
    private static final List<RoundTrip> USES = List.of(new MessageCodec(), new LogRotation(), new BackupArchive(), new BlockStore());

    public static void main(String[] arguments) throws IOException {
        long end = System.nanoTime() + (arguments.length == 0 ? 0 : Long.parseLong(arguments[0]) * 1_000_000_000);
        List<RoundTrip.Content> files = read(new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\0"));
        long bytes = files.stream().mapToLong(file -> file.bytes().length).sum();
        if (bytes == 0) {
            System.err.println("no files to compress on standard input");
            System.exit(1);
        }
        System.out.printf(Locale.ROOT, "%,d files, %s, compressed and decompressed by%n", files.size(), megabytes(bytes));
        do {
            round(files);
        } while (System.nanoTime() - end < 0);
    }

    private static void round(List<RoundTrip.Content> files) {
        for (RoundTrip use : USES) {
            long start = System.nanoTime();
            long packed;
            try {
                packed = use.run(files);
            } catch (IOException e) {
                System.err.println(e.getMessage());
                System.exit(1);
                return;
            }
            System.out.printf(Locale.ROOT, "  %-14s %-42s %9s  equal %6.2f s%n", use.getClass().getSimpleName(), use.what(), megabytes(packed),
                    (System.nanoTime() - start) / 1e9);
        }
    }

    private static List<RoundTrip.Content> read(String[] names) throws IOException {
        List<RoundTrip.Content> files = new ArrayList<>();
        for (String name : names) {
            Path path = Path.of(name);
            /* git lists what is in its index: a deleted file, a submodule, a link to nowhere. */
            if (Files.isRegularFile(path)) {
                files.add(new RoundTrip.Content(name, Files.readAllBytes(path)));
            }
        }
        return files;
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f MB", bytes / 1e6);
    }

    private CompressFiles() {}
}
