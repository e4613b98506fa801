package uprobe.probe;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import uprobe.probe.elf.LoadedLibraries;
import uprobe.probe.elf.LoadedLibrary;
import uprobe.probe.helper.Helper;

/** What the engine needs of the machine it runs on. */
final class Platform {
    private static final String SUPPORTED = "Linux on x86-64 with glibc is";

    /** @throws ProbeRefusedException {@link Refusal#PLATFORM} with what was found and what would do */
    static void check() throws ProbeRefusedException {
        check(System.getProperty("os.name"), System.getProperty("os.arch"), Files.exists(Path.of("/lib/ld-musl-x86_64.so.1")));
    }

    static void check(String os, String arch, boolean musl) throws ProbeRefusedException {
        boolean x86 = arch.equals("amd64") || arch.equals("x86_64");
        if (!os.toLowerCase(Locale.ROOT).equals("linux") || !x86) {
            throw new ProbeRefusedException(Refusal.PLATFORM, os + " on " + arch, SUPPORTED);
        } else if (musl && !usesGlibc()) {
            throw new ProbeRefusedException(Refusal.PLATFORM, os + " on " + arch + " with musl", SUPPORTED);
        }
    }

    /** What {@link Helper#up_init} said. */
    static void checkProcessor(int result) throws ProbeRefusedException {
        if (result == Helper.PROCESSOR) {
            throw new ProbeRefusedException(Refusal.PLATFORM, "a processor without cmpxchg16b", "those made since 2006 have it");
        }
    }

    private static boolean usesGlibc() {
        try {
            return LoadedLibraries.snapshot().all().stream().anyMatch(l -> l.fileName().equals("libc.so.6") || "libc.so.6".equals(l.soname()));
        } catch (IOException e) {
            return false;
        }
    }

    /** Path of the running VM's library. */
    static String libjvm() throws IOException {
        return LoadedLibraries.snapshot().all().stream().filter(l -> l.fileName().equals("libjvm.so")).map(LoadedLibrary::path)
                .findFirst().orElseThrow(() -> new IOException("no libjvm.so is loaded")).toString();
    }

    private Platform() {}
}
