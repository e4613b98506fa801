package uprobe.it.app;

import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;

/** A probe whose events come too fast goes on counting, says so, and makes events again after the next recording has started. */
public final class Guarded {
    public static final String LEAF = "uprobe.g.leaf", OTHER = "uprobe.g.other";
    public static final String[] PROBES = {"c:g/leaf libprobed:probed_leaf i=$arg1:s64", "c:g/other libprobed:probed_narrow i=$arg1:s8", "guard=2000/s", "jfc=probes.jfc"};
    private static long next;
    private static int guarded;

    private static Recording started(String... enabled) {
        Recording r = new Recording();
        for (String name : List.of(LEAF, OTHER)) {
            r.disable(name);
        }
        for (String name : enabled) {
            r.enable(name);
        }
        r.start();
        return r;
    }

    private static void calls(int n) {
        for (int i = 0; i < n; i++) {
            Probed.leaf(next++);
        }
    }

    /** Until it is guarded, with some calls of the other. Returns how many those were. */
    private static int tooFast() throws InterruptedException {
        int others = 0;
        for (long end = System.nanoTime() + 3_500_000_000L; System.nanoTime() < end; others++) {
            calls(200);
            Probed.ofByte((byte) others);
            Thread.sleep(10);
        }
        guarded++;
        return others;
    }

    private static void has(Chunks chunks, long others, String what) {
        long leaves = chunks.of(LEAF).size();
        Fixture.same(chunks.grew(LEAF, "recorded"), leaves, what);
        Fixture.same(chunks.grew(LEAF, "hits"), leaves + chunks.grew(LEAF, "sampledOut"), what);
        Fixture.check(leaves > 0 && chunks.grew(LEAF, "sampledOut") > 0, () -> what + ": " + leaves + " events, " + chunks.grew(LEAF, "sampledOut") + " only counted");
        Fixture.same(others, chunks.of(OTHER).size(), what + ": the other probe");
        Fixture.same(others, chunks.grew(OTHER, "hits"), what + ": the other probe");
        List<RecordedEvent> losses = chunks.of("uprobe.DataLoss");
        Fixture.check(losses.stream().anyMatch(e -> e.getString("probe").equals(LEAF) && e.getString("reason").startsWith("guard: ")), () -> what + ": " + losses);
    }

    public static void main(String[] args) throws Exception {
        calls(1);
        Keeping.awaitProbes(LEAF, OTHER);
        Recording one = started(LEAF, OTHER);
        int others = tooFast();
        has(Chunks.ended(one), others, "the first recording");

        Recording next = started(LEAF);
        calls(10);
        Chunks ofNext = Chunks.ended(next);
        Fixture.same(10, ofNext.of(LEAF).size(), "the recording after it");
        Fixture.same(0, ofNext.grew(LEAF, "sampledOut"), "the recording after it");

        /* another that asks for the same while the first one runs */
        Recording outer = started(LEAF, OTHER);
        others = tooFast();
        long before = Guarded.next;
        Recording inner = started(LEAF);
        calls(10);
        Fixture.same(10, Chunks.ended(inner).of(LEAF).size(), "the recording inside it");
        Chunks ofOuter = Chunks.ended(outer);
        Fixture.same(10, ofOuter.of(LEAF).stream().filter(e -> e.getLong("i") >= before).count(), "the outer one from then on");
        has(ofOuter, others, "the outer recording");

        /* hits that were only counted are no events, whoever wants events of the few that are left */
        Recording counting = started();
        counting.enable(LEAF).with("mode", "count");
        for (long end = System.nanoTime() + 2_500_000_000L; System.nanoTime() < end; Thread.sleep(10)) {
            calls(200);
        }
        counting.enable(LEAF).with("mode", "event");
        Thread.sleep(100);
        for (int i = 0; i < 25; i++) {
            calls(1);
            Thread.sleep(100);
        }
        Chunks ofCounting = Chunks.ended(counting);
        Fixture.same(25, ofCounting.of(LEAF).size(), "events after hits that were only counted");
        Fixture.same(0, ofCounting.grew(LEAF, "sampledOut"), "events after hits that were only counted");
        System.out.println("guarded " + guarded);
        Fixture.ok();
    }

    private Guarded() {}
}
