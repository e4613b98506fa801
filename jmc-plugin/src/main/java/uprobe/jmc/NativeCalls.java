package uprobe.jmc;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

import org.openjdk.jmc.common.IMCStackTrace;
import org.openjdk.jmc.common.item.IItem;
import org.openjdk.jmc.common.item.IItemCollection;
import org.openjdk.jmc.common.item.IItemIterable;
import org.openjdk.jmc.common.item.IMemberAccessor;
import org.openjdk.jmc.common.item.IType;
import org.openjdk.jmc.common.unit.IQuantity;
import org.openjdk.jmc.common.unit.UnitLookup;
import org.openjdk.jmc.flightrecorder.JfrAttributes;

/**
 * The calls of one native function by one Java method.
 *
 * @param function the function as stack traces show it: {@code libz.deflate}
 * @param caller   class and method, or {@link #NO_JAVA_CALLER}
 * @param count    number of hits
 * @param nanos    time of all of them together, in ns; 0 if the probe sees entries only
 */
record NativeCalls(String function, String caller, long count, double nanos) {

    static final String NO_JAVA_CALLER = "no Java caller (native threads)";

    /**
     * An entry's hit has no duration, but JFR would put "now - start" in the place of 0: it is stored as one tick, which is at
     * most a nanosecond on x86-64. No call is that short.
     */
    private static final double LONGEST_INSTANT_NANOS = 1;

    private static final Comparator<NativeCalls> LONGEST_FIRST = Comparator.comparingDouble(NativeCalls::nanos)
            .thenComparingLong(NativeCalls::count).reversed()
            .thenComparing(NativeCalls::function).thenComparing(NativeCalls::caller);

    /** All pairs of function and caller in {@code hits}, the one that took the most time first, then by count. */
    static List<NativeCalls> longestFirst(IItemCollection hits) {
        Counter counter = new Counter();
        for (IItemIterable ofOneType : hits) {
            counter.countAll(ofOneType);
        }
        List<NativeCalls> calls = counter.calls();
        calls.sort(LONGEST_FIRST);
        return calls;
    }

    boolean isTimed() {
        return nanos > 0;
    }

    boolean hasJavaCaller() {
        return !caller.equals(NO_JAVA_CALLER);
    }

    IQuantity time() {
        return UnitLookup.NANOSECOND.quantity(nanos);
    }

    private static final class Counter {

        private final Map<String, Function> functions = new HashMap<>();
        /** Recordings keep each stack once: a million hits come with some hundred of these. */
        private final Map<IMCStackTrace, String> callers = new IdentityHashMap<>();

        void countAll(IItemIterable hits) {
            IType<IItem> type = hits.getType();
            IMemberAccessor<IMCStackTrace, IItem> stack = JfrAttributes.EVENT_STACKTRACE.getAccessor(type);
            IMemberAccessor<IQuantity, IItem> duration = JfrAttributes.DURATION.getAccessor(type);
            IMemberAccessor<String, IItem> drained = ProbeEvents.DRAINED.getAccessor(type);
            IMemberAccessor<String, IItem> library = ProbeEvents.LIBRARY.getAccessor(type);
            IMemberAccessor<String, IItem> symbol = ProbeEvents.FUNCTION.getAccessor(type);
            boolean sharedByFunctions = type.getIdentifier().equals(ProbeEvents.NATIVE_CALL);

            for (IItem hit : hits) {
                boolean hasCallersStack = valueOf(drained, hit) == null;
                IMCStackTrace trace = hasCallersStack ? valueOf(stack, hit) : null;
                Function function = sharedByFunctions
                        ? functionNamed(valueOf(library, hit) + "." + valueOf(symbol, hit))
                        : functionOf(type, trace);
                IQuantity time = valueOf(duration, hit);
                double nanos = time == null ? 0 : time.doubleValueIn(UnitLookup.NANOSECOND);
                function.count(trace == null ? null : callers.computeIfAbsent(trace, JavaCaller::in), nanos);
            }
        }

        private Function functionNamed(String name) {
            return functions.computeIfAbsent(name, key -> new Function(name, name));
        }

        /** A type is one function, whose name the first stack tells; without any, the type's own name has to do. */
        private Function functionOf(IType<IItem> type, IMCStackTrace trace) {
            String id = type.getIdentifier();
            Function function = functions.computeIfAbsent(id,
                    key -> new Function(id.substring(ProbeEvents.PREFIX.length()), null));
            if (function.name == null) {
                function.name = JavaCaller.functionIn(trace);
            }
            return function;
        }

        List<NativeCalls> calls() {
            List<NativeCalls> calls = new ArrayList<>();
            for (Function function : functions.values()) {
                String name = function.name == null ? function.nameWithoutStack : function.name;
                function.byCaller.forEach((caller, sum) -> calls.add(new NativeCalls(name, caller, sum.count, sum.nanos)));
            }
            return calls;
        }

        private static <V> V valueOf(IMemberAccessor<V, IItem> field, IItem hit) {
            return field == null ? null : field.getMember(hit);
        }
    }

    private static final class Function {

        private final String nameWithoutStack;
        private String name;
        private final Map<String, Sum> byCaller = new HashMap<>();

        Function(String nameWithoutStack, String name) {
            this.nameWithoutStack = nameWithoutStack;
            this.name = name;
        }

        void count(String caller, double nanos) {
            Sum sum = byCaller.computeIfAbsent(caller == null ? NO_JAVA_CALLER : caller, key -> new Sum());
            sum.count++;
            if (nanos > LONGEST_INSTANT_NANOS) {
                sum.nanos += nanos;
            }
        }
    }

    private static final class Sum {

        private long count;
        private double nanos;
    }
}
