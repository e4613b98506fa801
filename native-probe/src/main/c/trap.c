/* Floor 10 */
/* The trap handler, and what code on the hit path is allowed
 * ----------------------------------------------------------
 * A probe may sit in any function of libc, ld.so or the allocator, and a hit may come at any instruction of any thread. So everything from
 * here to the record - the files that the Makefile calls HIT_PATH - calls no libc function, takes no lock, allocates nothing, runs no Java, uses
 * general registers only (the build says -mgeneral-regs-only) and leaves errno alone. A hit that our own flush causes is counted and skipped.
 *
 * A trap belongs to us if its address is a site. If it never was one: the byte is read again. If it no longer traps, somebody's trap was taken
 * away between the trap and now, and the thread simply resumes there, as the kernel's uprobes do. What is left goes to whoever had the signal
 * before, on that handler's own terms.
 *
 * A debugger that was told to pass SIGTRAP on may send it anew, when it lets go of a thread that had just trapped: si_code is then SI_USER, si_pid the
 * debugger's or, once that has detached, the parent's (kernel/signal.c, ptrace_signal), and the thread may have been set back to the trap (gdb,
 * linux-nat.c, save_stop_reason). What is sent otherwise (kill, tgkill, a timer) goes on to the program's handler. But of two SIGTRAPs that wait at
 * one time the kernel makes one: it may be that of a trap as well, unless the thread just stands behind a site of one byte that it has come by. */
#define _GNU_SOURCE
#include "carry_out.h"
#include "hit.h"
#include "memory.h"
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>

static struct up_trap_statistics statistics;

static void take_hit(const struct up_site *site, ucontext_t *uc)
{
    up_count(&statistics.traps);
    if (!__atomic_load_n(&site->armed, __ATOMIC_ACQUIRE))
        up_count(&statistics.stale);
    const struct up_way *way = __atomic_load_n(&site->way, __ATOMIC_ACQUIRE);
    struct up_regs regs;
    up_registers_of(uc, &regs);
    up_hit_site(site, &regs);
    if (way->mechanism == UP_EMULATE)
        up_count(&statistics.emulated);
    up_way_carry_out(way, uc);
}

/* Whether the trap was ours, or nobody's any more. */
static int on_site(ucontext_t *uc, int sent, int from_debugger)
{
    greg_t *ip = &uc->uc_mcontext.gregs[REG_RIP];
    uint64_t address = (uint64_t)*ip - UP_TRAP_SIZE;
    const struct up_site *site = up_site_find(address);
    uint8_t now = UP_TRAP_BYTE;
    if (sent && !from_debugger && (!site || up_way_stands_behind(__atomic_load_n(&site->way, __ATOMIC_ACQUIRE), uc)))
        return 0;
    if ((!site || sent) && up_read_safely(address, &now, 1) != 0)
        now = UP_TRAP_BYTE;
    if (site && now == UP_TRAP_BYTE) {
        take_hit(site, uc);
        return 1;
    }
    if (now == UP_TRAP_BYTE)
        return 0;
    if ((!sent || from_debugger) && up_site_find((uint64_t)*ip))
        return 1;               /* set back by a debugger: the thread runs into the trap once more */
    if (sent)
        return 0;
    up_count(&statistics.stale);
    *ip = (greg_t)address;
    return 1;
}

/* Whether somebody else has to hear of it. */
static int on_step(ucontext_t *uc)
{
    int stepped = up_way_stepped(uc);
    if (stepped)
        up_count(&statistics.stepped);
    return stepped != 1;
}

static void on_trap(int signal, siginfo_t *info, void *context, int32_t name)
{
    int sent = info->si_code <= 0, from_debugger = info->si_code == SI_USER && info->si_pid != (int32_t)up_syscall3(SYS_getpid, 0, 0, 0);
    if ((info->si_code == UP_TRAP_SI_CODE || sent) && on_site(context, sent, from_debugger) && (!sent || from_debugger))
        return;
    if (info->si_code == TRAP_TRACE && !on_step(context))
        return;
    up_count(&statistics.foreign);
    up_signals_chain(signal, info, context, name);
}

int up_trap_install(void)
{
    return up_signals_take(on_trap);
}

int up_trap_statistics(struct up_trap_statistics *out)
{
    *out = statistics;
    return 0;
}

int up_hit_without_trap(int64_t address, const uint64_t *regs)
{
    const struct up_site *site = up_site_find((uint64_t)address);
    if (!site)
        return -ENOENT;
    up_hit_site(site, (const struct up_regs *)regs);
    return 0;
}
