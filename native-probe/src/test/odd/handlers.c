/* Handlers of a program's own for signals that the engine takes, and what the kernel has for each signal. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))
enum { SIGNALS = 64, WORDS = 4 };

/* handler, flags, restorer and mask of each signal from 1 on. */
ODD void odd_raw_actions(uint64_t *out)
{
    memset(out, 0, SIGNALS * WORDS * 8);
    for (long signal = 1; signal <= SIGNALS; signal++) {
        register long r10 __asm__("r10") = 8;
        long result;
        __asm__ volatile("syscall" : "=a"(result) : "a"((long)SYS_rt_sigaction), "D"(signal), "S"(0L), "d"(out + (signal - 1) * WORDS), "r"(r10) : "rcx", "r11", "memory");
    }
}

static volatile int seen[SIGNALS + 1];
static void count(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    seen[signal]++;
}
static void (*const counting)(int, siginfo_t *, void *) = count;

/* Counts it, with everything blocked, SIGTRAP too. */
ODD int odd_counts_signal(int signal)
{
    struct sigaction a = { .sa_sigaction = counting, .sa_flags = SA_SIGINFO };
    sigfillset(&a.sa_mask);
    return sigaction(signal, &a, 0);
}
ODD int odd_ignores_signal(int signal)
{
    struct sigaction a = { .sa_handler = SIG_IGN };
    return sigaction(signal, &a, 0);
}
ODD int odd_resets_signal(int signal)
{
    struct sigaction a = { .sa_handler = SIG_DFL };
    return sigaction(signal, &a, 0);
}
/* How often it was counted, once the calling thread has sent it to itself. */
ODD int odd_sends_signal(int signal)
{
    pthread_kill(pthread_self(), signal);
    return seen[signal];
}

/* Faults that a handler of the program's own steps over: what it saw, or -1. */
static struct sigaction before_fault;
static char *volatile wall;
static volatile long stepped_over;
static void step_over(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    if (info->si_addr != (void *)wall) {
        if (before_fault.sa_flags & SA_SIGINFO)
            before_fault.sa_sigaction(signal, info, context);
        return;
    }
    uc->uc_mcontext.gregs[REG_RIP] += 3;        /* 49 8b 00: mov rax, [r8] */
    stepped_over++;
}
ODD int odd_wall_begin(void)
{
    struct sigaction a = { .sa_sigaction = step_over, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    wall = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return sigaction(SIGSEGV, &a, &before_fault);
}
ODD long odd_wall_hit(long n)
{
    stepped_over = 0;
    for (long i = 0; i < n; i++) {
        register char *r8 __asm__("r8") = wall;
        __asm__ volatile(".byte 0x49, 0x8b, 0x00" : : "r"(r8) : "rax", "memory");
    }
    return stepped_over;
}
ODD int odd_wall_end(void) { return sigaction(SIGSEGV, &before_fault, 0); }

/* Blocks everything and reads it back: 1 if SIGTRAP is in it. */
ODD int odd_blocks_trap(void)
{
    sigset_t all, before, now;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_sigmask(SIG_BLOCK, 0, &now);
    pthread_sigmask(SIG_SETMASK, &before, 0);
    return sigismember(&now, SIGTRAP);
}

/* The caller sleeps in the kernel, in a way that no signal ends, until the child is gone: 0 if that ended well. */
ODD int odd_vfork_sleeps(int seconds)
{
    int status = -1;
    pid_t child = vfork();
    if (child == 0) {
        struct timespec time = { seconds, 0 };
        syscall(SYS_nanosleep, &time, 0);
        _exit(0);
    }
    return waitpid(child, &status, 0) == child ? status : -1;
}
