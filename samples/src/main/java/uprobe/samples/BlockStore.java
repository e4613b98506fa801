package uprobe.samples;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Compresses blocks of 64 KiB on several threads, from and to memory outside the heap, as hard as zlib can: a storage engine's way. */
final class BlockStore implements RoundTrip {
    static final int THREADS = 4;
    private static final int BLOCK = 64 * 1024;

    @Override
    public String what() {
        return "direct buffers, 64 KiB blocks, " + THREADS + " threads";
    }

    @Override
    public long run(List<Content> files) throws IOException {
        AtomicInteger number = new AtomicInteger();
        ExecutorService pool = Executors.newFixedThreadPool(THREADS, work -> new Thread(work, "block-" + number.incrementAndGet()));
        try {
            List<Future<Long>> sizes = new ArrayList<>();
            for (Content file : files) {
                for (int from = 0; from < file.bytes().length; from += BLOCK) {
                    int at = from, length = Math.min(BLOCK, file.bytes().length - from);
                    sizes.add(pool.submit(() -> roundTrip(file, at, length)));
                }
            }
            long packed = 0;
            for (Future<Long> size : sizes) {
                packed += size.get();
            }
            return packed;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        } finally {
            pool.shutdownNow();
        }
    }

    private long roundTrip(Content file, int from, int length) throws IOException {
        ByteBuffer plain = ByteBuffer.allocateDirect(length).put(file.bytes(), from, length).flip();
        ByteBuffer packed = store(plain);
        long size = packed.remaining();
        if (!load(packed, length).equals(ByteBuffer.wrap(file.bytes(), from, length))) {
            throw new NotEqualException(this, file.name() + " from byte " + from);
        }
        return size;
    }

    private static ByteBuffer store(ByteBuffer plain) throws IOException {
        /* What cannot be compressed grows by five bytes for each 16 KiB, and a few at the ends. */
        ByteBuffer packed = ByteBuffer.allocateDirect(plain.remaining() + plain.remaining() / 1000 + 64);
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
        try {
            deflater.setInput(plain);
            deflater.finish();
            deflater.deflate(packed);
            if (!deflater.finished()) {
                throw new IOException("a block of " + plain.capacity() + " bytes grew above " + packed.capacity());
            }
        } finally {
            deflater.end();
        }
        return packed.flip();
    }

    private static ByteBuffer load(ByteBuffer packed, int length) throws IOException {
        ByteBuffer plain = ByteBuffer.allocateDirect(length);
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(packed);
            inflater.inflate(plain);
        } catch (DataFormatException e) {
            throw new IOException(e);
        } finally {
            inflater.end();
        }
        return plain.flip();
    }
}
