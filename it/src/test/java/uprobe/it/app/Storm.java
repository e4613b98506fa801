package uprobe.it.app;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import uprobe.probe.CommitMethod;
import uprobe.probe.EngineOptions;
import uprobe.probe.FlushStatistics;
import uprobe.probe.HitRecordDescriptor;
import uprobe.probe.HitRun;
import uprobe.probe.Probe;
import uprobe.probe.ProbeCounters;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.Refusal;
import uprobe.probe.spec.ProbeParser;

/**
 * Everything at once, for as many seconds as the argument says: eight threads call the fifty functions of libstorm.so, one arms and disarms probes on
 * them in any order, signals come every millisecond and call probed functions in their handlers, threads and children are born and die, exceptions
 * pass, memory is collected. The engine is used without the agent.
 *
 * <p>Nothing may be lost and nothing wrong: a function that was probed all the time has as many hits as it counted calls; one probed for a while has
 * at least those calls that were surely made meanwhile and at most all; and every hit is recorded, dropped or missed. Prints how often each hard
 * path was taken, as lines {@code path NAME COUNT}.
 */
public final class Storm {
    /* storm.cc has the same numbers. */
    private static final int LEAVES = 20, CALLERS = 15, LOOPS = 10, THROWERS = 5, FUNCTIONS = LEAVES + CALLERS + LOOPS + THROWERS;
    private static final int FIRST_LOOP = LEAVES + CALLERS, FIRST_THROWER = FIRST_LOOP + LOOPS;
    private static final int ENTRY = 0, CALL = 1, RETURN = 2, MIDDLE = 3, LANES = 4;
    private static final String[] HARD_PATHS = {"signals", "hits in handlers inside a probed call", "handlers inside handlers",
            "handlers that interrupted a return or a flush of the engine", "handlers that interrupted a slot", "handlers on a stack of their own",
            "foreign traps seen by their own handler"};

    private static final int WORKERS = 8, CALLS_AT_A_TIME = 40, HAMMERED = 11;
    /** Probes that surely see every call: these functions in these lanes. */
    private static final int[][] ALWAYS = {{0, CALL}, {1, ENTRY}, {5, CALL}, {6, ENTRY}, {10, RETURN}, {15, CALL}, {15, RETURN}, {20, CALL}, {25, ENTRY}, {30, CALL},
            {35, CALL}, {35, MIDDLE}, {40, MIDDLE}, {45, CALL}, {47, CALL}, {47, RETURN}, {49, ENTRY}};
    /** More than threads and handlers can have under way: a hit whose call has not counted itself yet. */
    private static final long UNDER_WAY = 500;

    private static volatile boolean stop;
    private static volatile Throwable failure;

    /* What commit methods know of a probe, by its number; it is there before the probe's first hit. */
    private static final int MOST_PROBES = 1 << 22;
    private static final byte[] functionOf = new byte[MOST_PROBES], laneOf = new byte[MOST_PROBES];
    private static ByteBuffer records;
    private static final AtomicLong wrongRecords = new AtomicLong(), unwoundRecords = new AtomicLong();
    private static volatile String firstWrong;
    private static final AtomicLongArray sums = new AtomicLongArray(FUNCTIONS * LANES);

    private static native void begin(long engineLow, long engineHigh);
    private static native void slotRange(long low, long high);
    private static native void end();
    private static native void register(boolean on, boolean altStack);
    private static native void work(int n);
    private static native void hammer(int k, int n);
    private static native int nativeThread(int n, boolean attaches, boolean altStack);
    private static native int forkAndExec();
    private static native void foreignTrap();
    private static native int epoch(int k, int lane);
    private static native long sureCalls(int k, int lane, int epoch);
    private static native long calls(int k, int lane);
    private static native long sum(int k);
    private static native int middleOffset(int k);
    private static native long expectedResult(int k, long a);
    private static native long[] seen();

