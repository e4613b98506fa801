package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.Recorded.Counters;
import uprobe.it.app.Languages;

/** Libraries that are not gcc's plain C: Rust, Go, C++ with an unwinder of its own, by sanitizers, for CET, with its text sealed. Each is probed whole. */
class LanguagesIT {
    private static final int ROUNDS = 8;
    private static final List<String> CPP = List.of("cpp_own_unwinder", "cpp_ubsan", "cpp_asan", "cpp_cet", "cpp_sealed");
    private static final Map<String, Long> UNPROBED = new ConcurrentHashMap<>();

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    static Stream<Arguments> jdksLibrariesAndTypes() {
        return jdks().flatMap(jdk -> Stream.concat(CPP.stream(), Stream.of("rust", "go"))
                .flatMap(library -> Stream.of("p", "c").map(type -> Arguments.of(jdk, library, type))));
    }

    private static ChildJvm child(Jdk jdk, String library) throws Exception {
        Assumptions.assumeTrue(Files.exists(ChildJvm.nativeFolder().resolve("liblang_" + library + ".so")), "its compiler is not here");
        ChildJvm child = ChildJvm.of(jdk, Languages.class);
        if (library.equals("cpp_asan")) {
            /* asan's runtime must come first, and it asks for libstdc++'s __cxa_throw when it begins; SIGSEGV is HotSpot's */
            child.environment("LD_PRELOAD", sharedObject("libasan.so") + " " + sharedObject("libstdc++.so"))
                    .environment("ASAN_OPTIONS", "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:detect_leaks=0");
        }
        return child;
    }

    private static String sharedObject(String name) throws IOException {
        return new String(new ProcessBuilder("gcc", "-print-file-name=" + name).start().getInputStream().readAllBytes()).strip();
    }

    private static long unprobed(Jdk jdk, String library) throws Exception {
        Long known = UNPROBED.get(library);
        if (known == null) {
            ChildJvm.Outcome outcome = child(jdk, library).withoutAgent().run("lang_" + library, "" + ROUNDS).ok();
            known = outcome.number("result");
            UNPROBED.put(library, known);
            outcome.forget();
        }
        return known;
    }

    /**
     * Go once ended here: its runtime blocks all signals by system calls of its own, and what then ran into a probe was killed; and it found our
     * trampolines on the stacks that it walks.
     */
    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("jdksLibrariesAndTypes")
    void everyFunctionIsProbedAndNothingChanges(Jdk jdk, String library, String type) throws Exception {
        boolean go = library.equals("go");
        String whole = type + " liblang_" + library + ":* mode=count";
        String leaf = go ? "p:it/leaf liblang_go:main.leaf i=%rax:s64" : type + ":it/leaf liblang_" + library + ":lang_leaf i=$arg1:s64";
        ChildJvm.Outcome outcome = child(jdk, library).probes(whole, leaf, "ring=4m").run("lang_" + library, "" + ROUNDS).ok();
        assertEquals(unprobed(jdk, library), outcome.number("result"));
        Recorded recorded = outcome.recorded();
        long leaves = outcome.number("expected leaves");
        assertEquals(leaves, recorded.counters("uprobe.it.leaf").assertWhole().hits());
        assertEquals(recorded.counters("uprobe.it.leaf").recorded(), recorded.of("uprobe.it.leaf").size());
        Map<String, Long> hits = new TreeMap<>();
        recorded.of("uprobe.ProbeStatistics").stream().filter(e -> !e.getString("probe").equals("uprobe.it.leaf"))
                .sorted(java.util.Comparator.comparing(RecordedEvent::getStartTime)).forEach(e -> hits.put(e.getString("symbol"), e.getLong("hits")));
        System.out.println(jdk + ", " + library + ", " + type + ": " + armed(outcome, whole) + " functions armed");
        if (hits.size() > 1 && !(go && type.equals("c"))) {
            assertEquals(leaves, hits.get(go ? "main.leaf" : "lang_leaf"), "as one of all");
        }
        if (hits.size() > 1) {
            assertEquals(ROUNDS, hits.get("Java_uprobe_it_app_Languages_work"));
        }
        outcome.forget();
    }

    private static int armed(ChildJvm.Outcome outcome, String probe) {
        String begin = "uprobe: " + probe + ": armed at ";
        String line = outcome.err().lines().filter(l -> l.startsWith(begin)).findFirst().orElseThrow(() -> new AssertionError(outcome.err()));
        return 1 + Integer.parseInt(line.replaceAll(".* and (\\d+) more.*", "$1"));
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void whatGoExportsTakesCAndItsOwnFunctionsAreRefused(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = child(jdk, "go").probes("c:it/work liblang_go:Java_uprobe_it_app_Languages_work n=$arg3:s64 ret=$retval:s64",
                "c:it/own liblang_go:main.leaf", "r:it/runtime liblang_go:runtime.mallocgc").run("lang_go", "" + ROUNDS).ok();
        assertEquals(unprobed(jdk, "go"), outcome.number("result"));
        Recorded recorded = outcome.recorded();
        assertEquals(Counters.allRecorded(ROUNDS), recorded.counters("uprobe.it.work"));
        assertEquals(ROUNDS * (ROUNDS - 1) / 2, recorded.of("uprobe.it.work").stream().mapToLong(e -> e.getLong("n")).sum());
        recorded.of("uprobe.it.work").forEach(e -> assertEquals("uprobe.it.app.Languages.work", Recorded.frame(e, 1)));
        List<String> refused = recorded.of("uprobe.ProbeRefused").stream().map(e -> e.getString("reason")).distinct().sorted().toList();
        String because = ": the function is Go's, whose runtime walks and moves its stacks and must find its own return addresses there: use p;"
                + " the functions that it exports to C can be probed by r and c";
        assertEquals(List.of("liblang_go.so!main.leaf" + because, "liblang_go.so!runtime.mallocgc" + because), refused);
        outcome.forget();
    }

    /** Where the kernel still lets /proc/self/mem write to it, sealed text is probed; where nothing does, that is said. */
    @ParameterizedTest
    @MethodSource("jdks")
    void sealedTextThatCanNotBeWrittenIsRefused(Jdk jdk) throws Exception {
        Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "setpriv makes an ordinary user of root only");
        ChildJvm child = child(jdk, "cpp_sealed").startedBy("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
                .environment("LANG_NOT_DUMPABLE", "1").probes("c:it/leaf liblang_cpp_sealed:lang_leaf");
        Files.setPosixFilePermissions(child.folder(), PosixFilePermissions.fromString("rwxrwxrwx"));
        ChildJvm.Outcome outcome = child.run("lang_cpp_sealed", "2");
        for (Path at = child.folder(); at != null; at = at.getParent()) {
            Assumptions.assumeTrue(Files.getPosixFilePermissions(at).contains(java.nio.file.attribute.PosixFilePermission.OTHERS_EXECUTE), at + " is not for others");
        }
        outcome.ok();
        Assumptions.assumeTrue(outcome.number("sealing") == 0, "this kernel has no mseal: error " + outcome.number("sealing"));
        String said = outcome.err().lines().filter(line -> line.contains("c:it/leaf")).collect(Collectors.joining("\n"));
        assertTrue(said.endsWith("refused: liblang_cpp_sealed.so!lang_leaf: the code there can not be written: neither through /proc/self/mem nor by mprotect"
                + " (error 1): it is sealed (mseal), or a security policy forbids to change code"), outcome.err());
        outcome.forget();
    }
}
