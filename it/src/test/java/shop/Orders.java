package shop;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Kept in SQLite. */
final class Orders implements AutoCloseable {
    private static final int PRODUCTS = 30, ROUNDS_TO_A_REPORT = 10;
    private final Connection connection;
    private int saved;

    Orders(Path file) throws SQLException {
        connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        try (Statement statement = connection.createStatement()) {
            statement.execute("pragma synchronous = off");
            statement.execute("create table orders (id integer primary key, product integer, cents integer)");
        }
    }

    Void work() throws SQLException {
        save(saved++);
        find(saved / 2);
        if (saved % ROUNDS_TO_A_REPORT == 0) {
            report();
        }
        return null;
    }

    private void save(int id) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into orders values (?, ?, ?)")) {
            insert.setInt(1, id);
            insert.setInt(2, id % PRODUCTS);
            insert.setInt(3, 100 + id % 900);
            insert.executeUpdate();
        }
    }

    private int find(int id) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("select cents from orders where id = ?")) {
            query.setInt(1, id);
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getInt(1) : 0;
            }
        }
    }

    /** Somebody forgot that there are many days. */
    private long report() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet sum = statement.executeQuery("with recursive day(n) as (select 1 union all select n + 1 from day where n < 100000) select sum(n) from day")) {
            return sum.getLong(1);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
