package uprobe.agent.report;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Self times: which call was inside which, by thread and time
 * <p>
 * Stacks would not do: a function that another one jumped to stands in its place there. Nor does the order of a file: an outer call comes first, or after a
 * million inner ones if its thread went back to Java meanwhile or its ring was full. So each thread has a tree of what it called lately, in which a call finds its
 * place wherever it lies in time:
 *
 * <pre>
 *   [ inflate                               ]  [ deflate       ]     one after the other
 *      [ adler32          ]  [ crc32 ]            what came, or will come, inside
 *         [ adler32_z     ]
 * </pre>
 * What a call took is its own until one comes inside, or around. Only what is recent is kept as it was: further back, what calls had inside is forgotten, and many
 * that followed each other become one: two and two, so that one stands for more calls the older it is. An outer call that begins inside of one does not find it.
 */
final class CallNesting {
    /** Calls beside each other that are kept, and those whose inside is kept. */
    private static final int MOST = 4096, RECENT = 16;
    /** Of one kind, for its neighbours to become one: else each insertion would look for some again. */
    private static final int FEWEST = 64, ANY = -1;

    private static final class Span {
        private final long start, end;
        private final double nanos;
        /** Both are null if it stands for many. */
        private final CallRow row;
        private final StackNode node;
        /** How often two became one. */
        private int merges;
        private List<Span> inside;

        Span(Span first, Span second) {
            this(first.start, second.end, first.nanos + second.nanos, null, null);
            merges = Math.max(first.merges, second.merges) + 1;
        }

        Span(long start, long end, double nanos, CallRow row, StackNode node) {
            this.start = start;
            this.end = end;
            this.nanos = nanos;
            this.row = row;
            this.node = node;
        }

        boolean holds(Span other) {
            return start <= other.start && other.end <= end;
        }

        void addSelf(double took) {
            if (row != null) {
                row.selfNanos += took;
                node.selfNanos += took;
            }
        }
    }

    private Map<Long, List<Span>> threads = new HashMap<>(), threadsOfChunk = new HashMap<>();

    /** Forgets threads of which nothing came for a chunk. */
    void nextChunk() {
        threads = threadsOfChunk;
        threadsOfChunk = new HashMap<>();
    }

    /** The next file's clock may be another. */
    void nextFile() {
        threads.clear();
        threadsOfChunk.clear();
    }

    /** @param thread any number that no other one has */
    void add(long thread, Hit hit, double nanos, CallRow row, StackNode node) {
        List<Span> spans = threadsOfChunk.get(thread);
        if (spans == null) {
            spans = threads.getOrDefault(thread, new ArrayList<>());
            threadsOfChunk.put(thread, spans);
        }
        insert(spans, new Span(hit.startTicks(), hit.endTicks(), nanos, row, node));
    }

    private static void insert(List<Span> topmost, Span span) {
        List<Span> spans = topmost;
        Span around = null;
        int to = behind(spans, span);
        while (to > 0 && spans.get(to - 1).holds(span)) {
            around = spans.get(to - 1);
            if (around.inside == null) {
                around.inside = new ArrayList<>(2);
            }
            spans = around.inside;
            to = behind(spans, span);
        }
        int from = to;
        while (from > 0 && span.holds(spans.get(from - 1))) {
            from--;
        }
        while (to < spans.size() && span.holds(spans.get(to))) {
            to++;
        }
        double own = span.nanos;
        if (to > from) {
            List<Span> inside = spans.subList(from, to);
            span.inside = new ArrayList<>(inside);
            inside.clear();
            for (Span each : span.inside) {
                own -= each.nanos;
            }
        }
        span.addSelf(own);
        if (around != null) {
            around.addSelf(-own);
        }
        spans.add(from, span);
        if (from >= RECENT) {
            spans.get(from - RECENT).inside = null;
        }
        if (spans.size() > MOST) {
            merge(spans);
        }
    }

    /** @return index of the first that begins later */
    private static int behind(List<Span> spans, Span span) {
        int low = 0, high = spans.size();
        if (high > 0 && spans.get(high - 1).start <= span.start) {
            return high;
        }
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (spans.get(middle).start <= span.start) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Of the older half, neighbours that stand for equally many, where there are most of that kind; so that there are some of each. */
    private static void merge(List<Span> spans) {
        List<Span> old = spans.subList(0, MOST / 2);
        int[] kinds = new int[Integer.SIZE];
        old.forEach(span -> kinds[Math.min(span.merges, Integer.SIZE - 1)]++);
        int most = 0;
        for (int i = 1; i < kinds.length; i++) {
            most = kinds[i] > kinds[most] ? i : most;
        }
        List<Span> merged = pairs(old, kinds[most] >= FEWEST ? most : ANY);
        if (merged.size() > old.size() - FEWEST / 4) {
            merged = pairs(old, ANY);
        }
        old.clear();
        spans.addAll(0, merged);
    }

    /** @param kind {@link #ANY}, or how often those became one that are paired */
    private static List<Span> pairs(List<Span> spans, int kind) {
        List<Span> merged = new ArrayList<>();
        for (int i = 0; i < spans.size(); i++) {
            Span one = spans.get(i), next = i + 1 < spans.size() ? spans.get(i + 1) : null;
            if (next != null && (kind == ANY || one.merges == kind && next.merges == kind)) {
                merged.add(new Span(one, next));
                i++;
            } else {
                merged.add(one);
            }
        }
        return merged;
    }
}
