package uprobe.jfr;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Whether Flight Recorder may be started. Where it can not write to its repository it ends the whole JVM ("An irrecoverable error in Jfr. Shutting down VM",
 * jfrStreamWriterHost.inline.hpp, write_bytes), so it is not started in a process that runs well without it and whose disk is full.
 */
public final class RepositorySpace {
    /** Metadata and a chunk's beginning are about one. */
    private static final long LEAST_BYTES = 16 << 20;
    /** -XX:FlightRecorderOptions=repository=PATH,... */
    private static final String OPTIONS = "-XX:FlightRecorderOptions", REPOSITORY = "repository=";

    /** @throws IOException with one sentence, if there is too little room */
    public static void check() throws IOException {
        Path folder = folder();
        long free;
        try {
            free = Files.getFileStore(folder).getUsableSpace();
        } catch (IOException unknown) {
            return;
        }
        if (free < LEAST_BYTES) {
            throw new IOException(folder + ", where Flight Recorder keeps its data, has " + (free >> 10) + " KiB free, and " + (LEAST_BYTES >> 20)
                    + " MiB are wanted: it ends the JVM when it can not write; make room, or start the JVM with -XX:FlightRecorderOptions=repository=FOLDER");
        }
    }

    private static Path folder() throws IOException {
        String[] arguments = Files.readString(Path.of("/proc/self/cmdline"), StandardCharsets.ISO_8859_1).split("\0");
        String named = Arrays.stream(arguments).filter(argument -> argument.startsWith(OPTIONS)).flatMap(argument -> Arrays.stream(argument.substring(OPTIONS.length() + 1).split(",")))
                .filter(option -> option.startsWith(REPOSITORY)).map(option -> option.substring(REPOSITORY.length())).findFirst().orElse("");
        Path folder = Path.of(named.isEmpty() ? System.getProperty("java.io.tmpdir", "/tmp") : named).toAbsolutePath();
        while (folder.getParent() != null && !Files.exists(folder)) {
            folder = folder.getParent();        /* it is made when it is first needed */
        }
        return folder;
    }

    private RepositorySpace() {}
}
