package uprobe.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The differential exam ({@link Exam}) of real libraries: probes on their instructions, by every mechanism, and the program must not notice.
 *
 * <p>By default a seeded sample of instructions and short workloads, one library after the other; {@code -Dexam=full} probes every instruction and
 * runs the long workloads. {@code -Dexam.stepped=true}
 * takes the expectation from a single-stepped run without probes, some ten times as slow, instead of crossed ones (Exam.crossReference). {@code -Dexam.library=libz,libm} chooses; {@code -Dexam.seed=N} repeats a sample; {@code -Dexam.cpu=N} is the processor
 * that the workloads stay on, so that two may run beside each other; {@code -Dexam.resume=true} leaves out what {@code target/exam} has already.
 * The table is printed and is target/exam/table.txt. One JDK: what is examined is the helper's doing on any of them.
 */
class ExamTest {
    /**
     * @param library as it is chosen and reported
     * @param profile another choice of the library's variants of a function: the table joins a library's profiles
     * @param workload name in workloads.c
     * @param file resource in a jar, or the SONAME of a library of the system
     * @param tunables GLIBC_TUNABLES (glibc manual, "Hardware Capability Tunables"): which implementations libc and libm choose
     * @param quick whether it is part of the short form
     */
    private record Subject(String library, String profile, String workload, String file, String tunables, boolean quick) {
        String id() {
            return library + (profile.isEmpty() ? "" : "-" + profile);
        }
    }

    private static final String NO_AVX512 = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD";
    /** libm has variants for AVX alone, which only processors without FMA get. */
    private static final String NO_FMA = "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2";
    private static final String NO_AVX = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD,-AVX2,-AVX,-FMA,-FMA4,-BMI2,-SSE4_1,-SSE4_2,-SSSE3";

    private static final List<Subject> SUBJECTS = List.of(
            new Subject("libz", "", "libz", "libz.so.1", "", true),
            new Subject("libm", "", "libm", "libm.so.6", "", true),
            new Subject("libm", "x87", "libm-x87", "libm.so.6", "", true),
            new Subject("libm", "avx", "libm", "libm.so.6", NO_FMA, false),
            new Subject("libm", "sse2", "libm", "libm.so.6", NO_AVX, false),
            /* The names in the jars; zstd-jni's has the version that the parent pom names. */
            new Subject("zstd", "", "zstd", "/linux/amd64/libzstd-jni-1.5.7-6.so", "", true),
            new Subject("sqlite", "", "sqlite", "/org/sqlite/native/Linux/x86_64/libsqlitejdbc.so", "", true),
            new Subject("libc", "", "libc", "libc.so.6", "", true),
            new Subject("libc", "avx2", "libc", "libc.so.6", NO_AVX512, false),
            new Subject("libc", "sse2", "libc", "libc.so.6", NO_AVX, false),
            new Subject("boringssl", "", "boringssl", "/META-INF/native/libnetty_tcnative_linux_x86_64.so", "", true));

    private static final boolean FULL = System.getProperty("exam", "").equals("full");
    private static final boolean STEPPED = Boolean.getBoolean("exam.stepped");
    private static final long SEED = Long.getLong("exam.seed", new Random().nextInt(1_000_000));
    private static final Path FOLDER = Odd.folder().resolveSibling("exam");
    private static final int DRAWN = 2;
    private static final int LIMIT_MINUTES = FULL ? 60 : 10;

    @TestFactory
    List<DynamicTest> theProgramDoesNotNoticeItsProbes() {
        return chosen().map(s -> DynamicTest.dynamicTest(s.id() + (FULL ? ", full" : ", seed " + SEED), () -> examine(s))).toList();
    }

    /** Those that were asked for; else all in the full form, and in the short one libz and as many others, drawn by the seed, as there is time for. */
    private static Stream<Subject> chosen() {
        List<String> named = List.of(System.getProperty("exam.library", "").split(","));
        if (!named.get(0).isEmpty()) {
            return SUBJECTS.stream().filter(s -> FULL || s.quick()).filter(s -> named.contains(s.library()) || named.contains(s.id()));
        } else if (FULL) {
            return SUBJECTS.stream();
        }
        List<Subject> drawn = new ArrayList<>(SUBJECTS.stream().filter(s -> s.quick() && s != SUBJECTS.get(0)).toList());
        Collections.shuffle(drawn, new Random(SEED));
        return Stream.concat(Stream.of(SUBJECTS.get(0)), drawn.stream().limit(DRAWN));
    }

    private static void examine(Subject subject) throws Exception {
        Path result = FOLDER.resolve(subject.id() + ".result");
        if (!(Boolean.getBoolean("exam.resume") && Files.exists(result))) {
            Files.deleteIfExists(result);
            run(subject, result);
        }
        assertTrue(Files.exists(result), "the exam of " + subject.id() + " ended early: its output is above");
        Properties found = read(result);
        List<String> mismatches = found.stringPropertyNames().stream().filter(k -> k.startsWith("mismatch ")).sorted().limit(20).map(found::getProperty).toList();
        assertEquals(0, number(found, "mismatches"), subject.id() + ", seed " + SEED + ":\n" + String.join("\n", mismatches));
        assertTrue(found.stringPropertyNames().stream().filter(k -> k.startsWith("hits ")).mapToLong(k -> number(found, k)).sum() > 0,
                "no probe of " + subject.id() + " was hit");
    }

