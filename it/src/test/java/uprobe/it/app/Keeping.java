package uprobe.it.app;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.Recording;
import jdk.jfr.consumer.EventStream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import jdk.management.jfr.FlightRecorderMXBean;
import jdk.management.jfr.RemoteRecordingStream;

/**
 * Recordings that rotate, overlap, are dumped in the middle of a call or looked at while they run: what happened is in them, once. The agent has
 * {@link #PROBES}, {@code enabled=false} and {@code jfc=probes.jfc}; arguments name the cases.
 */
public final class Keeping {
    public static final String LEAF = "uprobe.k.leaf", ENTER = "uprobe.k.enter", WIDE = "uprobe.k.wide", FIRST = "uprobe.k.first", WORKER = "uprobe.k.worker";
    public static final String[] PROBES = {
        "c:k/leaf libprobed:probed_leaf i=$arg1:s64 ret=$retval:s64",
        "p:k/enter libprobed:probed_leaf i=$arg1:s64",
        "c:k/wide libprobed:probed_leaf a=$arg1:s64 b=$arg1:s64 c=$arg1:s64 d=$arg1:s64 e=$arg1:s64 f=$arg1:s64 g=$arg1:s64 h=$arg1:s64 i=$arg1:s64"
                + " j=$arg1:s64 k=$arg1:s64 l=$arg1:s64 m=$arg1:s64 n=$arg1:s64 ret=$retval:s64",
        "p:k/first libprobed:probed_first id=$arg1:s64",
        "c:k/worker libnative_threads:probed_worker i=$arg1:s64",
        "enabled=false", "jfc=probes.jfc"
    };
    private static final long THREAD = 1_000_000_000;

    private static Recording recording(String... enabled) {
        Recording recording = new Recording();
        for (String name : enabled) {
            recording.enable(name);
        }
        return recording;
    }

    /** While no recording runs, probes come a moment after their library. The last one is written to the configuration last. */
    static void awaitProbes(String... names) throws Exception {
        for (long end = System.nanoTime() + 20_000_000_000L;;) {
            String written = Files.readString(Path.of("probes.jfc"));
            if (List.of(names).stream().allMatch(name -> written.contains("\"" + name + "\""))) {
                return;
            }
            Fixture.check(System.nanoTime() < end, () -> "the probes never came: " + written);
            Thread.sleep(20);
        }
    }

    private static long sumOfTimes(long first, int n) {
        return 3 * (first * n + (long) n * (n - 1) / 2) + n;
    }

    /** But for a few in calls that a busy machine kept from returning for half a second. */
    private static void haveJavaStacks(List<RecordedEvent> events, int frames) {
        Map<String, Long> how = new TreeMap<>();
        events.forEach(e -> how.merge(e.getString("drained") != null ? e.getString("drained") : e.getStackTrace().getFrames().size() >= frames ? "stack" : "short stack", 1L, Long::sum));
        Fixture.check(Set.of("stack", "long call").containsAll(how.keySet()) && how.getOrDefault("long call", 0L) < events.size() / 10, () -> "stacks: " + how);
    }

