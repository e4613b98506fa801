package uprobe.it.app;

import jdk.jfr.Recording;

/** With armed=always hits are counted whether a recording wants them or not. */
public final class Always {
    private static final String LEAF = "uprobe.a.leaf";
    public static final String[] PROBES = {"c:a/leaf libprobed:probed_leaf i=$arg1:s64", "armed=always", "enabled=false", "guard=2000/s", "jfc=probes.jfc"};

    private static void calls(int n) {
        for (int i = 0; i < n; i++) {
            Probed.leaf(i);
        }
    }

    public static void main(String[] args) throws Exception {
        calls(1);
        Keeping.awaitProbes(LEAF);
        Recording all = new Recording();        /* of the statistics; it does not want the probe's events */
        all.start();
        for (long end = System.nanoTime() + 2_500_000_000L; System.nanoTime() < end; Thread.sleep(10)) {
            calls(200);
        }
        Recording few = new Recording();
        few.enable(LEAF).with("filter", "i == 3").with("sample", "1/1");
        few.start();
        calls(10);
        few.stop();
        few.close();
        calls(100);
        Chunks chunks = Chunks.ended(all);
        Fixture.same(1, chunks.of(LEAF).size(), "events");
        Fixture.same(9, chunks.grew(LEAF, "filtered"), "filtered by the recording that was");
        Fixture.same(chunks.grew(LEAF, "hits") - 9, chunks.grew(LEAF, "recorded"), "counted, as no recording wants them");
        Fixture.ok();
    }

    private Always() {}
}