    /** A probe that is or was armed for a while. */
    private record Arming(int k, int lane, int epoch, Probe probe, long callsBefore, long callsAfter, long since) {
        ProbeCounters check() {
            ProbeCounters counters = probe.counters();
            long least = sureCalls(k, lane, epoch), most = callsAfter - callsBefore + UNDER_WAY;
            if (counters.hits() < least || counters.hits() > most) {
                throw new AssertionError(probe + ": " + counters.hits() + " hits, but " + least + " calls were surely made under it, and at most " + most + " at all");
            }
            return counters;
        }
    }

    private Storm() {
    }

    public static void main(String[] args) throws Exception {
        Fixture.load("storm");
        int seconds = Fixture.argument(args, 0, 10);
        for (int k = 0; k < FUNCTIONS; k++) {
            Fixture.same(expectedResult(k, 8 * k), result(k, 8 * k), "the formulas agree for " + k);
            Fixture.same(expectedResult(k, -77L * k), result(k, -77L * k), "the formulas agree for " + k);
        }
        ProbeEngine engine = ProbeEngine.open(EngineOptions.DEFAULT.withRings(1 << 20, 512));
        Fixture.check(engine.withoutJavaStacks().isEmpty(), engine::withoutJavaStacks);
        records = engine.records();
        List<Probe> always = new ArrayList<>();
        long[] hitsExpectedFrom = new long[ALWAYS.length];
        for (int i = 0; i < ALWAYS.length; i++) {
            always.add(arm(engine, ALWAYS[i][0], ALWAYS[i][1]));
            Fixture.same(0, hitsExpectedFrom[i] = calls(ALWAYS[i][0], ALWAYS[i][1]), "nobody has called yet");
        }
        tellRanges();

        AtomicLong arms = new AtomicLong(), disarms = new AtomicLong(), refused = new AtomicLong(), threads = new AtomicLong(), children = new AtomicLong(), foreign = new AtomicLong();
        List<Probe> unsettled = new ArrayList<>();
        List<Thread> running = new ArrayList<>();
        long[] range = mapped("libuprobe");
        begin(range[0], range[1]);
        for (int i = 0; i < WORKERS; i++) {
            boolean hammers = i < WORKERS / 2, altStack = i % 2 == 0;
            running.add(start("worker-" + i, () -> {
                register(true, altStack);
                while (!stop) {
                    work(CALLS_AT_A_TIME);
                    if (hammers) {
                        hammer(HAMMERED, CALLS_AT_A_TIME);
                    }
                }
                register(false, false);
            }));
        }
        running.add(start("armer", () -> armAndDisarm(engine, arms, disarms, refused, unsettled)));
        running.add(start("garbage", Storm::makeGarbage));
        running.add(start("java-threads", () -> {
            for (int n = 0; !stop; n++) {
                boolean altStack = n % 2 == 0;
                Thread thread = start("short-lived-" + n, () -> {
                    register(true, altStack);
                    work(100);
                    register(false, false);
                });
                thread.join();
                threads.incrementAndGet();
            }
        }));
        running.add(start("native-threads", () -> {
            for (int n = 0; !stop; n++) {
                Fixture.same(0, nativeThread(100, n % 3 == 0, n % 2 == 0), "a native thread");
                threads.incrementAndGet();
            }
        }));
        running.add(start("children", () -> {
            while (!stop) {
                Fixture.same(0, new ProcessBuilder("/bin/true").start().waitFor(), "/bin/true");
                Fixture.same(0, forkAndExec(), "a fork's child that calls probed functions and becomes /bin/true");
                children.addAndGet(2);
                Thread.sleep(5);
            }
        }));
        running.add(start("foreign-traps", () -> {
            while (!stop) {
                foreignTrap();
                foreign.incrementAndGet();
                Thread.sleep(5);
            }
        }));

        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() < until && failure == null) {
            Thread.sleep(100);
            tellRanges();
        }
        stop = true;
        for (Thread thread : running) {
            thread.join();
        }
        end();
        if (failure != null) {
            throw new AssertionError("a thread failed", failure);
        }

