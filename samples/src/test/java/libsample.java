import java.time.Duration;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import uprobe.samples.NativeLibrary;

/** Commits events as the agent's generated class for libsample.so does: the class is the library, the method the probed function. */
public final class libsample implements NativeLibrary {
    @Name("uprobe.sample.squeeze")
    @Label("squeeze")
    static final class Squeeze extends Event {
        long avail_in;
        int ret;
        String drained;
        String missing;
    }

    @Name("uprobe.ProbeStatistics")
    @StackTrace(false)
    static final class Statistics extends Event {
        String probe;
        String library;
        String symbol;
        long hits;
        long recorded;
        long filtered;
        long sampledOut;
        long dropped;
        long missed;
        long ownWork;
        long unfinished;
    }

    @Override
    public void squeeze(long availIn, Duration atLeast, String drained) {
        Squeeze event = new Squeeze();
        event.avail_in = availIn;
        event.ret = -5;
        event.drained = drained;
        event.begin();
        for (long end = System.nanoTime() + atLeast.toNanos(); System.nanoTime() < end;) {
            Thread.onSpinWait();
        }
        event.commit();
    }

    @Override
    public void statistics(long hits, long recorded, long dropped) {
        Statistics event = new Statistics();
        event.probe = "uprobe.sample.squeeze";
        event.library = "libsample";
        event.symbol = "squeeze";
        event.hits = hits;
        event.recorded = recorded;
        event.dropped = dropped;
        event.missed = hits - recorded - dropped;
        event.commit();
    }
}
