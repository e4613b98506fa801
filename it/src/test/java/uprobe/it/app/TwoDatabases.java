package uprobe.it.app;

import java.net.URL;
import java.net.URLClassLoader;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Properties;

/** Two web applications, as it were: each has its own sqlite-jdbc, and so its own copy of SQLite. */
public final class TwoDatabases {
    private static void use(URL jar) throws Exception {
        URLClassLoader loader = new URLClassLoader(new URL[] {jar}, ClassLoader.getPlatformClassLoader());
        Driver driver = (Driver) loader.loadClass("org.sqlite.JDBC").getDeclaredConstructor().newInstance();
        try (Connection connection = driver.connect("jdbc:sqlite::memory:", new Properties()); Statement statement = connection.createStatement()) {
            for (int k = 0; k < 10; k++) {
                try (ResultSet result = statement.executeQuery("select " + k)) {
                    result.next();
                    Fixture.same(k, result.getInt(1), "select");
                }
            }
        }
    }

    /** args: the jar of sqlite-jdbc. */
    public static void main(String[] args) throws Exception {
        for (int i = 0; i < 2; i++) {
            use(new URL(args[0]));
        }
        Fixture.ok();
    }

    private TwoDatabases() {}
}