        long[] seen = seen();
        path("arms refused while a thread had all signals blocked", refused.get());
        report(engine, arms.get(), disarms.get(), threads.get(), children.get(), seen);
        Fixture.same(0, seen[0], "wrong arguments or results");
        Fixture.check(wrongRecords.get() == 0, () -> wrongRecords + " wrong records, the first: " + firstWrong);
        Fixture.same(foreign.get(), seen[7], "foreign traps that came to their own handler");
        settle(engine, always);
        settle(engine, unsettled);
        long hits = 0, missed = 0, dropped = 0, summed = 0;
        for (int i = 0; i < ALWAYS.length; i++) {
            int k = ALWAYS[i][0], lane = ALWAYS[i][1];
            ProbeCounters counters = always.get(i).counters();
            Fixture.same(calls(k, lane), counters.hits(), always.get(i) + " and the function's own count");
            /* each record is looked at by itself as well; this shows that none was made twice and another left out */
            if (counters.recorded() == counters.hits() && (lane == ENTRY || lane == CALL)) {
                Fixture.same(sum(k), sums.get(k * LANES + lane), always.get(i) + ": sum of its first argument");
                summed++;
            }
            hits += counters.hits();
            dropped += counters.dropped();
            missed += counters.missed();
            Fixture.check(always.get(i).disarm().isEmpty(), () -> "nobody else changed the code");
        }
        System.out.println("probes with every argument recorded " + summed);
        System.out.println("hits of probes that were always armed " + hits + " dropped " + dropped + " missed " + missed);
        Fixture.ok();
    }

    private interface Task {
        void run() throws Exception;
    }

    private static Thread start(String name, Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (Throwable e) {
                failure = e;
                stop = true;
            }
        }, name);
        thread.start();
        return thread;
    }

    /** Called by native threads that have attached themselves. */
    static void attached(int n) {
        work(n);
    }

    private static void makeGarbage() throws InterruptedException {
        Deque<byte[]> kept = new ArrayDeque<>();
        for (int n = 0; !stop; n++) {
            kept.add(new byte[1 << 10 << n % 7]);
            if (kept.size() > 1000) {
                kept.removeFirst();
            }
            if (n % 20_000 == 0) {
                System.gc();
            }
            if (n % 100 == 0) {
                Thread.sleep(1);
            }
        }
    }

    private static Probe arm(ProbeEngine engine, int k, int lane) throws Exception {
        String function = "libstorm:storm_%02d".formatted(k);
        String text = switch (lane) {
            case ENTRY -> "p " + function + " a=$arg1 b=$arg2";
            case CALL -> "c " + function + " a=$arg1 b=$arg2 r=$retval";
            case RETURN -> "r " + function + " r=$retval";
            default -> "p " + function + "+" + middleOffset(k) + " x=%rax i=%rdi a=%rsi";
        };
        return engine.arm(ProbeParser.parse(text), (probe, spec, stem, symbol, memory) -> {
            functionOf[probe] = (byte) k;
            laneOf[probe] = (byte) lane;
            return new CommitMethod(Storm.class, "commit");
        });
    }

    private static void armAndDisarm(ProbeEngine engine, AtomicLong arms, AtomicLong disarms, AtomicLong refused, List<Probe> unsettled)
            throws Exception {
        Random random = new Random(1999993);
        Arming[] armed = new Arming[FUNCTIONS * LANES];
        boolean[] never = new boolean[FUNCTIONS * LANES];
        for (int[] one : ALWAYS) {
            never[one[0] * LANES + one[1]] = true;
        }
        Deque<Arming> old = new ArrayDeque<>();
        while (!stop || anyLeft(armed)) {
            int at;
            do {
                /* one lane only, so that each disarming takes the trap away */
                at = random.nextInt(2) == 0 ? HAMMERED * LANES + CALL : random.nextInt(FUNCTIONS * LANES);
            } while (never[at] || at / LANES == HAMMERED && at % LANES != CALL || at % LANES == MIDDLE && (at / LANES < FIRST_LOOP || at / LANES >= FIRST_THROWER));
            int k = at / LANES, lane = at % LANES;
            if (armed[at] == null && !stop) {
                long before = calls(k, lane);
                Probe probe;
                try {
                    probe = arm(engine, k, lane);
                } catch (ProbeRefusedException e) {
                    /* A thread that makes threads or children all the time has been seen with everything blocked at every look. */
                    Fixture.check(e.refusal() == Refusal.SIGNAL_BLOCKED, e::getMessage);
                    refused.incrementAndGet();
                    continue;
                }
                armed[at] = new Arming(k, lane, epoch(k, lane), probe, before, 0, 0);
                arms.incrementAndGet();
            } else if (armed[at] != null) {
                Arming was = armed[at];
                armed[at] = null;
                epoch(k, lane);
                Fixture.check(was.probe.disarm().isEmpty(), () -> was.probe + ": somebody else changed the code");
                disarms.incrementAndGet();
                old.add(new Arming(k, lane, was.epoch, was.probe, was.callsBefore, calls(k, lane), System.nanoTime()));
            }
            /* Once its last calls have ended, what came of a probe can be looked at and forgotten. */
            while (!old.isEmpty() && (stop || System.nanoTime() - old.peek().since > TimeUnit.SECONDS.toNanos(3))) {
                Arming done = old.remove();
                ProbeCounters c = done.check();
                if (stop || c.hits() != c.recorded() + c.dropped() + c.missed() + c.ownWork()) {
                    unsettled.add(done.probe);
                }
            }
        }
    }

    private static boolean anyLeft(Arming[] armed) {
        for (Arming arming : armed) {
            if (arming != null) {
                return true;
            }
        }
        return false;
    }

    /** All threads have ended, so what they had under way is recorded once the kernel says so; then the parts make the whole. */
    private static void settle(ProbeEngine engine, List<Probe> probes) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        for (Probe probe : probes) {
            ProbeCounters c = probe.counters();
            while (c.hits() != c.recorded() + c.dropped() + c.missed() + c.ownWork()) {
                if (System.nanoTime() > until) {
                    throw new AssertionError(probe + ": the parts do not make the whole: " + c);
                }
                engine.drain(true, 5000);
                Thread.sleep(20);
                c = probe.counters();
            }
        }
    }

    private static void report(ProbeEngine engine, long arms, long disarms, long threads, long children, long[] seen) {
        ProbeEngine.TrapStatistics traps = engine.trapStatistics();
        FlushStatistics flushes = engine.flushStatistics();
        path("traps", traps.traps());
        path("stale traps", traps.stale());
        path("foreign traps", traps.foreign());
        path("arms", arms);
        path("disarms", disarms);
        path("threads born and gone", threads);
        path("children", children);
        for (int i = 0; i < HARD_PATHS.length; i++) {
            path(HARD_PATHS[i], seen[1 + i]);
        }
        path("unwound returns", flushes.unwound());
        path("records of calls left by exceptions", unwoundRecords.get());
        path("return addresses swapped for a flush", flushes.swaps());
        path("flushes", flushes.flushes());
        path("upcalls", flushes.upcalls());
        path("rings taken", flushes.threadsTaken());
        path("rings recycled", flushes.threadsRecycled());
        path("hits in the VM or in Java code", flushes.otherStates());
        /* may be none at all */
        System.out.println("others " + flushes);
    }

    private static void path(String name, long count) {
        System.out.println("path " + name + " " + count);
    }

    /* ---- the formulas of storm.cc ---- */

    private static long mix(long a, long k) {
        long x = a * 0x9e3779b97f4a7c15L + k * 0xbf58476d1ce4e5b9L;
        return x ^ x >>> 29;
    }

    private static long seal(long v, long k) {
        long upper = v & ~0xffL;
        return upper | mix(upper, k) >>> 40 & 0xff;
    }

    private static boolean sealed(long v, int k) {
        return seal(v, k) == v;
    }

    private static boolean leavesByException(int k, long a) {
        return k >= FIRST_THROWER && (k == 49 ? (a & 15) == 0 : k >= 47 ? (a & 7) == 0 : (a & 3) == 0);
    }

    private static long result(int k, long a) {
        long own = mix(a, k + 100);
        if (k < LEAVES) {
            return seal(own, k);
        } else if (k < FIRST_LOOP) {
            return seal(own + result(k - LEAVES, a ^ 0x55), k);
        } else if (k < FIRST_THROWER) {
            long n = (a >> 3 & 3) + 1;
            return seal(own + a + 7 * n + n * (n - 1) / 2, k);
        }
        return switch (k) {
            case 46 -> seal(own + result(45, a), k);
            case 47 -> seal(leavesByException(46, a) ? own - 1 : own + result(46, a), k);
            case 48 -> seal(own + result(47, a), k);
            default -> seal(own, k);
        };
    }

    /** Called by the helper, on any thread: takes no lock and throws nothing. */
    static void commit() {
        long run = HitRun.now();
        commit(HitRun.offset(run), HitRun.count(run), HitRun.nativeThreadId(), HitRun.nativeThreadName(), HitRun.javaThreadId(), HitRun.drained());
    }

    static void commit(int offset, int count, long nativeThread, String nativeThreadName, long javaThread, String drained) {
        ByteBuffer memory = records;
        for (int i = 0, at = offset; i < count; i++) {
            int length = memory.getShort(at + HitRecordDescriptor.LENGTH) & 0xffff, probe = memory.getInt(at + HitRecordDescriptor.PROBE);
            int missing = memory.getShort(at + HitRecordDescriptor.MISSING) & 0xffff;
            boolean unwound = (memory.getInt(at + HitRecordDescriptor.FLAGS) & HitRecordDescriptor.UNWOUND) != 0;
            int values = at + HitRecordDescriptor.VALUES;
            long first = memory.getLong(values), second = memory.getLong(values + 8), third = memory.getLong(values + 16), fourth = memory.getLong(values + 24);
            int k = functionOf[probe], lane = laneOf[probe];
            boolean right;
            switch (lane) {
                case ENTRY -> {
                    right = missing == 0 && !unwound && second == mix(first, k);
                    sums.addAndGet(k * LANES + lane, first);
                }
                case CALL -> {
                    boolean left = leavesByException(k, second);
                    right = third == mix(second, k) && unwound == left
                            && (left ? missing == (HitRecordDescriptor.MISSING_DURATION | 0b100) : missing == 0 && first > 0 && fourth == result(k, second));
                    sums.addAndGet(k * LANES + lane, second);
                }
                case RETURN -> right = unwound ? k >= FIRST_THROWER && missing == 1 : missing == 0 && sealed(first, k);
                default -> right = missing == 0 && first == third + 7 * second + second * (second - 1) / 2 && second >= 0 && second <= (third >> 3 & 3);
            }
            if (unwound) {
                unwoundRecords.incrementAndGet();
            }
            if (!right && wrongRecords.incrementAndGet() == 1) {
                firstWrong = "storm_" + k + " lane " + lane + " missing " + missing + " unwound " + unwound + " values " + first + " " + second + " " + third + " "
                        + fourth + (drained == null ? "" : " " + drained);
            }
            memory.putInt(at + HitRecordDescriptor.STATE, HitRecordDescriptor.COMMITTED);
            at += length;
        }
    }

    /* ---- where things are mapped ---- */

    private static void tellRanges() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            String[] words = line.split("\\s+");
            if (words.length == 5 && words[1].equals("r-xp")) {
                long[] range = range(words[0]);
                slotRange(range[0], range[1]);
            }
        }
    }

    private static long[] mapped(String library) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            if (line.contains(" r-xp ") && line.contains(library)) {
                return range(line.split(" ")[0]);
            }
        }
        throw new AssertionError(library + " is not mapped");
    }

    private static long[] range(String text) {
        String[] ends = text.split("-");
        return new long[] {Long.parseUnsignedLong(ends[0], 16), Long.parseUnsignedLong(ends[1], 16)};
    }
}
