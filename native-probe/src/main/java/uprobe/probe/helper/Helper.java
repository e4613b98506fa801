package uprobe.probe.helper;

import com.sun.jna.Function;
import com.sun.jna.JNIEnv;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.stream.Stream;
import java.util.Map;
import java.util.Set;

/** The C helper's functions ({@code uprobe.h} says what each does) and the few of the dynamic linker's that Java calls itself. */
public final class Helper {
    private static final String RESOURCES = "/native/linux-x86-64/";
    /** dlfcn.h: resolve everything now, keep it loaded whatever happens; trampolines and slots are returned into as long as the process lives. */
    private static final int RTLD_NOW = 2, RTLD_NOLOAD = 4, RTLD_NODELETE = 0x1000, RTLD_DI_LINKMAP = 2;

    public static native int up_init(long ringBytes, int rings, int useTsc, long vdsoClockGettime);
    public static native long up_clock();
    public static native long up_ring_memory();
    public static native long up_ring_memory_size();
    public static native int up_layout(int[] out, int capacity);
    public static native int up_region_map(long address, long size);
    public static native int up_code_write(long address, byte[] bytes, int length);
    public static native int up_text_read(long address, byte[] bytes, int length);
    public static native int up_text_read(long address, Pointer bytes, int length);
    public static native int up_memory_read(long address, byte[] bytes, int length);
    public static native int up_probes_define(int count, int kind, int fields, byte[] fetches, int bytes, long offset, int with, int[] ids);
    public static native int up_probes_give_up(int[] probes, int count);
    public static native int up_probes_reclaim(JNIEnv env);
    public static native int up_probes_counters_each(int[] probes, int count, long[] out);
    public static native int up_probes_counters(int[] probes, int count, long[] out);
    public static native int up_probes_settings(int[] probes, int count, byte[] settings, byte[] steps);
    public static native int up_probe_durations(int probe, long[] out, int capacity);
    public static native int up_sites_define(byte[] ways, int count, int[] indices);
    public static native int up_site_forget(int site);
    public static native int up_sites_changed(int[] sites, byte[] found, int capacity);
    public static native int up_sites_consumers(int[] sites, int[] probes, int count, int active);
    public static native int up_sites_arm(int[] sites, int count, int[] error);
    public static native int up_sites_disarm(int[] sites, int count, int[] errors);
    public static native int up_trap_install();
    public static native int up_trap_statistics(long[] out);
    public static native int up_shadow_stack_on();
    public static native long up_signals_function(int hook);
    public static native int up_signals_next(int hook, long next);
    public static native int up_got_redirect(String name, long from, long to, int isDefault);
    public static native int up_signals_guard(int on);
    public static native int up_signals_give_back(int stays);
    public static native long up_signals_masks_opened();
    public static native long up_guards_address();
    public static native int up_code_store(long address, long expected, long desired);
    public static native int up_straight(byte[] code, int length, long address, long[] ends, long[] from, int count);
    public static native int up_straight_far(byte[] code, int length, long address, long[] ends, long[] from, int count);
    public static native int up_tasks_masks(long[] tids, long[] masks, long[] pending, int capacity);
    public static native int up_calls_find(byte[] code, int length, int[] at, int capacity);
    public static native int up_may_call(long from, long to, int[] numbers, int count);
    public static native int up_signals_vm_text(long start, long end);
    public static native int up_jfr_find_exclusion(JNIEnv env);
    public static native int up_jvm_attach(JNIEnv env, Pointer layout);
    public static native int up_flush_statistics(long[] out);
    public static native int up_returns_awaited();
    public static native int up_drain_start(JNIEnv env, Object thread, long periodNs, long longCallUnits);
    public static native int up_drain_now(int all, long timeoutNs);
    public static native int up_drain_stop();
    public static native int up_rings_rest();
    public static native int up_jvm_detach();
    public static native int up_commit_bind(JNIEnv env, Object hitRun);
    public static native int up_commit_register(JNIEnv env, int probe, Object clazz, Object frames, String method);
    public static native long up_library_changes();
    public static native int up_own_work(int change);
    private static native long up_caller();
    private static native long up_decoder();
    public static native int up_uses_return_address(byte[] bytes, int length);
    public static native int up_describe(byte[] bytes, int length, byte[] out);
    public static native int up_decode(byte[] bytes, int length, long address, byte[] rows, int capacity);
    public static native int up_decode_pieces(byte[] bytes, int[] lengths, long[] addresses, int pieces, byte[] rows, int capacity);
    public static native int up_survey(long text, long length, long address, byte[] entries, int count);

    public static final int CHANGED = -1001, FULL = -1002, NO_VM = -1003, OTHER_PROCESS = -1004, GONE = -1005, PROCESSOR = -1006;
    /** EPERM and EACCES of the kernel's. */
    public static final int NOT_PERMITTED = -1, NO_ACCESS = -13;

    private static boolean loaded;
    /** A class that could not be initialized says why once; whoever asks for it again is only told that it could not be. */
    private static LinkageError failure;

    /** Unpacks the helper and binds the functions above. Done once; whether its layouts are those of this jar is for the caller to ask. */
    public static synchronized void load() throws IOException {
        if (failure != null) {
            throw failure;
        } else if (loaded) {
            return;
        }
        try {
            unpackAndBind();
            loaded = true;
        } catch (LinkageError e) {
            failure = e;
            throw e;
        }
    }

    /** Native libraries are unpacked there, if it can be, rather than to java.io.tmpdir. Before {@link #load}. */
    public static void unpackTo(Path folder) {
        NativeFolder.prefer(folder);
    }

