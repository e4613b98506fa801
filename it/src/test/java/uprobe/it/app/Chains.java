package uprobe.it.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.Event;
import jdk.jfr.Name;

/**
 * Native calls inside native calls, as trees that a seed draws: whoever has the seed knows what led to each call. libchains.so carries them out.
 *
 * <p>Arguments: a shape of {@link Tree.Shape}, threads, trees. Each JNI call writes an event {@code it.Run}: the node it began with and the Java frames
 * below it, as {@code Class.method:line} ({@code :native} for native methods), innermost first, joined by blanks. Or: {@code COST}, calls.
 */
public final class Chains {
    /** What a node's function does; chains.cc has the same order. */
    public enum Call {
        CALLS, RETURNS, ENTERS, THRICE, JUMPS, UNPROBED, LARGE, CATCHES, THROWS, UPCALLS, HANDLES, HANDLES_ELSEWHERE, SWITCHES;

        /** The function's symbol. */
        public String symbol() {
            return "chain_" + name().toLowerCase(java.util.Locale.ROOT);
        }

        /** Whether its return is awaited, so that it is a frame of the hits inside. What it jumped to stands for one that jumps. */
        boolean isFrame() {
            return this != ENTERS && this != JUMPS && this != UNPROBED && this != LARGE;
        }
    }

    /** Calls inside calls. Node 0 is the outermost; a node's number is smaller than those of the calls inside it. */
    public static final class Tree {
        /** Ids of a tree's nodes are consecutive, and no other's. */
        public static final long IDS = 10_000;

        /** What trees look like. */
        public enum Shape {
            /** All kinds of calls. */
            MIXED(40, 7),
            /** All kinds but upcalls, on threads that the JVM does not know. */
            NATIVE_THREAD(40, 7),
            /** So many different ones that they can not all be numbered. */
            MANY(500, 14),
            /** One call inside the other, of one function or of three in turn. */
            DEEP(2000, 2000);

            final int nodes, depth;

            Shape(int nodes, int depth) {
                this.nodes = nodes;
                this.depth = depth;
            }
        }

        private static final List<Call> HARMLESS = List.of(Call.CALLS, Call.RETURNS, Call.ENTERS, Call.THRICE, Call.UNPROBED, Call.LARGE);
        private static final List<Call> JUMPED_TO = List.of(Call.CALLS, Call.THRICE, Call.JUMPS, Call.CATCHES);
        private static final List<Call> IN_TURN = List.of(Call.CALLS, Call.THRICE, Call.RETURNS);

        public final Call[] call;
        public final int[] parent;
        /** Whether the node is called at all: what stands behind one that throws is not. */
        public final boolean[] runs;
        /** Whether an exception leaves it. */
        public final boolean[] left;
        private final int[] kind, first, next;
        private final long id;
        private final Shape shape;
        private final Random random;
        private int nodes;

        /** @param number of the tree, which is its seed */
        public Tree(Shape shape, int number) {
            this.shape = shape;
            id = number * IDS;
            random = new Random(number);
            call = new Call[shape.nodes];
            parent = new int[shape.nodes];
            if (shape == Shape.DEEP) {
                for (; nodes < shape.nodes; nodes++) {
                    parent[nodes] = nodes - 1;
                    call[nodes] = number % 2 == 0 ? Call.CALLS : IN_TURN.get(nodes % 3);
                }
            } else {
                draw(-1, HARMLESS.get(0), 1, false);
            }
            kind = new int[nodes];
            first = new int[nodes];
            next = new int[nodes];
            runs = new boolean[nodes];
            left = new boolean[nodes];
            java.util.Arrays.fill(first, -1);
            java.util.Arrays.fill(next, -1);
            for (int node = nodes - 1; node >= 0; node--) {
                kind[node] = call[node].ordinal();
                if (parent[node] >= 0) {
                    next[node] = first[parent[node]];
                    first[parent[node]] = node;
                }
            }
            if (shape == Shape.DEEP) {
                java.util.Arrays.fill(runs, true);
            } else {
                leaves(0);
            }
        }

        public int nodes() {
            return nodes;
        }

        /** Draws a call and what is inside. confined: neither Java nor an exception may pass here. */
        private void draw(int under, Call what, int depth, boolean confined) {
            int node = nodes++;
            parent[node] = under;
            call[node] = what;
            boolean inner = confined || what == Call.HANDLES || what == Call.HANDLES_ELSEWHERE || what == Call.SWITCHES;
            int children = depth >= shape.depth ? 0 : what == Call.JUMPS ? 1 : shape == Shape.MANY ? 1 + random.nextInt(3) : random.nextInt(4);
            for (int i = 0; i < children && nodes < shape.nodes; i++) {
                draw(node, what == Call.JUMPS ? JUMPED_TO.get(random.nextInt(JUMPED_TO.size())) : drawCall(inner), depth + 1, inner);
            }
        }

