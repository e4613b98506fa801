package uprobe.probe.elf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;

/** The symbols of one loaded library. Immutable. */
public final class SymbolTable {

    /** Runtime addresses {@code [start, end)} of an executable segment. */
    record CodeRange(long start, long end) { }

    /** Names are looked up one by one so often; then it has cost as much as a map of all does. */
    private static final int LOOKS = 20;

    private static int underscores(String name) {
        int n = 0;
        while (n < name.length() && name.charAt(n) == '_') {
            n++;
        }
        return n;
    }

    private final List<NativeSymbol> symbols;
    private final List<NativeSymbol> functions;
    private final long[] highestEnd; // of functions[0..i]: how far back containing() must look
    private final List<CodeRange> code;
    private final String limitation;
    private Map<String, List<NativeSymbol>> byName; // guarded by this; null until there were many looks
    private int looks; // guarded by this

    SymbolTable(List<NativeSymbol> symbols, List<CodeRange> code) {
        this(symbols, code, null);
    }

    /**
     * @param symbols    of those with one name at one address (from two tables, or in two versions) the first is kept
     * @param limitation see {@link #limitation()}; {@code null} for none
     */
    SymbolTable(List<NativeSymbol> symbols, List<CodeRange> code, String limitation) {
        this.limitation = limitation;
        this.symbols = ordered(symbols);
        List<NativeSymbol> called = new ArrayList<>(this.symbols.size());
        for (NativeSymbol symbol : this.symbols) {
            if (symbol.isFunction()) {
                called.add(symbol);
            }
        }
        this.functions = Collections.unmodifiableList(called);
        this.code = List.copyOf(code);
        highestEnd = new long[functions.size()];
        long highest = 0;
        for (int i = 0; i < highestEnd.length; i++) {
            highestEnd[i] = highest = Math.max(highest, called.get(i).end());
        }
    }

    /**
     * By address; of the names at one address the one first that people call: exported, of a known size, with the fewest underscores before it, the
     * shortest. So malloc stands before __libc_malloc, open before open64 and __open.
     */
    private static final Comparator<NativeSymbol> AT_ONE_ADDRESS = Comparator.comparing(NativeSymbol::global, Comparator.reverseOrder())
            .thenComparing(symbol -> symbol.size() == 0)
            .thenComparing(NativeSymbol::kind)
            .thenComparing(symbol -> underscores(symbol.name()))
            .thenComparing(symbol -> symbol.name().length())
            .thenComparing(NativeSymbol::size, Comparator.reverseOrder())
            .thenComparing(NativeSymbol::name);

    private static List<NativeSymbol> ordered(List<NativeSymbol> symbols) {
        NativeSymbol[] sorted = byAddress(symbols);
        List<NativeSymbol> different = new ArrayList<>(sorted.length);
        for (int from = 0; from < sorted.length; ) {
            from = addThoseAt(from, sorted, different);
        }
        return Collections.unmodifiableList(different);
    }

    /* Bodies of long loops are methods here and below: the VM compiles them after some hundred rounds, a loop that runs once only near its end. */
    private static int addThoseAt(int from, NativeSymbol[] sorted, List<NativeSymbol> different) {
        long address = sorted[from].address();
        int first = different.size(), to = from + 1;
        different.add(sorted[from]);
        for (; to < sorted.length && sorted[to].address() == address; to++) {
            if (!isNamed(different, first, sorted[to].name())) {
                different.add(sorted[to]);
            }
        }
        if (different.size() > first + 1) {
            different.subList(first, different.size()).sort(AT_ONE_ADDRESS);
        }
        return to;
    }

