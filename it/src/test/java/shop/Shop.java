package shop;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * A web shop without the web: threads that save orders in SQLite, keep carts in RocksDB, talk TLS through OpenSSL, scale pictures by a native method of
 * their own, read their settings and look up the names of hosts. docs/recipes.md and docs/getting-started.md look into it. It ends when its standard input does.
 */
public final class Shop {
    private static final int PARTNERS = 3;
    private final List<Thread> threads = new ArrayList<>();

    /** Argument: a folder for its files. */
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args.length > 0 ? args[0] : ".").toAbsolutePath();
        /* As behind a load balancer: no name is remembered. */
        java.security.Security.setProperty("networkaddress.cache.ttl", "0");
        java.security.Security.setProperty("networkaddress.cache.negative.ttl", "0");
        Shop shop = new Shop();
        try (Orders orders = new Orders(folder.resolve("orders.db")); Carts carts = new Carts(folder.resolve("carts"))) {
            Settings settings = new Settings(folder);
            Gate gate = new Gate(folder);
            Pictures pictures = new Pictures();
            shop.every(20, "orders", orders::work);
            shop.every(20, "carts", carts::work);
            shop.every(50, "gate", gate::work);
            shop.every(20, "pictures", pictures::work);
            shop.every(50, "settings", settings::work);
            for (int i = 0; i < PARTNERS; i++) {        /* a name server that does not answer has one wait for 5 s */
                shop.every(100, "partners", Partners::work);
            }
            System.out.println("open");
            while (System.in.read() >= 0) {
                /* nobody has anything to say to it */
            }
            for (Thread thread : shop.threads) {
                thread.interrupt();
                thread.join();
            }
        }
        System.out.println("closed");
    }

    private void every(int ms, String name, Callable<?> work) {
        Thread thread = new Thread(() -> {
            try {
                while (!Thread.currentThread().isInterrupted()) {
                    work.call();
                    Thread.sleep(ms);
                }
            } catch (InterruptedException over) {
                /* the shop closes */
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }, name);
        threads.add(thread);
        thread.start();
    }

    private Shop() {}
}
