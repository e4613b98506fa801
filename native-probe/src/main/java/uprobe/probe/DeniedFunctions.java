package uprobe.probe;

import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import uprobe.probe.spec.ProbeType;

/**
 * Functions of the C library that must not be probed, or whose return must not. The names are glibc's; the reasons are facts of its sources
 * (nptl/pthread_create.c, sysdeps/unix/sysv/linux/spawni.c, stdlib/abort.c, sysdeps/x86_64/setjmp.S, dlfcn).
 */
final class DeniedFunctions {
    private static final Set<String> C_LIBRARY = Set.of("libc", "libpthread", "libdl", "librt", "ld-linux-x86-64", "libjsig");

    /**
     * Run by glibc itself with all signals blocked: a starting or ending thread, the child of posix_spawn, abort, timer and aio helpers. An ending
     * thread frees the stacks of others once more than 40 MB of them are cached (nptl/nptl-stack.c), hence {@code free}.
     */
    private static final Set<String> WITH_SIGNALS_BLOCKED = Set.of(
            "start_thread", "setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp", "__clone", "clone", "__clone3", "clone3",
            "__clone_internal", "pthread_create", "__pthread_create_2_1",
            "pthread_exit", "__pthread_exit", "__libc_start_main", "__nptl_deallocate_stack", "__nptl_free_tcb", "__free_tcb",
            "__call_tls_dtors", "getpagesize", "__getpagesize", "__libc_thread_freeres", "__ctype_init", "__arena_thread_freeres",
            "posix_spawn", "__posix_spawn", "posix_spawnp", "__posix_spawnp", "__spawni", "__spawnix", "vfork", "__vfork", "fork", "__fork",
            "__libc_fork", "_Fork", "execve", "__execve", "execvpe", "__execvpe", "execveat", "fexecve", "execv", "execvp", "execl", "execlp", "execle",
            "dup2", "__dup2", "dup3", "__dup3", "close", "__close", "__close_nocancel", "open", "open64", "__open", "__open64", "__open_nocancel",
            "__open64_nocancel", "openat", "openat64", "fcntl", "fcntl64", "__fcntl", "__fcntl64", "__fcntl64_nocancel", "setsid", "__setsid",
            "setpgid", "__setpgid", "chdir", "__chdir", "fchdir", "__fchdir", "sched_setparam", "__sched_setparam", "sched_setscheduler",
            "__sched_setscheduler", "setresuid", "setresgid", "seteuid", "setegid", "tcsetpgrp", "__tcsetpgrp", "closefrom", "close_range",
            "munmap", "__munmap", "mmap", "mmap64", "__mmap", "__mmap64", "mprotect", "__mprotect", "madvise", "__madvise", "__getpid", "getpid",
            "__getrlimit", "getrlimit", "getrlimit64", "__getrlimit64", "_exit", "_Exit", "exit_group", "__exit_thread",
            "abort", "raise", "gsignal", "__raise", "tgkill", "pthread_kill", "__pthread_kill", "__pthread_kill_internal",
            "system", "popen", "timer_create", "aio_read", "aio_write", "lio_listio", "getaddrinfo_a",
            /* posix_spawn's child; its parent, which waits for a child that could not execute; closefrom's way round a missing close_range */
            "getuid", "__getuid", "getgid", "__getgid", "getpgid", "__getpgid", "ioctl", "__ioctl", "waitpid", "__waitpid", "__libc_waitpid",
            "wait4", "__wait4", "getdents64", "__getdents64", "lseek", "__lseek", "__libc_lseek", "lseek64", "__lseek64", "__libc_lseek64",
            /* the same child, once its signals have their default actions: posix_spawnp looks through PATH */
            "getenv", "__execvpe_common", "__execvpex", "__libc_alloca_cutoff",
            "free", "__libc_free", "cfree", "__free", "_int_free", "munmap_chunk", "_dl_deallocate_tls", "__nptl_free_stacks", "__rseq_unregister");

    /**
     * What memcpy and its like resolve to, under whatever name a debug file has for it: posix_spawn's child copies its arguments, and getenv and
     * execvpe compare and copy. {@code memcpy@GLIBC_2.2.5} is such a function and no resolver.
     */
    private static final Pattern STRINGS_OF_SPAWN = Pattern.compile(
            "memcpy|__(mem(cpy|move|pcpy|set)|str(chr|chrnul|len|nlen|ncmp))(_chk)?_(sse|ssse|avx|evex|erms|generic).*");

    /** On the way of the trap itself: signal delivery, masks, the return from a handler. */
    private static final Set<String> SIGNALS = Set.of(
            "__restore_rt", "sigaction", "__sigaction", "__libc_sigaction", "sigprocmask", "__sigprocmask", "pthread_sigmask",
            "__pthread_sigmask", "sigsuspend", "__sigsuspend", "sigreturn", "__sigreturn", "__libc_siglongjmp", "sigaltstack", "signal", "bsd_signal",
            "ssignal", "sigset", "sigwait", "__sigwait", "sigwaitinfo", "__sigwaitinfo", "sigtimedwait", "__sigtimedwait", "ppoll", "__ppoll",
            "pselect", "__pselect", "epoll_pwait", "epoll_pwait2", "pthread_attr_setsigmask_np",
            "__pthread_attr_setsigmask_internal");

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

    /**
     * Code of the VM whose faults HotSpot recognizes by their address, or steps over by decoding what stands there (os_linux_x86.cpp,
     * safefetch_linux.S, unsafe.cpp, copy.hpp): plain, mangled and as assembler has them.
     */
    private static boolean faultsOnPurpose(String symbol) {
        return symbol.contains("SafeFetch") || symbol.startsWith("Unsafe_") || symbol.matches("_ZL?\\d+Unsafe_.*")
                || symbol.startsWith("_ZN4Copy") || symbol.startsWith("Copy::") || symbol.startsWith("_Copy_");
    }

    /**
     * @param stem of the library
     * @param type of the probe
     * @return why not, or null
     */
    static Refusal of(String stem, String symbol, ProbeType type) {
        boolean cLibrary = C_LIBRARY.contains(stem);
        if (type != ProbeType.ENTRY && cLibrary && RETURN_TWICE.contains(symbol)) {
            return Refusal.RETURNS_TWICE;
        }
        if (type != ProbeType.ENTRY && cLibrary && READ_RETURN_ADDRESS.contains(symbol)) {
            return Refusal.READS_RETURN_ADDRESS;
        }
        if (cLibrary && (WITH_SIGNALS_BLOCKED.contains(symbol) || STRINGS_OF_SPAWN.matcher(symbol).matches())) {
            return Refusal.RUNS_WITH_SIGNALS_BLOCKED;
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
