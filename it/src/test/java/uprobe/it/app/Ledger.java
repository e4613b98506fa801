package uprobe.it.app;

/** {@code Ledger THREADS ROUNDS}: native allocations that are all given back, and a planted leak in two places of the Java code. */
public final class Ledger {
    /** What each caller keeps: its line of the output is {@code kept METHOD BLOCKS}. */
    private static final int WAYS = 5, FORGETS = 3, LOSES = 2;

    private static native void borrow(int seed, int rounds);

    private static native void keep(int how, int bytes, int blocks);

    private Ledger() {
    }

    private static void forgets(int how) {
        keep(how, 1_000 + how, FORGETS);
    }

    private static void loses(int how) {
        keep(how, 5_000 + how, LOSES);
    }

    public static void main(String[] args) throws Exception {
        int threads = Fixture.argument(args, 0, 8), rounds = Fixture.argument(args, 1, 200);
        Fixture.load("ledger");
        Fixture.together(threads, thread -> {
            borrow(thread, rounds);
            for (int how = 0; how < WAYS; how++) {
                forgets(how);
                if (thread % 2 == 0) {
                    loses(how);
                }
            }
            borrow(thread + threads, rounds);
        });
        System.out.println("kept forgets " + threads * WAYS * FORGETS);
        System.out.println("kept loses " + threads / 2 * WAYS * LOSES);
        Fixture.ok();
    }
}
