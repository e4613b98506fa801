package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedThread;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.Recorded.Counters;
import uprobe.it.app.JdkNatives;
import uprobe.it.app.WaysIntoNative;

/** Whatever way Java took into native code, the event has the stack that Java code above the same native sees. */
class WaysIntoNativeIT {
    private static final String PROBE = "c:it/way libways:way_taken id=$arg1:s64 ret=$retval:s64";
    private static final int CALLS = 200, THREADS = 2, VIRTUAL_CALLS = 100, VIRTUAL_THREADS = 8, SAMPLED_CALLS = 400;
    private static final int WAY_BITS = 20, THREAD_BITS = 30;
    /** What tells hidden classes of one name apart: after a dot, in decimal or hexadecimal, in JFR's names, after a slash in StackWalker's. */
    private static final Pattern NUMBER_OF_HIDDEN_CLASS = Pattern.compile("[+/.](?:0x[0-9a-f]+|\\d+)");
    /** The program's own methods are compiled after some calls; those that are then surprised, before the next call. */
    private static final List<String> SOON = List.of("-XX:CompileCommand=quiet", "-XX:CompileCommand=CompileThresholdScaling,uprobe.it.app.*::*,0.005",
            "-XX:CompileCommand=BackgroundCompilation,uprobe.it.app.FreshCallers*::*,false");
    /** Of a thousand calls so many may take longer than the half second after which the drain takes a hit: the machine may be busy. */
    private static final int LONG = 10;

    /** drained: null, or why. */
    private record Way(String name, long calls, String drained, List<Pattern> through) {}

    static Stream<Arguments> jdksAndModes() {
        Map<String, List<String>> modes = Map.of(
                "interpreted", List.of("-Xint", "-XX:+UseSerialGC"),
                "C1, Parallel", List.of("-XX:TieredStopAtLevel=1", "-XX:+UseParallelGC"),
                "C2, Shenandoah", List.of("-XX:-TieredCompilation", "-XX:+UseShenandoahGC"),
                "tiered, G1", List.of("-XX:+UseG1GC"),
                "tiered, Z", List.of("-XX:+UseZGC", "-Djdk.reflect.useNativeAccessorOnly=true"));
        return Jdk.all().stream().flatMap(jdk -> modes.entrySet().stream().map(mode -> Arguments.of(jdk, mode.getKey(), mode.getValue())));
    }