        private Call drawCall(boolean confined) {
            if (shape == Shape.MANY) {
                return IN_TURN.get(random.nextInt(IN_TURN.size()));
            }
            if (confined) {
                return HARMLESS.get(random.nextInt(HARMLESS.size()));
            }
            Call drawn = Call.values()[random.nextInt(Call.values().length)];
            return drawn == Call.UPCALLS && shape == Shape.NATIVE_THREAD ? Call.LARGE : drawn;
        }

        /** Marks what runs; returns whether an exception leaves the node. */
        private boolean leaves(int node) {
            runs[node] = true;
            for (int inside = first[node]; inside >= 0; inside = next[inside]) {
                if (leaves(inside) && call[node] != Call.CATCHES && call[node] != Call.UPCALLS) {
                    left[node] = true;
                    return true;
                }
            }
            left[node] = call[node] == Call.THROWS;
            return left[node];
        }

        /** The node that the JNI call began with in which this one is called. */
        public int runOf(int node) {
            return node == 0 || call[parent[node]] == Call.UPCALLS ? node : runOf(parent[node]);
        }

        /** The probed functions that the node is called by in its JNI call, innermost first. */
        public List<String> callers(int node) {
            List<String> callers = new ArrayList<>();
            for (int at = node, run = runOf(node); at != run;) {
                at = parent[at];
                if (call[at].isFrame()) {
                    callers.add(call[at].symbol());
                }
            }
            return callers;
        }
    }

    private static final int COST_ROUNDS = 10;

    static {
        Fixture.load("chains");
    }

    private Chains() {
    }

    @Name("it.Run")
    static final class Run extends Event {
        long node;
        String frames;
    }

    private static native void run(Tree tree, int node, boolean onThread, long id, int[] call, int[] first, int[] next);

    private static native long entered(int call);

    /** ns for each of n calls of chain_enters inside one of chain_open_loop, or of chain_plain_loop. */
    private static native double hits(long n, boolean open);

    /** Called by chain_upcalls. */
    private static void below(Tree tree, int node) {
        for (int inside = tree.first[node]; inside >= 0; inside = tree.next[inside]) {
            Throwable here = new Throwable(); run(tree, inside, false, tree.id, tree.kind, tree.first, tree.next); // one line
            commit(tree.id + inside, here);
        }
    }

    private static void whole(Tree tree) {
        boolean onThread = tree.shape == Tree.Shape.NATIVE_THREAD;
        Throwable here = new Throwable(); run(tree, 0, onThread, tree.id, tree.kind, tree.first, tree.next); // one line
        commit(tree.id, here);
    }

    private static void commit(long node, Throwable here) {
        Run event = new Run();
        event.node = node;
        event.frames = Stream.of(here.getStackTrace())
                .map(frame -> frame.getClassName() + "." + frame.getMethodName() + ":" + (frame.isNativeMethod() ? "native" : frame.getLineNumber()))
                .collect(Collectors.joining(" "));
        event.commit();
    }

    public static void main(String[] args) throws InterruptedException {
        if (args[0].equals("COST")) {
            cost(Fixture.argument(args, 1, 10_000));
            return;
        }
        Tree.Shape shape = Tree.Shape.valueOf(args[0]);
        int threads = Fixture.argument(args, 1, 1), trees = Fixture.argument(args, 2, 100);
        long[] expected = new long[Call.values().length];
        for (int number = 0; number < trees; number++) {
            Tree tree = new Tree(shape, number);
            for (int node = 0; node < tree.nodes(); node++) {
                expected[tree.call[node].ordinal()] += tree.runs[node] ? 1 : 0;
            }
        }
        Fixture.together(threads, new Fixture.Work() {     /* a lambda would have a hidden frame */
            @Override
            public void run(int thread) {
                for (int number = thread; number < trees; number += threads) {
                    whole(new Tree(shape, number));
                }
            }
        });
        for (Call call : Call.values()) {
            Fixture.expected(call.symbol(), expected[call.ordinal()], entered(call.ordinal()));
        }
        Fixture.ok();
    }

    private static void cost(int n) {
        for (boolean open : new boolean[] {false, true, false, true}) {
            double best = Double.MAX_VALUE, whole = Double.MAX_VALUE;
            for (int round = 0; round < COST_ROUNDS; round++) {
                long start = System.nanoTime();
                best = Math.min(best, hits(n, open));
                whole = Math.min(whole, (double) (System.nanoTime() - start) / n);
            }
            System.out.printf(java.util.Locale.ROOT, "%s: %.0f ns a hit, %.0f ns with its event%n", open ? "inside an open call" : "alone", best, whole);
        }
        Fixture.ok();
    }
}
