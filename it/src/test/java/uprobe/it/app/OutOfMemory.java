package uprobe.it.app;

import java.util.ArrayList;
import java.util.List;
import jdk.jfr.Recording;

/** For some seconds no thread gets memory; afterwards what a running recording changes is still applied. */
public final class OutOfMemory {
    private static final String LEAF = "uprobe.o.leaf";
    public static final String[] PROBES = {"c:o/leaf libprobed:probed_leaf i=$arg1:s64", "enabled=false", "jfc=probes.jfc"};

    private static void withoutMemory(long nanos) throws InterruptedException {
        List<Object> held = new ArrayList<>(1 << 20);
        int size = 1 << 20;
        for (long end = System.nanoTime() + nanos; System.nanoTime() < end; ) {
            try {
                held.add(new byte[size]);
            } catch (OutOfMemoryError e) {
                if (size > 16) {
                    size /= 2;
                } else {
                    Thread.onSpinWait();
                }
            }
        }
        held.clear();
    }

    public static void main(String[] args) throws Exception {
        Probed.leaf(1);
        Keeping.awaitProbes(LEAF);
        Recording r = new Recording();
        r.enable(LEAF);
        r.start();
        withoutMemory(5_000_000_000L);
        System.gc();
        r.disable(LEAF);
        Steering.awaitOriginalText();
        r.close();
        Fixture.ok();
    }

    private OutOfMemory() {}
}
