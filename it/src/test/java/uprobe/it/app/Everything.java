package uprobe.it.app;

import com.github.luben.zstd.Zstd;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/**
 * Waves of twenty threads that come, use what a JVM runs in native code, and go: SQLite, RocksDB, BoringSSL, zlib, zstd, sockets, files, processes, and the
 * VM itself ({@link RuntimeCalls}). Every result is checked. Its arguments: for how many seconds; to start and stop recordings meanwhile, once the probes
 * are there, for how many milliseconds each.
 */
public final class Everything {
    private static final int THREADS = 20, LEAVES = 500;
    private static final long SECOND = 1_000_000_000;
    private static final String WITNESS = "uprobe.witness.leaf";
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** Of "localhost", for nothing else in the world. */
    private static final String KEY = """
            -----BEGIN PRIVATE KEY-----
            MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCCmVQ6NA+Q5ykv7vqIz
            3CF5gFsHWPZGXLRxPLSjdMttLA==
            -----END PRIVATE KEY-----
            """;
    private static final String CERTIFICATE = """
            -----BEGIN CERTIFICATE-----
            MIIBPzCB56ADAgECAggA6o7j0jSDJDAKBggqhkjOPQQDAjAUMRIwEAYDVQQDEwls
            b2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjExOTEyMDgwMDAwMDBaMBQxEjAQ
            BgNVBAMTCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPjEqYqH
            EujgqKzxRL551uKCWX50g5/Ia0ttlBsMjqvSb7HL/QjZmMe48OjYOijjxrjXGxB9
            OhPcDgrIlchtfrijITAfMB0GA1UdDgQWBBQqDxVWA9bPDYCgJi2CI9aEbCyKCTAK
            BggqhkjOPQQDAgNHADBEAiAIGWojznIIUQm58xXoS0d5HbR4ePqkSbsybarEVPXA
            cAIgfFbQVJHOs9WWlvWChhbHfEq6dO84yMS21r2zM7w3lnQ=
            -----END CERTIFICATE-----
            """;

    private static final AtomicLong called = new AtomicLong();
    private static long begin, recorded;
    private static int waves;
    private static SslContext server, client;

    private Everything() {
    }

    private static final List<Fixture.Work> JOBS = List.of(Everything::sqlite, Everything::rocksdb, Everything::tls, Everything::zlib, Everything::zstd, Everything::sockets,
            Everything::files, Everything::process, thread -> RuntimeCalls.work(thread, 60), thread -> RuntimeCalls.virtualThreads(100),
            Everything::leaves);

    public static void main(String[] args) throws Exception {
        int seconds = Integer.parseInt(args[0]);
        boolean steered = Fixture.argument(args, 1, 0) > 0;
        begin = System.nanoTime();
        Probed.calls("");       /* loads the library */
        prepareTls();
        say("prepared");
        if (steered) {
            steered(seconds, Fixture.argument(args, 1, 0));
        } else {
            long end = begin + seconds * SECOND;
            do {
                wave(JOBS);
            } while (System.nanoTime() < end);
        }
        Fixture.same(called.get(), Probed.calls("probed_leaf"), "calls of probed_leaf");
        System.out.println("expected probed_leaf " + (steered ? recorded : called.get()));
        System.out.println("waves " + waves);
        Fixture.ok();
    }

    private static void say(String what) {
        System.out.println(what + " at " + (System.nanoTime() - begin) / 1_000_000 + " ms");
    }

    private static void wave(List<Fixture.Work> jobs) throws InterruptedException {
        int wave = waves++;
        Fixture.together(THREADS, thread -> jobs.get((thread + wave) % jobs.size()).run(thread));
    }

    /** Recordings come and go beside the waves: each arms all there is, and disarms it. Which calls of the witness they have is this thread's to say. */
    private static void steered(int seconds, int armedMs) throws Exception {
        List<Fixture.Work> others = JOBS.subList(0, JOBS.size() - 1);
        wave(others);
        Throwable[] failure = new Throwable[1];
        AtomicBoolean over = new AtomicBoolean();
        Thread load = new Thread(() -> {
            try {
                while (!over.get()) {
                    wave(others);
                }
            } catch (Throwable e) {
                failure[0] = e;
            }
        });
        load.start();
        System.out.println("running");
        while (FlightRecorder.getFlightRecorder().getEventTypes().stream().noneMatch(type -> type.getName().equals(WITNESS))) {
            leaves(0);
            Thread.sleep(50);
        }
        say("probes are there");
        long end = System.nanoTime() + seconds * SECOND;
        int recordings = 0;
        do {
            leaves(0);
            try (Recording recording = new Recording()) {
                recording.start();
                say("armed");
                leaves(0);
                recorded += LEAVES;
                Thread.sleep(armedMs);
                recording.stop();
                say("disarmed");
                recording.dump(Path.of("recording-" + ++recordings + ".jfr").toAbsolutePath());
            }
        } while (failure[0] == null && System.nanoTime() < end);
        over.set(true);
        load.join();
        if (failure[0] != null) {
            throw new AssertionError(failure[0]);
        }
        System.out.println("recordings " + recordings);
    }

    private static byte[] text(int thread) {
        byte[] text = new byte[20_000];
        new Random(thread).nextBytes(text);
        System.arraycopy(text, 0, text, text.length / 2, text.length / 2);
        return text;
    }

    private static void leaves(int thread) {
        for (int i = 0; i < LEAVES; i++) {
            Fixture.same(3L * i + 1, Probed.leaf(i), "leaf");
        }
        called.addAndGet(LEAVES);
    }

