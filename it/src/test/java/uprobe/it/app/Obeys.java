package uprobe.it.app;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Does what its standard input says, a line each, and answers {@code done LINE}: {@code leaf N} calls probed_leaf N times from {@link #work}, {@code text}
 * compares its libraries with their files, {@code state} counts threads, descriptors and mappings, {@code end} ends it.
 */
public final class Obeys {
    public static void main(String[] args) throws Exception {
        Probed.leaf(0);
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null && !line.equals("end");) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "leaf" -> System.out.println("sum " + work(Integer.parseInt(words[1])));
                case "text" -> {
                    TextOfLibraries.compareAll((file, different) -> System.out.println("changed " + file + " " + different));
                }
                case "state" -> System.out.println("threads " + entries("/proc/self/task") + " descriptors " + entries("/proc/self/fd") + " mappings "
                        + Files.readAllLines(Path.of("/proc/self/maps")).size());
                default -> throw new IllegalArgumentException(line);
            }
            System.out.println("done " + line);
        }
    }

    static long work(int times) {
        long sum = 0;
        for (int i = 0; i < times; i++) {
            sum += Probed.leaf(i);
        }
        return sum;
    }

    private static long entries(String folder) throws Exception {
        try (Stream<Path> all = Files.list(Path.of(folder))) {
            return all.count();
        }
    }

    private Obeys() {}
}
