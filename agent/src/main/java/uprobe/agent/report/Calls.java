package uprobe.agent.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Hits added up by function and caller
 */
final class Calls {
    private static final String NO_CALLER = "(no Java caller)";

    private record Pair(String function, String caller) {}

    private record Key(String type, Pair pair) {}

    private final StackTree stacks;
    private final CallNesting nesting = new CallNesting();
    private final List<String> sumFields;
    private final Map<Key, CallRow> rows = new HashMap<>();
    private final Map<EventType, int[]> sumIndexes = new IdentityHashMap<>();
    private final Map<String, Long> ofType = new HashMap<>();
    private final Map<String, EventType.Unit> units = new LinkedHashMap<>();
    private long hits, deep, withMissing, unreturned;

    Calls(StackTree stacks, List<String> sumFields) {
        this.stacks = stacks;
        this.sumFields = sumFields;
    }

    void nextChunk() {
        sumIndexes.clear();
        nesting.nextChunk();
    }

    void nextFile() {
        nesting.nextFile();
    }

    /** @return where the hit's stack ends */
    StackNode add(ChunkReader chunk, Hit hit) {
        StackNode node = stacks.of(chunk, hit);
        CallRow row = node.row(hit.type.name());
        if (row == null) {
            Pair pair = pairOf(node);
            row = rows.computeIfAbsent(new Key(hit.type.name(), pair), key -> new CallRow(hit.type.name(), pair.function, pair.caller, sumFields.size()));
            node.put(row);
        }
        double took = hit.nanos();
        row.add(hit, took);
        node.calls++;
        if (took > 0) {
            nesting.add(threadOf(chunk, hit), hit, took, row, node);
        }
        addSums(hit, node, row);
        hits++;
        deep += node.isDeep ? 1 : 0;
        withMissing += hit.hasMissing() ? 1 : 0;
        unreturned += hit.isUnreturned() ? 1 : 0;
        ofType.merge(hit.type.name(), 1L, Long::sum);
        return node;
    }

    /** Java's number of the thread that was hit, or below zero the kernel's. */
    private static long threadOf(ChunkReader chunk, Hit hit) {
        if (hit.drained() == null) {
            return chunk.javaThreadId(hit.thread());
        }
        long java = hit.number("javaThreadId");
        return java > 0 ? java : -hit.number("nativeThreadId");
    }

    private void addSums(Hit hit, StackNode node, CallRow row) {
        if (sumFields.isEmpty()) {
            return;
        }
        if (node.sums == null) {
            node.sums = new long[sumFields.size()];
        }
        int[] indexes = sumIndexes.computeIfAbsent(hit.type, this::indexesIn);
        for (int i = 0; i < indexes.length; i++) {
            if (indexes[i] >= 0) {
                long value = hit.number(indexes[i]);
                node.sums[i] += value;
                row.addSum(i, value);
            }
        }
    }

    private int[] indexesIn(EventType type) {
        int[] indexes = sumFields.stream().mapToInt(type::indexOf).toArray();
        for (int i = 0; i < indexes.length; i++) {
            if (indexes[i] >= 0) {
                units.putIfAbsent(sumFields.get(i), type.fields().get(indexes[i]).unit());
            }
        }
        return indexes;
    }

    private static Pair pairOf(StackNode node) {
        Frame caller = node.caller();
        return new Pair(node.frame.name(), caller == null ? NO_CALLER : caller.name());
    }

    static String callerOf(StackNode node) {
        return pairOf(node).caller;
    }

    long hits() {
        return hits;
    }

    /** Hits whose stack is as deep as JFR's are by default: it may have been cut. */
    long deep() {
        return deep;
    }

    long withMissing() {
        return withMissing;
    }

    /** Calls whose end was not seen. */
    long unreturned() {
        return unreturned;
    }

    long hitsOf(String type) {
        return ofType.getOrDefault(type, 0L);
    }

    int probes() {
        return ofType.size();
    }

    List<String> sumFields() {
        return sumFields;
    }

    EventType.Unit unit(String sumField) {
        return units.getOrDefault(sumField, EventType.Unit.NONE);
    }

    boolean isTimed() {
        return rows.values().stream().anyMatch(CallRow::isTimed);
    }

    List<CallRow> byFunction() {
        return grouped(row -> new CallRow(row.type, row.function, null, sumFields.size()));
    }

    List<CallRow> byCaller() {
        return grouped(row -> new CallRow(null, null, row.caller, sumFields.size()));
    }

    List<CallRow> byBoth() {
        return grouped(row -> new CallRow(row.type, row.function, row.caller, sumFields.size()));
    }

    private List<CallRow> grouped(Function<CallRow, CallRow> empty) {
        Set<String> twice = byName().entrySet().stream().filter(e -> e.getValue().size() > 1).map(Map.Entry::getKey).collect(Collectors.toSet());
        Map<List<String>, CallRow> groups = new HashMap<>();
        for (CallRow row : rows.values()) {
            CallRow group = empty.apply(row);
            String function = group.function == null ? "" : group.function;
            String caller = group.caller == null ? "" : group.caller;
            groups.computeIfAbsent(List.of(group.type == null ? "" : group.type, function, caller), key -> named(group, twice)).add(row);
        }
        Comparator<CallRow> order = Comparator.comparingDouble((CallRow row) -> row.nanos).thenComparingLong(row -> row.calls).reversed();
        List<CallRow> sorted = new ArrayList<>(groups.values());
        sorted.sort(order.thenComparing(row -> row.function + " " + row.caller));
        return sorted;
    }

    private Map<String, Set<String>> byName() {
        Map<String, Set<String>> types = new HashMap<>();
        rows.values().forEach(row -> types.computeIfAbsent(row.function, key -> new HashSet<>()).add(row.type));
        return types;
    }

    /** Where two probes are on one function, their rows say which it is. */
    private CallRow named(CallRow group, Set<String> twice) {
        return group.function == null || !twice.contains(group.function) ? group
                : new CallRow(group.type, group.function + " [" + group.type.substring(EventType.PREFIX.length()) + "]", group.caller, sumFields.size());
    }
}
