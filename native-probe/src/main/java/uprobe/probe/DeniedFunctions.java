package uprobe.probe;

import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import uprobe.probe.spec.ProbeType;

/**
 * Functions of the C library that must not be probed, or whose return must not. The names are glibc's; the reasons are facts of its sources
 * (sysdeps/x86_64/setjmp.S, dlfcn).
 */
final class DeniedFunctions {
    private static final Set<String> C_LIBRARY = Set.of("libc", "libpthread", "libdl", "librt", "ld-linux-x86-64", "libjsig");

    /** The kernel returns from every handler through it, from the trap's as well. */
    private static final Set<String> SIGNALS = Set.of("__restore_rt");

    private static final Set<String> RETURN_TWICE = Set.of(
            "setjmp", "_setjmp", "__sigsetjmp", "__sigsetjmp_cancel", "sigsetjmp", "getcontext", "__getcontext", "swapcontext", "__swapcontext",
            "makecontext", "__makecontext", "setcontext", "__setcontext", "__start_context", "longjmp", "_longjmp", "siglongjmp", "__longjmp",
            "____longjmp_chk", "__longjmp_chk", "_dl_runtime_resolve_fxsave", "_dl_runtime_resolve_xsave", "_dl_runtime_resolve_xsavec",
            "_dl_runtime_profile_avx", "_dl_runtime_profile_avx512", "_dl_runtime_profile_sse", "__cxa_throw", "_Unwind_RaiseException",
            "_Unwind_Resume", "_Unwind_ForcedUnwind", "_Unwind_Resume_or_Rethrow", "__tls_get_addr", "_dl_tlsdesc_return",
            "_dl_tlsdesc_undefweak", "_dl_tlsdesc_dynamic_fxsave", "_dl_tlsdesc_dynamic_xsave", "_dl_tlsdesc_dynamic_xsavec");

    private static final Set<String> READ_RETURN_ADDRESS = Set.of(
            "dlopen", "__dlopen", "dlmopen", "dlsym", "dlvsym", "_dl_open", "_dl_sym", "_dl_vsym", "_dl_mcount", "_mcount", "mcount", "__fentry__",
            "_Unwind_Backtrace", "_Unwind_Find_FDE", "backtrace", "__backtrace", "mtrace", "dl_open_worker");

    /** The unwinder's own functions count in whichever library they are linked into. */
    private static final Map<Refusal, Set<String>> ANYWHERE = Map.of(
            Refusal.RETURNS_TWICE, Set.of("setjmp", "_setjmp", "__sigsetjmp", "sigsetjmp", "longjmp", "siglongjmp", "_longjmp", "vfork",
                    "getcontext", "swapcontext", "__cxa_throw", "__cxa_rethrow", "_Unwind_RaiseException", "_Unwind_Resume", "_Unwind_ForcedUnwind",
                    "_Unwind_Resume_or_Rethrow"),
            Refusal.READS_RETURN_ADDRESS, Set.of("_Unwind_Backtrace"));

    private static final Pattern UNSAFE = Pattern.compile("_ZL?\\d+Unsafe_");

    /**
     * Code of the VM whose faults HotSpot recognizes by their address, or steps over by decoding what stands there (os_linux_x86.cpp,
     * safefetch_linux.S, unsafe.cpp, copy.hpp): plain, mangled and as assembler has them.
     */
    private static boolean faultsOnPurpose(String symbol) {
        return symbol.contains("SafeFetch") || symbol.startsWith("Unsafe_") || UNSAFE.matcher(symbol).lookingAt()
                || symbol.startsWith("_ZN4Copy") || symbol.startsWith("Copy::") || symbol.startsWith("_Copy_");
    }

    static boolean isOfCLibrary(String stem) {
        return C_LIBRARY.contains(stem);
    }

    /**
     * @param stem of the library
     * @param type of the probe
     * @return why not, or null
     */
    static Refusal of(String stem, String symbol, ProbeType type) {
        boolean cLibrary = isOfCLibrary(stem);
        if (type != ProbeType.ENTRY && cLibrary && RETURN_TWICE.contains(symbol)) {
            return Refusal.RETURNS_TWICE;
        }
        if (type != ProbeType.ENTRY && cLibrary && READ_RETURN_ADDRESS.contains(symbol)) {
            return Refusal.READS_RETURN_ADDRESS;
        }
        if (cLibrary && SIGNALS.contains(symbol)) {
            return Refusal.HANDLES_SIGNALS;
        }
        if (stem.equals("libjvm") && faultsOnPurpose(symbol)) {
            return Refusal.FAULTS_ON_PURPOSE;
        }
        if (type == ProbeType.ENTRY) {
            return null;
        }
        return ANYWHERE.entrySet().stream().filter(e -> e.getValue().contains(symbol)).map(Map.Entry::getKey).findFirst().orElse(null);
    }

    private DeniedFunctions() {}
}
