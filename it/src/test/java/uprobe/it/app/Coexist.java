package uprobe.it.app;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import uprobe.probe.CommitMethod;
import uprobe.probe.EngineOptions;
import uprobe.probe.HitRecordDescriptor;
import uprobe.probe.HitRun;
import uprobe.probe.Probe;
import uprobe.probe.ProbeCounters;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbeRefusedException;
import uprobe.probe.spec.ProbeParser;

/**
 * A program that others look into - debuggers, profilers, the kernel - while it does as it is told on standard input, one line each; every line is
 * answered by one that begins with {@code reply}.
 *
 * <pre>
 *   arm PROBE       armed | refused REASON sentence          disarm     disarmed, and how many sites somebody else had changed
 *   calls N         calls of probed_leaf, one after the other          load on|off     three threads that call all the time
 *   counts          hits, calls that probed_leaf counted itself, records, dropped, missed, of the newest probe
 * </pre>
 */
public final class Coexist {
    private static final int THREADS = 3;
    private static final Deque<Probe> armed = new ArrayDeque<>();
    private static final List<Probe> all = new ArrayList<>();
    private static final AtomicLong wrong = new AtomicLong(), withCaller = new AtomicLong();
    private static ByteBuffer records;
    private static volatile boolean loaded;
    private static volatile Throwable failure;
    /** What a debugger reads after a step. */
    static long sum;

    private Coexist() {
    }

    public static void main(String[] args) throws Exception {
        ProbeEngine engine = ProbeEngine.open(EngineOptions.DEFAULT.withRings(1 << 20, 256));
        Fixture.check(engine.withoutJavaStacks().isEmpty(), engine::withoutJavaStacks);
        records = engine.records();
        Probed.leaf(1);
        List<Thread> threads = new ArrayList<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        System.out.println("ready");
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ", 2);
            System.out.println("reply " + switch (words[0]) {
                case "arm" -> arm(engine, words[1]);
                case "disarm" -> "disarmed " + armed.pop().disarm().size();
                case "calls" -> calls(Integer.parseInt(words[1]));
                case "load" -> load(words[1].equals("on"), threads);
                case "counts" -> counts(engine);
                default -> throw new IllegalArgumentException(line);
            });
        }
        load(false, threads);
        for (Probe probe : all) {
            settled(engine, probe);
        }
        Fixture.same(0, wrong.get(), "wrong records");
        System.out.println("with caller " + withCaller);
        Fixture.ok();
    }

    private static String arm(ProbeEngine engine, String text) throws Exception {
        try {
            armed.push(engine.arm(ProbeParser.parse(text), (probe, spec, stem, symbol, memory) -> new CommitMethod(Coexist.class, "commit")));
            all.add(armed.peek());
            return "armed";
        } catch (ProbeRefusedException e) {
            return "refused " + e.refusal() + " " + e.getMessage();
        }
    }

    private static String calls(int n) {
        sum = 0;
        for (long i = 0; i < n; i++) {
            long result = Probed.leaf(i);
            sum += result;
            Fixture.same(i * 3 + 1, result, "leaf");
        }
        return "called " + n;
    }

    private static String load(boolean on, List<Thread> threads) throws Exception {
        loaded = on;
        for (int i = 0; on && i < THREADS; i++) {
            threads.add(new Thread(Coexist::callAllTheTime, "load-" + i));
            threads.get(threads.size() - 1).start();
        }
        if (!on) {
            for (Thread thread : threads) {
                thread.join();
            }
            threads.clear();
        }
        if (failure != null) {
            throw new AssertionError("a thread failed", failure);
        }
        return "load " + on;
    }

    private static void callAllTheTime() {
        try {
            while (loaded) {
                for (long i = 0; i < 100; i++) {
                    Fixture.same(i * 3 + 1, Probed.leaf(i), "leaf");
                }
                Fixture.same(100 * 99 / 2 * 3 + 100, Probed.times(0, 100), "a hundred leaves in one native call");
                Fixture.check(Probed.ofBoolean(1), () -> "1 is odd");
                Probed.direct(1999993, 7, 2.5);
                Fixture.same(2 * 5 + 9, Probed.atDepth(5), "deep");
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private static ProbeCounters settled(ProbeEngine engine, Probe probe) throws InterruptedException {
        ProbeCounters c = probe.counters();
        for (int i = 0; i < 500 && c.hits() != c.recorded() + c.dropped() + c.missed() + c.ownWork(); i++) {
            engine.drain(true, 5000);
            Thread.sleep(20);
            c = probe.counters();
        }
        Fixture.same(c.hits(), c.recorded() + c.dropped() + c.missed() + c.ownWork(), "the parts of " + probe + " " + c);
        return c;
    }

    private static String counts(ProbeEngine engine) throws Exception {
        ProbeCounters c = settled(engine, armed.isEmpty() ? all.get(all.size() - 1) : armed.peek());
        return "counts hits=" + c.hits() + " calls=" + Probed.calls("probed_leaf") + " recorded=" + c.recorded() + " dropped=" + c.dropped() + " missed=" + c.missed();
    }

    /** Called by the helper. Looks at the stack, as an event would. */
    static void commit() {
        long run = HitRun.now();
        if (!HitRun.isDrained(run)) {
            looksAtItsCaller(HitRun.count(run));
        }
        commit(HitRun.offset(run), HitRun.count(run));
    }

    private static void looksAtItsCaller(int count) {
        StackTraceElement[] frames = new Throwable().getStackTrace();
        if (frames.length > 2 && frames[2].getClassName().equals("uprobe.it.app.Probed")) {
            withCaller.addAndGet(count);
        } else {
            wrong.incrementAndGet();
        }
    }

    private static void commit(int offset, int count) {
        for (int i = 0, at = offset; i < count; i++) {
            if (memoryIsWrong(at)) {
                wrong.incrementAndGet();
            }
            records.putInt(at + HitRecordDescriptor.STATE, HitRecordDescriptor.COMMITTED);
            at += records.getShort(at + HitRecordDescriptor.LENGTH) & 0xffff;
        }
    }

    /** Of a call of probed_leaf with its argument and result; other probes have no fields. */
    private static boolean memoryIsWrong(int at) {
        boolean leaf = (records.getShort(at + HitRecordDescriptor.LENGTH) & 0xffff) == 64 && records.getInt(at + HitRecordDescriptor.PROBE) == 0;
        long argument = records.getLong(at + HitRecordDescriptor.VALUES + 8), result = records.getLong(at + HitRecordDescriptor.VALUES + 16);
        return (records.getShort(at + HitRecordDescriptor.MISSING) & 0xffff) != 0 || leaf && result != argument * 3 + 1;
    }
}
