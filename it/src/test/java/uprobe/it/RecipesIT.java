package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import shop.Shop;

/**
 * Types the commands of docs/recipes.md and docs/getting-started.md in a terminal, with PID replaced and nothing else, and looks for what the page says of the
 * output. A block of commands is named for its job; the transcript behind it has the same name, and its tables' headers must be those that are printed.
 */
class RecipesIT {
    private static final Path RECIPES = Path.of("../docs/recipes.md"), FIRST = Path.of("../docs/getting-started.md");
    private static final Pattern BLOCK = Pattern.compile("^```(\\w+) (\\S+)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern HEADER = Pattern.compile(" *(PID +user|library +fun|Java caller|probe +(state|\\|)|function +\\||caller +\\|).*");
    private static final String TIME = "[0-9.]+ [num]?s", AT = "\\d\\d:\\d\\d:\\d\\d\\.\\d{6}  ";

    /** Regular expressions, each of which the output of the block's commands must have. */
    private static final Map<String, List<String>> SAYS = new HashMap<>();

    static {
        SAYS.put("ps", List.of("shop\\.Shop +yes"));
        SAYS.put("libraries", List.of("libjvm\\.so +[0-9,]+ ", "libshop\\.so +7 +1 ", "librocksdbjni\\d+\\.so", "libssl\\.so\\.3", "next: functions PID"));
        SAYS.put("functions", List.of("Java_org_sqlite_core_NativeDB_step +\\d+ +p r c +boost +org\\.sqlite\\.core\\.NativeDB\\.step"));
        SAYS.put("live", List.of("Java_org_sqlite_core_NativeDB_step +[0-9,]+ +[0-9,]+\n"));
        SAYS.put("latency", List.of("shop\\.Orders\\.report:\\d+ +Java_org_sqlite_core_NativeDB_step +[0-9,]+ +" + TIME, "shop\\.Orders\\.save:\\d+ ", "shop\\.Orders\\.find:\\d+ "));
        SAYS.put("trace", List.of(AT + "Java_org_sqlite_core_NativeDB_step  result=10[01]  " + TIME + "  \\[orders]  shop\\.Orders\\."));
        SAYS.put("record", List.of("(ready|armed) at sqlite-.*!Java_org_sqlite_core_NativeDB_step", "in steps\\.jfr; report steps\\.jfr shows what is in it"));
        SAYS.put("report", List.of("libsqlitejdbc\\.Java_org_sqlite_core_NativeDB_step +\\| shop\\.Orders\\.report ", "\\| shop\\.Orders\\.save "));

        SAYS.put("most", List.of("Java_org_rocksdb_RocksIterator_(next|isValid)0Jni +[0-9,]+ +[0-9,]+\n", "others \\(\\d+ functions\\)", " all +[0-9,]+ +[0-9,]+\n"));
        SAYS.put("files", List.of("shop\\.Settings\\.prices:\\d+ +open +\\d", "shop\\.Settings\\.offers:\\d+ +open +\\d", "shop\\.Orders\\.save:\\d+ +open +\\d",
                AT + "open  result=-1  " + TIME + "  \\[settings]  shop\\.Settings\\.offers:"));
        SAYS.put("sqlite", List.of(AT + "Java_org_sqlite_core_NativeDB_step  result=100  [0-9.]+ m?s  \\[orders]  shop\\.Orders\\.report:\\d+"));
        SAYS.put("rocksdb", List.of("shop\\.Carts\\.countAll:\\d+ +Java_org_rocksdb_RocksIterator_next0Jni +[0-9,]+ +" + TIME,
                "shop\\.Carts\\.add:\\d+ +Java_org_rocksdb_RocksDB_put__J_3BII_3BII +", "shop\\.Carts\\.show:\\d+ +Java_org_rocksdb_RocksDB_get__J_3BII "));
        SAYS.put("tls", List.of(AT + "SSL_write  bytes=5000  result=5000  " + TIME + "  \\[gate]  shop\\.Gate\\.visit:", AT + "SSL_do_handshake  .*result=-1 ",
                AT + "ERR_set_error  library=20  reason=\\d+  \\[gate]  shop\\.Gate\\.visitInDisorder:"));
        SAYS.put("jni", List.of("libshop\\.so +Java_shop_Scaler_scale +\\d+ +p r c +boost +shop\\.Scaler\\.scale",
                AT + "Java_shop_Scaler_scale  width=64  keeps=1  bytes=16384  " + TIME + "  \\[pictures]  shop\\.Pictures\\.preview:", "width=3\\d\\d  keeps=0 .*shop\\.Pictures\\.show:"));
        SAYS.put("heap", List.of("in heap\\.jfr", "never closed by free:at", " shop\\.Pictures\\.preview +\\| +(\\d+) \\| +\\1 \\|", "malloc:at opened [0-9,]+, free:at closed [0-9,]+"));
        SAYS.put("names", List.of("shop\\.Partners\\.courier:\\d+ +getaddrinfo +\\d+ +" + TIME, "shop\\.Partners\\.warehouse:\\d+ +getaddrinfo",
                AT + "getaddrinfo  result=-\\d+  " + TIME + "  \\[partners]  shop\\.Partners\\.courier:"));
        SAYS.put("change", List.of("armed at libshop\\.so!Java_shop_Scaler_scale", "uprobe\\.scale\\.call: filter=width > 320, whatever recordings say",
                "uprobe\\.scale\\.call +armed +1 +boost +(\\d+) +(?!\\1 )\\d+ +[1-9]\\d* ", "uprobe\\.scale\\.call +armed +1 +boost +(\\d+) +\\1 +0 ", "removed: c:scale/call", "no probes"));
        SAYS.put("colleague", List.of("in carts\\.jfr", "shop\\.Carts\\.add +\\|", "written: carts\\.html"));
    }

    private static final int TRIES = 4;
    private static final Map<Jdk, ChildJvm.Running> SHOPS = new HashMap<>();
    private static final Map<Jdk, Path> FOLDERS = new HashMap<>();

    private record Block(String commands, String transcript) {}

    static Stream<Arguments> recipes() throws IOException {
        return jobs(RECIPES);
    }

    static Stream<Arguments> first() throws IOException {
        return jobs(FIRST);
    }

    private static Stream<Arguments> jobs(Path page) throws IOException {
        Map<String, Block> blocks = blocks(page);
        return Jdk.all().stream().flatMap(jdk -> blocks.keySet().stream().map(job -> Arguments.of(jdk, job, blocks.get(job))));
    }

    /** In the order of the page. */
    private static Map<String, Block> blocks(Path page) throws IOException {
        String text = Files.readString(page);
        Map<String, Block> blocks = new java.util.LinkedHashMap<>();
        int fences = 0;
        for (Matcher block = BLOCK.matcher(text); block.find(); fences += 2) {
            String name = block.group(2), inside = block.group(3);
            if (block.group(1).equals("sh")) {
                assertEquals(null, blocks.put(name, new Block(inside, "")), "a second block " + name);
            } else {
                blocks.compute(name, (same, commands) -> new Block(commands.commands, commands.transcript + inside));
            }
        }
        assertEquals(text.lines().filter(line -> line.startsWith("```")).count(), fences, "every fenced block has a name");
        return blocks;
    }

    @ParameterizedTest
    @MethodSource("first")
    void gettingStarted(Jdk jdk, String job, Block block) throws Exception {
        looksAsThePageSays(jdk, job, block);
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void recipe(Jdk jdk, String job, Block block) throws Exception {
        for (int i = 1; ; i++) {
            try {
                looksAsThePageSays(jdk, job, block);
                return;
            } catch (AssertionError e) {
                /* an answer of a name server that is lost is a call of 5 s, in which its thread makes no other */
                if (!job.equals("names") || i == TRIES) {
                    throw e;
                }
            }
        }
    }

    private static void looksAsThePageSays(Jdk jdk, String job, Block block) throws Exception {
        assertTrue(SAYS.containsKey(job), "nothing is known of " + job);
        ChildJvm.Running shop = shop(jdk);
        Path folder = FOLDERS.get(jdk);
        StringBuilder all = new StringBuilder();
        for (String line : block.commands().lines().toList()) {
            Command command = Command.typed(jdk, folder, line.replace("PID", "" + shop.process().pid()));
            if (job.equals("live")) {       /* has no end of its own */
                Command.Outcome ended = command.waitFor(out -> Pattern.compile(SAYS.get(job).get(0)).matcher(out).find()).interrupt();
                assertEquals(130, ended.exit(), ended.out());
                all.append(ended.out());
            } else {
                all.append(command.finish().ok().out());
            }
        }
        String out = all.toString();
        for (String pattern : SAYS.get(job)) {
            assertTrue(Pattern.compile(pattern).matcher(out).find(), () -> "'" + pattern + "' is not in:\n" + out);
        }
        String printed = words(out);
        for (String line : block.transcript().lines().filter(HEADER.asMatchPredicate()).toList()) {
            assertTrue(printed.contains(words(line)), () -> "the header '" + line + "' is not in:\n" + out);
        }
        assertTrue(shop.process().isAlive(), () -> job + " ended the shop");
        if (job.equals("colleague")) {
            assertTrue(Files.readString(folder.resolve("carts.html")).contains("shop.Carts"), "the page of the recording");
        }
    }

    /** Tables are as wide as what is in them. */
    private static String words(String text) {
        return text.replaceAll("[ \\n]+", " ").strip();
    }

    private static ChildJvm.Running shop(Jdk jdk) throws Exception {
        if (!SHOPS.containsKey(jdk)) {
            ChildJvm jvm = ChildJvm.of(jdk, Shop.class).withoutAgent().withAllLibraries();
            Path folder = jvm.folder();
            for (String name : List.of("ssl", "crypto")) {      /* WildFly's provider looks for them under the names that only developers' packages bring */
                Files.createSymbolicLink(folder.resolve("lib" + name + ".so"), library("lib" + name + ".so.3"));
            }
            SHOPS.put(jdk, jvm.options("-XX:+IgnoreUnrecognizedVMOptions", "-XX:+EnableDynamicAgentLoading", "--enable-native-access=ALL-UNNAMED",
                    "-Dorg.wildfly.openssl.path=" + folder).start().waitFor("open"));
            FOLDERS.put(jdk, folder);
        }
        return SHOPS.get(jdk);
    }

    private static Path library(String name) {
        return Stream.of("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib/x86_64-linux-gnu").map(folder -> Path.of(folder, name)).filter(Files::exists).findFirst()
                .orElseThrow(() -> new AssertionError("there is no " + name + "; apt-get install libssl-dev"));
    }

    @AfterAll
    static void theShopsCloseAsEver() throws Exception {
        for (ChildJvm.Running shop : SHOPS.values()) {
            shop.process().getOutputStream().close();
        }
        for (ChildJvm.Running shop : SHOPS.values()) {
            ChildJvm.Outcome outcome = shop.finish().ok();
            assertTrue(outcome.out().contains("closed"), outcome::out);
            outcome.forget();
        }
    }
}
