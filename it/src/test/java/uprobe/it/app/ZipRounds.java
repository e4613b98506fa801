package uprobe.it.app;

import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * Compresses and decompresses on three threads, and checks. {@code rounds N}: so many each, then the sum of all compressed bytes. {@code
 * forever}: until a line comes in.
 */
public final class ZipRounds {
    private static volatile boolean done;
    private static volatile Throwable failure;
    private static final long[] SUMS = new long[3];

    public static void main(String[] args) throws Exception {
        int rounds = args[0].equals("forever") ? Integer.MAX_VALUE : Integer.parseInt(args[1]);
        Thread[] threads = new Thread[SUMS.length];
        for (int t = 0; t < threads.length; t++) {
            int number = t;
            threads[t] = new Thread(() -> work(number, rounds), "zip-" + t);
            threads[t].setUncaughtExceptionHandler((thread, e) -> failure = e);
            threads[t].start();
        }
        if (rounds == Integer.MAX_VALUE) {
            System.out.println("running");
            System.in.read();
            done = true;
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (failure != null) {
            throw new Error(failure);
        }
        System.out.println("sum " + Arrays.stream(SUMS).sum());
    }

    private static void work(int number, int rounds) {
        byte[] input = new byte[20_000], packed = new byte[30_000], output = new byte[20_000];
        Random random = new Random(number);
        for (int i = 0; i < input.length; i++) {
            input[i] = (byte) (random.nextInt(20) + i % 50);
        }
        for (int round = 0; round < rounds && !done; round++) {
            input[round % input.length]++;
            try {
                int size = pack(input, packed);
                unpack(packed, size, output);
                CRC32 crc = new CRC32();
                crc.update(packed, 0, size);
                SUMS[number] += crc.getValue();
                if (!Arrays.equals(input, output)) {
                    throw new Error("round " + round + ": what came out is not what went in");
                }
            } catch (java.util.zip.DataFormatException e) {
                throw new Error(e);
            }
        }
    }

    private static int pack(byte[] input, byte[] packed) {
        Deflater deflater = new Deflater();
        deflater.setInput(input);
        deflater.finish();
        int size = deflater.deflate(packed);
        deflater.end();
        return size;
    }

    private static void unpack(byte[] packed, int size, byte[] output) throws java.util.zip.DataFormatException {
        Inflater inflater = new Inflater();
        inflater.setInput(packed, 0, size);
        int n = inflater.inflate(output);
        inflater.end();
        if (n != output.length) {
            throw new Error("only " + n + " bytes came out");
        }
    }

    private ZipRounds() {}
}
