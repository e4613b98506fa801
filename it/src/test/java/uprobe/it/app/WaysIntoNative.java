package uprobe.it.app;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;

/**
 * Calls way_taken in every way that Java has into native code, on several threads while objects move; see {@link NativeWays} for what a hit's stack
 * is to be compared with. The n-th call of way W by thread T has the id T * 2^30 + W * 2^20 + n, n from 1: the first call, which may be unlike all
 * others, has a witness.
 *
 * <p>Prints for each way {@code way W CALLS NAME}, where CALLS are those of one thread, {@code drained W REASON} if they have no Java stack, and
 * {@code through W REGEX} for what must be found in the stack of some of its calls, as {@link NativeWays.Walked} writes it.
 *
 * <p>Arguments: threads, calls of each way, then any of {@code virtual} (virtual threads) and {@code sampled} (JFR's samplers at their shortest
 * periods, into samples.jfr).
 */
public final class WaysIntoNative {
    private static final long THREAD = 1L << 30;
    private static final int HANDLE_ROUND = 50, ROUND = 100, SURPRISE = 85, SLEEP_MS = 5, LONG_MS = 900, YIELD_EVERY = 8;
    private static final MethodType LONG_TO_LONG = MethodType.methodType(long.class, long.class);

    private static final MethodHandle EXACT = handle();
    private static final MethodHandle BOUND = bound();
    private static final MethodHandle SPREAD = handle().asSpreader(Object[].class, 1);
    /** Each for a round whose first call has a witness, as the first call of a handle goes through a form of its own. */
    private static final MethodHandle[] VARIABLE = {handle(), handle()};
    private static final Method METHOD = method();
    private static final Constructor<InConstructor> CONSTRUCTOR = constructor();
    private static final LongUnaryOperator LAMBDA = id -> NativeWays.byName(id), REFERENCE = NativeWays::byName, PROXY = proxy();
    private static final NativeWays.Inner INNER = new NativeWays.Inner();

    private WaysIntoNative() {
    }

    private interface Call {
        long call(long id) throws Throwable;

        default void calls(String way, long first, int n, boolean yields) throws Throwable {
            for (long id = first; id < first + n; id++) {
                Fixture.same(id * 3 + 1, call(id), way);
                if (yields && id % YIELD_EVERY == 0) {
                    Thread.yield();
                }
            }
        }
    }

    /** share: one of so many calls is made. drained: null, or why. call: null where it is done within the calls of the way before. */
    private record Way(String name, int share, String drained, Call call, String... through) {
    }

    private interface Defaults {
        default long take(long id) {
            return NativeWays.byName(id);
        }
    }

    private static final class InConstructor {
        final long result;

        InConstructor(long id) {
            result = NativeWays.byName(id);
        }
    }

    /** One loop, entered once per thread: compiled while it runs. */
    private static final class InALoop implements Call {
        @Override
        public long call(long id) {
            throw new AssertionError();
        }

        @Override
        public void calls(String way, long first, int n, boolean yields) {
            long sum = 0, expected = 0;
            for (long id = first; id < first + n; id++) {
                sum += NativeWays.byName(id);
                expected += id * 3 + 1;
            }
            Fixture.same(expected, sum, way);
        }
    }

    /** Each round has a caller of its own, which is compiled and then surprised while it waits for its native. */
    private static final class Surprised implements Call {
        private final Class<? extends FreshCallers.Caller> kind;
        private final Map<Thread, FreshCallers.Caller> callers = new ConcurrentHashMap<>();

        Surprised(Class<? extends FreshCallers.Caller> kind) {
            this.kind = kind;
        }

        @Override
        public long call(long id) throws ReflectiveOperationException {
            int n = (int) (id % NativeWays.WAY - 1) % ROUND;
            if (n == 0) {
                callers.put(Thread.currentThread(), FreshCallers.caller(kind));
            }
            FreshCallers.Caller caller = callers.get(Thread.currentThread());
            if (n == SURPRISE) {
                NativeWays.whileInNative(caller::surprise);
            }
            return caller.call(id);
        }
    }

