package uprobe.it.app;

import com.github.luben.zstd.Zstd;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
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
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/**
 * Waves of twenty threads that come, use what a JVM runs in native code, and go: SQLite, RocksDB, BoringSSL, zlib, zstd, sockets, files, processes, and the
 * VM itself ({@link RuntimeCalls}). Every result is checked. Its argument: for how many seconds.
 */
public final class Everything {
    private static final int THREADS = 20, LEAVES = 500;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private static final AtomicLong leaves = new AtomicLong();
    private static SslContext server, client;

    private Everything() {
    }

    private static final List<Fixture.Work> JOBS = List.of(Everything::sqlite, Everything::rocksdb, Everything::tls, Everything::zlib, Everything::zstd, Everything::sockets,
            Everything::files, Everything::process, thread -> RuntimeCalls.work(thread, 60), Everything::leaves);

    public static void main(String[] args) throws Exception {
        long end = System.nanoTime() + Integer.parseInt(args[0]) * 1_000_000_000L;
        prepareTls();
        int waves = 0;
        do {
            int wave = waves++;
            Fixture.together(THREADS, thread -> JOBS.get((thread + wave) % JOBS.size()).run(thread));
        } while (System.nanoTime() < end);
        Fixture.expected("probed_leaf", leaves.get(), Probed.calls("probed_leaf"));
        System.out.println("waves " + waves);
        Fixture.ok();
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
        leaves.addAndGet(LEAVES);
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

    private static void prepareTls() throws Exception {
        Path store = Path.of("server.jks").toAbsolutePath();
        Process keytool = new ProcessBuilder(System.getProperty("java.home") + "/bin/keytool", "-genkeypair", "-alias", "server", "-keyalg", "RSA", "-keysize", "2048",
                "-dname", "CN=localhost", "-storetype", "JKS", "-keystore", store.toString(), "-storepass", "secret", "-keypass", "secret").inheritIO().start();
        Fixture.same(0, keytool.waitFor(), "keytool");
        KeyStore keys = KeyStore.getInstance("JKS");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, "secret".toCharArray());
        }
        PrivateKey key = (PrivateKey) keys.getKey("server", "secret".toCharArray());
        server = SslContextBuilder.forServer(key, (X509Certificate) keys.getCertificate("server")).sslProvider(SslProvider.OPENSSL).protocols("TLSv1.2").build();
        client = SslContextBuilder.forClient().trustManager(InsecureTrustManagerFactory.INSTANCE).sslProvider(SslProvider.OPENSSL).protocols("TLSv1.2").build();
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
