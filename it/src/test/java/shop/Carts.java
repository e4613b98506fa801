package shop;

import java.nio.file.Path;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Kept in RocksDB. */
final class Carts implements AutoCloseable {
    private static final int CARTS = 500;
    private final Options options = new Options().setCreateIfMissing(true);
    private final RocksDB db;
    private int round;

    Carts(Path folder) throws RocksDBException {
        RocksDB.loadLibrary();
        db = RocksDB.open(options, folder.toString());
    }

    Void work() throws RocksDBException {
        round++;
        add(round % CARTS);
        show(round / 2 % CARTS);
        if (round % 10 == 0) {
            countAll();
        }
        return null;
    }

    private void add(int cart) throws RocksDBException {
        db.put(("cart" + cart).getBytes(), ("product" + round).getBytes());
    }

    private byte[] show(int cart) throws RocksDBException {
        return db.get(("cart" + cart).getBytes());
    }

    private int countAll() {
        int all = 0;
        try (RocksIterator i = db.newIterator()) {
            for (i.seekToFirst(); i.isValid(); i.next()) {
                all++;
            }
        }
        return all;
    }

    @Override
    public void close() {
        db.close();
        options.close();
    }
}
