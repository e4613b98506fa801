package uprobe.it.app;

import java.nio.file.Files;
import java.nio.file.Path;
import jdk.jfr.Recording;

/** Opens files, while recordings come and go and have the agent at work on this thread and on its own. */
public final class OpensFiles {
    public static final int FILES = 300;

    public static void main(String[] args) throws Exception {
        for (int i = 0; i < FILES; i++) {
            Files.readAllBytes(Path.of("/proc/self/comm"));
            if (i % 50 == 0) {
                try (Recording other = new Recording()) {
                    other.enable("uprobe.NativeCall").with("limit", (1_000_000 + i) + "/s");
                    other.start();
                }
            }
        }
        Fixture.ok();
    }

    private OpensFiles() {}
}
