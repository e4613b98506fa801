package uprobe.it.app;

import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.util.ArrayList;
import java.util.List;

/** Takes every file descriptor there is, then sleeps long in a native on some threads while others call natives often. */
public final class NoFilesLeft {
    private static final int SLEEPERS = 40, CALLERS = 10, LONG_MS = 700, RUN_MS = 3_000;
    /** So that JFR has no reason to begin another file, for which there would be no descriptor. */
    private static final int SHORT_MS = 1;

    public static void main(String[] args) throws Exception {
        new File("/proc").exists();
        List<FileInputStream> all = new ArrayList<>();
        try {
            while (true) {
                all.add(new FileInputStream("/dev/zero"));
            }
        } catch (FileNotFoundException noneLeft) {
            /* as wanted */
        }
        long end = System.currentTimeMillis() + RUN_MS;
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < SLEEPERS + CALLERS; i++) {
            boolean sleeps = i < SLEEPERS;
            Thread thread = new Thread(() -> {
                while (System.currentTimeMillis() < end) {
                    new File("/proc").exists();
                    sleep(sleeps ? LONG_MS : SHORT_MS);
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (FileInputStream file : all) {
            file.close();
        }
        Fixture.ok();
    }

    private static void sleep(int ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            throw new Error(e);
        }
    }

    private NoFilesLeft() {}
}
