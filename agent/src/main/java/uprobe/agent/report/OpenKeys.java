package uprobe.agent.report;

import java.util.Arrays;

/**
 * The newest event of each key: an open or a close, whatever order they come in
 * <p>
 * Events of several threads are not in time order in a file. But of a key only its last event matters: if it is an open, that one was never closed. So an event
 * replaces what is known of its key unless that is newer.
 *
 * <pre>
 *   malloc 0x10 at 1    free 0x10 at 2    malloc 0x10 at 3      in any order: open since 3
 * </pre>
 * Open addressing over arrays: a key takes 28 bytes. Closed keys are kept, since an older open of theirs may still come; those closed a minute before the newest
 * event are dropped when the arrays are full.
 */
final class OpenKeys {
    interface Visitor {
        /** @param owner number of who opened */
        void open(int owner, long amount);
    }

    private static final int CLOSED = -1, FREE = -2, FIRST_CAPACITY = 1 << 10;
    private static final long KEPT_NANOS = 60_000_000_000L, MIX = 0x9e3779b97f4a7c15L;

    private long[] keys = new long[FIRST_CAPACITY], times = new long[FIRST_CAPACITY], amounts = new long[FIRST_CAPACITY];
    private int[] owners = owners(FIRST_CAPACITY);
    private int size;
    private long newest = Long.MIN_VALUE;

    private static int[] owners(int capacity) {
        int[] owners = new int[capacity];
        Arrays.fill(owners, FREE);
        return owners;
    }

    /** @param owner 0 or more */
    void open(long key, long time, int owner, long amount) {
        put(key, time, owner, amount);
    }

    void close(long key, long time) {
        put(key, time, CLOSED, 0);
    }

    private void put(long key, long time, int owner, long amount) {
        newest = Math.max(newest, time);
        int i = slot(key);
        if (owners[i] == FREE) {
            size++;
        } else if (times[i] > time) {
            return;
        }
        keys[i] = key;
        times[i] = time;
        amounts[i] = amount;
        owners[i] = owner;
        if (size > keys.length / 4 * 3) {
            rehash();
        }
    }

    private int slot(long key) {
        int mask = keys.length - 1;
        int i = (int) (key * MIX >>> 32) & mask;
        while (owners[i] != FREE && keys[i] != key) {
            i = (i + 1) & mask;
        }
        return i;
    }

    private void rehash() {
        long[] oldKeys = keys, oldTimes = times, oldAmounts = amounts;
        int[] oldOwners = owners;
        int kept = 0;
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldOwners[i] == CLOSED && oldTimes[i] < newest - KEPT_NANOS) {
                oldOwners[i] = FREE;
            }
            kept += oldOwners[i] == FREE ? 0 : 1;
        }
        int capacity = kept > oldKeys.length / 2 ? oldKeys.length * 2 : oldKeys.length;
        keys = new long[capacity];
        times = new long[capacity];
        amounts = new long[capacity];
        owners = owners(capacity);
        size = kept;
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldOwners[i] != FREE) {
                int to = slot(oldKeys[i]);
                keys[to] = oldKeys[i];
                times[to] = oldTimes[i];
                amounts[to] = oldAmounts[i];
                owners[to] = oldOwners[i];
            }
        }
    }

    void forEachOpen(Visitor visitor) {
        for (int i = 0; i < keys.length; i++) {
            if (owners[i] >= 0) {
                visitor.open(owners[i], amounts[i]);
            }
        }
    }
}
