package uprobe.samples;

import java.io.IOException;
import java.util.List;

/** One way Java programs use zlib. */
interface RoundTrip {
    /** A file in memory; the name is relative, with '/' between its parts. */
    record Content(String name, byte[] bytes) {}

    /** What a program would say of this use. */
    String what();

    /**
     * Compresses all files, decompresses what came out and compares.
     *
     * @return how many bytes the compressed form has
     * @throws NotEqualException if a file came back different
     */
    long run(List<Content> files) throws IOException;

    /** What was decompressed is not what was compressed. */
    final class NotEqualException extends IOException {
        private static final long serialVersionUID = 1;

        NotEqualException(RoundTrip use, String file) {
            super(use.getClass().getSimpleName() + ": " + file + " came back different");
        }
    }
}
