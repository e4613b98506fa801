package uprobe.it.app;

import java.io.IOException;
import java.util.Random;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Throws, loads classes, contends for monitors and collects garbage, while libjvmti_hits.so (start with
 * {@code -agentpath:DIR/libjvmti_hits.so}) calls probed_in_callback from its callbacks: 1 exception, 2 class prepared, 3 and 4 collection
 * begins and ends, 5 monitor contended. A graph of objects that each thread keeps shows damage to the heap. Arguments: threads, rounds.
 */
public final class CallbacksRunIntoProbes {
    private static final String[] KINDS = { "", "exception", "class", "gcStart", "gcFinish", "contended" };
    private static final int NODES = 5_000;
    private static final int THROWS_PER_ROUND = 200;
    private static final int ROUNDS_PER_CLASS = 5;
    private static final Object MONITOR = new Object();

    private static final int[] ONE = { 1 };
    private static final int ROUNDS_PER_LONG_HOLD = 10;
    private static final long LONG_HOLD_NS = 200_000;

    private static final LongAdder thrown = new LongAdder();
    private static final LongAdder never = new LongAdder();
    private static final LongAdder loaded = new LongAdder();
    private static final LongAdder locked = new LongAdder();
    private static long guarded;

    private CallbacksRunIntoProbes() {
    }

    private static native boolean callbacksInstalled();

    private static native void stopCallbacks();

    private static native long callbacks(int kind);

    private static native long wrongResults();

    public static void main(String[] args) throws InterruptedException {
        int threads = Fixture.argument(args, 0, 4), rounds = Fixture.argument(args, 1, 500);
        Probed.leaf(0);
        Fixture.load("jvmti_hits");
        Churn.during(() -> {
            Fixture.together(threads, thread -> rounds(thread, rounds));
        });
        long n = (long) threads * rounds;
        Fixture.same(n * THROWS_PER_ROUND, thrown.sum(), "exceptions caught");
        Fixture.same(2 * n, guarded + Probed.calls("probed_locked"), "passages through monitors");
        Fixture.same(n, locked.sum(), "synchronized natives");
        Fixture.same(0, never.sum(), "what stands behind an exception");
        stopCallbacks();
        long sum = 0;
        for (int kind = 1; kind < KINDS.length; kind++) {
            System.out.println("callbacks " + KINDS[kind] + " " + callbacks(kind));
            sum += callbacks(kind);
        }
        Fixture.same(0, wrongResults(), "wrong results in callbacks");
        Fixture.expected("probed_in_callback", sum, Probed.calls("probed_in_callback"));
        if (callbacksInstalled()) {
            Fixture.check(callbacks(1) >= thrown.sum(), () -> "fewer exception callbacks than exceptions: " + callbacks(1));
            Fixture.check(callbacks(2) >= loaded.sum(), () -> "fewer class callbacks than classes: " + callbacks(2));
            Fixture.check(callbacks(3) > 0 && callbacks(3) == callbacks(4), () -> "collections: " + callbacks(3) + ", " + callbacks(4));
            Fixture.check(threads < 2 || callbacks(5) > 0, () -> "no monitor was contended");
        }
        Fixture.ok();
    }

    private static void rounds(int thread, int rounds) throws Exception {
        Node[] nodes = graph(thread);
        Random random = new Random(thread);
        long checksum = checksum(nodes);
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < THROWS_PER_ROUND; i++) {
                // the node moves while its reference is in a frame that an exception passes
                Node node = nodes[random.nextInt(NODES)];
                thrown.add(catchIt(node, i));
            }
            if (round % ROUNDS_PER_CLASS == 0) {
                loadClass(thread * (long) rounds + round);
            }
            contend(round);
            // same value, new object: the graph changes while it is collected
            int at = random.nextInt(NODES);
            Node old = nodes[at], copy = new Node(old.value, old.next);
            nodes[at] = copy;
            nodes[(at + NODES - 1) % NODES].next = copy;
        }
        Fixture.same(checksum, checksum(nodes), "checksum of the objects of thread " + thread);
    }

    private static final class Node {
        final long value;
        Node next;

        Node(long value, Node next) {
            this.value = value;
            this.next = next;
        }
    }

    /** A ring, also reachable through the array. */
    private static Node[] graph(int thread) {
        Node[] nodes = new Node[NODES];
        for (int i = NODES - 1; i >= 0; i--) {
            nodes[i] = new Node(thread * 1_000_003L + i, i == NODES - 1 ? null : nodes[i + 1]);
        }
        nodes[NODES - 1].next = nodes[0];
        return nodes;
    }

    private static long checksum(Node[] nodes) {
        long sum = 0;
        Node node = nodes[0];
        for (int i = 0; i < NODES; i++) {
            Fixture.check(node == nodes[i], () -> "the ring is broken");
            sum = sum * 31 + node.value;
            node = node.next;
        }
        Fixture.check(node == nodes[0], () -> "the ring does not close");
        return sum;
    }

    /** Explicit and implicit exceptions, from this method and from one below, interpreted first and compiled later. */
    private static int catchIt(Node node, int i) {
        try {
            throwing(node, i);
        } catch (IllegalStateException e) {
            Fixture.check(e.getMessage().equals(Long.toString(node.value)), e::getMessage);
            return 1;
        } catch (NullPointerException | ArithmeticException | ArrayIndexOutOfBoundsException | ClassCastException e) {
            return 1;
        }
        return 0;
    }

    private static void throwing(Node node, int i) {
        switch (i % 5) {
            case 0 -> throw new IllegalStateException(Long.toString(node.value));
            case 1 -> ((Node) nothing(node)).next = node;
            case 2 -> never.add(i / (node.value - node.value));
            case 3 -> never.add(ONE[(int) (node.value & 1) + 1]);
            default -> never.add(((String) (Object) node).length());
        }
    }

    private static Object nothing(Node node) {
        return node.value < 0 ? node : null;
    }

    private static final class OneClass extends ClassLoader {
        Class<?> define(byte[] bytes) {
            return defineClass(null, bytes, 0, bytes.length);
        }
    }

    private static void loadClass(long number) throws IOException, ReflectiveOperationException {
        byte[] bytes = ClassFile.withNumber("uprobe/it/generated/Numbered" + number, number, 1024);
        Class<?> type = new OneClass().define(bytes);
        Fixture.same(number, (long) type.getMethod("number").invoke(null), "a loaded class");
        loaded.increment();
    }

    /**
     * A monitor of an object, and the one of a class that a native takes. A short wait is spun away without an event, so from time to time
     * the owner sleeps.
     */
    private static void contend(int round) {
        synchronized (MONITOR) {
            guarded++;
            if (round % ROUNDS_PER_LONG_HOLD == 0) {
                LockSupport.parkNanos(LONG_HOLD_NS);
            }
        }
        Fixture.same(17, Probed.locked(1), "a synchronized native");
        locked.increment();
    }
}