    private static List<Way> ways(int calls) {
        List<Way> ways = new ArrayList<>();
        boolean before18 = Runtime.version().feature() < 18;
        one(ways, "native bound by its name", NativeWays::byName, "^uprobe.it.app.NativeWays.byName:");
        one(ways, "native bound by RegisterNatives", NativeWays::registered, "^uprobe.it.app.NativeWays.registered:");
        one(ways, "native of an instance", NativeWays.INSTANCE::ofInstance, "^uprobe.it.app.NativeWays.ofInstance:");
        one(ways, "native of an inner class", INNER::ofInner, "^uprobe.it.app.NativeWays\\$Inner.ofInner:");
        one(ways, "synchronized native", NativeWays::locked, "^uprobe.it.app.NativeWays.locked:");
        one(ways, "native with a pinned array", id -> NativeWays.pinning(new long[] {id}), "^uprobe.it.app.NativeWays.pinning:");
        one(ways, "native that throws", WaysIntoNative::thrown, "^uprobe.it.app.NativeWays.throwing:");
        one(ways, "native through an upcall", NativeWays::upAndDown, "^uprobe.it.app.NativeWays.upAndDown:");
        before(ways, "down again", "byName:-1 uprobe.it.app.NativeWays.again:\\d+ uprobe.it.app.NativeWays.upAndDown:-1 ");
        one(ways, "lambda", LAMBDA::applyAsLong, "WaysIntoNative.lambda\\$");
        one(ways, "method reference", REFERENCE::applyAsLong, "byName:-1 uprobe.it.app.WaysIntoNative\\$\\$Lambda\\S*.applyAsLong:");
        one(ways, "stream", id -> LongStream.of(id, 0).limit(1).map(REFERENCE).sum(), "java.util.stream.LongPipeline\\S*.accept:");
        one(ways, "Method.invoke", id -> (long) METHOD.invoke(null, id), before18
                ? new String[] {"NativeMethodAccessorImpl.invoke0:-1 ", "byName:-1 jdk.internal.reflect.GeneratedMethodAccessor\\d+.invoke:"}
                : Boolean.getBoolean("jdk.reflect.useNativeAccessorOnly") ? new String[] {"DirectMethodHandleAccessor\\$NativeAccessor.invoke0:-1 "}
                : new String[] {"DirectMethodHandleAccessor.invoke:"});
        one(ways, "Constructor.newInstance", id -> CONSTRUCTOR.newInstance(id).result, "InConstructor.<init>:.*Constructor.newInstance:");
        one(ways, "MethodHandle.invokeExact, constant", id -> (long) EXACT.invokeExact(id), "byName:-1 java.lang.invoke.LambdaForm\\$DMH");
        one(ways, "MethodHandle.invokeExact, variable", id -> (long) VARIABLE[(int) (id - 1) / HANDLE_ROUND & 1].invokeExact(id), "java.lang.invoke.LambdaForm\\$DMH");
        one(ways, "MethodHandle.invoke, bound", id -> (long) BOUND.invoke(id, 0L), "java.lang.invoke.");
        one(ways, "MethodHandle.invoke, spread", id -> (long) SPREAD.invoke(new Object[] {id}), "java.lang.invoke.");
        one(ways, "MethodHandle.invokeWithArguments", id -> (long) EXACT.invokeWithArguments(id), "java.lang.invoke.MethodHandle.invokeWithArguments:");
        one(ways, "constructor", id -> new InConstructor(id).result, "InConstructor.<init>:");
        one(ways, "default method", new Defaults() { }::take, "WaysIntoNative\\$Defaults.take:");
        one(ways, "anonymous class", new Call() {
            @Override
            public long call(long id) {
                return NativeWays.byName(id);
            }
        }, "WaysIntoNative\\$\\d+.call:");
        one(ways, "Proxy", PROXY::applyAsLong, "\\$Proxy\\d+.applyAsLong:");
        one(ways, "inlined callers", id -> outer(id), "WaysIntoNative.inner:\\d+ uprobe.it.app.WaysIntoNative.middle:\\d+ uprobe.it.app.WaysIntoNative.outer:");
        one(ways, "loop", new InALoop(), "byName:-1 uprobe.it.app.WaysIntoNative\\$InALoop.calls:");
        ways.add(new Way("static initialiser", 40, null, FreshCallers::initialise, "Initialiser.<clinit>:"));
        one(ways, "caller whose class hierarchy changes", new Surprised(FreshCallers.Fresh.OfTheOnlyClass.class), "Base.take:.*OfTheOnlyClass.call:",
                "Overriding.take:.*OfTheOnlyClass.call:");
        one(ways, "caller with an uncommon trap", new Surprised(FreshCallers.Fresh.WithARareBranch.class), "WithARareBranch.call:");
        ways.add(new Way("native that takes long", calls, "long call", id -> NativeWays.sleeping(id, LONG_MS)));
        ways.add(new Way("native that sleeps", 100, null, id -> NativeWays.sleeping(id, SLEEP_MS), "^uprobe.it.app.NativeWays.sleeping:"));
        one(ways, "JNA, interface mapping", JnaWays::byInterface, "^com.sun.jna.Native.invokeLong:");
        one(ways, "JNA, interface mapping, through a callback", JnaWays::upAndDownByInterface, "^com.sun.jna.Native.invokeLong:");
        before(ways, "down again from it", "NativeWays.again:.* com.sun.jna.CallbackReference\\S*.callback:.* com.sun.jna.Native.invokeLong:-1 ");
        one(ways, "JNA, direct mapping", JnaWays::directly, "^uprobe.it.app.JnaWays\\$Direct.ways_plain:-1 ");
        one(ways, "JNA, direct mapping, through a callback", JnaWays::upAndDownDirectly, "^uprobe.it.app.JnaWays\\$Direct.ways_up:-1 ");
        before(ways, "down again from it", "NativeWays.again:\\d+ .* uprobe.it.app.JnaWays\\$Direct.ways_up:-1 ");
        if (ForeignWays.AVAILABLE) {
            one(ways, "FFM downcall", ForeignWays::plain, "^java.lang.invoke.LambdaForm\\$.*uprobe.it.app.ForeignWays.plain:");
            one(ways, "FFM downcall that captures errno", ForeignWays::capturingErrno, "^java.lang.invoke.LambdaForm\\$.*ForeignWays.capturingErrno:");
            one(ways, "FFM downcall through an upcall", ForeignWays::upAndDown, "^java.lang.invoke.LambdaForm\\$.*ForeignWays.upAndDown:");
            before(ways, "down again from it", "NativeWays.up:.*uprobe.it.app.ForeignWays.upAndDown:");
            ways.add(new Way("FFM critical downcall", 1, "in the VM", ForeignWays::critical));
        }
        return ways;
    }

