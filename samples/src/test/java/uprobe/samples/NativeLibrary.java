package uprobe.samples;

import java.time.Duration;

/** How the tests call {@code libsample}, which has no package, as a real library's class has none. */
public interface NativeLibrary {
    void squeeze(long availIn, Duration atLeast, String drained);

    void statistics(long hits, long recorded, long dropped);
}
