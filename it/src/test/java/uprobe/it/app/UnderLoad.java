package uprobe.it.app;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.LongAdder;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * Three threads at work, to attach to, detach from and arm under: natives of {@link Probed} and round trips through Deflater and Inflater,
 * every result checked. Prints "ready" once all three run; goes on until the file named as its argument appears, or without one until
 * standard input ends.
 */
public final class UnderLoad {
    private static final int THREADS = 3;
    private static final int TEXT = 8 * 1024;
    private static final int LEAVES_PER_ROUND_TRIP = 200;

    private static final LongAdder leaves = new LongAdder();
    private static final LongAdder roundTrips = new LongAdder();
    private static volatile boolean ended;

    private UnderLoad() {
    }

    public static void main(String[] args) throws Exception {
        Thread load = new Thread(UnderLoad::load, "load");
        load.start();
        while (roundTrips.sum() < THREADS && load.isAlive()) {
            Thread.sleep(10);
        }
        System.out.println("ready");
        Thread watch = new Thread(() -> {
            waitForTheEnd(args);
            ended = true;
        }, "watch");
        watch.setDaemon(true);
        watch.start();
        load.join();
        Fixture.check(ended, () -> "the load ended by itself");
        Fixture.expected("probed_leaf", leaves.sum(), Probed.calls("probed_leaf"));
        System.out.println("round trips " + roundTrips.sum());
        System.out.println("ok " + leaves.sum() + " " + roundTrips.sum());
    }

    private static void load() {
        try {
            Fixture.together(THREADS, thread -> {
                for (long round = 0; !ended; round++) {
                    roundTrip(thread, round);
                    for (long i = 0; i < LEAVES_PER_ROUND_TRIP; i++) {
                        Fixture.same(i * 3 + 1, Probed.leaf(i), "leaf");
                        leaves.increment();
                    }
                }
            });
        } catch (Throwable e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    private static void roundTrip(int thread, long round) throws DataFormatException {
        byte[] text = new byte[TEXT];
        new Random(thread * 1_000_003L + round).nextBytes(text);
        // half of it repeats, so that there is something to find
        System.arraycopy(text, 0, text, TEXT / 2, TEXT / 2);
        Deflater deflater = new Deflater((int) (round % 9) + 1);
        Inflater inflater = new Inflater();
        try {
            deflater.setInput(text);
            deflater.finish();
            byte[] small = new byte[2 * TEXT], back = new byte[TEXT];
            int length = deflater.deflate(small);
            Fixture.check(deflater.finished() && length > TEXT / 2 && length < TEXT, () -> "deflated to " + length);
            inflater.setInput(small, 0, length);
            Fixture.same(TEXT, inflater.inflate(back), "inflated length");
            Fixture.check(Arrays.equals(text, back), () -> "the text came back changed");
            Fixture.same(deflater.getAdler(), inflater.getAdler(), "checksum");
            roundTrips.increment();
        } finally {
            deflater.end();
            inflater.end();
        }
    }

    private static void waitForTheEnd(String[] args) {
        try {
            if (args.length == 0) {
                System.in.transferTo(OutputStream.nullOutputStream());
            } else {
                while (!Files.exists(Path.of(args[0]))) {
                    Thread.sleep(50);
                }
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
