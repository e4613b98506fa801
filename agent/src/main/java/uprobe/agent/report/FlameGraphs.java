package uprobe.agent.report;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import one.convert.Arguments;
import one.convert.CallStack;
import one.convert.FlameGraph;

/** The tree of stacks as async-profiler's flame graph, or as its collapsed text. */
final class FlameGraphs {
    static final String CALLS = "calls", TIME = "time";
    /** What its page says of any number. */
    private static final String SAMPLES = "function samples(n) {";

    private final StackNode root;
    private final Calls calls;

    FlameGraphs(StackTree stacks, Calls calls) {
        root = stacks.root();
        this.calls = calls;
    }

    /** What frames can be as wide as: {@value #CALLS}, {@value #TIME} if there are durations, and fields that are summed. */
    List<String> weights() {
        List<String> weights = new ArrayList<>(calls.isTimed() ? List.of(TIME, CALLS) : List.of(CALLS));
        weights.addAll(calls.sumFields());
        return weights;
    }

    /** @param weight time in ns, without that of frames above */
    void collapsed(String weight, PrintStream out) {
        Arguments arguments = new Arguments();
        arguments.output = "collapsed";
        graph(weight, arguments).dump(out);
    }

    /** A page of its own, an icicle: callers above what they call. */
    String html(String weight, String title) {
        Arguments arguments = new Arguments();
        arguments.title = title;
        arguments.inverted = true;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, false, StandardCharsets.UTF_8);
        graph(weight, arguments).dump(out);
        out.flush();
        String page = bytes.toString(StandardCharsets.UTF_8);
        if (!page.contains(SAMPLES)) {
            throw new IllegalStateException("the flame graph's page has no '" + SAMPLES + "' any more");
        }
        return page.replace(SAMPLES, SAMPLES + " return " + shown(weight) + ";");
    }

    /** JavaScript for a number n of this weight. */
    private String shown(String weight) {
        String scaled = "(function(u) { let i = 0; while (n >= 999.5 && i < u.length - 1) { n /= 1000; i++; } return n.toPrecision(3) + ' ' + u[i]; })";
        String number = "n.toString().replace(/\\B(?=(\\d{3})+(?!\\d))/g, ',')";
        if (weight.equals(TIME)) {
            return scaled + "(['ns', 'us', 'ms', 's'])";
        }
        if (weight.equals(CALLS)) {
            return "n === 1 ? '1 call' : " + number + " + ' calls'";
        }
        return switch (calls.unit(weight)) {
            case BYTES -> scaled + "(['B', 'kB', 'MB', 'GB', 'TB'])";
            case TICKS, NANOSECONDS -> scaled + "(['ns', 'us', 'ms', 's'])";
            default -> number;
        };
    }

    private FlameGraph graph(String weight, Arguments arguments) {
        FlameGraph graph = new FlameGraph(arguments);
        add(graph, root, new CallStack(), weight);
        return graph;
    }

    private void add(FlameGraph graph, StackNode node, CallStack stack, String weight) {
        for (StackNode child : node.children()) {
            stack.push(child.frame.name(), child.frame.isFunction() ? one.convert.Frame.TYPE_NATIVE
                    : child.frame.kind() == Frame.Kind.NATIVE_METHOD ? one.convert.Frame.TYPE_CPP : one.convert.Frame.TYPE_JIT_COMPILED);
            long own = weightOf(child, weight);
            if (own > 0) {
                graph.addSample(stack, own);
            }
            add(graph, child, stack, weight);
            stack.pop();
        }
    }

    private long weightOf(StackNode node, String weight) {
        return switch (weight) {
            case CALLS -> node.calls;
            case TIME -> Math.round(node.selfNanos);
            default -> node.sums == null ? 0 : node.sums[calls.sumFields().indexOf(weight)];
        };
    }
}
