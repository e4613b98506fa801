package uprobe.it.app;

/**
 * Calls what another language, or another way to build a library, has made of one task; between the calls the VM does what it has handlers of
 * signals for. {@code Languages LIBRARY ROUNDS} prints {@code result N}.
 */
public final class Languages {
    private Languages() {
    }

    static native long work(long n);

    /** How often the innermost function was called, as it counted itself. */
    static native long leaves();

    /** Of the library that seals its own text: 0, or errno. */
    static native int sealing();

    private static int length(String text) {
        return text.length();
    }

    /** In compiled code a null pointer is a SIGSEGV. */
    private static long nullPointers() {
        long thrown = 0;
        for (int i = 0; i < 20_000; i++) {
            try {
                thrown += length(i % 10 == 0 ? null : "") * 1000;
            } catch (NullPointerException e) {
                thrown++;
            }
        }
        return thrown;
    }

    public static void main(String[] args) {
        Fixture.load(args[0]);
        if (args[0].endsWith("_sealed")) {
            System.out.println("sealing " + sealing());
        }
        long result = 0;
        for (int i = 0, rounds = Fixture.argument(args, 1, 20); i < rounds; i++) {
            result = result * 31 + work(i);
            Fixture.same(2000, nullPointers(), "null pointers");
            if (i % 5 == 0) {
                System.gc();
            }
        }
        System.out.println("result " + result);
        System.out.println("expected leaves " + leaves());
        Fixture.ok();
    }
}
