package uprobe.it.app;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Recording;

/**
 * Threads that run through many natives of the JDK and commit events of their own meanwhile, with strings and stacks: the probes of every function on
 * the way may not spoil them. The recording is {@code busy.jfr}; the probes are switched off before it ends, so that what it says of them is final.
 */
public final class BusyEverywhere {
    @Name("it.Step")
    @Label("Step")
    static final class Step extends Event {
        int thread;
        int number;
        String text;
        String same;
    }

    /** Of all lengths, with characters of one, two and three bytes. */
    public static String text(int thread, int number) {
        return "step " + thread + "/" + number + " " + "\u00e4\u20ac.".repeat(number % 100);
    }

    private static void step(int thread, int number) throws Exception {
        Step step = new Step();
        step.begin();
        files(number);
        if (number % 10 == 0) {
            sockets();
        }
        new CRC32().update(new byte[100]);
        Deflater deflater = new Deflater();
        deflater.setInput(new byte[1000]);
        deflater.finish();
        deflater.deflate(new byte[100]);
        deflater.end();
        Class.forName("java.util.Locale").getDeclaredMethods();
        new Object[] {thread}.clone();
        System.identityHashCode(step);
        Thread.holdsLock(step);
        step.thread = thread;
        step.number = number;
        step.text = text(thread, number);
        step.same = "the same each time, so JFR pools it";
        step.commit();
    }

    private static void files(int number) throws IOException {
        Path file = Files.createTempFile(Path.of("."), "busy", ".txt");
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(new byte[number % 1000]);
            Fixture.same(number % 1000, out.length(), "file length");
        }
        Files.delete(file);
    }

    private static void sockets() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel client = SocketChannel.open(server.getLocalAddress()); SocketChannel accepted = server.accept()) {
            client.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
            ByteBuffer read = ByteBuffer.allocate(3);
            while (read.hasRemaining()) {
                accepted.read(read);
            }
            Fixture.same(2, read.get(1), "what came through the socket");
        }
    }

    public static void main(String[] args) throws Exception {
        int threads = Fixture.argument(args, 0, 4), steps = Fixture.argument(args, 1, 200);
        Recording recording = new Recording();
        recording.enable("it.Step");
        recording.enable("uprobe.NativeCall");
        recording.setDestination(Path.of("busy.jfr"));
        recording.start();
        Fixture.together(threads, thread -> {
            for (int i = 0; i < steps; i++) {
                step(thread, i);
            }
        });
        recording.disable("uprobe.NativeCall");
        Steering.awaitOriginalText();
        Thread.sleep(1500);     /* until the drain has taken what no JNI return will flush */
        recording.stop();
        recording.close();
        Fixture.ok();
    }

    private BusyEverywhere() {}
}
