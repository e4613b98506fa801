/* Handlers that came past libc, by an rt_sigaction of code that is in no library, and forward to what they found, as what a run-time system has compiled
 * may do: what they found is the engine's handler. And SIGTRAPs that are sent, to a thread that stands behind a site of one byte. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))

typedef void (*handler)(int signal, siginfo_t *info, void *context);
struct action { handler call; uint64_t flags; void *restorer; uint64_t mask; };     /* the kernel's */

enum { LINKS = 3, DEEPEST = 50 };
static struct action found[LINKS];
static int seen[LINKS], seen_below, depth;
static struct sigaction below;
extern const char forward_fault[] __attribute__((visibility("hidden"))), forward_divide[] __attribute__((visibility("hidden")));

/* The last of them, set by libc's sigaction: repairs what odd_forward_raise does and leaves the rest to who was there before. */
static void last(int signal, siginfo_t *info, void *context)
{
    greg_t *ip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    int length = *ip == (greg_t)forward_fault ? 3 : *ip == (greg_t)forward_divide ? 2 : 0;
    if (length == 0 && signal == SIGSEGV) {
        below.sa_sigaction(signal, info, context);
        return;
    }
    seen_below++;
    *ip += length;
}

static void forward(int n, int signal, siginfo_t *info, void *context)
{
    if (signal != SIGSEGV || ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] == (greg_t)forward_fault)
        seen[n]++;
    if (++depth > DEEPEST)
        _exit(88);              /* round and round */
    found[n].call(signal, info, context);
    depth--;
}
static void first(int signal, siginfo_t *info, void *context) { forward(0, signal, info, context); }
static void second(int signal, siginfo_t *info, void *context) { forward(1, signal, info, context); }
static void third(int signal, siginfo_t *info, void *context) { forward(2, signal, info, context); }

/* b8 0d 00 00 00  mov $13, %eax; 49 89 ca  mov %rcx, %r10; 0f 05  syscall; c3  ret */
static long rt_sigaction(int signal, const struct action *set, struct action *old)
{
    static const unsigned char code[] = { 0xb8, 13, 0, 0, 0, 0x49, 0x89, 0xca, 0x0f, 0x05, 0xc3 };
    static long (*raw)(long signal, const struct action *set, struct action *old, long size);
    if (!raw) {
        void *page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memcpy(page, code, sizeof code);
        raw = (long (*)(long, const struct action *, struct action *, long))page;
    }
    return raw(signal, set, old, sizeof(uint64_t));
}

ODD int odd_forward_last(int signal)
{
    struct sigaction a = { .sa_sigaction = last, .sa_flags = SA_SIGINFO };
    return sigaction(signal, &a, &below);
}
ODD int odd_forward_last_end(int signal) { return sigaction(signal, &below, 0); }
ODD int odd_forward_install(int n, int signal)
{
    static const handler all[LINKS] = { first, second, third };
    if (rt_sigaction(signal, 0, &found[n]) != 0)
        return -1;
    struct action mine = found[n];
    mine.call = all[n];
    return (int)rt_sigaction(signal, &mine, 0);
}
ODD int odd_forward_put_back(int n, int signal) { return (int)rt_sigaction(signal, &found[n], 0); }
/* How often each of the links and the last one has seen what odd_forward_raise did: a decimal digit each, the last one's first. */
ODD int odd_forward_seen(void)
{
    int digits = seen_below * 1000 + seen[2] * 100 + seen[1] * 10 + seen[0];
    seen_below = seen[0] = seen[1] = seen[2] = 0;
    return digits;
}
ODD int odd_forward_raise(int signal)
{
    switch (signal) {
    case SIGSEGV:
        __asm__ volatile(".globl forward_fault\n.hidden forward_fault\nforward_fault: movq (%%rax), %%rax" : : "a"(8L));
        break;
    case SIGFPE:
        __asm__ volatile(".globl forward_divide\n.hidden forward_divide\nforward_divide: divl %%ecx" : : "a"(1), "d"(0), "c"(0));
        break;
    case SIGTRAP:
        __asm__ volatile("int3");
        break;
    default:
        return raise(signal);
    }
    return 0;
}

/* ---- sent traps ---- */

static volatile int stop, standing, passed;
static volatile long sent_seen, deepest;
static char *stack_base;

