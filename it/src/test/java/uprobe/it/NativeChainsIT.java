package uprobe.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import uprobe.it.Recorded.Counters;
import uprobe.it.app.Chains;
import uprobe.it.app.Chains.Call;
import uprobe.it.app.Chains.Tree;
import uprobe.it.app.NearTheStacksEnd;

/** The probed functions that are open at a hit are frames of its stack, between its own and the native method. */
class NativeChainsIT {
    private static final boolean STORM = Boolean.getBoolean("storm");
    /** UP_CHAIN_FRAMES in commit.h and UP_CHAIN_DEPTH in chain.h. */
    private static final int FRAMES = 31, DEPTH = 256;
    private static final String LIBRARY = "libchains", WHOLE_STACKS = "-XX:FlightRecorderOptions=stackdepth=256";

    /**
     * A probe and the function that it is on; in the event the field {@code id} is the call's number.
     *
     * @param function the name of its frame: the symbol and an offset, if any
     * @param counts whether the event tells the call even if that was left by an exception
     */
    private record Probe(String event, Call call, String function, String text, boolean counts) {
        static Probe at(String letter, Call call, String suffix) {
            return at(letter, call, suffix, "");
        }

        static Probe at(String letter, Call call, String suffix, String offset) {
            String event = "in_" + call.name().toLowerCase(java.util.Locale.ROOT) + suffix, id = letter.equals("r") ? "id=$retval:s64" : "id=$arg1:s64";
            String function = call.symbol() + offset;
            return new Probe(event, call, function, letter + ":it/" + event + " " + LIBRARY + ":" + function + " " + id, !letter.equals("r"));
        }
    }

    private static List<Probe> probes(Path libraries) throws Exception {
        List<Probe> probes = new ArrayList<>();
        probes.add(Probe.at("p", Call.CALLS, "_inside", secondInstruction(libraries, Call.CALLS.symbol())));
        for (Call call : Call.values()) {
            switch (call) {
                case UNPROBED, LARGE -> { }
                case RETURNS -> probes.add(Probe.at("r", call, ""));
                case ENTERS -> probes.add(Probe.at("p", call, ""));
                case THRICE -> List.of("p", "r", "c").forEach(letter -> probes.add(Probe.at(letter, call, "_" + letter)));
                default -> probes.add(Probe.at("c", call, ""));
            }
        }
        return probes;
    }

    /** {@code +0x1}, from objdump: the argument is still where the call has left it. */
    private static String secondInstruction(Path libraries, String symbol) throws Exception {
        Process objdump = new ProcessBuilder("objdump", "-d", "--no-show-raw-insn", "--disassemble=" + symbol,
                libraries.resolve(LIBRARY + ".so").toString()).start();
        List<Long> addresses = new String(objdump.getInputStream().readAllBytes()).lines().filter(line -> line.matches(" +[0-9a-f]+:\t.*"))
                .map(line -> Long.parseLong(line.substring(0, line.indexOf(':')).strip(), 16)).toList();
        return "+0x" + Long.toHexString(addresses.get(1) - addresses.get(0));
    }

    static Stream<Arguments> jdksAndThreads() {
        return Jdk.all().stream().flatMap(jdk -> Stream.of(1, 16).map(threads -> Arguments.of(jdk, threads)));
    }

    static Stream<Jdk> jdks() {
        return Jdk.all().stream();
    }

    @ParameterizedTest(name = "{0}, {1} threads")
    @MethodSource("jdksAndThreads")
    void everyHitShowsTheCallsItIsIn(Jdk jdk, int threads) throws Exception {
        int trees = STORM ? 20_000 : 500;
        ChildJvm.Outcome outcome = child(jdk).options(WHOLE_STACKS).run("MIXED", "" + threads, "" + trees).ok();
        check(outcome, Tree.Shape.MIXED);
        outcome.forget();
    }

