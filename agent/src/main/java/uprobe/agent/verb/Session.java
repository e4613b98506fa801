package uprobe.agent.verb;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import uprobe.agent.console.Lines;
import uprobe.agent.console.Output;
import uprobe.agent.console.Table;
import uprobe.agent.console.Wire;
import uprobe.probe.OwnWork;

/**
 * A command's verb in the target: two threads that live as long as it does. The one does it; the other waits for the command's end, which ends the verb,
 * however the command ended.
 */
public final class Session implements Output, Runnable {
    private static final long ALIVE_MS = 1_000;
    private static int number;

    private final Target target;
    private final SocketChannel channel;
    private final DataOutputStream out;
    private boolean gone;

    private Session(Target target, SocketChannel channel) {
        this.target = target;
        this.channel = channel;
        this.out = new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16));
    }

    /** @param socket on which the command listens; if it does not any more, nothing is done */
    public static synchronized void start(Target target, Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException commandIsGone) {
            channel.close();
            return;
        }
        Thread thread = new Thread(null, new Session(target, channel), "uprobe-command-" + ++number, 0, false);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void run() {
        try (channel) {
            List<String> words;
            try {
                words = Wire.readRequest(new DataInputStream(Channels.newInputStream(channel)));
            } catch (IOException e) {
                problem(String.valueOf(e.getMessage()));
                exit(Verb.FAILED);
                return;
            }
            Thread waiting = new Thread(null, this::awaitEnd, Thread.currentThread().getName() + "-end", 0, false);
            waiting.setDaemon(true);
            waiting.start();
            exit(execute(words));
        } catch (IOException commandIsGone) {
            /* nobody is there to be told */
        }
    }

    private int execute(List<String> words) throws IOException {
        try {
            return Verbs.execute(words, target, this, true);
        } catch (IOException e) {
            if (hasGone()) {
                throw e;
            }
            problem(Lines.said(e));
        } catch (Exception | LinkageError | OutOfMemoryError | StackOverflowError e) {
            problem(Lines.said(e));
        }
        return Verb.FAILED;
    }

    private void awaitEnd() {
        boolean begun = OwnWork.begin();
        try {
            while (channel.read(ByteBuffer.allocate(1)) >= 0) { }
        } catch (IOException closed) {
            /* the verb is done, or the command was killed */
        } finally {
            synchronized (this) {
                gone = true;
                notifyAll();
            }
            OwnWork.end(begun);
        }
    }

    private synchronized boolean hasGone() {
        return gone;
    }

    @Override
    public boolean pause(long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        while (true) {
            long left = (end - System.nanoTime()) / 1_000_000;
            synchronized (this) {
                if (gone || left <= 0) {
                    return !gone;
                }
                try {
                    wait(Math.min(left, ALIVE_MS));
                } catch (InterruptedException e) {
                    return false;
                }
            }
            try {
                send(Wire.ALIVE, null);
            } catch (IOException e) {
                return false;
            }
        }
    }

    private void exit(int code) throws IOException {
        send(Wire.EXIT, () -> out.writeInt(code));
    }

    private void send(int kind, Contents contents) throws IOException {
        synchronized (out) {
            out.writeByte(kind);
            if (contents != null) {
                contents.write();
            }
            out.flush();
        }
    }

    @FunctionalInterface
    private interface Contents {
        void write() throws IOException;
    }

    @Override
    public void line(String text) throws IOException {
        send(Wire.LINE, () -> Wire.writeText(out, text));
    }

    @Override
    public void problem(String text) throws IOException {
        send(Wire.PROBLEM, () -> Wire.writeText(out, text));
    }

    @Override
    public void table(Table table) throws IOException {
        send(Wire.TABLE, () -> table.write(out));
    }

    @Override
    public void live(String text, Table table) throws IOException {
        send(Wire.LIVE, () -> {
            Wire.writeText(out, text);
            out.writeBoolean(table != null);
            if (table != null) {
                table.write(out);
            }
        });
    }

    @Override
    public void file(byte[] bytes, int length) throws IOException {
        send(Wire.FILE, () -> {
            out.writeInt(length);
            out.write(bytes, 0, length);
        });
    }
}