/* 53  push rbx  <- the site; the thread then stays at the three instructions behind it. Returns 7 * number. */
__asm__(".globl odd_stands_behind\n.type odd_stands_behind, @function\nodd_stands_behind:\n"
        "push %rbx\n1: movl $1, passed(%rip)\ncmpl $0, stop(%rip)\nje 1b\npop %rbx\nlea (%rdi,%rdi,2), %rax\nlea (%rax,%rax), %rax\nadd %rdi, %rax\nret\n"
        ".size odd_stands_behind, . - odd_stands_behind");
extern long odd_stands_behind(long number);

static void on_sent(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    char here;
    if (stack_base - &here > deepest)
        deepest = stack_base - &here;
    sent_seen++;
}
static void *stand(void *result)
{
    char here;
    stack_base = &here;
    standing = (int)syscall(SYS_gettid);
    *(long *)result = odd_stands_behind(1999993);
    return 0;
}

extern long odd_stands_for_a_moment(long number);
/* As above, but it only passes. */
__asm__(".globl odd_stands_for_a_moment\n.type odd_stands_for_a_moment, @function\nodd_stands_for_a_moment:\n"
        "push %rbx\nmov %rdi, %rbx\nlea 3(%rbx), %rax\npop %rbx\nret\n"
        ".size odd_stands_for_a_moment, . - odd_stands_for_a_moment");
ODD long odd_identity(long);
static void *pass_often(void *calls)
{
    standing = (int)syscall(SYS_gettid);
    for (long i = 0; !stop; i++) {
        if (odd_stands_for_a_moment(i) != i + 3 || odd_identity(i) != i)
            return (void *)1;
        *(volatile long *)calls = i + 1;
    }
    return 0;
}

/* Sends while the thread runs into one trap after the other, for ten seconds at most: where others want the processors each takes a while. Returns the
 * calls of each function, below 0: a wrong result. */
ODD long odd_sent_among_traps(long signals)
{
    struct sigaction action = { .sa_sigaction = on_sent, .sa_flags = SA_SIGINFO }, old;
    pthread_t thread;
    void *wrong;
    static volatile long calls;
    stop = standing = 0;
    calls = sent_seen = 0;
    if (sigaction(SIGTRAP, &action, &old) != 0 || pthread_create(&thread, 0, pass_often, (void *)&calls) != 0)
        return -1;
    while (!standing)
        sched_yield();
    time_t end = time(0) + 10;
    for (long i = 0; i < signals && time(0) < end; i++) {
        long before = sent_seen;
        syscall(SYS_tgkill, getpid(), standing, SIGTRAP);
        for (int j = 0; j < 20 && sent_seen == before; j++)     /* one that comes while another waits is none */
            sched_yield();
    }
    stop = 1;
    pthread_join(thread, &wrong);
    sigaction(SIGTRAP, &old, 0);
    return wrong ? -2 : calls;
}
ODD long odd_sent_seen(void) { return sent_seen; }

/* How many signals came of so many that were sent, by tgkill one after the other (period 0) or by a timer; below 0: what went wrong. The handler's frames
 * took *deep bytes. */
ODD long odd_sent_traps(long signals, long period, int flags, long *deep)
{
    struct sigaction action = { .sa_sigaction = on_sent, .sa_flags = SA_SIGINFO | flags }, old;
    pthread_t thread;
    long result = 0;
    stop = standing = passed = 0;
    sent_seen = deepest = 0;
    if (sigaction(SIGTRAP, &action, &old) != 0 || pthread_create(&thread, 0, stand, &result) != 0)
        return -1;
    while (!standing || !passed)    /* a signal that waits while the trap comes is one with it */
        sched_yield();
    if (period == 0) {
        for (long i = 0; i < signals; i++) {
            syscall(SYS_tgkill, getpid(), standing, SIGTRAP);
            while (sent_seen == i)
                sched_yield();
        }
    } else {
        timer_t timer;
        struct sigevent event;
        memset(&event, 0, sizeof event);
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGTRAP;
        event._sigev_un._tid = standing;
        struct itimerspec each = { { 0, period }, { 0, period } };
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &each, 0) != 0)
            return -2;
        while (sent_seen < signals)
            sched_yield();
        timer_delete(timer);
    }
    stop = 1;
    pthread_join(thread, 0);
    sigaction(SIGTRAP, &old, 0);
    *deep = deepest;
    return result == 7 * 1999993L ? sent_seen : -3;
}
ODD int odd_sa_nodefer(void) { return SA_NODEFER; }
