package shop;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Other companies' hosts. */
final class Partners {
    static Void work() throws UnknownHostException {
        warehouse();
        courier();
        return null;
    }

    private static InetAddress warehouse() throws UnknownHostException {
        return InetAddress.getByName("localhost");
    }

    /** A name that nobody has. */
    private static InetAddress courier() {
        try {
            return InetAddress.getByName("courier.invalid");
        } catch (UnknownHostException e) {
            return null;
        }
    }

    private Partners() {}
}