    private static void run(Subject subject, Path result) throws Exception {
        Files.createDirectories(FOLDER);
        String file = subject.file();
        if (file.startsWith("/")) {
            Path unpacked = FOLDER.resolve(file.substring(file.lastIndexOf('/') + 1));
            try (InputStream in = ExamTest.class.getResourceAsStream(file)) {
                Files.copy(java.util.Objects.requireNonNull(in, file), unpacked, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            }
            file = unpacked.toString();
        }
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-Xmx1g", "-XX:+UseSerialGC",
                "-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=" + FOLDER.resolve("hs_err_%p.log"), "--enable-native-access=ALL-UNNAMED",
                "-Dexam.timeout=" + LIMIT_MINUTES * 60, "-Dexam.stepped=" + STEPPED, "-cp", System.getProperty("java.class.path"), Exam.class.getName(), file, subject.workload(),
                FULL ? "full" : "ci", Long.toString(SEED), System.getProperty("exam.cpu", "0"), FOLDER.resolve("libexam.so").toString(), result.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.INHERIT);
        if (!subject.tunables().isEmpty()) {
            builder.environment().put("GLIBC_TUNABLES", subject.tunables());
        }
        builder.environment().remove("LD_PRELOAD");
        Process child = builder.start();
        try {
            assertTrue(child.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES), subject.id() + " takes longer than " + LIMIT_MINUTES + " minutes");
        } finally {
            child.destroyForcibly();
        }
        assertEquals(0, child.exitValue(), "the JVM that examined " + subject.id() + " ended with another code than 0; its output is above");
    }

    private static Properties read(Path file) throws IOException {
        Properties properties = new Properties();
        try (java.io.Reader in = Files.newBufferedReader(file)) {
            properties.load(in);
        }
        return properties;
    }

    private static long number(Properties properties, String key) {
        return Long.parseLong(properties.getProperty(key, "0"));
    }

    /** All results that lie in the folder, those of earlier runs of other libraries too. */
    @AfterAll
    static void table() throws IOException {
        StringBuilder table = new StringBuilder(String.format("%-10s %9s %12s %10s %9s %9s %10s %9s %12s %10s%n", "library", "functions", "instructions",
                "reached", "executed", "tried", "armed", "unstable", "hits", "mismatches"));
        long sites = 0;
        for (Map.Entry<String, List<Subject>> library : SUBJECTS.stream().collect(Collectors.groupingBy(Subject::library, TreeMap::new,
                Collectors.toList())).entrySet()) {
            Properties sum = new Properties();
            BitSet executed = new BitSet(), reached = new BitSet();
            int parts = 0;
            for (Subject subject : library.getValue()) {
                Path file = FOLDER.resolve(subject.id() + ".result");
                if (Files.exists(file)) {
                    parts++;
                    Properties one = read(file);
                    one.stringPropertyNames().stream().filter(k -> !k.startsWith("mismatch ")).forEach(k ->
                            sum.setProperty(k, Long.toString(k.startsWith("function") || k.equals("instructions") ? Math.max(number(sum, k), number(one, k))
                                    : number(sum, k) + number(one, k))));
                    executed.or(BitSet.valueOf(Files.readAllBytes(file.resolveSibling(file.getFileName() + ".executed"))));
                    reached.or(BitSet.valueOf(Files.readAllBytes(file.resolveSibling(file.getFileName() + ".reached"))));
                }
            }
            if (parts == 0) {
                continue;
            }
            sites += reached.cardinality();
            long tried = total(sum, "tried "), armed = total(sum, "armed ");
            table.append(String.format("%-10s %9d %12d %10d %8.1f%% %9d %10d %9d %12d %10d%n", library.getKey(), number(sum, "functions"),
                    number(sum, "instructions"), reached.cardinality(), 100.0 * executed.cardinality() / number(sum, "functionBytes"), tried, armed,
                    number(sum, "unstable"), total(sum, "hits "), number(sum, "mismatches")));
            sum.stringPropertyNames().stream().filter(k -> k.startsWith("armed ") || k.startsWith("refused ")).sorted().forEach(k -> {
                long of = number(sum, "tried " + k.split(" ")[1]);
                table.append(String.format("    %-50s %9d  %6.3f %% of %d%n", k, number(sum, k), 100.0 * number(sum, k) / of, of));
            });
        }
        table.append(String.format("distinct instructions reached: %d%n", sites));
        System.out.print(table);
        Files.createDirectories(FOLDER);
        Files.writeString(FOLDER.resolve("table.txt"), table);
    }

    private static long total(Properties sum, String prefix) {
        return sum.stringPropertyNames().stream().filter(k -> k.startsWith(prefix)).mapToLong(k -> number(sum, k)).sum();
    }
}
