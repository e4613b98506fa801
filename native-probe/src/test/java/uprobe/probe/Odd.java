package uprobe.probe;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.net.URISyntaxException;
import java.nio.file.Path;

/** The functions of libodd.so, one native method each: src/test/odd says what each is there for. */
final class Odd {
    static final NativeLibrary LIBRARY = NativeLibrary.getInstance(folder().resolve("libodd.so").toString());

    static {
        Native.register(Odd.class, LIBRARY);
    }

    static native long odd_calls();
    static native long odd_seven(long n, String word, double x);
    static native long odd_six(long a, long b, long c, long d, long e, long f);
    static native long odd_identity(long value);
    static native int odd_negative();
    static native long odd_call_chain();
    static native long odd_pointer(long pointer);
    static native Pointer odd_cliff();
    static native long odd_many(long n);
    static native int odd_check_results();
    static native long odd_deep8(long x);
    static native long odd_recursion(long n);
    static native long odd_tail_first(long x);
    static native long odd_tail_second(long x);
    static native long odd_ping(long n);
    static native void odd_registers(Pointer in, Pointer out);
    static native long odd_state_parts();
    static native int odd_check_state();
    static native long odd_red_zone(long x);
    static native int odd_workers_start(int n);
    static native long odd_workers_stop();
    static native long odd_on_new_thread(long n);
    static native long odd_wave(int threads, long n);
    static native int odd_blocker_start();
    static native void odd_blocker_end();
    static native int odd_cancel();
    static native int odd_exit_thread();
    static native int odd_jump_home(long depth);
    static native int odd_trace(long depth, Pointer into, int capacity);
    static native long odd_naps_callers_caller(long n);
    static native void odd_wake();
    static native void odd_run(Pointer in, Pointer out, Pointer function);
    static native long odd_fork_run(long how, Pointer counters, int probe);
    static native int odd_child_result(long pid);
    static native long odd_vforks(long times);
    static native long odd_spawns(String file, int search);
    static native int odd_watch_start(Pointer text, long textLength, Pointer slots, long slotsLength);
    static native long odd_watch_end();
    static native long odd_leaves_value(long value);
    static native long odd_jump_out(Pointer low, Pointer high, long landings, int how);
    static native long odd_jump_calls();
    static native long odd_jump_landings();
    static native long odd_jump_inner_landings();
    static native Pointer odd_variant_open(String file, int ownNamespace);
    static native long odd_variant_address(Pointer handle);
    static native long odd_variant_at(long address, long value);
    static native int odd_variant_close(Pointer handle);
    static native int odd_unmap_text(long address);
    static native int odd_write_byte(long address, int value);
    static native int odd_read_byte(long address);

    /** Where the Makefile puts the tests' libraries: beside the test classes. */
    static Path folder() {
        try {
            return Path.of(Odd.class.getProtectionDomain().getCodeSource().getLocation().toURI()).resolveSibling("odd");
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A number that the library computes from its labels, such as the offset of an instruction. */
    static long label(String name) {
        return LIBRARY.getGlobalVariableAddress(name).getLong(0);
    }

    private Odd() {}
}
