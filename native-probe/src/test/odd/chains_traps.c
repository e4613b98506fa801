/* A library that has its own use for SIGTRAP, from before the engine came: its handler is asked for its own traps, and on its own terms. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))

static volatile int seen, nested_seen, nest;
static volatile long ip, code;
static volatile uint64_t mask_inside;
extern const char chains_after_int3[] __attribute__((visibility("hidden")));

ODD void chains_int3(void)
{
    __asm__ volatile("int3\n\t.globl chains_after_int3\n\t.hidden chains_after_int3\nchains_after_int3: nop");
}

static void look(void)
{
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, 0, &now);
    uint64_t word;
    memcpy(&word, &now, sizeof word);
    mask_inside = word;
    seen++;
    if (nest) {
        nest = 0;
        nested_seen = seen;
        __asm__ volatile("int3");
    }
}
static void simple(int signal) { (void)signal; look(); }
static void with_info(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    if (seen == 0) {
        ip = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] - (long)chains_after_int3;
        code = info->si_code;
    }
    look();
}

/* flags: SA_*; -1: ignored; -2: default. The handler's mask holds SIGUSR1 and SIGWINCH. */
ODD int chains_install(int flags)
{
    struct sigaction a;
    memset(&a, 0, sizeof a);
    sigemptyset(&a.sa_mask);
    sigaddset(&a.sa_mask, SIGUSR1);
    sigaddset(&a.sa_mask, SIGWINCH);
    if (flags == -1 || flags == -2) {       /* SA_RESETHAND is the sign bit */
        a.sa_handler = flags == -1 ? SIG_IGN : SIG_DFL;
    } else {
        a.sa_flags = flags;
        if (flags & SA_SIGINFO)
            a.sa_sigaction = with_info;
        else
            a.sa_handler = simple;
    }
    return sigaction(SIGTRAP, &a, 0);
}
/* Past libc, whose functions the engine watches. */
ODD int chains_install_raw(int flags)
{
    struct { uint64_t handler, flags, restorer, mask; } a;      /* the kernel's own structure */
    if (syscall(SYS_rt_sigaction, SIGTRAP, 0, &a, 8) != 0)
        return -1;
    a.handler = (uint64_t)with_info;
    a.flags = (a.flags & 0x04000000) | (uint64_t)flags;         /* SA_RESTORER */
    a.mask = 1ull << (SIGUSR1 - 1) | 1ull << (SIGWINCH - 1);
    return (int)syscall(SYS_rt_sigaction, SIGTRAP, &a, 0, 8);
}
/* Whether that is what SIGTRAP's handler is said to be now. */
ODD int chains_is_installed(int flags)
{
    struct sigaction a;
    enum { RESTORER = 0x04000000 };     /* SA_RESTORER, which libc adds */
    return sigaction(SIGTRAP, 0, &a) == 0 && (flags & SA_SIGINFO ? a.sa_sigaction == with_info : a.sa_handler == simple)
            && (a.sa_flags & ~RESTORER) == flags && sigismember(&a.sa_mask, SIGUSR1) == 1 && sigismember(&a.sa_mask, SIGWINCH) == 1
            && sigismember(&a.sa_mask, SIGHUP) == 0;
}
ODD int chains_flag(int which) { return which == 0 ? SA_SIGINFO : which == 1 ? (int)SA_RESETHAND : SA_NODEFER; }
ODD void chains_nest_once(void) { nest = 1; }
ODD int chains_seen(void) { return seen; }
/* Distance of the reported ip from the instruction behind the int3. */
ODD long chains_ip(void) { return ip; }
ODD long chains_code(void) { return code; }
/* Bit n: signal n was blocked while the handler ran. */
ODD long chains_mask(void) { return (long)(mask_inside << 1); }
ODD long chains_mask_outside(void)
{
    sigset_t now;
    uint64_t word;
    pthread_sigmask(SIG_BLOCK, 0, &now);
    memcpy(&word, &now, sizeof word);
    return (long)(word << 1);
}
ODD int chains_kill_self(void) { return raise(SIGTRAP); }