    /* Its unwinder took a trampoline for the frame that catches, and aborted. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("jdks")
    void soItIsWhereLlvmsUnwinderCarriesTheExceptions(Jdk jdk) throws Exception {
        Path libraries = ChildJvm.nativeFolder().resolve("llvm");
        assumeTrue(Files.exists(libraries), "clang, libc++-dev or libc++abi-dev is not installed here");
        ChildJvm.Outcome outcome = child(jdk, libraries).options(WHOLE_STACKS).run("MIXED", "4", STORM ? "20000" : "300").ok();
        check(outcome, Tree.Shape.MIXED, libraries);
        outcome.forget();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("jdks")
    void withChecksOfJniNothingMoreIsSaid(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = child(jdk).options("-Xcheck:jni", WHOLE_STACKS).run("MIXED", "2", "100").ok();
        String said = outcome.out() + outcome.err();
        assertFalse(said.contains("FATAL"), said);
        assertFalse(Pattern.compile("WARNING[^\\n]*\\n\\s+at uprobe\\.").matcher(said).find(), said);
        check(outcome, Tree.Shape.MIXED);
        outcome.forget();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("jdks")
    void interpretedAndCompiledFramesAreTheSame(Jdk jdk) throws Exception {
        for (List<String> mode : List.of(List.of("-Xint"), List.of("-Xcomp", "-XX:TieredStopAtLevel=1"))) {
            ChildJvm.Outcome outcome = child(jdk).options(mode.toArray(String[]::new)).options(WHOLE_STACKS).run("MIXED", "2", "40").ok();
            check(outcome, Tree.Shape.MIXED);
            outcome.forget();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("jdks")
    void drainedHitsShowThemToo(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = child(jdk).options("-Xcheck:jni").run("NATIVE_THREAD", "4", "60").ok();
        check(outcome, Tree.Shape.NATIVE_THREAD);
        outcome.forget();
    }

    /* Each level takes stack: where there is no room for them all, the hit is the drain's. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("jdks")
    void nearTheEndOfTheStackTheyAreShownWithoutJava(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, NearTheStacksEnd.class).probes("c:it/deep libprobed:probed_deep i=$arg1:s64",
                "c:it/at_depth libprobed:Java_uprobe_it_app_Probed_atDepth").run("20").ok();
        Recorded recorded = outcome.recorded();
        assertEquals(outcome.number("expected probed_deep"), recorded.counters("uprobe.it.deep").assertWhole().hits());
        long near = 0;
        for (RecordedEvent event : recorded.of("uprobe.it.deep")) {
            boolean drained = event.getString("drained") != null;
            near += drained ? 1 : 0;
            assertEquals("libprobed.Java_uprobe_it_app_Probed_atDepth", Recorded.frame(event, 1));
            assertEquals(drained ? "none" : "uprobe.it.app.Probed.atDepth", Recorded.frame(event, 2));
        }
        assertTrue(near >= 20 && near < recorded.of("uprobe.it.deep").size(), "near the end: " + near);
        outcome.forget();
    }

    /* Of a deep recursion the innermost calls are shown, and Java frames still are. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("jdks")
    void recursionLeavesRoomForTheJavaFrames(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = child(jdk).run("DEEP", "2", "8").ok();
        check(outcome, Tree.Shape.DEEP);
        outcome.forget();
    }

    /* 65,535 chains have numbers: calls that get none are missing, and nothing else is. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("jdks")
    void callsOfMoreChainsThanThereAreNumbersAreLeftOut(Jdk jdk) throws Exception {
        int trees = 250;
        ChildJvm.Outcome outcome = child(jdk).options(WHOLE_STACKS).run("MANY", "2", "" + trees).ok();
        long incomplete = check(outcome, Tree.Shape.MANY);
        assertTrue(incomplete > 0, "all chains had numbers");
        outcome.forget();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("jdks")
    void whatAnOpenCallCostsIsPrinted(Jdk jdk) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.of(jdk, Chains.class)
                .probes("p:it/enters libchains:chain_enters id=$arg1:s64", "c:it/loop libchains:chain_open_loop n=$arg1", "ring=4m", "rings=64")
                .run("COST", "10000").ok();
        System.out.println(jdk + "\n" + outcome.out());
        Recorded recorded = outcome.recorded();
        assertEquals(Counters.allRecorded(4 * 10 * 10_000), recorded.counters("uprobe.it.enters"));
        outcome.forget();
    }

    private static ChildJvm child(Jdk jdk) throws Exception {
        return child(jdk, ChildJvm.nativeFolder());
    }

    private static ChildJvm child(Jdk jdk, Path libraries) throws Exception {
        return ChildJvm.of(jdk, Chains.class).libraries(libraries).probes(probes(libraries).stream().map(Probe::text).toArray(String[]::new))
                .probes("ring=2m", "rings=128");
    }

    /** Every call has its events, every event the stack that the tree tells. Returns how many are known to lack callers, which only MANY may. */
    private static long check(ChildJvm.Outcome outcome, Tree.Shape shape) throws Exception {
        return check(outcome, shape, ChildJvm.nativeFolder());
    }

