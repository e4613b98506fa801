package uprobe.it.app;

/** When main was reached: milliseconds since 1970. */
public final class Started {
    public static void main(String[] args) {
        System.out.println(System.currentTimeMillis());
    }

    private Started() {}
}
