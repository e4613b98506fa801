/* Floor 5 */
/* Signals that two parties want
 * -----------------------------
 * A trap taken while SIGTRAP is blocked kills the process, and so does one that another handler swallows. Two things follow.
 *
 * 1. From the first probe on SIGTRAP enters no mask. libc's pthread_sigmask (sigprocmask calls it), sigaction, sigsuspend and epoll_pwait begin
 *    with a jump to functions below, which pass the call on without SIGTRAP in its set. A thread that is about to block can not be trapped, so this
 *    is done without INT3: Java finds an instruction of at least five bytes that lies, as far as the jump reaches, in one aligned eight bytes
 *    (SignalGuard), and those eight bytes are stored at once. A thread is before that instruction or behind it, never inside:
 *
 *        site 0x8fd90: 48 81 ec 98 00 00 00    sub rsp, 0x98
 *        site 0x8fd90: e9 xx xx xx xx 00 00    jmp slot         ->  jmp [rip+0]  to up_pthread_sigmask
 *        next        : 48 81 ec 98 00 00 00    sub rsp, 0x98       jmp 0x8fd97   where it goes on: as if nothing had been
 *
 * 2. SIGTRAP, SIGSEGV, SIGBUS and SIGFPE are ours in the kernel and stay so. What the program sets for them through sigaction afterwards is written
 *    down (what our name in the kernel means) and told when asked, and gets what is not ours on its own terms. So whoever takes SIGTRAP later - HotSpot's crash reporter
 *    does, for the time of its report - takes no probe away, and -Xcheck:jni, which asks whether HotSpot's handlers are still its own, sees that
 *    they are.
 *
 * 3. Who gets past libc (a raw rt_sigaction) finds our handler, may keep it as the one to forward to, and is found in the kernel at the next look. Taking
 *    the signal back then, to hand it on to them, made a circle: they forwarded it to us, who handed it on to them. So our handler has many names
 *    (signals_x86_64.S), and under each it hands on to what the program had when that name was in the kernel. Whoever is found gets a new name over it;
 *    what it may have kept goes on to mean what was there before it came.
 *
 *        the program has   H      then A, found in the kernel      then B         A back in the kernel, or name 0 put back by A
 *        in the kernel     0 (H)  1 (A)                            2 (B)          3 (A)                    0 (H)
 *        what they keep           A: 0                             B: 1           A: 2 or 0
 *        it goes           0 H    1 A 0 H                          2 B 1 A 0 H    3 A 2 B 1 H, or 3 A 0 H  0 H
 *
 *    A name that means A is given to what lay below A when A is found anew: it is on top, and may have kept that name.
 *
 * 4. All this ends when the engine closes (up_signals_give_back). Our functions are then only passed through, and what the program has in its own eyes is
 *    what the kernel has. Whoever wrote down a handler just then finds that the signal is not taken any more, and sets it in the kernel itself.
 *
 * Allowed here, but for up_signals_take and up_code_store: what the head of trap.c allows. The functions that stand in for libc's are called from
 * signal handlers and from the children of vfork: no lock, errno kept, and memory that is never freed.
 *
 * Holds: what a name points to never changes. Whoever changes a disposition publishes another one with one exchange. */
#define _GNU_SOURCE
#include "signals.h"
#include "arch.h"
#include "carry_out.h"
#include "mask.h"
#include "memory.h"
#include "text.h"
#include "uprobe.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

enum { SIGNALS = 64, KERNEL_SIGSET_SIZE = 8, RESTORER = 0x04000000 /* SA_RESTORER, linux/arch/x86/include/uapi/asm/signal.h */ };

static inline uint64_t bit(int signal)
{
    return (uint64_t)1 << (signal - 1);
}

static const uint64_t kept_open = (uint64_t)1 << (SIGTRAP - 1);

/* The kernel's own structure (linux/include/linux/signal_types.h); libc's is another one. */
struct action {
    uint64_t handler, flags, restorer, mask;
};

static int kernel_action(int signal, const struct action *set, struct action *was)
{
    return (int)up_syscall4(SYS_rt_sigaction, signal, set, was, KERNEL_SIGSET_SIZE);
}

static int same_action(const struct action *a, const struct action *b)
{
    return a->handler == b->handler && a->flags == b->flags && a->restorer == b->restorer && a->mask == b->mask;
}

/* ---- dispositions, published whole ---- */

struct kept_action {
    struct action action;
    struct kept_action *next;
};
static struct kept_action *kept;            /* all that were ever needed: few, as equal ones are kept once */
static up_handler ours[SIGNALS + 1];

/* Our names for a signal. A name stays for good: who has kept it may call it for ever. */
enum { NAMES = 64, NAME_SIZE = 16 /* as in signals_x86_64.S */, NO_NAME = -1 };
extern const uint8_t up_signal_names[NAMES * NAME_SIZE] __attribute__((visibility("hidden")));
static struct names {
    struct {
        struct action *means;   /* who gets what comes by this name; of the newest what the program has set. NULL: never used */
        struct action *below;   /* what the program had before that was found in the kernel */
    } name[NAMES];
    int32_t used, newest;       /* the newest is in the kernel */
    int32_t other;              /* that which the kernel had before, if it means the same handler as the newest, or NO_NAME */
} names[SIGNALS + 1];
static uint64_t restorer;

