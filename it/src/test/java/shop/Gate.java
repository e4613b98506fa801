package shop;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.wildfly.openssl.OpenSSLProvider;

/** TLS by OpenSSL, with WildFly's provider: both ends are here. */
final class Gate {
    private static final int VISITS_TO_A_WRONG_ONE = 5;
    private static final String PASSWORD = "only for a test";
    /** RFC 5246, 6.2.1 and 7.4: a handshake's record of four bytes, in them a hello without anything. */
    private static final byte[] SERVER_HELLO = {22, 3, 1, 0, 4, 2, 0, 0, 0};
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** Believes everybody. */
    private static final X509TrustManager TRUSTING = new X509TrustManager() {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    };

    private final SSLContext context;
    private int visits;

    /** The library is looked for where org.wildfly.openssl.path says. */
    Gate(Path folder) throws Exception {
        Path file = folder.resolve("keys.p12");
        new ProcessBuilder(System.getProperty("java.home") + "/bin/keytool", "-genkeypair", "-alias", "shop", "-dname", "CN=localhost", "-keyalg", "RSA", "-keysize", "2048",
                "-validity", "3650", "-keystore", file.toString(), "-storepass", PASSWORD).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray()), PASSWORD.toCharArray());
        context = SSLContext.getInstance("openssl.TLSv1.2", new OpenSSLProvider());
        context.init(managers.getKeyManagers(), new TrustManager[] {TRUSTING}, null);
    }

    private SSLEngine engine(boolean visitor) {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(visitor);
        return engine;
    }

    Void work() throws SSLException {
        if (++visits % VISITS_TO_A_WRONG_ONE == 0) {
            visitInDisorder();
        } else {
            visit();
        }
        return null;
    }

    private void visit() throws SSLException {
        SSLEngine visitor = engine(true), shop = engine(false);
        ByteBuffer there = ByteBuffer.allocateDirect(100_000), back = ByteBuffer.allocateDirect(100_000), text = ByteBuffer.allocateDirect(100_000);
        try {
            visitor.beginHandshake();
            shop.beginHandshake();
            while (visitor.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING || shop.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING) {
                step(visitor, there, back, text);
                step(shop, back, there, text);
            }
            text.clear();
            visitor.wrap(ByteBuffer.wrap(new byte[5_000]), there);
            there.flip();
            shop.unwrap(there, text);
        } finally {
            visitor.closeOutbound();
            shop.closeOutbound();
        }
    }

    /** Somebody who begins with a server's hello. */
    private void visitInDisorder() {
        SSLEngine shop = engine(false);
        try {
            shop.beginHandshake();
            shop.unwrap(ByteBuffer.wrap(SERVER_HELLO), ByteBuffer.allocate(100_000));
            shop.unwrap(ByteBuffer.allocate(0), ByteBuffer.allocate(100_000));
        } catch (SSLException unexpected) {
            /* as it should be */
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
}
