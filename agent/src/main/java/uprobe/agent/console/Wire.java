package uprobe.agent.console;

import java.io.DataInput;
import java.io.DataInputStream;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What goes between a command and the agent in a target, over a socket that is there as long as the command
 *
 * <pre>
 *   command -> agent   VERSION, number of words, words          then nothing; its end ends the verb
 *   agent -> command   (kind, its contents)*, EXIT code         ALIVE when there was nothing else to say for a second
 * </pre>
 *
 * Both ends are of the same jar mostly; of which version the other is they learn first.
 */
public final class Wire {
    /** Of this protocol. What an end of another version does not know of ends the session with a sentence. */
    public static final int VERSION = 1;
    private static final int LONGEST_TEXT = 64 << 20;

    /** Kinds of messages to the command. */
    public static final int LINE = 1, PROBLEM = 2, TABLE = 3, LIVE = 4, FILE = 5, EXIT = 6, ALIVE = 7;

    public static void writeRequest(DataOutputStream out, List<String> words) throws IOException {
        out.writeInt(VERSION);
        out.writeInt(words.size());
        for (String word : words) {
            writeText(out, word);
        }
        out.flush();
    }

    public static List<String> readRequest(DataInputStream in) throws IOException {
        int version = in.readInt();
        if (version != VERSION) {
            throw new IOException("the command speaks version " + version + ", the agent " + VERSION + ": use the agent's own jar, or detach it first");
        }
        List<String> words = new ArrayList<>();
        for (int more = in.readInt(); more > 0; more--) {
            words.add(readText(in));
        }
        return words;
    }

    /** DataOutput.writeUTF takes 64 KiB at most. */
    public static void writeText(DataOutput out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    public static String readText(DataInput in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > LONGEST_TEXT) {
            throw new IOException("a text of " + length + " bytes");
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /**
     * Hands messages on until the other end says EXIT.
     *
     * @return the exit code
     * @throws java.io.EOFException if the other end is gone without
     */
    public static int receive(DataInputStream in, Output out) throws IOException {
        while (true) {
            switch (in.readByte()) {
                case LINE -> out.line(readText(in));
                case PROBLEM -> out.problem(readText(in));
                case TABLE -> out.table(Table.read(in));
                case LIVE -> {
                    String text = readText(in);
                    out.live(text, in.readBoolean() ? Table.read(in) : null);
                }
                case FILE -> {
                    byte[] bytes = new byte[in.readInt()];
                    in.readFully(bytes);
                    out.file(bytes, bytes.length);
                }
                case EXIT -> {
                    return in.readInt();
                }
                case ALIVE -> { }
                default -> throw new IOException("the agent is of another version: use its own jar, or detach it first");
            }
        }
    }

    private Wire() {}
}