    /** Those at one address stay in their order. By numbers: with objects, this was half of what reading libjvm's symbols took in a JVM that starts. */
    private static NativeSymbol[] byAddress(List<NativeSymbol> symbols) {
        NativeSymbol[] sorted = symbols.toArray(NativeSymbol[]::new);
        long lowest = Long.MAX_VALUE, highest = Long.MIN_VALUE;
        for (NativeSymbol symbol : sorted) {
            lowest = Math.min(lowest, symbol.address());
            highest = Math.max(highest, symbol.address());
        }
        int bits = Integer.SIZE - Integer.numberOfLeadingZeros(sorted.length);
        if (sorted.length == 0 || highest - lowest < 0 || highest - lowest > Long.MAX_VALUE >>> bits) {     // absolute symbols may lie anywhere
            Arrays.sort(sorted, Comparator.comparingLong(NativeSymbol::address));
            return sorted;
        }
        long[] keys = new long[sorted.length];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = key(sorted[i], lowest, bits, i);
        }
        Arrays.sort(keys);
        NativeSymbol[] ordered = new NativeSymbol[keys.length];
        for (int i = 0; i < keys.length; i++) {
            ordered[i] = sorted[(int) (keys[i] & (1L << bits) - 1)];
        }
        return ordered;
    }

    private static long key(NativeSymbol symbol, long lowest, int bits, int index) {
        return symbol.address() - lowest << bits | index;
    }

    /** Whether one of these, from {@code first} on, has the name. */
    private static boolean isNamed(List<NativeSymbol> some, int first, String name) {
        for (int i = first; i < some.size(); i++) {
            if (some.get(i).name().equals(name)) {
                return true;
            }
        }
        return false;
    }

    private Map<String, List<NativeSymbol>> names() {
        Map<String, List<NativeSymbol>> names = new HashMap<>(symbols.size() * 4 / 3 + 1);
        for (NativeSymbol symbol : symbols) {
            // Nearly every name is there once: a one-element list each, not an ArrayList of capacity ten.
            names.merge(symbol.name(), List.of(symbol), (some, one) -> {
                List<NativeSymbol> joined = new ArrayList<>(some);
                joined.addAll(one);
                return List.copyOf(joined);
            });
        }
        return names;
    }

    /** {@code foo@@V} and {@code foo@V} are {@code foo}: LSB Core, "Symbol Versioning", and ld's documentation, VERSION command. */
    static String withoutVersion(String name) {
        int at = name.indexOf('@');
        return at > 0 ? name.substring(0, at) : name;
    }

    /**
     * Why this is less than the file of the library had: a sentence that says why the file could not serve, so that only the dynamic symbols
     * in memory are here. Empty if the file was read; a stripped file is no limitation.
     */
    public Optional<String> limitation() {
        return Optional.ofNullable(limitation);
    }

    /** All symbols, by address. */
    public List<NativeSymbol> all() {
        return symbols;
    }

    /**
     * Every symbol of this name, by address; empty if there is none. Several local functions may share one name, and versions of an exported
     * one do. A version in {@code name} ({@code foo@@V}, {@code foo@V}) is ignored, since .dynsym's names carry none.
     */
    public synchronized List<NativeSymbol> find(String name) {
        String wanted = withoutVersion(name);
        if (byName == null && looks++ >= LOOKS) {
            byName = names();
        }
        return byName != null ? byName.getOrDefault(wanted, List.of()) : symbols.stream().filter(symbol -> symbol.name().equals(wanted)).toList();
    }

    /** {@link NativeSymbol.Kind#FUNCTION} and {@link NativeSymbol.Kind#IFUNC}, by address; aliases one after the other, the one that people call first. */
    public List<NativeSymbol> functions() {
        return functions;
    }

    /** All functions that begin at this address: one function under several names, the one that people call first. */
    public List<NativeSymbol> aliases(long address) {
        int end = firstAbove(address), start = end;
        while (start > 0 && functions.get(start - 1).address() == address) {
            start--;
        }
        return functions.subList(start, end);
    }

    /**
     * The function whose {@code [address, address + size)} holds {@code address}: the innermost if they nest, the first in
     * {@link #functions()}' order if they are aliases. Functions of unknown size hold nothing.
     */
    public Optional<NativeSymbol> containing(long address) {
        NativeSymbol found = null;
        for (int i = firstAbove(address) - 1; i >= 0 && highestEnd[i] > address; i--) {
            NativeSymbol function = functions.get(i);
            if (found != null && function.address() != found.address()) {
                break;
            }
            if (function.end() > address) {
                found = function;
            }
        }
        return Optional.ofNullable(found);
    }

    /**
     * Where code that starts at or before {@code address} must end at the latest: the start of the next function symbol above it, or the end
     * of its executable segment, whichever is first.
     *
     * @throws IllegalArgumentException if {@code address} lies in no executable segment of the library
     */
    public long nextFunctionStart(long address) {
        for (CodeRange range : code) {
            if (address >= range.start() && address < range.end()) {
                int next = firstAbove(address);
                return next < functions.size() ? Math.min(functions.get(next).address(), range.end()) : range.end();
            }
        }
        throw new IllegalArgumentException(String.format("0x%x lies in no executable segment: %s", address, code));
    }

    /** Index of the first function that starts above {@code address}. */
    private int firstAbove(long address) {
        int low = 0;
        int high = functions.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (functions.get(middle).address() <= address) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /**
     * Names for "did you mean": first those within a few edits of {@code name} (a third of its length, at most four; letter case costs
     * nothing, swapped neighbours cost one), then those that contain it or that it contains, the closest in length first.
     *
     * @param max at most so many, best first
     */
    public List<String> nearest(String name, int max) {
        record Suggestion(String name, int cost) { }
        String wanted = withoutVersion(name).toLowerCase(Locale.ROOT);
        if (max <= 0 || wanted.isEmpty()) {
            return List.of();
        }
        int edits = Math.min(4, Math.max(1, wanted.length() / 3));
        Comparator<Suggestion> best = Comparator.comparingInt(Suggestion::cost).thenComparing(Suggestion::name);
        PriorityQueue<Suggestion> kept = new PriorityQueue<>(best.reversed()); // the worst on top
        EditDistance distance = new EditDistance(wanted, edits);
        for (Map.Entry<String, List<NativeSymbol>> named : names().entrySet()) {
            String candidate = named.getKey();
            if (named.getValue().stream().noneMatch(symbol -> symbol.kind() == NativeSymbol.Kind.FUNCTION || symbol.kind() == NativeSymbol.Kind.IFUNC)) {
                continue;       /* data can not be probed */
            }
            int difference = Math.abs(candidate.length() - wanted.length());
            String lower = candidate.toLowerCase(Locale.ROOT);
            int cost = difference <= edits ? distance.to(lower) : edits + 1;
            if (cost > edits) {
                boolean related = lower.contains(wanted) || lower.length() > 3 && wanted.contains(lower);
                if (!related) {
                    continue;
                }
                cost = edits + 1 + difference;
            }
            kept.add(new Suggestion(candidate, cost));
            if (kept.size() > max) {
                kept.poll();
            }
        }
        return kept.stream().sorted(best).map(Suggestion::name).toList();
    }

    /** Optimal string alignment distance up to a limit; rows are reused, a name is given up when its row is above the limit. */
    private static final class EditDistance {
        private final String wanted;
        private final int limit;
        private int[] beforePrevious;
        private int[] previous;
        private int[] current;

        EditDistance(String wanted, int limit) {
            this.wanted = wanted;
            this.limit = limit;
            beforePrevious = new int[wanted.length() + 1];
            previous = new int[wanted.length() + 1];
            current = new int[wanted.length() + 1];
        }

        /** The distance; {@code limit + 1} stands for all that is more. */
        int to(String other) {
            for (int j = 0; j <= wanted.length(); j++) {
                previous[j] = j;
            }
            for (int i = 1; i <= other.length(); i++) {
                char c = other.charAt(i - 1);
                current[0] = i;
                int least = i;
                for (int j = 1; j <= wanted.length(); j++) {
                    int cost = Math.min(Math.min(current[j - 1], previous[j]) + 1, previous[j - 1] + (c == wanted.charAt(j - 1) ? 0 : 1));
                    if (i > 1 && j > 1 && c == wanted.charAt(j - 2) && other.charAt(i - 2) == wanted.charAt(j - 1)) {
                        cost = Math.min(cost, beforePrevious[j - 2] + 1);
                    }
                    current[j] = cost;
                    least = Math.min(least, cost);
                }
                if (least > limit) {
                    return limit + 1;
                }
                int[] reused = beforePrevious;
                beforePrevious = previous;
                previous = current;
                current = reused;
            }
            return Math.min(previous[wanted.length()], limit + 1);
        }
    }
}
