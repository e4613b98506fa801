package uprobe.it.app;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.Event;
import jdk.jfr.Name;

/**
 * Calls {@link Probed#leaf} from many places and depths; each call stands inside an event {@code it.Call} that its own caller commits, and
 * names the stack that this caller itself saw.
 *
 * <p>A hit of probed_leaf with i == id then has: the thread of that it.Call, a start within it, the result i * 3 + 1, and from frame 2 on
 * (frame 0 is the native function, frame 1 Probed.leaf) the frames of the {@code it.Stack} with the same stackId, which are written as
 * {@code Class.method:line}, innermost first, joined by blanks. Hidden frames (the class that a lambda becomes) are not in it.
 *
 * <p>Arguments: threads, calls per thread.
 */
public final class ExactStacks {
    private static final long IDS_PER_THREAD = 1_000_000_000L;
    /** With the native and its function at most 55 frames: JFR keeps 64. Coprime to the number of places: every pair occurs. */
    private static final int DEPTHS = 37;
    private static final int RARE = 997;
    /** So often a known stack is taken again and compared. */
    private static final int RETAKEN = 1_009;
    private static final String[] PLACES = { "plain", "branch", "instance", "interface", "lambda", "synchronized", "constructor", "rare" };
    private static final int FREQUENT_PLACES = PLACES.length - 1;

    private ExactStacks() {
    }

    @Name("it.Call")
    static final class Call extends Event {
        long id;
        int stackId;
        long result;
    }

    @Name("it.Stack")
    static final class Stack extends Event {
        int stackId;
        String frames;
    }

    public static void main(String[] args) throws InterruptedException {
        int threads = Fixture.argument(args, 0, 1), calls = Fixture.argument(args, 1, 10_000);
        Caller[] callers = new Caller[threads];
        Churn.during(() -> {
            for (int i = 0; i < threads; i++) {
                callers[i] = new Caller(i, calls);
                callers[i].start();
            }
            for (Caller caller : callers) {
                caller.join();
            }
        });
        for (Caller caller : callers) {
            Fixture.check(caller.failure == null, () -> caller.getName() + ": " + caller.failure);
        }
        // every thread has the same code below it, so the same table
        Map<Integer, String> stacks = new LinkedHashMap<>();
        for (Caller caller : callers) {
            caller.stacks.forEach((id, frames) -> {
                String other = stacks.putIfAbsent(id, frames);
                Fixture.check(other == null || other.equals(frames), () -> "two stacks " + id + ":\n" + other + "\n" + frames);
            });
        }
        stacks.forEach(ExactStacks::commitStack);
        Fixture.expected("probed_leaf", (long) threads * calls, Probed.calls("probed_leaf"));
        System.out.println("expected it.Call " + (long) threads * calls);
        System.out.println("expected it.Stack " + stacks.size());
        Fixture.ok();
    }

    private static void commitStack(int id, String frames) {
        Stack event = new Stack();
        event.stackId = id;
        event.frames = frames;
        event.commit();
    }

    /** Overrides run, so that it is the outermost frame on every JDK. */
    private static final class Caller extends Thread {
        private final Map<Integer, String> stacks = new LinkedHashMap<>();
        private final int number;
        private final int calls;
        private final LongUnaryOperator lambda = id -> {
            Call call = new Call();
            call.begin();
            Throwable here = wanted() ? new Throwable() : null; long result = Probed.leaf(id); // one line: frames carry line numbers
            call.end();
            fill(call, id, result, here);
            call.commit();
            return result;
        };
        private long done;
        private int stackId;
        private Throwable failure;

        Caller(int number, int calls) {
            super("caller-" + number);
            this.number = number;
            this.calls = calls;
        }

        @Override
        public void run() {
            try {
                for (; done < calls; done++) {
                    long id = number * IDS_PER_THREAD + done;
                    int place = done % RARE == RARE - 1 ? FREQUENT_PLACES : (int) (done % FREQUENT_PLACES), depth = (int) (done % DEPTHS);
                    stackId = place * DEPTHS + depth;
                    Fixture.same(id * 3 + 1, descend(place, depth, id), PLACES[place]);
                }
            } catch (Throwable e) {
                failure = e;
            }
        }

