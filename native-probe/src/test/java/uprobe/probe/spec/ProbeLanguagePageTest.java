package uprobe.probe.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/* docs/probe-language.md is read by users as a promise: its examples must parse, its table of mistakes must be what the parser says. */
class ProbeLanguagePageTest {
    /* | `text` | `message` |, where \| stands for | as tables want it */
    private static final Pattern MISTAKE = Pattern.compile("\\| `(.+)` \\| `(column .+)` \\|");
    /* examples are indented lines that begin like a probe; what follows two blanks and -> is explanation */
    private static final Pattern EXAMPLE = Pattern.compile(" {4}([prc](?::\\S+)? \\S+:.*?)(?: {2,}->.*)?");

    private static List<String> page() throws IOException {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            Path page = folder.resolve("docs/probe-language.md");
            if (Files.exists(page)) {
                return Files.readAllLines(page);
            }
        }
        throw new IOException("docs/probe-language.md is in no folder above " + Path.of("").toAbsolutePath());
    }

    @TestFactory
    List<DynamicTest> theTableSaysWhatTheParserSays() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (String line : page()) {
            Matcher row = MISTAKE.matcher(line);
            if (row.matches()) {
                String text = row.group(1).replace("\\|", "|");
                tests.add(DynamicTest.dynamicTest(text, () -> assertEquals(row.group(2).replace("\\|", "|"),
                        assertThrows(ProbeSyntaxException.class, () -> ProbeParser.parse(text)).getMessage())));
            }
        }
        assertTrue(tests.size() > 100, "only " + tests.size() + " rows were found");
        return tests;
    }

    @Test
    void theExamplesParse() throws Exception {
        int examples = 0;
        for (String line : page()) {
            Matcher example = EXAMPLE.matcher(line);
            if (example.matches()) {
                assertNotNull(ProbeParser.parse(example.group(1)));
                examples++;
            }
        }
        assertTrue(examples > 15, "only " + examples + " examples were found");
    }
}
