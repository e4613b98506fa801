package uprobe.samples;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;

class RoundTripTest {
    private static final List<RoundTrip> USES = List.of(new MessageCodec(), new LogRotation(), new BackupArchive(), new BlockStore());

    private static RoundTrip.Content zeros(String name, int size) {
        return new RoundTrip.Content(name, new byte[size]);
    }

    @Test
    void everyUseBringsEveryFileBack() throws IOException {
        byte[] noise = new byte[1_999_993];
        new Random(17).nextBytes(noise);
        List<RoundTrip.Content> files = List.of(zeros("empty", 0), zeros("one", 1), zeros("a/block", 64 * 1024), zeros("a/block and one", 64 * 1024 + 1),
                new RoundTrip.Content("noise that can not be compressed", noise));
        for (RoundTrip use : USES) {
            long packed = use.run(files);
            assertTrue(packed > noise.length && packed < 1.01 * noise.length + 1_000, use.what() + ": " + packed);
        }
    }

    @Test
    void aMessageThatIsCutIsAnError() {
        byte[] packed = MessageCodec.pack(new Deflater(), "seven".repeat(1_000).getBytes());
        assertThrows(IOException.class, () -> MessageCodec.unpack(new Inflater(), Arrays.copyOf(packed, packed.length / 2)));
    }
}
