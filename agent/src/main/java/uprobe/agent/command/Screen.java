package uprobe.agent.command;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import uprobe.agent.console.Output;
import uprobe.agent.console.Table;

/** What a command prints: to a terminal in its width, with what is live in one place; else plain, all of it. */
final class Screen implements Output, AutoCloseable {
    private static final int NARROWEST = 40;

    private final boolean json;
    private final boolean each;
    private final PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);
    private final boolean onTerminal;
    private Terminal terminal;
    private int liveLines;
    private Path file;
    private OutputStream fileOut;
    private long fileBytes;

    /** @param each whether each of the live tables is printed where there is no terminal */
    Screen(boolean json, boolean each) {
        this.json = json;
        this.each = each;
        onTerminal = System.console() != null && isTerminal();
    }

    /** From JDK 22 on there is a console without a terminal as well. */
    private static boolean isTerminal() {
        try {
            return (boolean) java.io.Console.class.getMethod("isTerminal").invoke(System.console());
        } catch (ReflectiveOperationException olderJdk) {
            return true;
        }
    }

    /** Where {@link #file} goes to. */
    void to(Path target) {
        file = target;
    }

    static {
        System.setProperty("org.jline.terminal.disableDeprecatedProviderWarning", "true");      /* JNA is here anyway, and JLine's own natives would be one more file */
    }

    /** Width and height, 0 where they are not known. */
    private int[] size() {
        try {
            terminal = terminal == null ? TerminalBuilder.builder().system(true).dumb(true).nativeSignals(false).build() : terminal;
            return new int[] {terminal.getWidth(), terminal.getHeight()};
        } catch (IOException e) {
            return new int[] {0, 0};
        }
    }

    @Override
    public void line(String text) {
        clear();
        out.println(text);
    }

    @Override
    public void problem(String text) {
        clear();
        out.flush();
        text.lines().forEach(line -> System.err.println("uprobe: " + line));
    }

    @Override
    public void table(Table table) {
        clear();
        if (json) {
            out.println(table.json());
        } else {
            out.print(table.text(0));
        }
        out.flush();
    }

    @Override
    public void live(String text, Table table) {
        if (!onTerminal || json) {
            if (table != null && each) {
                if (!json) {
                    out.println(text);
                }
                table(table);
                out.println();
            }
            return;
        }
        int[] size = size();
        int width = size[0] > 0 ? Math.max(NARROWEST, size[0]) : 80, height = size[1] > 0 ? size[1] : 24;
        String[] lines = (text + (table == null ? "" : "\n" + table.text(width))).split("\n");
        StringBuilder frame = new StringBuilder(cleared());
        int shown = text.isEmpty() && table == null ? 0 : Math.min(lines.length, height - 1);
        for (int i = 0; i < shown; i++) {
            frame.append(lines[i].length() > width ? lines[i].substring(0, width) : lines[i]).append('\n');
        }
        out.print(frame);
        out.flush();
        liveLines = shown;
    }

    /** Up to where what is live began, and all below it away: ECMA-48, CUU and ED. */
    private String cleared() {
        return liveLines == 0 ? "" : "\033[" + liveLines + "A\033[J";
    }

    private void clear() {
        if (liveLines > 0) {
            out.print(cleared());
            liveLines = 0;
        }
    }

    @Override
    public void file(byte[] bytes, int length) throws IOException {
        if (fileOut == null) {
            fileOut = Files.newOutputStream(file);
        }
        fileOut.write(bytes, 0, length);
        fileBytes += length;
    }

    long fileBytes() {
        return fileBytes;
    }

    @Override
    public boolean pause(long millis) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() throws IOException {
        if (fileOut != null) {
            fileOut.close();
        }
        if (terminal != null) {
            terminal.close();
        }
    }
}