        /** Whether the stack of the call to come is to be taken: taking it each time would cost more than the call. */
        private boolean wanted() {
            return done % RETAKEN == 0 || !stacks.containsKey(stackId);
        }

        /** Fills in; it is the caller of the native that commits. */
        private void fill(Call call, long id, long result, Throwable here) {
            call.id = id;
            call.stackId = stackId;
            call.result = result;
            if (here != null) {
                String frames = Stream.of(here.getStackTrace())
                        .map(frame -> frame.getClassName() + "." + frame.getMethodName() + ":" + frame.getLineNumber())
                        .collect(Collectors.joining(" "));
                String known = stacks.putIfAbsent(stackId, frames);
                Fixture.check(known == null || known.equals(frames), () -> "stack " + stackId + " was\n" + known + "\nand is\n" + frames);
            }
        }

        private long descend(int place, int depth, long id) {
            if (depth == 0) {
                return callFrom(place, id);
            }
            return depth % 3 == 0 ? descendSideways(place, depth - 1, id) : descend(place, depth - 1, id);
        }

        private long descendSideways(int place, int depth, long id) {
            return descend(place, depth, id);
        }

        private long callFrom(int place, long id) {
            return switch (place) {
                case 0 -> plainly(this, id);
                case 1 -> inABranch(id);
                case 2 -> new Instance(this).call(id);
                case 3 -> ((LongUnaryOperator) new Implementation(this)).applyAsLong(id);
                case 4 -> lambda.applyAsLong(id);
                case 5 -> underAMonitor(id);
                case 6 -> new InConstructor(this, id).result;
                default -> rarely(id);
            };
        }

        private static long plainly(Caller caller, long id) {
            Call call = new Call();
            call.begin();
            Throwable here = caller.wanted() ? new Throwable() : null; long result = Probed.leaf(id); // one line
            call.end();
            caller.fill(call, id, result, here);
            call.commit();
            return result;
        }

        /** Two calls on different lines of one method: stacks that differ in a line number only. */
        private long inABranch(long id) {
            Call call = new Call();
            Throwable here;
            long result;
            call.begin();
            if ((stackId & 1) == 0) {
                here = wanted() ? new Throwable() : null; result = Probed.leaf(id); // one line
            } else {
                here = wanted() ? new Throwable() : null; result = Probed.leaf(id); // one line
            }
            call.end();
            fill(call, id, result, here);
            call.commit();
            return result;
        }

        private synchronized long underAMonitor(long id) {
            Call call = new Call();
            call.begin();
            Throwable here = wanted() ? new Throwable() : null; long result = Probed.leaf(id); // one line
            call.end();
            fill(call, id, result, here);
            call.commit();
            return result;
        }

        /** Called so seldom that it stays interpreted in most runs. */
        private long rarely(long id) {
            Call call = new Call();
            call.begin();
            Throwable here = wanted() ? new Throwable() : null; long result = Probed.leaf(id); // one line
            call.end();
            fill(call, id, result, here);
            call.commit();
            return result;
        }
    }

    private record Instance(Caller caller) {
        long call(long id) {
            Call call = new Call();
            call.begin();
            Throwable here = caller.wanted() ? new Throwable() : null; long result = Probed.leaf(id); // one line
            call.end();
            caller.fill(call, id, result, here);
            call.commit();
            return result;
        }
    }

    private record Implementation(Caller caller) implements LongUnaryOperator {
        @Override
        public long applyAsLong(long id) {
            Call call = new Call();
            call.begin();
            Throwable here = caller.wanted() ? new Throwable() : null; long result = Probed.leaf(id); // one line
            call.end();
            caller.fill(call, id, result, here);
            call.commit();
            return result;
        }
    }

    private static final class InConstructor {
        final long result;

        InConstructor(Caller caller, long id) {
            Call call = new Call();
            call.begin();
            Throwable here = caller.wanted() ? new Throwable() : null; result = Probed.leaf(id); // one line
            call.end();
            caller.fill(call, id, result, here);
            call.commit();
        }
    }
}
