package uprobe.agent.console;

import java.io.IOException;

/** Where a verb prints to: a command in another process, or the text that an MBean answers with. May be used by several threads. */
public interface Output {
    /** A line of what was asked for. */
    void line(String text) throws IOException;

    /** A line about what went wrong, or differently from what one may expect: a command prints it on stderr. */
    void problem(String text) throws IOException;

    void table(Table table) throws IOException;

    /**
     * Takes the place of what was shown live before.
     *
     * @param text lines above the table
     * @param table null: none
     */
    void live(String text, Table table) throws IOException;

    /** A piece of the file that the verb makes, in order. */
    void file(byte[] bytes, int length) throws IOException;

    /**
     * Waits.
     *
     * @return false, at once, if whoever asked is not there any more: the verb ends then
     */
    boolean pause(long millis);
}