/* SIGTRAP is kept out of masks. Signals that are ours: what the program sets for them is written down. */
static int32_t guarding, taken[SIGNALS + 1];
/* The handlers that SIGTRAP was kept out of whose sa_mask; 0: of none. They get it back. */
static uint64_t opened[SIGNALS + 1];
static uint64_t kept_open_masks;     /* sets that SIGTRAP was kept out of, by pthread_sigmask */

static int is_guarding(void)
{
    return __atomic_load_n(&guarding, __ATOMIC_SEQ_CST);
}

static int is_taken(int signal)
{
    return signal > 0 && signal <= SIGNALS && __atomic_load_n(&taken[signal], __ATOMIC_SEQ_CST);
}

/* The one copy of this action for the life of the process; NULL if the kernel gives no memory. */
static struct action *keep(const struct action *wanted)
{
    enum { FIRST = 256 };
    static struct kept_action first[FIRST];
    static uint32_t used;
    for (struct kept_action *k = __atomic_load_n(&kept, __ATOMIC_ACQUIRE); k; k = k->next)
        if (same_action(&k->action, wanted))
            return &k->action;
    uint32_t i = __atomic_load_n(&used, __ATOMIC_RELAXED) < FIRST ? __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED) : FIRST;
    struct kept_action *fresh;
    if (i < FIRST) {
        fresh = &first[i];
    } else {
        long page = up_syscall6(SYS_mmap, 0, sizeof *fresh, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page < 0 && page > -4096)
            return NULL;
        fresh = (struct kept_action *)page;
    }
    fresh->action = *wanted;
    fresh->next = __atomic_load_n(&kept, __ATOMIC_ACQUIRE);
    while (!__atomic_compare_exchange_n(&kept, &fresh->next, fresh, 0, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
        continue;
    return &fresh->action;
}

/* Ours as it must stand in the kernel while the program has `theirs`. What can not be made good once the handler runs is taken over from theirs: the
 * stack of a fault, and whether an interrupted system call begins again. Our traps interrupt none, and need the alternate stack where there is
 * one: goroutines and the like have little of their own. And SA_NODEFER: of signals that are sent faster than handlers begin (a timer's) the kernel
 * puts one's frame on the other's, and no instruction of ours comes in between; who does not ask for that must not get it. Where nobody has SIGTRAP it
 * is not deferred: else each thread in here would look as if it had it blocked. */
static struct action ours_over(int signal, const struct action *theirs, int32_t name)
{
    int ignored = theirs->handler == (uint64_t)SIG_IGN, has_handler = theirs->handler != (uint64_t)SIG_DFL && !ignored;
    uint64_t flags = SA_SIGINFO | RESTORER;
    flags |= has_handler ? theirs->flags & SA_NODEFER : ignored ? 0 : SA_NODEFER;
    flags |= has_handler && signal != SIGTRAP ? theirs->flags & SA_ONSTACK : SA_ONSTACK;
    flags |= has_handler ? theirs->flags & SA_RESTART : SA_RESTART;
    return (struct action){ (uint64_t)&up_signal_names[name * NAME_SIZE], flags, restorer, ~up_synchronous_signals() };
}

static int32_t name_at(int signal, uint64_t handler)
{
    uint64_t offset = handler - (uint64_t)up_signal_names;
    int32_t name = offset < sizeof up_signal_names && offset % NAME_SIZE == 0 ? (int32_t)(offset / NAME_SIZE) : NO_NAME;
    return name < __atomic_load_n(&names[signal].used, __ATOMIC_ACQUIRE) ? name : NO_NAME;
}

static int32_t newest_name(int signal)
{
    return __atomic_load_n(&names[signal].newest, __ATOMIC_ACQUIRE);
}

static struct action *meaning(int signal, int32_t name)
{
    return __atomic_load_n(&names[signal].name[name].means, __ATOMIC_ACQUIRE);
}

/* The signal that this thread hands on, and by which names it came. Who finds us where it stood itself, and forwards to us, would otherwise be called until
 * the stack ends, until the next look. A handler that is left by siglongjmp leaves this as it is: the kernel's next call begins anew. */
static __thread struct handed_on {
    const void *context;
    uint64_t names;             /* a bit each */
} handed_on __attribute__((tls_model("initial-exec")));
_Static_assert(NAMES <= 64, "handed_on.names");

/* The kernel calls it, or who has kept one of its names; the fourth argument is the name's doing. */
__attribute__((visibility("hidden"))) void up_signals_enter(int signal, siginfo_t *info, void *context, int32_t name);
void up_signals_enter(int signal, siginfo_t *info, void *context, int32_t name)
{
    struct handed_on before = handed_on;
    /* linux/arch/x86/include/asm/sigframe.h, struct rt_sigframe: the context lies right above the return address */
    if (context == __builtin_dwarf_cfa())
        handed_on = (struct handed_on){ context, 0 };
    ours[signal](signal, info, context, name);
    handed_on = before;
}

/* ---- whose memory: a child of vfork has our memory, but dispositions of its own ---- */

static volatile int32_t *not_forked;        /* on a page that a fork's child finds zeroed (MADV_WIPEONFORK), a vfork's child as it is */
static int32_t owner;

static int dispositions_are_ours(void)
{
    int32_t self = (int32_t)up_syscall3(SYS_getpid, 0, 0, 0);
    if (self == __atomic_load_n(&owner, __ATOMIC_RELAXED))
        return 1;
    if (*not_forked)
        return 0;               /* what it sets must not be taken for its parent's: posix_spawn sets everything to SIG_DFL */
    owner = self;
    *not_forked = 1;
    return 1;
}

/* ---- a child of vfork, between its birth and its exec ----
 * posix_spawn's child has our memory and our traps, but dispositions of its own: the kernel copied them. It sets every handled signal to its default,
 * SIGTRAP as well, and would die of the next trap. So its SIGTRAP stays ours until exec, which makes every handler SIG_DFL by itself; what the child
 * wants is told by which of these handlers it has, as there is no memory of its own to write it down in. */
static void on_trap_then_default(int signal, siginfo_t *info, void *context)
{
    ours[SIGTRAP](signal, info, context, newest_name(signal));
}

static void on_trap_then_ignore(int signal, siginfo_t *info, void *context)
{
    ours[SIGTRAP](signal, info, context, newest_name(signal));
    __asm__ volatile("");       /* else the compiler makes one of the two */
}

static int is_ours(int signal, const struct action *a)
{
    return ours[signal] && (name_at(signal, a->handler) != NO_NAME
                            || (signal == SIGTRAP && (a->handler == (uint64_t)on_trap_then_default || a->handler == (uint64_t)on_trap_then_ignore)));
}

/* What the child has in its own eyes, of what the kernel says it has. */
static struct action of_child(int signal, const struct action *a)
{
    static const struct action by_default, ignored = { .handler = (uint64_t)SIG_IGN };
    if (!is_ours(signal, a))
        return *a;
    int32_t name = name_at(signal, a->handler);
    if (name != NO_NAME)
        return *meaning(signal, name);
    return a->handler == (uint64_t)on_trap_then_default ? by_default : ignored;
}

/* ---- handing on ---- */

static void die_by_default(int signal, const siginfo_t *info)
{
    static const struct action by_default;
    uint64_t mask = bit(signal);
    kernel_action(signal, &by_default, NULL);
    up_syscall4(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, KERNEL_SIGSET_SIZE);
    /* Blocked until this handler returns: then the process ends where it was interrupted, for the same reason, as it would have without us. */
    up_syscall4(SYS_rt_tgsigqueueinfo, up_syscall3(SYS_getpid, 0, 0, 0), up_syscall3(SYS_gettid, 0, 0, 0), signal, info);
}

int up_signals_chain(int signal, siginfo_t *info, void *context, int32_t name)
{
    const struct action *a = meaning(signal, name);
    struct action childs;
    if (handed_on.context != context)
        handed_on = (struct handed_on){ context, 0 };
    int again = handed_on.names >> name & 1 && names[signal].name[name].below;
    if (again)
        a = names[signal].name[name].below;
    handed_on.names |= (uint64_t)1 << name;
    int forwarded = again || name != newest_name(signal);        /* called by another handler, as a function: under the mask that it has */
    int in_child = !dispositions_are_ours() && kernel_action(signal, NULL, &childs) == 0;
    if (in_child) {
        childs = of_child(signal, &childs);
        a = &childs;
    }
    while (!in_child && !forwarded && a->flags & SA_RESETHAND && a->handler != (uint64_t)SIG_DFL && a->handler != (uint64_t)SIG_IGN) {
        /* Once only: whoever exchanges it has the call. */
        struct action spent = *a;
        spent.handler = (uint64_t)SIG_DFL;
        struct action *after = keep(&spent), *expected = (struct action *)a;
        if (!after || __atomic_compare_exchange_n(&names[signal].name[name].means, &expected, after, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            break;
        a = expected;
    }
    if (a->handler == (uint64_t)SIG_IGN && info->si_code <= 0)
        return 1;               /* sent by kill or tgkill, and ignored */
    if (a->handler == (uint64_t)SIG_DFL || a->handler == (uint64_t)SIG_IGN) {
        die_by_default(signal, info);   /* a fault that is ignored kills as well (linux/kernel/signal.c, force_sig_info) */
        return 0;
    }
    if (!forwarded) {
        uint64_t mask;
        __builtin_memcpy(&mask, &((ucontext_t *)context)->uc_sigmask, sizeof mask);
        mask = (mask | a->mask) & ~kept_open;   /* it may have interrupted our own trap handler, which the kernel may defer SIGTRAP for */
        if (!(a->flags & SA_NODEFER))
            mask |= bit(signal);
        up_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, KERNEL_SIGSET_SIZE);
    }
    if (a->flags & SA_SIGINFO)
        ((void (*)(int, siginfo_t *, void *))a->handler)(signal, info, context);
    else
        ((void (*)(int))a->handler)(signal);
    return 1;                   /* the mask of the interrupted code comes back with sigreturn */
}

/* ---- faults in slots ---- */

static uint64_t vm_text_start, vm_text_end;

int up_signals_vm_text(int64_t start, int64_t end)
{
    vm_text_end = 0;
    vm_text_start = (uint64_t)start;
    vm_text_end = (uint64_t)end;
    return 0;
}

/* HotSpot decodes the instruction at the fault to step over it when a mapped file was truncated (os_linux_x86.cpp, handle_unsafe_access). At the
 * site it would decode our trap; the copy in the slot is the true one, and what follows it there is right as well. */
static int decodes_the_instruction(int signal, int32_t name)
{
    const struct action *a = meaning(signal, name);
    return signal == SIGBUS && a->handler >= vm_text_start && a->handler < vm_text_end;
}

static void on_fault(int signal, siginfo_t *info, void *context, int32_t name)
{
    struct up_shown shown;
    /* Sent by somebody: no instruction did it. */
    if (info->si_code <= 0 || decodes_the_instruction(signal, name) || !up_way_show_original(context, &shown)) {
        up_signals_chain(signal, info, context, name);
        return;
    }
    if (info->si_addr == (void *)shown.gregs[REG_RIP])
        info->si_addr = (void *)shown.shown[REG_RIP];   /* SIGFPE tells where, not what */
    /* A handler that leaves all as it was wants the instruction run again. It goes on in the slot; at the site it would trap and be counted twice.
     * What a handler changed is its own choice. */
    if (up_signals_chain(signal, info, context, name))
        up_way_put_back(context, &shown);
}

/* ---- what stands in for libc's functions ---- */

enum hook {
    HOOK_SIGMASK, HOOK_SIGACTION, HOOK_SIGSUSPEND, HOOK_EPOLL_PWAIT, HOOK_EPOLL_PWAIT2, HOOK_PPOLL, HOOK_PPOLL_CHK, HOOK_PSELECT, HOOKS
};

/* The displaced instruction of each, then libc's own function from there on; or that function, where calls are led here through the callers' tables
 * (got.c). Set before anybody comes here. */
static struct {
    int (*pthread_sigmask)(int how, const sigset_t *set, sigset_t *old);
    int (*sigaction)(int signal, const struct sigaction *set, struct sigaction *old);
    int (*sigsuspend)(const sigset_t *set);
    int (*epoll_pwait)(int fd, void *events, int capacity, int timeout, const sigset_t *set);
    int (*epoll_pwait2)(int fd, void *events, int capacity, const struct timespec *timeout, const sigset_t *set);
    int (*ppoll)(void *fds, unsigned long count, const struct timespec *timeout, const sigset_t *set);
    int (*ppoll_chk)(void *fds, unsigned long count, const struct timespec *timeout, const sigset_t *set, size_t bytes);
    int (*pselect)(int count, void *in, void *out, void *special, const struct timespec *timeout, const sigset_t *set);
} libc;

/* The program's memory, which may not be there. Where the kernel lets nobody look (seccomp) it is read as libc would: a bad pointer then faults. */
static int read_theirs(const void *from, void *into, uint32_t length)
{
    int error = up_read_safely((uint64_t)from, into, length);
    if (error && error != -EFAULT) {
        for (uint32_t i = 0; i < length; i++)
            ((volatile uint8_t *)into)[i] = ((const volatile uint8_t *)from)[i];
        error = 0;
    }
    return error;
}

/* libc's sigset_t is 128 bytes, of which the kernel knows eight; some of its functions copy all of it. */
struct set {
    uint64_t words[sizeof(sigset_t) / sizeof(uint64_t)];
};

/* The same set without SIGTRAP: `set` itself, or `copy`. One that can not be read is left to libc and the kernel. */
static const sigset_t *without_trap(const sigset_t *set, struct set *copy)
{
    uint64_t mask;
    if (!set || !is_guarding() || read_theirs(set, &mask, sizeof mask) != 0 || !(mask & kept_open))
        return set;
    for (unsigned i = 0; i < sizeof copy->words / sizeof *copy->words; i++)
        ((volatile uint64_t *)copy->words)[i] = 0;
    copy->words[0] = mask & ~kept_open;
    return (const sigset_t *)copy;
}

static int up_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    struct set copy;
    const sigset_t *open = how == SIG_UNBLOCK ? set : without_trap(set, &copy);
    if (open != set)
        up_count(&kept_open_masks);
    return libc.pthread_sigmask(how, open, old);
}

static int up_sigsuspend(const sigset_t *set)
{
    struct set copy;
    return libc.sigsuspend(without_trap(set, &copy));
}

static int up_epoll_pwait(int fd, void *events, int capacity, int timeout, const sigset_t *set)
{
    struct set copy;
    return libc.epoll_pwait(fd, events, capacity, timeout, without_trap(set, &copy));
}

static int up_epoll_pwait2(int fd, void *events, int capacity, const struct timespec *timeout, const sigset_t *set)
{
    struct set copy;
    return libc.epoll_pwait2(fd, events, capacity, timeout, without_trap(set, &copy));
}

static int up_ppoll(void *fds, unsigned long count, const struct timespec *timeout, const sigset_t *set)
{
    struct set copy;
    return libc.ppoll(fds, count, timeout, without_trap(set, &copy));
}

static int up_ppoll_chk(void *fds, unsigned long count, const struct timespec *timeout, const sigset_t *set, size_t bytes)
{
    struct set copy;
    return libc.ppoll_chk(fds, count, timeout, without_trap(set, &copy), bytes);
}

static int up_pselect(int count, void *in, void *out, void *special, const struct timespec *timeout, const sigset_t *set)
{
    struct set copy;
    return libc.pselect(count, in, out, special, timeout, without_trap(set, &copy));
}

/* Writes down what the program wants for a signal that is ours, and tells what it wanted before. */
static int set_virtual(int signal, const struct action *set, struct action *old)
{
    enum { KNOWN_FLAGS = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | (int)SA_RESETHAND | 0x800 /* TAGBITS */ };
    const struct action *was;
    if (set) {
        struct action wanted = { set->handler, (set->flags & (uint32_t)KNOWN_FLAGS) | RESTORER, restorer, set->mask & ~(bit(SIGKILL) | bit(SIGSTOP)) };
        struct action *now = keep(&wanted);
        if (!now)
            return -ENOMEM;
        int32_t name = newest_name(signal);
        was = __atomic_exchange_n(&names[signal].name[name].means, now, __ATOMIC_ACQ_REL);
        struct action before = ours_over(signal, was, name), after = ours_over(signal, now, name);
        if (!same_action(&before, &after))
            kernel_action(signal, &after, NULL);
        if (!is_taken(signal))
            kernel_action(signal, now, NULL);   /* given back meanwhile: maybe as it was before */
    } else {
        was = meaning(signal, newest_name(signal));
    }
    if (old)
        *old = *was;
    return 0;
}

/* What rt_sigaction does in a child of vfork. */
static int set_in_child(int signal, const struct action *set, struct action *old)
{
    struct action was, wanted;
    int error = kernel_action(signal, NULL, &was);
    if (!error && set) {
        wanted = *set;
        wanted.mask &= ~kept_open;
        if (signal == SIGTRAP && (set->handler == (uint64_t)SIG_DFL || set->handler == (uint64_t)SIG_IGN)) {
            wanted = ours_over(signal, set, newest_name(signal));
            wanted.handler = (uint64_t)(set->handler == (uint64_t)SIG_DFL ? on_trap_then_default : on_trap_then_ignore);
        }
        error = kernel_action(signal, &wanted, &was);
    }
    if (!error && old)
        *old = of_child(signal, &was);
    return error;
}

/* What rt_sigaction does, for a signal that is ours. */
static int set_ours(int signal, const struct action *set, struct action *old)
{
    return dispositions_are_ours() ? set_virtual(signal, set, old) : set_in_child(signal, set, old);
}

static void tell(const struct action *was, struct sigaction *old)
{
    old->sa_handler = (__sighandler_t)was->handler;
    old->sa_flags = (int)was->flags;
    old->sa_restorer = (void (*)(void))was->restorer;
    for (unsigned i = 0; i < sizeof(struct set) / sizeof(uint64_t); i++)
        ((volatile uint64_t *)&old->sa_mask)[i] = i == 0 ? was->mask : 0;
}

/* The mask of a handler that is set for a signal of others. */
static uint64_t mask_of_theirs(int signal, uint64_t handler, uint64_t mask)
{
    if (signal < 1 || signal > SIGNALS || !is_guarding())
        return mask;
    if (!not_forked || dispositions_are_ours())
        opened[signal] = mask & kept_open ? handler : 0;
    return mask & ~kept_open;
}

static int up_sigaction(int signal, const struct sigaction *set, struct sigaction *old)
{
    struct sigaction copy;
    if (set) {
        if (read_theirs(set, &copy, sizeof copy) != 0)
            return libc.sigaction(signal, set, old);    /* it faults where it always did */
        set = &copy;
    }
    if (is_taken(signal)) {
        struct action wanted, was;
        if (set)
            wanted = (struct action){ (uint64_t)set->sa_handler, (uint32_t)set->sa_flags | RESTORER, restorer, set->sa_mask.__val[0] };
        if (set_ours(signal, set ? &wanted : NULL, old ? &was : NULL) == 0) {
            if (old)
                tell(&was, old);
            return 0;
        }
    }
    if (set)
        copy.sa_mask.__val[0] = mask_of_theirs(signal, (uint64_t)set->sa_handler, set->sa_mask.__val[0]);
    int result = libc.sigaction(signal, set, old);
    /* Ours was still, or already, there. */
    struct action ours_was = { .handler = result == 0 && old ? (uint64_t)old->sa_handler : 0 };
    if (ours_was.handler && signal <= SIGNALS && is_ours(signal, &ours_was)) {
        struct action was = of_child(signal, &ours_was);
        tell(&was, old);
    }
    return result;
}

/* ---- system calls that pass through here: signals_x86_64.S ---- */

/* CLONE_CLEAR_SIGHAND, linux/include/uapi/linux/sched.h. */
#define CLEAR_SIGHAND 0x100000000ull

struct up_guarded {
    int64_t number, argument[6];
};
__attribute__((visibility("hidden"))) int64_t up_guarded_call(const struct up_guarded *call);

static int64_t make(const struct up_guarded *call, int64_t second)
{
    const int64_t *a = call->argument;
    return up_syscall6(call->number, a[0], second, a[2], a[3], a[4], a[5]);
}

static int64_t guarded_sigprocmask(const struct up_guarded *call)
{
    int how = (int)call->argument[0];
    uint64_t mask;
    if (!is_guarding() || (how != SIG_BLOCK && how != SIG_SETMASK) || !call->argument[1] || call->argument[3] != KERNEL_SIGSET_SIZE
            || read_theirs((const void *)call->argument[1], &mask, sizeof mask) != 0 || !(mask & kept_open))
        return make(call, call->argument[1]);
    mask &= ~kept_open;
    return make(call, (int64_t)&mask);
}

static __attribute__((noinline)) int64_t guarded_sigaction(const struct up_guarded *call)
{
    int signal = (int)call->argument[0];
    struct action wanted = { 0 }, was;
    int sets = call->argument[1] != 0, error;
    if (call->argument[3] != KERNEL_SIGSET_SIZE || (sets && read_theirs((const void *)call->argument[1], &wanted, sizeof wanted) != 0))
        return make(call, call->argument[1]);
    if (!is_taken(signal)) {
        wanted.mask = mask_of_theirs(signal, wanted.handler, wanted.mask);
        int64_t result = make(call, sets ? (int64_t)&wanted : 0);
        struct action *old = (struct action *)call->argument[2];
        if (result == 0 && old && is_ours(signal, old))
            *old = of_child(signal, old);
        return result;
    }
    error = set_ours(signal, sets ? &wanted : NULL, &was);
    if (!error && call->argument[2])
        *(struct action *)call->argument[2] = was;
    return error;
}

/* By itself, for its size: the other calls are also made on goroutines' stacks, where some hundred bytes are all that is left.
 * exec makes every handler SIG_DFL and leaves what is ignored ignored: what the program ignores must be so in the kernel by then. */
static __attribute__((noinline)) int64_t guarded_exec(const struct up_guarded *call)
{
    static const struct action ignored = { .handler = (uint64_t)SIG_IGN };
    struct action was[SIGNALS + 1];
    uint64_t changed = 0;
    for (int signal = 1; signal <= SIGNALS; signal++)
        if (ours[signal] && kernel_action(signal, NULL, &was[signal]) == 0 && is_ours(signal, &was[signal])
                && of_child(signal, &was[signal]).handler == (uint64_t)SIG_IGN && kernel_action(signal, &ignored, NULL) == 0)
            changed |= bit(signal);
    int64_t result = make(call, call->argument[1]);     /* it came back: there was nothing to execute */
    for (int signal = 1; signal <= SIGNALS; signal++)
        if (changed & bit(signal))
            kernel_action(signal, &was[signal], NULL);
    return result;
}

/* posix_spawn (glibc 2.38) has the kernel take all handlers from its child, which then dies of the first trap before exec. Where the kernel does not know
 * that flag it makes the child without, and lets it set its handlers one by one: those pass through here. The slot makes the call otherwise: it comes
 * back twice, on two stacks. */
static __attribute__((noinline)) int64_t guarded_clone3(const struct up_guarded *call)
{
    uint64_t flags;
    return is_guarding() && read_theirs((const void *)call->argument[0], &flags, sizeof flags) == 0 && flags & CLEAR_SIGHAND ? -ENOSYS : call->number;
}

int64_t up_guarded_call(const struct up_guarded *call)
{
    switch (call->number) {
    case SYS_rt_sigprocmask: return guarded_sigprocmask(call);
    case SYS_rt_sigaction: return guarded_sigaction(call);
    case SYS_execve:
    case SYS_execveat: return guarded_exec(call);
    case SYS_clone3: return guarded_clone3(call);
    default: return make(call, call->argument[1]);
    }
}

void up_guards_entry(void);

int64_t up_guards_address(void)
{
    return (int64_t)up_guards_entry;
}

int64_t up_signals_function(int32_t hook)
{
    switch ((enum hook)hook) {
    case HOOK_SIGMASK: return (int64_t)up_pthread_sigmask;
    case HOOK_SIGACTION: return (int64_t)up_sigaction;
    case HOOK_SIGSUSPEND: return (int64_t)up_sigsuspend;
    case HOOK_EPOLL_PWAIT: return (int64_t)up_epoll_pwait;
    case HOOK_EPOLL_PWAIT2: return (int64_t)up_epoll_pwait2;
    case HOOK_PPOLL: return (int64_t)up_ppoll;
    case HOOK_PPOLL_CHK: return (int64_t)up_ppoll_chk;
    case HOOK_PSELECT: return (int64_t)up_pselect;
    case HOOKS: break;
    }
    return -EINVAL;
}

static int continue_at(enum hook hook, int64_t next)
{
    switch (hook) {
    case HOOK_SIGMASK: libc.pthread_sigmask = (int (*)(int, const sigset_t *, sigset_t *))next; return 0;
    case HOOK_SIGACTION: libc.sigaction = (int (*)(int, const struct sigaction *, struct sigaction *))next; return 0;
    case HOOK_SIGSUSPEND: libc.sigsuspend = (int (*)(const sigset_t *))next; return 0;
    case HOOK_EPOLL_PWAIT: libc.epoll_pwait = (int (*)(int, void *, int, int, const sigset_t *))next; return 0;
    case HOOK_EPOLL_PWAIT2: libc.epoll_pwait2 = (int (*)(int, void *, int, const struct timespec *, const sigset_t *))next; return 0;
    case HOOK_PPOLL: libc.ppoll = (int (*)(void *, unsigned long, const struct timespec *, const sigset_t *))next; return 0;
    case HOOK_PPOLL_CHK: libc.ppoll_chk = (int (*)(void *, unsigned long, const struct timespec *, const sigset_t *, size_t))next; return 0;
    case HOOK_PSELECT: libc.pselect = (int (*)(int, void *, void *, void *, const struct timespec *, const sigset_t *))next; return 0;
    case HOOKS: break;
    }
    return -EINVAL;
}

/* Eight aligned bytes of code, in one store. mprotect first, although the page can be written for a moment: only then the store is ours, and one
 * instruction; aligned eight bytes are fetched old or new (AMD APM vol. 2, 7.6.1, "Cross-Modifying Code"; HotSpot patches calls so, nativeInst_x86.cpp).
 * X is never dropped. Where that is forbidden (SELinux, execmod) the kernel writes through /proc/self/mem: it copies eight aligned bytes by one
 * move as well, but nobody promises that. */
int up_code_store(int64_t address, int64_t before, int64_t after)
{
    uint64_t expected = (uint64_t)before, desired = (uint64_t)after;
    enum { PAGE = 4096 };
    uint64_t *code = (uint64_t *)address;
    long page = address & -(long)PAGE;
    if (address % (long)sizeof *code != 0)
        return -EINVAL;
    if (__atomic_load_n(code, __ATOMIC_ACQUIRE) != expected)
        return UP_E_CHANGED;
    if (up_syscall3(SYS_mprotect, page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0) {
        int done = __atomic_compare_exchange_n(code, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        int error = (int)up_syscall3(SYS_mprotect, page, PAGE, PROT_READ | PROT_EXEC);
        return done ? error : UP_E_CHANGED;
    }
    return up_text_write((uint64_t)address, &desired, sizeof desired);
}

int up_signals_next(int32_t hook, int64_t next)
{
    int error = continue_at((enum hook)hook, next);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return error;
}

/* ---- taking ---- */

/* A name to put over a handler that was found in the kernel: one that it can not have kept. Where nobody came in between two are enough, taken in turn.
 * When there are no more, the newest stays. */
static int32_t name_over(struct names *n, uint64_t handler)
{
    int again = n->used > 0 && n->name[n->newest].means->handler == handler;
    int32_t name = again && n->other != NO_NAME ? n->other : n->used < NAMES ? n->used : n->newest;
    n->other = again && name != n->newest ? n->newest : NO_NAME;
    return name;
}

/* The handler is on top again: what it may have kept must not lead back to it. */
static void pass_over(struct names *n, uint64_t handler)
{
    static struct action by_default;
    struct action *below = NULL;
    for (int32_t i = 0; i < n->used && !below; i++)
        if (n->name[i].means->handler == handler)
            below = n->name[i].below ? n->name[i].below : &by_default;
    for (int32_t i = 0; i < n->used && below; i++) {
        if (n->name[i].means->handler == handler)
            __atomic_store_n(&n->name[i].means, below, __ATOMIC_RELEASE);
        if (n->name[i].below && n->name[i].below->handler == handler)
            n->name[i].below = below;
    }
}

/* Caller holds Java's engine lock. */
static int take(int signal)
{
    struct names *n = &names[signal];
    struct action was;
    int error = kernel_action(signal, NULL, &was);
    int32_t name = name_at(signal, was.handler);
    if (error)
        return error;
    if (name != NO_NAME && name == n->newest) {
        __atomic_store_n(&taken[signal], 1, __ATOMIC_SEQ_CST);
        return 0;
    }
    if (name != NO_NAME) {
        /* An older one: whoever came after it has gone again, and put it back. */
        struct action mine = ours_over(signal, meaning(signal, name), name);
        error = kernel_action(signal, &mine, NULL);
        n->other = NO_NAME;
        if (!error) {
            __atomic_store_n(&n->newest, name, __ATOMIC_RELEASE);
            __atomic_store_n(&taken[signal], 1, __ATOMIC_SEQ_CST);
        }
        return error;
    }
    struct action *theirs = keep(&was), *below = n->used ? n->name[n->newest].means : NULL;
    if (!theirs)
        return -ENOMEM;
    if (below && below->handler == theirs->handler)
        below = n->name[n->newest].below;
    name = name_over(n, theirs->handler);
    pass_over(n, theirs->handler);
    n->name[name].below = below;
    __atomic_store_n(&n->name[name].means, theirs, __ATOMIC_RELEASE);
    if (name == n->used)
        __atomic_store_n(&n->used, name + 1, __ATOMIC_RELEASE);
    int again = is_taken(signal);
    if (!again) {               /* what is set from now on is written down under the new name */
        __atomic_store_n(&n->newest, name, __ATOMIC_RELEASE);
        __atomic_store_n(&taken[signal], 1, __ATOMIC_SEQ_CST);
    }
    struct action mine = ours_over(signal, theirs, name);
    error = kernel_action(signal, &mine, &was);
    if (error) {
        __atomic_store_n(&taken[signal], again, __ATOMIC_SEQ_CST);
        return error;
    }
    __atomic_store_n(&n->newest, name, __ATOMIC_RELEASE);
    /* Somebody may have been faster in between: what the exchange gave is the truth. */
    if (!is_ours(signal, &was) && !same_action(&was, theirs)) {
        if (!(theirs = keep(&was)))
            return -ENOMEM;
        __atomic_store_n(&n->name[name].means, theirs, __ATOMIC_RELEASE);
    }
    return 0;
}

/* Out of the sa_mask of a handler that was there before us, or came by a raw system call. */
static void open_mask(int signal)
{
    struct action found, was;
    while (kernel_action(signal, NULL, &found) == 0 && found.mask & kept_open) {
        struct action without = found;
        without.mask &= ~kept_open;
        if (kernel_action(signal, &without, &was) != 0)
            return;
        if (same_action(&was, &found)) {
            opened[signal] = found.handler;
            return;
        }
        /* Somebody set another one in between: it comes back, and is looked at in its turn. */
        kernel_action(signal, &was, NULL);
    }
}

/* The code that a handler returns to, which must be named to the kernel: libc's, as it stands in the handlers that HotSpot set through libc. */
static int find_restorer(void)
{
    for (int signal = 1; signal <= SIGNALS && !restorer; signal++) {
        struct action a;
        if (kernel_action(signal, NULL, &a) == 0 && a.flags & RESTORER)
            restorer = a.restorer;
    }
    return restorer ? 0 : -ENOTSUP;
}

static int remember_whose_memory(void)
{
    enum { WIPE_ON_FORK = 18 /* MADV_WIPEONFORK, Linux 4.14 */, PAGE = 4096 };
    if (not_forked)
        return 0;
    long page = up_syscall6(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page < 0 && page > -4096)
        return (int)page;
    up_syscall3(SYS_madvise, page, PAGE, WIPE_ON_FORK);
    *(volatile int32_t *)page = 1;
    owner = (int32_t)up_syscall3(SYS_getpid, 0, 0, 0);
    not_forked = (volatile int32_t *)page;
    return 0;
}

int up_signals_take(up_handler on_trap)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE };
    int error = find_restorer();
    if (!error)
        error = remember_whose_memory();
    if (error)
        return error;
    uint64_t all = ~(uint64_t)0, before;
    up_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET_SIZE);
    ours[SIGTRAP] = on_trap;
    error = take(SIGTRAP);
    /* Without the hook on sigaction whoever asks would see our handler, and -Xcheck:jni would complain. */
    for (unsigned i = 0; libc.sigaction && !error && i < sizeof faults / sizeof *faults; i++) {
        ours[faults[i]] = on_fault;
        error = take(faults[i]);
    }
    up_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
    for (int signal = 1; signal <= SIGNALS; signal++)
        if (!ours[signal] && signal != SIGKILL && signal != SIGSTOP)
            open_mask(signal);
    return error;
}