    private static void one(List<Way> ways, String name, Call call, String... through) {
        ways.add(new Way(name, 1, null, call, through));
    }

    private static void before(List<Way> ways, String name, String... through) {
        ways.add(new Way(name, 1, null, null, through));
    }

    private static long thrown(long id) {
        try {
            return NativeWays.throwing(id);
        } catch (IllegalStateException e) {
            Fixture.check(e.getStackTrace()[0].getMethodName().equals("throwing"), () -> "thrown in " + e.getStackTrace()[0]);
            return id * 3 + 1;
        }
    }

    private static long outer(long id) {
        return middle(id) + 1;
    }

    private static long middle(long id) {
        return inner(id) - 1;
    }

    private static long inner(long id) {
        return NativeWays.byName(id);
    }

    private static MethodHandle handle() {
        try {
            return MethodHandles.lookup().findStatic(NativeWays.class, "byName", LONG_TO_LONG);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** byName(a + b). */
    private static MethodHandle bound() {
        try {
            MethodHandle sum = MethodHandles.lookup().findStatic(Long.class, "sum", MethodType.methodType(long.class, long.class, long.class));
            return MethodHandles.filterReturnValue(sum, handle());
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static Method method() {
        try {
            return NativeWays.class.getDeclaredMethod("byName", long.class);
        } catch (NoSuchMethodException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static Constructor<InConstructor> constructor() {
        try {
            return InConstructor.class.getDeclaredConstructor(long.class);
        } catch (NoSuchMethodException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static LongUnaryOperator proxy() {
        return (LongUnaryOperator) Proxy.newProxyInstance(WaysIntoNative.class.getClassLoader(), new Class<?>[] {LongUnaryOperator.class},
                (self, method, arguments) -> NativeWays.byName((long) arguments[0]));
    }

    private static Recording samples() throws Exception {
        Recording recording = new Recording();
        recording.setDestination(Path.of("samples.jfr"));
        for (String type : List.of("jdk.ExecutionSample", "jdk.NativeMethodSample")) {
            recording.enable(type).withPeriod(Duration.ofMillis(Runtime.version().feature() < 25 ? 10 : 1));
        }
        if (FlightRecorder.getFlightRecorder().getEventTypes().stream().anyMatch(type -> type.getName().equals("jdk.CPUTimeSample"))) {
            recording.enable("jdk.CPUTimeSample").with("throttle", "1ms");
            recording.enable("jdk.CPUTimeSamplesLost");
        }
        recording.start();
        return recording;
    }

    public static void main(String[] args) throws Exception {
        int threads = Fixture.argument(args, 0, 2), calls = Fixture.argument(args, 1, 1_000);
        List<String> more = List.of(args);
        boolean virtual = more.contains("virtual");
        List<Way> ways = ways(calls);
        Recording samples = more.contains("sampled") ? samples() : null;
        Fixture.Work work = thread -> {
            for (int i = 0; i < ways.size(); i++) {
                Way way = ways.get(i);
                if (way.call != null) {
                    try {
                        way.call.calls(way.name, thread * THREAD + i * NativeWays.WAY + 1, calls / way.share, virtual);
                    } catch (Throwable e) {
                        throw new AssertionError(way.name, e);
                    }
                }
            }
        };
        Churn.during(() -> {
            if (virtual) {
                Fixture.togetherVirtually(threads, work);
            } else {
                Fixture.together(threads, work);
            }
        });
        if (samples != null) {
            samples.stop();
        }
        NativeWays.commitWalked();
        long expected = 0;
        for (int i = 0; i < ways.size(); i++) {
            Way way = ways.get(i);
            System.out.println("way " + i + " " + calls / way.share + " " + way.name);
            if (way.drained != null) {
                System.out.println("drained " + i + " " + way.drained);
            }
            for (String through : way.through) {
                System.out.println("through " + i + " " + through);
            }
            expected += (long) threads * (calls / way.share);
        }
        Fixture.expected("way_taken", expected, NativeWays.calls());
        Fixture.ok();
    }
}
