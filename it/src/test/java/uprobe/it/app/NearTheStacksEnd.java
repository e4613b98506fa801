package uprobe.it.app;

/**
 * Recurses until StackOverflowError, calling a native that is probed at each level, so that hits and what they cause happen with the last
 * of the stack. Each native call returns right or throws StackOverflowError itself before its function runs. Arguments: rounds.
 */
public final class NearTheStacksEnd {
    private static final long STACK_SIZE = 512 * 1024;
    private static long returned;
    private static long deepest;

    private NearTheStacksEnd() {
    }

    public static void main(String[] args) throws InterruptedException {
        int rounds = Fixture.argument(args, 0, 20);
        for (int round = 0; round < rounds; round++) {
            Throwable[] failure = new Throwable[1];
            Thread thread = new Thread(null, () -> toTheEnd(failure), "deep-" + round, STACK_SIZE);
            thread.start();
            thread.join();
            Fixture.check(failure[0] instanceof StackOverflowError, () -> "ended by " + failure[0]);
        }
        Fixture.check(deepest > 100, () -> "only " + deepest + " levels");
        Fixture.expected("probed_deep", returned, Probed.calls("probed_deep"));
        Fixture.ok();
    }

    private static void toTheEnd(Throwable[] failure) {
        try {
            descend(1);
        } catch (Throwable e) {
            failure[0] = e;
        }
    }

    private static void descend(long level) {
        long result = Probed.atDepth(level);
        returned++;
        if (result != level * 2 + 9) {
            throw new IllegalStateException("level " + level + ": " + result);
        }
        if (level > deepest) {
            deepest = level;
        }
        descend(level + 1);
    }
}
