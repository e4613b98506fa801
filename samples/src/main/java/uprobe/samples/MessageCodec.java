package uprobe.samples;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Packs each file like a message on its way to a network: one Deflater and one Inflater, used again and again, and a small buffer. */
final class MessageCodec implements RoundTrip {
    private static final int BUFFER = 8 * 1024;

    @Override
    public String what() {
        return "Deflater and Inflater, 8 KiB at a time";
    }

    @Override
    public long run(List<Content> files) throws IOException {
        long packed = 0;
        Deflater deflater = new Deflater();
        Inflater inflater = new Inflater();
        try {
            for (Content file : files) {
                byte[] message = pack(deflater, file.bytes());
                packed += message.length;
                if (!Arrays.equals(file.bytes(), unpack(inflater, message))) {
                    throw new NotEqualException(this, file.name());
                }
            }
        } finally {
            deflater.end();
            inflater.end();
        }
        return packed;
    }

    static byte[] pack(Deflater deflater, byte[] plain) {
        deflater.reset();
        deflater.setInput(plain);
        deflater.finish();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] buffer = new byte[BUFFER];
        while (!deflater.finished()) {
            out.write(buffer, 0, deflater.deflate(buffer));
        }
        return out.toByteArray();
    }

    static byte[] unpack(Inflater inflater, byte[] packed) throws IOException {
        inflater.reset();
        inflater.setInput(packed);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] buffer = new byte[BUFFER];
        try {
            while (!inflater.finished()) {
                int length = inflater.inflate(buffer);
                if (length == 0 && !inflater.finished()) {
                    throw new IOException("the message ends too early");
                }
                out.write(buffer, 0, length);
            }
        } catch (DataFormatException e) {
            throw new IOException(e);
        }
        return out.toByteArray();
    }
}
