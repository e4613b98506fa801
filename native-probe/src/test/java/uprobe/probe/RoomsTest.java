package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The rooms behind the engine's face know each other in one direction only: package-info.java of uprobe.probe says which. */
class RoomsTest {
    private static final Path SOURCES = Path.of("src/main/java/uprobe/probe");
    private static final Map<String, Set<String>> KNOWN = Map.of(
            "patch", Set.of("code", "helper", "elf", "spec"),
            "code", Set.of("helper", "elf", "spec"),
            "helper", Set.of("elf", "spec"),
            "elf", Set.of(),
            "spec", Set.of());
    private static final Set<String> WORDS = Set.of("Refusal", "ProbeRefusedException", "ArmedSite");
    private static final Pattern NAMED = Pattern.compile("\\buprobe\\.probe\\.(?:([a-z]+)\\.)?([A-Z]\\w*)");

    @Test
    void eachRoomKnowsOnlyThoseBehindIt() throws IOException {
        List<String> wrong = new ArrayList<>();
        int seen = 0;
        for (String room : KNOWN.keySet()) {
            try (Stream<Path> files = Files.list(SOURCES.resolve(room))) {
                for (Path file : files.filter(f -> f.toString().endsWith(".java") && !f.endsWith("package-info.java")).toList()) {
                    Matcher names = NAMED.matcher(Files.readString(file));
                    while (names.find()) {
                        seen++;
                        String other = names.group(1);
                        boolean ofTheFace = other == null && WORDS.contains(names.group(2)) && !KNOWN.get(room).isEmpty();
                        if (!room.equals(other) && !ofTheFace && (other == null || !KNOWN.get(room).contains(other))) {
                            wrong.add(file.getFileName() + " names " + names.group());
                        }
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(seen > 20, seen + " names of other rooms");
    }
}
