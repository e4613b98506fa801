package uprobe.agent.verb;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import uprobe.agent.console.Output;
import uprobe.probe.ProbeEngine;
import uprobe.probe.ProbeSettings;
import uprobe.probe.spec.Mode;
import uprobe.probe.spec.ProbeSpec;

/** What happens, call by call? */
@Command(name = "trace", description = "A line for each hit as it happens: values, duration, thread, Java caller. Ends with Ctrl-C.")
public final class TraceVerb extends Verb {
    /** Hits that wait to be printed; what comes faster than it can be is told as a number. */
    private static final int WAITING = 10_000;
    private static final long LOOK_MS = 50;
    private static final String ARGUMENTS = "arg1=$arg1:x64 arg2=$arg2:x64 arg3=$arg3:x64 ret=$retval:s64";

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PROBE", description = "a probe, 'c libc:open path=$arg1 ret=$retval:s32 if ret < 0', or LIBRARY:FUNCTION, which is its calls with three arguments and the result")
    private List<String> probes;

    @Option(names = {"-d", "--duration"}, paramLabel = "TIME", description = "ends after so long: 10s, 500ms, 2m (default: never)", converter = Millis.class)
    private Long duration;

    @Option(names = {"-n", "--lines"}, paramLabel = "N", description = "ends after so many hits (default: never)")
    private Long lines;

    @Mixin
    private JavaCaller caller;

    private final ConcurrentLinkedQueue<HitLine> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger length = new AtomicInteger();
    private final AtomicLong left = new AtomicLong();

    @Override
    public boolean endsByItself() {
        return duration != null || lines != null;
    }

    @Override
    public boolean arms() {
        return true;
    }

    @Override
    public List<String> prepare(List<String> words) {
        Patterns.check('c', probes, ARGUMENTS);
        return words;
    }

    @Override
    public int run(Target target, Output out) throws Exception {
        ProbeEngine engine = target.bridge().engine();
        try (EngineProbes armed = new EngineProbes(target, out)) {
            HitLine.Maker maker = new HitLine.Maker(engine, caller);
            for (String text : probes) {
                ProbeSpec spec = Patterns.parse('c', text, ARGUMENTS);
                armed.define(spec, ProbeSettings.ALL.withMode(Mode.EVENT).withCondition(spec.condition()), (point, record, drained) -> {
                    if (length.get() >= WAITING) {
                        left.incrementAndGet();
                    } else {
                        length.incrementAndGet();
                        waiting.add(maker.make(spec, point, record, drained));
                    }
                });
            }
            armed.arm();
            out.problem("tracing " + armed.functions() + (armed.functions() == 1 ? " function" : " functions") + "; Ctrl-C ends it");
            long end = duration == null ? Long.MAX_VALUE : System.nanoTime() + duration * 1_000_000, printed = 0;
            boolean there = true;
            while (there && (duration == null || System.nanoTime() < end) && (lines == null || printed < lines)) {
                there = out.pause(LOOK_MS);
                printed += print(out, lines == null ? Long.MAX_VALUE : lines - printed);
                armed.extend();
            }
        }
        return OK;
    }

    private long print(Output out, long most) throws Exception {
        List<String> texts = new ArrayList<>();
        for (HitLine hit; texts.size() < most && (hit = waiting.poll()) != null;) {
            length.decrementAndGet();
            texts.add(hit.text());
        }
        if (!texts.isEmpty()) {
            out.line(String.join("\n", texts));
        }
        long lost = left.getAndSet(0);
        if (lost > 0) {
            out.problem(lost + " hits came faster than they can be printed; a condition (if ...) or -n N makes them fewer, count and latency take all");
        }
        return texts.size();
    }
}