    private static void sqlite(int thread) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:"); Statement statement = connection.createStatement()) {
            statement.execute("create table t (a integer, b text)");
            try (PreparedStatement insert = connection.prepareStatement("insert into t values (?, ?)")) {
                for (int i = 0; i < 50; i++) {
                    insert.setInt(1, i * thread);
                    insert.setString(2, "row " + i);
                    insert.executeUpdate();
                }
            }
            try (ResultSet sum = statement.executeQuery("select sum(a), max(b) from t where b like 'row %'")) {
                Fixture.same(49 * 50 / 2 * thread, sum.getLong(1), "SQLite's sum");
                Fixture.check("row 9".equals(sum.getString(2)), () -> "SQLite's maximum");
            }
        }
    }

    private static void rocksdb(int thread) throws Exception {
        Path folder = Files.createTempDirectory(Path.of("").toAbsolutePath(), "rocksdb");
        try (Options options = new Options().setCreateIfMissing(true); RocksDB db = RocksDB.open(options, folder.toString())) {
            for (int i = 0; i < 100; i++) {
                db.put(("key" + i).getBytes(), ("value" + i * thread).getBytes());
            }
            for (int i = 0; i < 100; i++) {
                String value = new String(db.get(("key" + i).getBytes()));
                Fixture.check(value.equals("value" + i * thread), () -> value);
            }
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static void prepareTls() throws SSLException {
        server = context(SslContextBuilder.forServer(stream(CERTIFICATE), stream(KEY)));
        client = context(SslContextBuilder.forClient());
    }

    /** The JDK's own trust store would have a hundred certificates parsed. */
    private static SslContext context(SslContextBuilder builder) throws SSLException {
        return builder.trustManager(InsecureTrustManagerFactory.INSTANCE).sslProvider(SslProvider.OPENSSL).protocols("TLSv1.2").build();
    }

    private static InputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void tls(int thread) throws Exception {
        SSLEngine one = client.newEngine(ByteBufAllocator.DEFAULT), other = server.newEngine(ByteBufAllocator.DEFAULT);
        ByteBuffer there = ByteBuffer.allocateDirect(100_000), back = ByteBuffer.allocateDirect(100_000), text = ByteBuffer.allocateDirect(100_000);
        try {
            one.beginHandshake();
            other.beginHandshake();
            while (one.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING || other.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING) {
                step(one, there, back, text);
                step(other, back, there, text);
            }
            text.clear();
            byte[] message = Arrays.copyOf(text(thread), 10_000);
            one.wrap(ByteBuffer.wrap(message), there);
            there.flip();
            other.unwrap(there, text);
            text.flip();
            Fixture.check(ByteBuffer.wrap(message).equals(text), () -> "what came through TLS");
        } finally {
            io.netty.util.ReferenceCountUtil.release(one);
            io.netty.util.ReferenceCountUtil.release(other);
        }
    }

    private static void step(SSLEngine engine, ByteBuffer out, ByteBuffer in, ByteBuffer text) throws SSLException {
        switch (engine.getHandshakeStatus()) {
            case NEED_WRAP -> engine.wrap(NOTHING, out);
            case NEED_TASK -> engine.getDelegatedTask().run();
            default -> {
                in.flip();
                engine.unwrap(in, text);
                in.compact();
            }
        }
    }

    private static void zlib(int thread) throws Exception {
        byte[] text = text(thread), small = new byte[2 * text.length], back = new byte[text.length];
        Deflater deflater = new Deflater();
        Inflater inflater = new Inflater();
        try {
            deflater.setInput(text);
            deflater.finish();
            inflater.setInput(small, 0, deflater.deflate(small));
            Fixture.same(text.length, inflater.inflate(back), "inflated");
            Fixture.check(Arrays.equals(text, back), () -> "what came out of zlib");
        } finally {
            deflater.end();
            inflater.end();
        }
    }

    private static void zstd(int thread) {
        byte[] text = text(thread);
        Fixture.check(Arrays.equals(text, Zstd.decompress(Zstd.compress(text, 1 + thread % 9), text.length)), () -> "what came out of zstd");
    }

    private static void sockets(int thread) throws Exception {
        byte[] text = text(thread);
        try (ServerSocket listening = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread echo = new Thread(() -> {
                try (Socket accepted = listening.accept()) {
                    accepted.getInputStream().transferTo(accepted.getOutputStream());
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            echo.start();
            try (Socket socket = new Socket(listening.getInetAddress(), listening.getLocalPort())) {
                socket.getOutputStream().write(text, 0, 5_000);
                socket.shutdownOutput();
                Fixture.check(Arrays.equals(Arrays.copyOf(text, 5_000), socket.getInputStream().readAllBytes()), () -> "what came back through a socket");
            }
            echo.join();
        }
    }

    private static void files(int thread) throws Exception {
        byte[] text = text(thread);
        Path file = Files.createTempFile(Path.of("").toAbsolutePath(), "file", ".bin");
        Files.write(file, text);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            channel.position(text.length).write(ByteBuffer.wrap(text));
            byte[] mapped = new byte[text.length];
            channel.map(FileChannel.MapMode.READ_ONLY, text.length, text.length).get(mapped);
            Fixture.check(Arrays.equals(text, mapped), () -> "what a mapping has");
        }
        Fixture.same(2L * text.length, Files.size(file), "size");
        Files.delete(file);
    }

    private static void process(int thread) throws Exception {
        Process process = new ProcessBuilder("/bin/sh", "-c", "echo " + thread + "; exit 7").start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
        Fixture.same(7, process.waitFor(), "exit code");
        Fixture.check(out.equals("" + thread), () -> "a process said " + out);
    }
}