    /** In the first folder that lets it. */
    private static void unpackAndBind() throws IOException {
        List<String> refused = new ArrayList<>();
        for (Path candidate : NativeFolder.candidates(Helper.class.getResource(RESOURCES + "libraries"))) {
            String objection = NativeFolder.objection(candidate);
            if (objection.isEmpty()) {
                try {
                    unpackAndBind(candidate);
                    return;
                } catch (IOException e) {
                    objection = e.toString();
                }
            }
            refused.add(candidate + " " + objection);
        }
        throw new IOException("native libraries can be unpacked nowhere: " + String.join(", ", refused) + "; name a folder with dir=FOLDER");
    }

    private static void unpackAndBind(Path parent) throws IOException {
        Path folder = Files.createTempDirectory(parent, "uprobe-");
        folder.toFile().deleteOnExit();
        boolean bound = false;
        try {
            Path library = null;
            for (String name : libraries()) {
                library = unpack(folder, name);
            }
            beginJna(parent);
            Map<String, Object> options = Map.of(
                    Library.OPTION_ALLOW_OBJECTS, true,
                    Library.OPTION_OPEN_FLAGS, RTLD_NOW | RTLD_NODELETE);
            Native.register(Helper.class, NativeLibrary.getInstance(library.toString(), options));
            bound = true;       /* the files stay: debuggers and profilers read them to unwind through the helper */
        } finally {
            if (!bound) {
                remove(folder);
            }
        }
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(folder);
    }

    /**
     * JNA runs ldconfig to learn the system's library folders, unless it is told them; we open libraries by their full paths. It unpacks its own library
     * when it is first used. What it is told by system properties others shall not read.
     */
    private static void beginJna(Path folder) {
        Map<String, String> told = new HashMap<>(Map.of("jna.tmpdir", folder.toString())), before = new HashMap<>();
        if (System.getProperty("jna.platform.library.path") == null) {
            told.put("jna.platform.library.path", "");
        }
        told.forEach((property, value) -> before.put(property, System.setProperty(property, value)));
        try {
            NativeLibrary.getProcess();
        } finally {
            before.forEach((property, value) -> {
                if (value == null) {
                    System.clearProperty(property);
                } else {
                    System.setProperty(property, value);
                }
            });
        }
    }

    /** File names of the native libraries in the jar; the helper, which needs the others, is the last. */
    private static List<String> libraries() throws IOException {
        try (InputStream in = Helper.class.getResourceAsStream(RESOURCES + "libraries")) {
            if (in == null) {
                throw new IOException("the jar holds no " + RESOURCES + "libraries");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }

    private static Path unpack(Path folder, String name) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream in = Helper.class.getResourceAsStream(RESOURCES + name)) {
            if (in == null) {
                throw new IOException("the jar holds no " + RESOURCES + name);
            }
            Files.copy(in, file);
        }
        file.toFile().deleteOnExit();
        return file;
    }

    /** A reference to a loaded library that keeps it from being unmapped; 0 if the dynamic linker knows none by that path at that address. */
    public static long pin(String path, long loadBias) {
        long handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
        if (handle == 0) {
            return 0;
        }
        try (Memory map = new Memory(Long.BYTES)) {
            int failed = NativeLibrary.getProcess().getFunction("dlinfo").invokeInt(new Object[] {new Pointer(handle), RTLD_DI_LINKMAP, map});
            if (failed == 0 && map.getPointer(0).getLong(0) == loadBias) {      /* link.h: the first of struct link_map is l_addr */
                return handle;
            }
        }
        unpin(handle);
        return 0;
    }

    /** Gives a reference back; if it was the last, the library's destructors run and it is unmapped. 0 is no reference. */
    public static void unpin(long handle) {
        if (handle != 0) {
            NativeLibrary.getProcess().getFunction("dlclose").invokeInt(new Object[] {new Pointer(handle)});
        }
    }

    /** An address in the helper's own library. */
    public static long codeOfTheHelper() {
        return up_signals_function(0);
    }

    /** One address in each library that came with the engine: the helper's, its decoder's, and the one of JNA's that calls the helper. */
    public static Set<Long> ownCode() {
        return Set.of(codeOfTheHelper(), up_decoder(), up_caller());
    }

    /** Address of the kernel's own clock_gettime, which enters neither libc nor the kernel; 0 if there is none. */
    public static long vdsoClockGettime() {
        long vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
        if (vdso == 0) {
            return 0;
        }
        return NativeLibrary.getProcess().getFunction("dlsym").invokeLong(new Object[] {new Pointer(vdso), "__vdso_clock_gettime"});
    }

    /** What the dynamic linker finds under this name, in the order of its search; 0 if nothing. */
    public static long symbol(String name) {
        try {
            return Pointer.nativeValue(NativeLibrary.getProcess().getFunction(name));
        } catch (UnsatisfiedLinkError e) {
            return 0;
        }
    }

    /** What the resolver of an IFUNC chooses: psABI x86-64 4.4, R_X86_64_IRELATIVE; it takes no arguments. */
    public static long resolve(long resolver) {
        return Function.getFunction(new Pointer(resolver)).invokeLong(new Object[0]);
    }

    private static long dlopen(String path, int flags) {
        Function dlopen = NativeLibrary.getProcess().getFunction("dlopen");
        return dlopen.invokeLong(new Object[] {path, flags});
    }

    /** The result itself, unless it is an error's. what: the thing that the helper was to make or take. */
    public static int check(int result, String what) throws IOException {
        if (result < 0) {
            String why = result == FULL ? "its table is full" : result == OTHER_PROCESS ? "this is the child of a fork" : "error " + -result;
            throw new IOException("the native helper refused " + what + ": " + why);
        }
        return result;
    }

    private Helper() {}
}