    private static long check(ChildJvm.Outcome outcome, Tree.Shape shape, Path libraries) throws Exception {
        Recorded recorded = outcome.recorded();
        Map<Long, String> runs = new HashMap<>();
        recorded.of("it.Run").forEach(run -> runs.put(run.getLong("node"), run.getString("frames")));
        Map<Integer, Tree> drawn = new HashMap<>();
        long incomplete = 0;
        for (Probe probe : probes(libraries)) {
            long expected = outcome.number("expected " + probe.call().symbol());
            String type = "uprobe.it." + probe.event();
            assertEquals(Counters.allRecorded(expected), recorded.counters(type), type);
            assertEquals(expected, recorded.of(type).size(), type);
            Map<Long, RecordedEvent> seen = new HashMap<>();
            long left = 0, drained = 0;
            for (RecordedEvent event : recorded.of(type)) {
                if (!probe.counts() && event.getString("missing") != null) {
                    left++;
                    continue;
                }
                drained += event.getString("drained") != null ? 1 : 0;
                long id = event.getLong("id");
                assertEquals(null, seen.put(id, event), () -> "twice: " + event);
                Tree tree = drawn.computeIfAbsent((int) (id / Tree.IDS), number -> new Tree(shape, number));
                incomplete += check(event, tree, shape, probe, runs) ? 0 : 1;
            }
            assertTrue(shape == Tree.Shape.NATIVE_THREAD ? drained == seen.size() : drained <= seen.size() / 2,
                    "on a busy machine some JNI calls last long: " + drained + " of " + seen.size());
            long leftAsDrawn = drawn.values().stream().mapToLong(tree -> Stream.iterate(0, i -> i < tree.nodes(), i -> i + 1)
                    .filter(i -> tree.call[i] == probe.call() && tree.runs[i] && tree.left[i]).count()).sum();
            assertTrue(probe.counts() || left == leftAsDrawn, type + " left by exceptions: " + left + ", expected " + leftAsDrawn);
        }
        return incomplete;
    }

    private static boolean check(RecordedEvent event, Tree tree, Tree.Shape shape, Probe probe, Map<Long, String> runs) {
        long id = event.getLong("id");
        int node = (int) (id % Tree.IDS);
        assertTrue(tree.runs[node] && tree.call[node] == probe.call(), () -> "nobody called this: " + event);
        boolean onThread = shape == Tree.Shape.NATIVE_THREAD;
        String drained = event.getString("drained");
        if (drained != null) {
            assertEquals(onThread ? "native thread" : "long call", drained);
        }
        List<String> all = tree.callers(node), callers = all.subList(Math.max(0, all.size() - DEPTH), all.size());
        callers = callers.subList(0, Math.min(FRAMES, callers.size()));
        String java = drained != null ? "" : runs.get(id - node + tree.runOf(node));
        assertNotNull(java, () -> "no call of a native: " + event);
        List<String> frames = new ArrayList<>(event.getStackTrace().getFrames().stream().map(NativeChainsIT::text).toList());
        assertEquals(LIBRARY + "." + probe.function() + ":java", frames.remove(0));
        List<String> found = new ArrayList<>();
        while (!frames.isEmpty() && frames.get(0).startsWith(LIBRARY + ".") && frames.get(0).endsWith(":native")) {
            String frame = frames.remove(0);
            found.add(frame.substring(LIBRARY.length() + 1, frame.length() - ":native".length()));
        }
        assertEquals(drained != null ? "" : "uprobe.it.app.Chains.run:native " + java, String.join(" ", frames), () -> "call " + id);
        if (shape == Tree.Shape.MANY) {
            Iterator<String> rest = callers.iterator();
            for (String caller : found) {
                boolean stands = false;
                while (!stands && rest.hasNext()) {
                    stands = rest.next().equals(caller);
                }
                assertTrue(stands, "call " + id + " shows " + found + " of " + tree.callers(node));
            }
            return found.equals(callers);
        }
        assertEquals(callers, found, () -> "call " + id + " of " + probe.text() + "\n" + event);
        return true;
    }

    private static String text(RecordedFrame frame) {
        String name = frame.getMethod().getType().getName() + "." + frame.getMethod().getName();
        boolean isNative = frame.getType().equals("Native"), isOurs = frame.getMethod().getType().getName().equals(LIBRARY);
        return name + ":" + (isNative ? "native" : isOurs ? "java" : frame.getLineNumber());
    }
}
