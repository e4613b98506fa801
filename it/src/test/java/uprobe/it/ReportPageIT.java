package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import uprobe.it.app.ZipRounds;

/** The page of {@code report --html}, in a browser: a script behind its own uses it as a reader would, and what came of that is read from the page. */
class ReportPageIT {
    private static final Path BROWSER = Path.of("/usr/bin/chromium");
    private static final String DEFLATE = "c:zlib/deflate {libz.so*,libzip.so}:deflate avail_in=+8($arg1):u32/bytes ret=$retval:s32";
    private static final String INFLATE = "c:zlib/inflate {libz.so*,libzip.so}:inflate ret=$retval:s32";

    private static final String READER = """
            <pre id="seen"></pre>
            <script>
            const seen = {violations: 0};
            document.addEventListener('securitypolicyviolation', () => seen.violations++);
            function colours() {
              const canvas = flame.contentDocument.getElementById('canvas');
              const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data, found = {red: 0, green: 0, violet: 0};
              for (let i = 0; i < pixels.length; i += 4) {
                const [r, g, b] = pixels.slice(i, i + 3);
                found.red += r > 200 && g < 150 && b < 150 ? 1 : 0;
                found.green += g > 200 && r < 180 && b < 180 ? 1 : 0;
                found.violet += r > 200 && g < 50 && b > 200 ? 1 : 0;
              }
              return found;
            }
            function column(table, index) {
              return Array.from(document.getElementById(table).tBodies[0].rows).map(row => row.cells[index].textContent).join('|');
            }
            setTimeout(() => {
              seen.drawn = colours();
              flame.contentWindow.search('\\\\.deflate$');
              seen.matched = flame.contentDocument.getElementById('matchval').textContent;
              seen.found = colours();
              flame.contentWindow.search('nosuchname');
              seen.unmatched = flame.contentDocument.getElementById('matchval').textContent;
              const headers = document.querySelectorAll('#byFunction th');
              headers[0].click();
              seen.ascending = column('byFunction', 0);
              headers[0].click();
              seen.descending = column('byFunction', 0);
              headers[2].click();
              seen.byTime = column('byFunction', 0);
              seen.requests = performance.getEntriesByType('resource').length + flame.contentWindow.performance.getEntriesByType('resource').length;
              weight.value = 'calls';
              weight.onchange();
              setTimeout(() => {
                seen.drawnByCalls = colours();
                document.getElementById('seen').textContent = JSON.stringify(seen);
              }, 500);
            }, 1000);
            </script>
            """;

    @Test
    void theGraphDrawsAndSearchesTheTablesSortAndNothingIsFetched() throws Exception {
        assumeTrue(Files.isExecutable(BROWSER), "chromium is not installed here");
        ChildJvm.Outcome outcome = ChildJvm.of(Jdk.all().get(0), ZipRounds.class).probes(DEFLATE, INFLATE).run("rounds", "100").ok();
        Path page = outcome.folder().resolve("page.html");
        run(List.of(Jdk.all().get(0).tool("java").toString(), "-jar", ChildJvm.agentJar().toString(), "report", outcome.folder().resolve("out.jfr").toString(), "--html",
                page.toString(), "--sum", "avail_in"), outcome.folder());
        Path read = Files.writeString(outcome.folder().resolve("read.html"), Files.readString(page).replace("</body>", READER + "</body>"));
        String dom = run(List.of(BROWSER.toString(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
                "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + outcome.folder().resolve("profile"), "--window-size=1200,900", "--virtual-time-budget=10000", "--dump-dom",
                read.toUri().toString()), outcome.folder());
        Matcher seen = Pattern.compile("<pre id=\"seen\">(\\{.*?)</pre>").matcher(dom);
        assertTrue(seen.find(), dom.length() + " " + dom.substring(Math.max(0, dom.length() - 2000)));
        String found = seen.group(1);
        assertTrue(number(found, "drawn\":\\{\"red") > 1000, "probed functions are red: " + found);
        assertTrue(number(found, "drawn\":\\{\"red\":[0-9]+,\"green") > 1000, "Java frames are green: " + found);
        assertTrue(found.contains("\"violet\":0},\"matched\""), "nothing is marked before the search: " + found);
        assertTrue(number(found, "matched\":\"") > 10, "deflate takes most of the time: " + found);
        assertTrue(number(found, "found\":\\{\"red\":[0-9]+,\"green\":[0-9]+,\"violet") > 1000, "what is found is marked: " + found);
        assertEquals(0, number(found, "unmatched\":\""), found);
        assertTrue(found.matches(".*\"ascending\":\"libz(ip)?\\.deflate\\|libz(ip)?\\.inflate\",\"descending\":\"libz(ip)?\\.inflate\\|libz(ip)?\\.deflate\","
                + "\"byTime\":\"libz(ip)?\\.deflate\\|libz(ip)?\\.inflate\".*"), found);
        assertEquals(0, number(found, "requests\":"), found);
        assertEquals(0, number(found, "violations\":"), found);
        assertTrue(number(found, "drawnByCalls\":\\{\"red") > 1000, found);
        outcome.forget();
    }

    private static long number(String text, String pattern) {
        Matcher number = Pattern.compile("\"" + pattern + "\"?:?([0-9]+)").matcher(text);
        assertTrue(number.find(), pattern + " in " + text);
        return Long.parseLong(number.group(1));
    }

    private static String run(List<String> command, Path folder) throws IOException, InterruptedException {
        Path out = folder.resolve("said.txt"), err = folder.resolve("complained.txt");
        Process process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError(command + " did not end");
        }
        assertEquals(0, process.exitValue(), Files.readString(err));
        return Files.readString(out);
    }
}
