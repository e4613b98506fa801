package uprobe.it.app;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.jfr.consumer.RecordingStream;

/** Looks at a file whenever it gets an event, on the thread that JFR hands events out on. */
public final class HandsOutEvents {
    private static final int EVENTS = 20;

    private HandsOutEvents() {
    }

    public static void main(String[] args) throws Exception {
        CountDownLatch enough = new CountDownLatch(EVENTS);
        AtomicInteger there = new AtomicInteger();
        try (RecordingStream stream = new RecordingStream()) {
            stream.enable("jdk.CPULoad").withPeriod(Duration.ofMillis(50));
            stream.onEvent(event -> {
                there.addAndGet(Files.exists(Path.of("out.txt")) ? 1 : 0);
                enough.countDown();
            });
            stream.startAsync();
            enough.await();
        }
        Fixture.check(there.get() >= EVENTS, () -> "its own output was there " + there + " times");
        Fixture.ok();
    }
}
