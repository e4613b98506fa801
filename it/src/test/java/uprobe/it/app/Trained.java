package uprobe.it.app;

/** A program whose run trains an AOT cache: what it leaves behind is collected before its end. */
public final class Trained {
    public static void main(String[] args) throws Exception {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 100_000; i++) {
            text.append(i);
        }
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(50);
        }
        System.out.println("ok " + text.length());
    }

    private Trained() {}
}