/* ---- giving back ---- */

int up_signals_guard(int32_t on)
{
    __atomic_store_n(&guarding, on, __ATOMIC_SEQ_CST);
    return 0;
}

/* Into the sa_mask of a handler that is still the one that wanted it. */
static void close_mask(int signal)
{
    struct action found, was;
    uint64_t handler = opened[signal];
    opened[signal] = 0;
    if (!handler || kernel_action(signal, NULL, &found) != 0 || found.handler != handler || found.mask & kept_open)
        return;
    struct action closed = found;
    closed.mask |= kept_open;
    if (kernel_action(signal, &closed, &was) == 0 && !same_action(&was, &found))
        kernel_action(signal, &was, NULL);      /* somebody set another one in between */
}

/* What the program has becomes what the kernel has, if that is ours. 1 if it is so now. */
static int give_back(int signal)
{
    __atomic_store_n(&taken[signal], 0, __ATOMIC_SEQ_CST);
    enum { ROUNDS = 100 };
    for (int i = 0; i < ROUNDS; i++) {
        struct action found, was;
        if (kernel_action(signal, NULL, &found) != 0)
            return 0;
        int32_t name = name_at(signal, found.handler);
        if (name == NO_NAME)
            return 1;
        struct action *theirs = meaning(signal, name);
        if (kernel_action(signal, theirs, &was) != 0)
            return 0;
        if (name_at(signal, was.handler) == NO_NAME)
            kernel_action(signal, &was, NULL);  /* set by the program in between */
        else if (meaning(signal, name) == theirs)
            return 1;
        else
            kernel_action(signal, meaning(signal, name), NULL);     /* written down in between */
    }
    return 0;
}

int up_signals_give_back(int32_t stays)
{
    int left = 0;
    uint64_t all = ~(uint64_t)0, before;
    up_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET_SIZE);
    for (int signal = 1; signal <= SIGNALS; signal++)
        if (ours[signal])
            left += signal != stays && !give_back(signal);
        else if (signal != SIGKILL && signal != SIGSTOP)
            close_mask(signal);
    up_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
    return left;
}

int64_t up_signals_masks_opened(void)
{
    return (int64_t)kept_open_masks;
}
