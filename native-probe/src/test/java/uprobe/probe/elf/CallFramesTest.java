package uprobe.probe.elf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Against binutils' readelf, over every library of this process. */
class CallFramesTest {
    /** {@code 00000018 00000014 0000001c FDE cie=00000000 pc=0000000000001040..0000000000001066} */
    private static final Pattern FDE = Pattern.compile("\\S+ \\S+ \\S+ FDE .*pc=([0-9a-f]+)\\.\\.([0-9a-f]+)");
    /** {@code 0000000000001046 rsp+16   u     c-8} */
    private static final Pattern ROW = Pattern.compile("([0-9a-f]{16}) (\\S+) .*");

    private record Described(long end, Map<Long, String> rules) {}

    private static Map<Long, Described> readelf(LoadedLibrary library) throws Exception {
        Process readelf = new ProcessBuilder("readelf", "-wF", library.path().toString()).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        Map<Long, Described> found = new TreeMap<>();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(readelf.getInputStream()))) {
            Described current = null;
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                Matcher fde = FDE.matcher(line), row = ROW.matcher(line);
                if (fde.matches()) {
                    current = new Described(Long.parseLong(fde.group(2), 16), new TreeMap<>());
                    found.put(Long.parseLong(fde.group(1), 16), current);
                } else if (current != null && row.matches()) {
                    current.rules.put(Long.parseLong(row.group(1), 16), row.group(2));
                } else if (line.isBlank()) {
                    current = null;
                }
            }
        }
        return found;
    }

    @Test
    void agreesWithReadelf() throws Exception {
        int entries = 0, parts = 0;
        List<LoadedLibrary> libraries = LoadedLibraries.snapshot().all().stream()
                .filter(l -> !l.deleted() && l.fileName().contains(".so") && !l.fileName().contains("libjvm")).toList();
        for (LoadedLibrary library : libraries) {
            Map<Long, Described> expected = readelf(library);
            CallFrames frames = library.callFrames().orElse(null);
            if (frames == null) {
                continue;
            }
            assertEquals(expected.size(), frames.size(), library.fileName());
            int i = 0;
            for (Map.Entry<Long, Described> described : expected.entrySet()) {
                long start = described.getKey() + library.loadBias();
                assertEquals(new CallFrames.Entry(start, described.getValue().end + library.loadBias()), frames.entry(i++), library.fileName());
                /* ld's own entry for the PLT has a rule for the address behind its end. */
                described.getValue().rules.keySet().removeIf(at -> at >= described.getValue().end);
                for (Map.Entry<Long, String> rule : described.getValue().rules.entrySet()) {
                    boolean top = rule.getValue().equals("rsp+8");
                    assertEquals(top, frames.returnAddressOnTop(rule.getKey() + library.loadBias()).orElseThrow(),
                            () -> library.fileName() + " at 0x" + Long.toHexString(rule.getKey()) + ": " + rule.getValue());
                    if (entries % 7 == 0 && rule.getKey() + 1 < described.getValue().end && !described.getValue().rules.containsKey(rule.getKey() + 1)) {
                        assertEquals(top, frames.returnAddressOnTop(rule.getKey() + 1 + library.loadBias()).orElseThrow(), library::fileName);
                    }
                    parts += rule.getKey().equals(described.getKey()) && !top ? 1 : 0;
                }
                entries++;
            }
        }
        System.out.println("CallFrames: " + libraries.size() + " libraries, " + entries + " stretches, " + parts + " that begin with the return address elsewhere");
        assertTrue(entries > 3000 && parts > 50, entries + " entries, " + parts + " parts");
    }
}
