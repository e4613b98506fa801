package uprobe.it.app;

import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/** Calls through the application's own copy of JNA. */
final class JnaWays {
    private static final String PATH = System.getProperty("native.dir") + "/libways.so";
    private static final Up UP = NativeWays::up;

    private JnaWays() {
    }

    interface Up extends Callback {
        long up(long id);
    }

    /** Mapped by a Proxy. */
    interface ByInterface extends Library {
        ByInterface WAYS = Native.load(PATH, ByInterface.class);

        long ways_plain(long id);

        long ways_up(long id, Up up);
    }

    /** Mapped by natives that JNA registers. */
    static final class Direct {
        static {
            Native.register(Direct.class, NativeLibrary.getInstance(PATH));
        }

        private Direct() {
        }

        static native long ways_plain(long id);

        static native long ways_up(long id, Up up);
    }

    static long byInterface(long id) {
        return ByInterface.WAYS.ways_plain(id);
    }

    static long upAndDownByInterface(long id) {
        return ByInterface.WAYS.ways_up(id, UP);
    }

    static long directly(long id) {
        return Direct.ways_plain(id);
    }

    static long upAndDownDirectly(long id) {
        return Direct.ways_up(id, UP);
    }
}