    private static ChildJvm child(Jdk jdk, List<String> options) {
        ChildJvm child = ChildJvm.of(jdk, WaysIntoNative.class).options(options.toArray(String[]::new)).options(SOON.toArray(String[]::new))
                .withLibrary(com.sun.jna.Native.class);
        return jdk.version() < 22 ? child : child.options("--enable-native-access=ALL-UNNAMED");
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("jdksAndModes")
    void everyWayGivesTheStackThatItsWitnessSaw(Jdk jdk, String mode, List<String> options) throws Exception {
        ChildJvm.Outcome outcome = child(jdk, options).probes(PROBE, "ring=1m").run("" + THREADS, "" + CALLS).ok();
        Compared compared = new Compared(outcome, THREADS, false);
        compared.check();
        System.out.println(jdk + ", " + mode + ": " + compared.figures());
        boolean compiles = !mode.equals("interpreted");
        assertEquals(compiles, compared.callers.keySet().containsAll(Set.of("JIT compiled", "Inlined")), compared::figures);
        assertTrue(compared.callers.containsKey("Interpreted"), compared::figures);
        if (mode.startsWith("tiered")) {
            assertTrue(compared.deoptimised >= THREADS, compared::figures);
        } else if (!compiles) {
            assertEquals(0, compared.deoptimised, compared::figures);
        }
        outcome.forget();
    }

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    static Stream<Jdk> jdksWithVirtualThreads() {
        return jdks().filter(jdk -> jdk.version() >= 21);
    }

    /** Frozen and thawed between calls, on a carrier and then another. */
    @ParameterizedTest
    @MethodSource("jdksWithVirtualThreads")
    void onVirtualThreadsTheStackHasItsContinuationsFrames(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = child(jdk, List.of("-Djdk.virtualThreadScheduler.parallelism=3")).probes(PROBE, "ring=1m")
                .run("" + VIRTUAL_THREADS, "" + VIRTUAL_CALLS, "virtual").ok();
        Compared compared = new Compared(outcome, VIRTUAL_THREADS, true);
        compared.check();
        System.out.println(jdk + ", virtual threads: " + compared.figures());
        outcome.forget();
    }

    /** JFR's samplers interrupt threads in trap handlers, at swapped returns and in flushes: their walks end where threads begin, as without probes. */
    @ParameterizedTest
    @MethodSource("jdks")
    void samplersOfTheJvmWalkAsWithoutProbes(Jdk jdk) throws Exception {
        String[] arguments = {"" + THREADS, "" + SAMPLED_CALLS, "sampled"};
        ChildJvm.Outcome without = child(jdk, List.of()).withoutAgent().run(arguments).ok();
        ChildJvm.Outcome with = child(jdk, List.of()).probes(PROBE, "ring=1m").run(arguments).ok();
        new Compared(with, THREADS, false).check();
        Map<String, Samples> plain = Samples.of(without), probed = Samples.of(with);
        System.out.println(jdk + ", sampled without probes: " + plain + "\n" + jdk + ", sampled with probes: " + probed);
        assertEquals(plain.keySet(), probed.keySet());
        probed.forEach((type, samples) -> assertTrue(samples.failed <= samples.all / 10 + plain.get(type).failed, () -> type + ": " + samples));
        without.forget();
        with.forget();
    }

    /** Samples of one type in the threads that call natives: whole ones reach the thread's outermost frame, truncated ones JFR's depth, failed neither. */
    private static final class Samples {
        private static final List<String> TYPES = List.of("jdk.ExecutionSample", "jdk.NativeMethodSample", "jdk.CPUTimeSample");
        /** What the VM itself calls: a thread's run, then its exit. */
        private static final Set<String> OUTERMOST = Set.of("uprobe.it.app.Fixture$Caller.run", "java.lang.Thread.exit");
        private long all, whole, truncated, failed;

        static Map<String, Samples> of(ChildJvm.Outcome outcome) throws Exception {
            Recorded recorded = Recorded.read(outcome.folder().resolve("samples.jfr"), TYPES::contains);
            Map<String, Samples> samples = new TreeMap<>();
            for (String type : TYPES) {
                for (RecordedEvent sample : recorded.of(type)) {
                    RecordedThread thread = sample.hasField("sampledThread") ? sample.getThread("sampledThread") : sample.getThread();
                    if (thread != null && thread.getJavaName() != null && thread.getJavaName().startsWith("caller-")) {
                        samples.computeIfAbsent(type, t -> new Samples()).add(sample);
                    }
                }
            }
            return samples;
        }

        private void add(RecordedEvent sample) {
            all++;
            if (sample.getStackTrace() == null || sample.getStackTrace().getFrames().isEmpty()) {
                failed++;
            } else if (sample.getStackTrace().isTruncated()) {
                truncated++;
            } else if (OUTERMOST.contains(Recorded.frame(sample, sample.getStackTrace().getFrames().size() - 1))) {
                whole++;
            } else {
                failed++;       /* JDK 17 now and then ends a walk where the VM called Java, to link a method handle */
            }
        }

        @Override
        public String toString() {
            return all + " (" + whole + " whole, " + truncated + " truncated, " + failed + " failed)";
        }
    }

    /** Natives of libjava, libnio, libnet and libzip, without the prefix of their symbols. */
    private static List<String> nativesOf(Jdk jdk) {
        String dispatcher = "sun_nio_ch_" + (jdk.version() < 21 ? "FileDispatcherImpl" : "UnixFileDispatcherImpl");
        List<String> natives = new ArrayList<>(List.of("java_io_FileInputStream_open0", "java_io_FileInputStream_readBytes", "java_io_FileOutputStream_writeBytes",
                "java_lang_ProcessImpl_forkAndExec", "java_io_RandomAccessFile_seek0", "java_lang_ProcessHandleImpl_isAlive0", dispatcher + "_read0",
                dispatcher + "_write0", "sun_nio_ch_EPoll_wait", "sun_nio_fs_UnixNativeDispatcher_readlink0", "sun_nio_ch_Net_connect0",
                "sun_nio_ch_SocketDispatcher_read0", "java_net_NetworkInterface_getByName0", "java_util_zip_Inflater_inflateBytesBytes",
                "java_util_zip_Deflater_deflateBytesBytes"));
        natives.addAll(jdk.version() < 21 ? List.of("java_io_UnixFileSystem_getLength", "java_lang_StrictMath_sin") : List.of("java_io_UnixFileSystem_getLength0"));
        return natives;
    }

    private static String libraryOf(String symbol) {
        return symbol.startsWith("sun_nio_") ? "libnio" : symbol.startsWith("java_net_") ? "libnet" : symbol.startsWith("java_util_zip_") ? "libzip" : "libjava";
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void nativesOfTheJdkHaveTheStackOfTheExceptionThatTheyThrow(Jdk jdk) throws Exception {
        Set<String> natives = new HashSet<>(nativesOf(jdk));
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, JdkNatives.class).probes(natives.stream().map(n -> "c:jdk/" + n + " " + libraryOf(n) + ":Java_" + n).toArray(String[]::new))
                .run("" + CALLS).ok();
        Recorded recorded = outcome.recorded();
        long threw = 0, hits = 0;
        for (RecordedEvent told : recorded.of("it.JdkCall")) {
            String symbol = told.getString("symbol"), frames = told.getString("frames");
            assertTrue(natives.remove(symbol), symbol);
            long own = 0;
            for (RecordedEvent hit : recorded.of("uprobe.jdk." + symbol)) {
                if (hit.getString("drained") != null || !symbol.equals(hit.getThread().getJavaName())) {
                    continue;
                }
                String seen = Recorded.stackWithoutLambdas(hit, 1);
                int above = seen.length() - frames.length();
                assertEquals(frames, told.getBoolean("threw") || above < 0 ? seen : seen.substring(above), symbol);
                assertTrue(!seen.substring(0, above).contains("uprobe.it"), seen);
                assertEquals("Native", hit.getStackTrace().getFrames().get(1).getType(), symbol);
                own++;
            }
            assertEquals(told.getLong("calls"), own, symbol);
            assertEquals(recorded.counters("uprobe.jdk." + symbol).assertWhole().recorded(), recorded.of("uprobe.jdk." + symbol).size(), symbol);
            threw += told.getBoolean("threw") ? 1 : 0;
            hits += own;
        }
        assertEquals(Set.of(), natives);
        assertTrue(threw >= 8, "natives that threw: " + threw);
        System.out.println(jdk + ": " + hits + " hits in natives of the JDK, of which " + threw + " threw");
        outcome.forget();
    }

    /** The hits of a run, each beside its witness. */
    private static final class Compared {
        private final ChildJvm.Outcome outcome;
        private final int threads;
        private final boolean virtual;
        private final Recorded recorded;
        private final List<Way> ways = new ArrayList<>();
        private final Map<Long, RecordedEvent> witnesses = new HashMap<>();
        private final Map<Long, Long> threadIds = new HashMap<>();
        private final Map<Integer, String> walked = new HashMap<>();
        private final Map<Integer, Set<String>> seen = new TreeMap<>();
        final Map<String, Long> callers = new TreeMap<>();
        long withWitness, besideOne, drained, longCalls, deoptimised;

        Compared(ChildJvm.Outcome outcome, int threads, boolean virtual) throws Exception {
            this.outcome = outcome;
            this.threads = threads;
            this.virtual = virtual;
            recorded = outcome.recorded();
            Map<Integer, String> reasons = new HashMap<>();
            lines("drained ", 3, w -> reasons.put(Integer.parseInt(w[1]), w[2]));
            lines("way ", 4, w -> ways.add(new Way(w[3], Long.parseLong(w[2]), reasons.get(ways.size()), new ArrayList<>())));
            lines("through ", 3, w -> ways.get(Integer.parseInt(w[1])).through.add(Pattern.compile(w[2])));
            recorded.of("it.Walked").forEach(e -> walked.put(e.getInt("walked"), withoutNumbers(e.getString("frames"))));
            for (RecordedEvent witness : recorded.of("it.Witness")) {
                assertEquals(null, witnesses.put(witness.getLong("id"), witness));
                Long thread = witness.getThread().getJavaThreadId(), known = threadIds.putIfAbsent(witness.getLong("id") >> THREAD_BITS, thread);
                assertTrue(known == null || known.equals(thread), "one thread's calls on two");
            }
        }

        private void lines(String begin, int words, Consumer<String[]> use) {
            outcome.out().lines().filter(line -> line.startsWith(begin)).map(line -> line.split(" ", words)).forEach(use);
        }

        void check() {
            long expected = outcome.number("expected way_taken");
            assertEquals(Counters.allRecorded(expected), recorded.counters("uprobe.it.way"));
            Map<Long, RecordedEvent> hits = new TreeMap<>();
            for (RecordedEvent hit : recorded.of("uprobe.it.way")) {
                assertEquals(null, hits.put(hit.getLong("id"), hit), "two events of one call");
            }
            assertEquals(expected, hits.size());
            hits.forEach(this::check);
            assertEquals(threads * ways.stream().filter(way -> !"in the VM".equals(way.drained)).mapToLong(way -> (way.calls + 1) / 2).sum(), witnesses.size());
            assertTrue(longCalls <= expected * LONG / 1000, this::figures);
            for (int i = 0; i < ways.size(); i++) {
                for (Pattern through : ways.get(i).through) {
                    assertTrue(seen.get(i).stream().anyMatch(stack -> through.matcher(stack).find()), ways.get(i).name + ": never through " + through
                            + " but:\n" + String.join("\n", seen.get(i)));
                }
            }
            countDeoptimised(hits);
        }

        private void check(long id, RecordedEvent hit) {
            int number = (int) (id >> WAY_BITS) & (1 << THREAD_BITS - WAY_BITS) - 1;
            Way way = ways.get(number);
            assertEquals(id * 3 + 1, hit.getLong("ret"));
            assertEquals(null, hit.getString("missing"));
            assertEquals("libways.way_taken", Recorded.frame(hit, 0));
            String reason = hit.getString("drained");
            boolean isLong = way.drained == null && "long call".equals(reason);
            if (way.drained != null || isLong) {
                assertEquals(isLong ? reason : way.drained, reason, way.name);
                assertEquals(1, hit.getStackTrace().getFrames().size(), way.name);
                if (!virtual) {
                    assertEquals(threadOf(id), hit.getLong("javaThreadId"), way.name);
                    assertEquals("caller-" + (id >> THREAD_BITS), hit.getString("nativeThreadName"));
                }
                drained += isLong ? 0 : 1;
                longCalls += isLong ? 1 : 0;
                return;
            }
            assertEquals(null, reason, way.name);
            RecordedEvent witness = witnesses.get(id);
            if (witness != null) {
                assertEquals(exact(witness), exact(hit), way.name);
                assertEquals(walked.get(witness.getInt("walked")), seenByWalker(hit), way.name);
                seen.computeIfAbsent(number, n -> new HashSet<>()).add(seenByWalker(hit));
                withWitness++;
            } else {
                /* Of the calls before and after it, as a reflective call's frames change between two calls. */
                Set<String> neighbours = Stream.of(id - 1, id + 1).map(witnesses::get).filter(w -> w != null)
                        .map(w -> initialised(seenByWalker(w))).collect(Collectors.toSet());
                assertTrue(neighbours.contains(initialised(seenByWalker(hit))), () -> way.name + ": " + seenByWalker(hit) + "\nis none of\n" + String.join("\n", neighbours));
                besideOne++;
            }
            assertEquals(threadOf(id), hit.getThread().getJavaThreadId(), way.name);
            callers.merge(hit.getStackTrace().getFrames().get(2).getType(), 1L, Long::sum);
        }

        private long threadOf(long id) {
            return threadIds.get(id >> THREAD_BITS);
        }

        /** Calls whose caller, of a class of its own, was compiled, and in the next call interpreted. */
        private void countDeoptimised(Map<Long, RecordedEvent> hits) {
            hits.forEach((id, hit) -> {
                RecordedEvent before = hits.get(id - 1);
                if (before != null && before.getString("drained") == null && hit.getString("drained") == null && isCompiled(before)
                        && callerType(hit).equals("Interpreted") && Recorded.frame(hit, 2).contains("$Fresh$")) {
                    deoptimised++;
                }
            });
        }

        private static boolean isCompiled(RecordedEvent hit) {
            return callerType(hit).equals("JIT compiled") || callerType(hit).equals("Inlined");
        }

        private static String callerType(RecordedEvent hit) {
            return hit.getStackTrace().getFrames().get(2).getType();
        }

        /** All that JFR knows of the frames below the first one, which is the native function or the witness. */
        private static String exact(RecordedEvent event) {
            return event.getStackTrace().isTruncated() + event.getStackTrace().getFrames().stream().skip(1).map(frame -> " " + frame.getMethod().getType().getName()
                    + "." + frame.getMethod().getName() + frame.getMethod().getDescriptor() + ":" + frame.getLineNumber() + "@" + frame.getBytecodeIndex() + " "
                    + frame.getType()).collect(Collectors.joining());
        }

        /** The first calls of a method handle go through a form that initialises the class, which the JDK replaces between two calls. */
        private static String initialised(String stack) {
            return stack.replace("LambdaForm$DMH.invokeStaticInit:", "LambdaForm$DMH.invokeStatic:").replace("LambdaForm$DMH.newInvokeSpecialInit:", "LambdaForm$DMH.newInvokeSpecial:");
        }

        /** StackWalker leaves out the outermost frame of a virtual thread. */
        private static String seenByWalker(RecordedEvent event) {
            return withoutNumbers(Recorded.stack(event, 1)).replaceFirst(" jdk.internal.vm.Continuation.enterSpecial:-1$", "");
        }

        private static String withoutNumbers(String frames) {
            return NUMBER_OF_HIDDEN_CLASS.matcher(frames).replaceAll("");
        }

        String figures() {
            return withWitness + " hits as their witness, " + besideOne + " as the call beside them, " + drained + " drained as they should be and " + longCalls + " as long calls, callers " + callers + ", "
                    + deoptimised + " of their own deoptimised between two calls";
        }
    }
}
