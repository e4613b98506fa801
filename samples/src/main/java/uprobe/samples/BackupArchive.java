package uprobe.samples;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** Writes all files into one .zip on the disk and reads each from it. */
final class BackupArchive implements RoundTrip {
    @Override
    public String what() {
        return "ZipOutputStream and ZipFile";
    }

    @Override
    public long run(List<Content> files) throws IOException {
        Path zip = Files.createTempFile("uprobe-sample", ".zip");
        try {
            write(zip, files);
            read(zip, files);
            return Files.size(zip);
        } finally {
            Files.delete(zip);
        }
    }

    private static void write(Path zip, List<Content> files) throws IOException {
        try (ZipOutputStream out = new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(zip)))) {
            for (Content file : files) {
                out.putNextEntry(new ZipEntry(file.name()));
                out.write(file.bytes());
                out.closeEntry();
            }
        }
    }

    private void read(Path zip, List<Content> files) throws IOException {
        try (ZipFile archive = new ZipFile(zip.toFile())) {
            for (Content file : files) {
                ZipEntry entry = archive.getEntry(file.name());
                if (entry == null) {
                    throw new NotEqualException(this, file.name());
                }
                try (InputStream in = archive.getInputStream(entry)) {
                    if (!Arrays.equals(file.bytes(), in.readAllBytes())) {
                        throw new NotEqualException(this, file.name());
                    }
                }
            }
        }
    }
}
