package org.sqlite;

import static uprobe.agent.report.NativeLibrary.LIBZ;

/** Stands for a driver that is known as one. */
public final class Driver {
    public static void step() {
        LIBZ.deflate(10);
    }

    private Driver() {}
}