    /** What a user does in another shell. */
    static String jcmd(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), "" + ProcessHandle.current().pid()));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        Fixture.same(0, process.waitFor(), said);
        Fixture.check(!said.contains("Could not") && !said.contains("Exception"), () -> said);
        return said;
    }

    /** Another recording comes and goes: JFR begins a chunk for either. */
    private static void rotate() {
        try (Recording other = new Recording()) {
            other.start();
        }
    }

    static void chunksTellExactlyWhatHappenedInThem() throws Exception {
        Recording r = recording(LEAF, ENTER);
        r.start();
        for (int round = 0; round < 5; round++) {
            Steering.calls(round * 1000, 100 + round);
            if (round == 2) {
                jcmd("JFR.dump", "name=" + r.getName(), "filename=" + Path.of("rotated.jfr").toAbsolutePath());
            } else {
                rotate();
            }
        }
        Chunks all = Chunks.ended(r), dumped = Chunks.readAndDelete(Path.of("rotated.jfr"));
        Fixture.check(all.count() >= 9, () -> all.count() + " chunks");
        for (String probe : List.of(LEAF, ENTER)) {
            all.armedInEach(probe);
            Fixture.same(510, all.of(probe).size(), probe);
            Fixture.same(510, all.distinct(probe, "i").size(), probe);
            Fixture.same(303, dumped.of(probe).size(), probe + " in the dump");
            Fixture.same(303, dumped.grew(probe, "recorded"), probe + " in the dump");
            Fixture.same(510, all.grew(probe, "hits"), probe);
            for (int n = 0; n < all.count(); n++) {
                Chunks one = all.only(n), former = all.only(Math.max(0, n - 1));
                Fixture.same(one.of(probe).size(), one.grew(probe, "recorded"), probe + " in chunk " + n);
                Fixture.check(n == 0 || one.first(probe, "hits") == former.last(probe, "hits"), () -> "a chunk begins where the one before ended");
            }
        }
    }

    /** Chunks end in the middle of calls. maxchunksize=1m makes more of them. */
    static void chunksRotateUnderLoad(int callsOfEach) throws Exception {
        Recording r = recording(LEAF, ENTER);
        r.start();
        Thread rotates = new Thread(() -> {
            while (!Thread.interrupted()) {
                rotate();
            }
        }, "rotates");
        rotates.start();
        Fixture.together(2, thread -> {
            for (int i = 0; i < callsOfEach; i++) {
                Probed.leaf(thread * THREAD + i);
            }
        });
        rotates.interrupt();
        rotates.join();
        Chunks all = Chunks.ended(r);
        Fixture.check(all.count() > 4, () -> all.count() + " chunks");
        System.out.println(all.count() + " chunks under load");
        for (String probe : List.of(LEAF, ENTER)) {
            all.armedInEach(probe);
            Fixture.same(2L * callsOfEach, all.distinct(probe, "i").size() + all.last(probe, "dropped"), probe);
            Fixture.same(2L * callsOfEach, all.grew(probe, "hits"), probe);
            Fixture.same(all.of(probe).size(), all.grew(probe, "recorded"), probe);
            Fixture.same(0, all.last(probe, "unfinished"), probe);
        }
    }

    /** By its size alone, as maxchunksize says. JFR looks once a second. */
    static void chunksRotateByTheirSize() throws Exception {
        Recording r = recording(LEAF);
        r.start();
        long i = 0;
        for (long end = System.nanoTime() + 6_000_000_000L; System.nanoTime() < end; i += 100) {
            Steering.calls(i, 100);
            Thread.sleep(0, 500_000);
        }
        Chunks all = Chunks.ended(r);
        System.out.println(all.count() + " chunks of 1 MB for " + i + " calls");
        Fixture.check(all.count() >= 2, () -> all.count() + " chunks of 1 MB");
        all.armedInEach(LEAF);
        Fixture.same(i, all.distinct(LEAF, "i").size(), "events");
        Fixture.same(i, all.grew(LEAF, "recorded"), "recorded");
    }

    static void whatIsKeptOfALimitedRecordingIsWhole() throws Exception {
        for (boolean bySize : new boolean[] {true, false}) {
            Recording r = recording(LEAF);
            if (bySize) {
                r.setMaxSize(400_000);
            } else {
                r.setMaxAge(Duration.ofMillis(1500));
            }
            r.start();
            int rounds = 12;
            for (int round = 0; round < rounds; round++) {
                Steering.calls(round * 10_000L, 3000);
                rotate();
                Thread.sleep(bySize ? 0 : 250);
            }
            Chunks kept = Chunks.ended(r);
            Fixture.check(kept.count() >= 1 && kept.of(LEAF).size() < 3000 * rounds, () -> "some was to go, not all: " + kept.of(LEAF).size());
            kept.armedInEach(LEAF);
            for (int n = 0; n < kept.count(); n++) {
                Fixture.same(kept.only(n).of(LEAF).size(), kept.only(n).grew(LEAF, "recorded"), "chunk " + n);
            }
            Fixture.same(kept.of(LEAF).size(), kept.grew(LEAF, "hits"), "all that is kept");
            Fixture.same(3000L * rounds, kept.last(LEAF, "hits") - (kept.first(LEAF, "hits") - (3000L * rounds - kept.of(LEAF).size())), "hits");
        }
    }

    /** A native call that lasts for seconds and makes hits all the while. */
    static void aDumpInMidCallHoldsAllThatIsOlderThanASecond() throws Exception {
        int hits = 3000;
        Recording r = recording(LEAF, ENTER);
        r.start();
        AtomicLong kernelId = new AtomicLong();
        Thread slow = new Thread(() -> {
            try {
                kernelId.set(Long.parseLong(Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString()));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
            Fixture.same(sumOfTimes(0, hits), Probed.paced(0, hits, 1000), "paced");
        }, "slow-caller");
        slow.start();
        Thread.sleep(2500);
        Instant before = Instant.now();
        jcmd("JFR.dump", "name=" + r.getName(), "filename=" + Path.of("midcall.jfr").toAbsolutePath());
        Fixture.check(slow.isAlive(), () -> "the call was to last longer");
        slow.join();
        Chunks all = Chunks.ended(r), dump = Chunks.readAndDelete(Path.of("midcall.jfr"));
        for (String probe : List.of(LEAF, ENTER)) {
            Fixture.same(hits, all.distinct(probe, "i").size(), probe + all.said());
            Fixture.same(hits, all.grew(probe, "recorded"), probe);
            Set<Long> dumped = dump.distinct(probe, "i");
            Fixture.check(dumped.size() > 500, () -> dumped.size() + " in the dump");
            for (RecordedEvent e : all.of(probe)) {
                Fixture.check(!e.getStartTime().isBefore(before.minusSeconds(1)) || dumped.contains(e.getLong("i")), () -> "not in the dump: " + e);
            }
            Fixture.same(dumped.size(), dump.grew(probe, "recorded"), probe + " in the dump");
            for (RecordedEvent e : dump.of(probe)) {
                Fixture.check("long call".equals(e.getString("drained")) && "slow-caller".equals(e.getString("nativeThreadName")) && e.getLong("nativeThreadId") == kernelId.get()
                        && e.getLong("javaThreadId") == slow.getId(), () -> "who? " + e + kernelId + " " + slow.getId());
            }
        }
    }

    /** The record of the outer call waits, and is not in the way of those behind it. */
    static void callsBackIntoJavaLoseNothing() throws Exception {
        int inner = 20_000;
        Recording r = recording(LEAF, FIRST);
        r.start();
        for (int k = 0; k < 3; k++) {
            int round = k;
            Fixture.same(k * 2 + 3, Probed.around(k, () -> Steering.calls(round * THREAD, inner)), "around");
        }
        Chunks all = Chunks.ended(r);
        Fixture.same(3, all.distinct(FIRST, "id").size(), "outer calls" + all.said());
        Fixture.same(3L * inner, all.distinct(LEAF, "i").size(), "inner calls");
        haveJavaStacks(all.of(LEAF), 4);
        Fixture.check(all.of(FIRST).stream().noneMatch(e -> "ring full".equals(e.getString("drained"))), () -> "the outer call's record was in the way: " + all.of(FIRST));
    }

    /** Edits the configuration that the agent writes. */
    private static Path edited(String name, String event, Map<String, String> settings) throws IOException {
        String text = Files.readString(Path.of("probes.jfc"));
        int from = text.indexOf("<event name=\"" + event + "\">"), to = text.indexOf("</event>", from);
        String block = text.substring(from, to);
        for (Map.Entry<String, String> setting : settings.entrySet()) {
            String before = block;
            block = block.replaceAll("(<setting name=\"" + setting.getKey() + "\">)[^<]*", "$1" + setting.getValue().replace("&", "&amp;").replace("<", "&lt;"));
            Fixture.check(!before.equals(block), () -> "no setting " + setting.getKey() + " in " + before);
        }
        return Files.writeString(Path.of(name).toAbsolutePath(), text.substring(0, from) + block + text.substring(to));
    }

    private static Set<Long> below(Chunks chunks, int phase, int most, int step) {
        Set<Long> seen = ConcurrentHashMap.newKeySet();
        chunks.of(LEAF).stream().map(e -> e.getLong("i")).filter(i -> i / 1000 == phase && i % 1000 < most && i % step == 0).forEach(seen::add);
        return seen;
    }

    /** From jcmd, JMX and the API, one after the other, and stopped in the same order. Phase n makes the calls 1000 n to 1000 n + 99. */
    static void eachOfSeveralRecordingsHasWhatItAskedFor() throws Exception {
        Path small = edited("small.jfc", LEAF, Map.of("enabled", "true", "filter", "(i & 0x3f) < 50"));
        Path slow = edited("slow.jfc", ENTER, Map.of("enabled", "true", "threshold", "1 h"));
        FlightRecorderMXBean bean = ManagementFactory.getPlatformMXBean(FlightRecorderMXBean.class);
        Steering.calls(0, 100);
        jcmd("JFR.start", "name=small", "settings=" + small);
        Steering.calls(1000, 100);
        long id = bean.newRecording();
        Map<String, String> settings = new TreeMap<>(Map.of(LEAF + "#enabled", "true", LEAF + "#filter", "(i & 1) == 0"));
        for (String name : List.of("uprobe.ProbeArmed", "uprobe.ProbeStatistics", "uprobe.DataLoss")) {
            settings.put(name + "#enabled", "true");
        }
        bean.setRecordingSettings(id, settings);
        bean.startRecording(id);
        Steering.calls(2000, 100);
        Recording api = recording(LEAF);
        api.start();
        Steering.calls(3000, 100);
        jcmd("JFR.start", "name=slow", "settings=default.jfc", "settings=" + slow);
        Steering.calls(4000, 100);
        Path smallFile = Path.of("small.jfr").toAbsolutePath(), jmxFile = Path.of("jmx.jfr").toAbsolutePath(), slowFile = Path.of("slow.jfr").toAbsolutePath();
        jcmd("JFR.stop", "name=small", "filename=" + smallFile);
        Steering.calls(5000, 100);
        bean.stopRecording(id);
        bean.copyTo(id, jmxFile.toString());
        bean.closeRecording(id);
        Steering.calls(6000, 100);
        Chunks ofApi = Chunks.ended(api);
        Steering.calls(7000, 100);
        jcmd("JFR.stop", "name=slow", "filename=" + slowFile);
        Steering.calls(8000, 100);
        Chunks ofSmall = Chunks.readAndDelete(smallFile), ofJmx = Chunks.readAndDelete(jmxFile), ofSlow = Chunks.readAndDelete(slowFile);
        long narrow = java.util.stream.LongStream.range(1000, 1100).filter(i -> (i & 0x3f) < 50).count();
        Fixture.same(narrow, below(ofSmall, 1, 1000, 1).size(), "alone it is bound by its own filter");
        for (int phase = 1; phase <= 4; phase++) {
            int p = phase;
            Set<Long> has = below(ofSmall, phase, 1000, 1);
            Fixture.check(java.util.stream.LongStream.range(p * 1000L, p * 1000L + 100).filter(i -> (i & 0x3f) < 50).allMatch(has::contains), () -> "small, phase " + p + ": " + has);
        }
        for (int phase = 2; phase <= 5; phase++) {
            Fixture.same(50, below(ofJmx, phase, 1000, 2).size(), "jmx, phase " + phase);
        }
        Fixture.same(50, ofJmx.of(LEAF).stream().filter(e -> e.getLong("i") >= 5000 && e.getLong("i") % 2 == 0).count(), "jmx, the last");
        for (int phase = 3; phase <= 6; phase++) {
            Fixture.same(100, below(ofApi, phase, 1000, 1).size(), "api, phase " + phase);
        }
        Fixture.same(400, ofApi.grew(LEAF, "recorded"), "api");
        Fixture.same(0, ofSlow.of(ENTER).size(), "an instant is shorter than any threshold");
        Fixture.same(400, ofSlow.grew(ENTER, "hits"), "slow hits");
        Fixture.same(400, ofSlow.grew(ENTER, "filtered"), "slow filtered");
        for (Chunks each : List.of(ofSmall, ofJmx, ofApi)) {
            each.distinct(LEAF, "i");
            each.armedInEach(LEAF);
            Fixture.same(each.of(LEAF).size(), each.grew(LEAF, "recorded"), "events and their count");
        }
        ofSlow.armedInEach(ENTER);
        for (Path file : List.of(small, slow)) {
            Files.delete(file);
        }
    }

    private static final class Seen {
        final AtomicLong count = new AtomicLong(), sum = new AtomicLong();

        void from(EventStream stream) {
            stream.onEvent(LEAF, e -> {
                sum.addAndGet(e.getLong("i"));
                count.incrementAndGet();
            });
            stream.startAsync();
        }

        void awaits(long n, String what) throws InterruptedException {
            for (int k = 0; k < 600 && count.get() < n; k++) {
                Thread.sleep(100);
            }
            Fixture.same(n, count.get(), what);
            Fixture.same(n * (n - 1) / 2, sum.get(), what + ", sum");
        }
    }

    static void streamsAndAFileAtOnceGetEveryEvent() throws Exception {
        int n = 50_000;
        Recording file = recording(LEAF);
        Seen near = new Seen(), far = new Seen();
        try (RecordingStream stream = new RecordingStream(); RemoteRecordingStream remote = new RemoteRecordingStream(ManagementFactory.getPlatformMBeanServer())) {
            stream.enable(LEAF);
            remote.enable(LEAF);
            near.from(stream);
            far.from(remote);
            file.start();
            Steering.calls(0, n);
            near.awaits(n, "stream");
            far.awaits(n, "remote stream");
            Chunks all = Chunks.ended(file);
            Fixture.same(n, all.distinct(LEAF, "i").size(), "file");
            Fixture.same(n, all.grew(LEAF, "hits"), "hits");
        }
    }

    /** Two threads do nothing else. Whatever the drain can not take in time is counted. */
    static void atFullSpeedEveryHitIsAnEventOrCounted(long callsOfEach) throws Exception {
        Recording r = recording(LEAF);
        r.setDestination(Path.of("fast.jfr"));
        r.start();
        long begin = System.nanoTime();
        Fixture.together(2, thread -> {
            for (long i = 0; i < callsOfEach; i++) {
                Probed.leaf(thread * THREAD + i);
            }
        });
        long took = System.nanoTime() - begin;
        r.stop();
        r.close();
        long events = 0, hits = -1, recorded = 0, lost = 0;
        java.util.BitSet[] seen = {new java.util.BitSet(), new java.util.BitSet()};
        try (jdk.jfr.consumer.RecordingFile in = new jdk.jfr.consumer.RecordingFile(Path.of("fast.jfr"))) {
            while (in.hasMoreEvents()) {
                RecordedEvent e = in.readEvent();
                if (e.getEventType().getName().equals(LEAF)) {
                    long i = e.getLong("i");
                    events++;
                    Fixture.check(!seen[(int) (i / THREAD)].get((int) (i % THREAD)), () -> "twice: " + e);
                    seen[(int) (i / THREAD)].set((int) (i % THREAD));
                } else if (e.getEventType().getName().equals("uprobe.ProbeStatistics") && e.getString("probe").equals(LEAF) && e.getLong("hits") > hits) {
                    hits = e.getLong("hits");
                    recorded = e.getLong("recorded");
                    lost = e.getLong("dropped") + e.getLong("missed");
                }
            }
        }
        System.out.println(hits + " hits on two threads in " + took / 1_000_000 + " ms, " + events + " events, " + lost + " dropped or missed, file of "
                + (Files.size(Path.of("fast.jfr")) >> 20) + " MB");
        Files.delete(Path.of("fast.jfr"));
        Fixture.same(2 * callsOfEach, hits, "hits");
        Fixture.same(events, recorded, "recorded");
        Fixture.same(0, lost, "lost, though no call made more than one");
    }

    static void aThousandHitsInACallKeepTheirStacks() throws Exception {
        for (String probe : List.of(LEAF, WIDE)) {
            Recording r = recording(probe);
            r.start();
            int calls = 100;
            Fixture.together(2, thread -> {
                for (int k = 0; k < calls; k++) {
                    long first = thread * THREAD + k * 1000L;
                    Fixture.same(sumOfTimes(first, 1000), Probed.times(first, 1000), "times");
                }
            });
            Chunks all = Chunks.ended(r);
            Fixture.same(2000L * calls, all.distinct(probe, probe.equals(LEAF) ? "i" : "a").size(), probe);
            Fixture.same(2000L * calls, all.grew(probe, "hits"), probe);
            haveJavaStacks(all.of(probe), 3);
        }
    }

    /** They have no JNI call that could return. A stream sees what JFR writes every second. */
    static void hitsOfNativeThreadsAreEventsWithinASecond() throws Exception {
        Fixture.load("native_threads");
        awaitProbes(WORKER);
        List<Long> delays = java.util.Collections.synchronizedList(new ArrayList<>());
        try (RecordingStream stream = new RecordingStream()) {
            stream.setReuse(false);
            stream.enable(WORKER);
            stream.onEvent(WORKER, e -> delays.add(Duration.between(e.getEndTime(), Instant.now()).toMillis()));
            stream.startAsync();
            NativeThreads.main(new String[] {"2", "200"});
            for (int k = 0; k < 300 && delays.size() < 400; k++) {
                Thread.sleep(100);
            }
        }
        Fixture.same(400, delays.size(), "events of native threads");
        List<Long> sorted = delays.stream().sorted().toList();
        System.out.println("events were seen after " + sorted.get(0) + ", " + sorted.get(200) + " (median), " + sorted.get(399) + " ms");
        Fixture.check(sorted.get(200) < 2000 && sorted.get(399) < 20_000, () -> "seen after ms: " + sorted);
    }

    /** Rings of threads that are gone are used again; no more memory is taken than there are rings. */
    static void tenThousandThreads() throws Exception {
        int batches = 20, batch = 500;
        Recording r = recording(LEAF);
        r.start();
        long before = resident();
        for (int n = 0; n < batches; n++) {
            int base = n * batch;
            Fixture.together(batch, thread -> Probed.leaf(base + thread));
            Thread.sleep(600);
        }
        long grown = resident() - before;
        Chunks all = Chunks.ended(r);
        System.out.println(batches * batch + " threads, " + all.last(LEAF, "dropped") + " dropped, memory grew by " + (grown >> 10) + " MB");
        Fixture.same(batches * batch, all.distinct(LEAF, "i").size(), "events");
        Fixture.check(grown < 200 << 10, () -> "memory grew by " + grown + " kB");
    }

    /** In kB. */
    private static long resident() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
    }

    public static void main(String[] args) throws Exception {
        Probed.leaf(-1);
        awaitProbes(LEAF, ENTER, WIDE, FIRST);
        for (String name : args) {
            long begin = System.nanoTime();
            switch (name) {
                case "chunks" -> chunksTellExactlyWhatHappenedInThem();
                case "load" -> chunksRotateUnderLoad(30_000);
                case "size" -> chunksRotateByTheirSize();
                case "limited" -> whatIsKeptOfALimitedRecordingIsWhole();
                case "dump" -> aDumpInMidCallHoldsAllThatIsOlderThanASecond();
                case "back" -> callsBackIntoJavaLoseNothing();
                case "several" -> eachOfSeveralRecordingsHasWhatItAskedFor();
                case "streams" -> streamsAndAFileAtOnceGetEveryEvent();
                case "fast" -> atFullSpeedEveryHitIsAnEventOrCounted(Long.getLong("calls", 500_000));
                case "thousand" -> aThousandHitsInACallKeepTheirStacks();
                case "native" -> hitsOfNativeThreadsAreEventsWithinASecond();
                case "threads" -> tenThousandThreads();
                default -> throw new IllegalArgumentException(name);
            }
            System.out.println(name + " took " + (System.nanoTime() - begin) / 1_000_000 + " ms");
        }
        Fixture.ok();
    }

    private Keeping() {}
}
