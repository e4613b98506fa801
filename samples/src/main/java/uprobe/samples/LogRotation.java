package uprobe.samples;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** Turns each file into a .gz and reads it again, as logs are rotated and searched; the streams' own buffers of 512 bytes make many small calls. */
final class LogRotation implements RoundTrip {
    @Override
    public String what() {
        return "GZIPOutputStream and GZIPInputStream";
    }

    @Override
    public long run(List<Content> files) throws IOException {
        long packed = 0;
        for (Content file : files) {
            byte[] gz = rotate(file.bytes());
            packed += gz.length;
            if (!Arrays.equals(file.bytes(), read(gz))) {
                throw new NotEqualException(this, file.name());
            }
        }
        return packed;
    }

    static byte[] rotate(byte[] plain) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream gz = new GZIPOutputStream(out)) {
            gz.write(plain);
        }
        return out.toByteArray();
    }

    static byte[] read(byte[] gz) throws IOException {
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(gz))) {
            return in.readAllBytes();
        }
    }
}
