package uprobe.probe.helper;

import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where native libraries can be unpacked to: a folder that can be written to and whose files may be mapped executable. /tmp is often mounted noexec, or full, or
 * read-only. The files are deleted when the JVM ends.
 */
final class NativeFolder {
    private static Path first;

    /** Tried before all others. */
    static synchronized void prefer(Path folder) {
        first = folder;
    }

    /** @param resource of the jar, whose folder is tried too */
    static synchronized List<Path> candidates(URL resource) {
        List<Path> all = new ArrayList<>();
        if (first != null) {
            all.add(first);
        }
        all.add(Path.of(System.getProperty("java.io.tmpdir", "/tmp")));
        String jar = resource == null ? "" : resource.toString();
        if (jar.startsWith("jar:file:") && jar.contains("!/")) {
            try {
                all.add(Path.of(java.net.URI.create(jar.substring("jar:".length(), jar.indexOf("!/")))).getParent());
            } catch (IllegalArgumentException noFile) {
                /* the others are enough */
            }
        }
        Stream.of(System.getProperty("user.home", ""), "/dev/shm", "/var/tmp").filter(name -> !name.isEmpty() && !name.equals("?")).map(Path::of).forEach(all::add);
        return all.stream().distinct().toList();
    }

    /** Why it is none; empty if nothing speaks against it. */
    static String objection(Path folder) {
        if (!Files.isDirectory(folder)) {
            return "is no folder";
        } else if (!Files.isWritable(folder)) {
            return "can not be written to";
        }
        return isNoExec(folder) ? "is mounted noexec" : "";
    }

    /** By proc_pid_mountinfo(5): the fifth field is where it is mounted, the sixth how. Of two at one place the later one counts. */
    private static boolean isNoExec(Path folder) {
        String longest = "", options = "";
        try {
            Path real = folder.toRealPath();
            for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"), StandardCharsets.UTF_8)) {
                String[] fields = line.split(" ");
                String place = unescaped(fields[4]);
                if (place.length() >= longest.length() && real.startsWith(Path.of(place))) {
                    longest = place;
                    options = fields[5];
                }
            }
        } catch (IOException | InvalidPathException e) {
            return false;       /* it is found out by trying */
        }
        return List.of(options.split(",")).contains("noexec");
    }

    private static String unescaped(String place) {
        return place.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
    }

    private NativeFolder() {}
}
