package uprobe.agent.console;

import java.io.IOException;
import java.util.function.Consumer;

/** Output that is lines of text, one table behind the other, for who can not look on: what is live is told once it has ended. */
public final class Lines implements Output {
    private final Consumer<String> out;
    private final Consumer<String> problems;
    private final boolean json;

    public Lines(Consumer<String> out, Consumer<String> problems) {
        this(out, problems, false);
    }

    private Lines(Consumer<String> out, Consumer<String> problems, boolean json) {
        this.out = out;
        this.problems = problems;
        this.json = json;
    }

    /** The same with tables as JSON. */
    public Lines asJson() {
        return new Lines(out, problems, true);
    }

    /** One sentence of what a verb threw: its message, if it was made for people. */
    public static String said(Throwable e) {
        boolean plain = e.getMessage() != null && (e.getClass() == IOException.class || e instanceof IllegalArgumentException
                || e.getClass().getName().startsWith("uprobe."));
        Throwable missing = e instanceof NoClassDefFoundError && e.getCause() instanceof ClassNotFoundException ? e.getCause() : null;
        return plain ? e.getMessage() : missing != null ? "a class is missing: " + missing.getMessage() : e.toString();
    }

    @Override
    public void line(String text) {
        out.accept(text);
    }

    @Override
    public void problem(String text) {
        problems.accept(text);
    }

    @Override
    public void table(Table table) {
        if (json) {
            out.accept(table.json());
        } else {
            table.text(0).lines().forEach(out);
        }
    }

    @Override
    public void live(String text, Table table) {
        /* the last one comes as a table */
    }

    @Override
    public void file(byte[] bytes, int length) throws IOException {
        throw new IOException("a file can only be made by the command line: java -jar uprobe-agent.jar");
    }

    @Override
    public boolean pause(long millis) {
        try {
            Thread.sleep(millis);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
