/* The engine's return path, interrupted at each of its instructions in turn: with the trap flag set a SIGTRAP comes after every one, which the
 * engine hands on as somebody else's. What chance finds in a million runs is found in one. */
#define _GNU_SOURCE
#include <execinfo.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define ODD __attribute__((noipa, visibility("default")))

struct counters { uint64_t hits, recorded, filtered, sampled_out, dropped, missed, timed, total_time, max_time, own_work, self_time; };     /* struct up_counters */

static uint64_t low, high;
static int how;
enum { OTHERS = 1, NESTED = 2, TRACES = 4 };
static int (*counters)(int probe, struct counters *into);
static int probe;
static volatile long wanted, stride, steps, difference, lost_callers;
static volatile int left, request;
static sigjmp_buf home;

/* The trap flag on or off; what lies below rsp stays as it is. */
#define TRAP_FLAG(operation) __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; " operation ", (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::: "memory", "cc")

/* To be probed by c. Below 0: what follows is stepped, the return first. */
ODD long odd_step_value(long n)
{
    if (n < 0)
        TRAP_FLAG("orq $0x100");
    return n * 3 + 1;
}

static __attribute__((noipa)) long stepped(long n)
{
    long result = odd_step_value(n);
    TRAP_FLAG("andq $~0x100");
    return result;
}

static int finds_the_caller(void)
{
    void *frames[64];
    int n = backtrace(frames, 64);
    for (int i = 0; i < n; i++)
        if ((uint64_t)frames[i] - (uint64_t)stepped < 64)
            return 1;
    return 0;
}

static void on_step(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    uint64_t ip = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    if (ip < low || ip >= high)
        return;
    if (++steps != wanted)
        return;
    left = 1;
    if (how & NESTED && odd_step_value(7) != 22)
        abort();
    if (how & TRACES) {
        lost_callers += !finds_the_caller();
        return;
    }
    for (request = how & OTHERS; request;)
        sched_yield();
    siglongjmp(home, 1);
}

/* Another thread's call of the same function, when it is asked for. */
static void *others_call(void *unused)
{
    while (wanted >= 0)
        if (request) {
            if (odd_step_value(11) != 34)
                abort();
            request = 0;
        } else {
            sched_yield();
        }
    return unused;
}

/* Over the place where an abandoned frame was. */
static __attribute__((noipa)) void overwrite(void)
{
    volatile char room[32 << 10];
    for (unsigned i = 0; i < sizeof room; i++)
        room[i] = (char)i;
}

static void *walk(void *unused)
{
    (void)unused;
    for (wanted = 1;; wanted += stride) {
        steps = left = 0;
        if (sigsetjmp(home, 1) == 0 && stepped(-5) != -14)
            return (void *)-1;
        overwrite();
        for (long i = 0; i < 3; i++)
            if (odd_step_value(i) != i * 3 + 1)
                return (void *)-1;
        struct counters c;
        if (counters && counters(probe, &c) == 0 && c.hits != c.recorded + c.filtered + c.sampled_out + c.dropped + c.missed) {
            difference = (long)(c.recorded + c.filtered + c.sampled_out + c.dropped + c.missed - c.hits);
            return (void *)wanted;
        }
        if (!left)
            return 0;
    }
}

/* Leaves the code between low_ and high_ at its first instruction behind a return, then `stride` instructions later, and so on. counters_:
 * up_probe_counters, asked after each for this probe on odd_step_value; 0: not asked. Returns the first of these instructions after which the sum of
 * the counters was not the hits, 0 if there is none, or -1. how_: 1 another thread has a call counted before the jump, 2 so has the handler, 4 no
 * jumps: the handler looks whether a backtrace finds the caller. */
ODD long odd_step_out(void *low_, void *high_, int how_, long stride_, int (*counters_)(int, struct counters *), int probe_)
{
    low = (uint64_t)low_, high = (uint64_t)high_, how = how_, stride = stride_, counters = counters_, probe = probe_;
    wanted = difference = lost_callers = request = 0;
    struct sigaction old, action = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_NODEFER };
    sigemptyset(&action.sa_mask);
    void *frames[4], *result = (void *)-1;
    backtrace(frames, 4);       /* loads the unwinder */
    sigaction(SIGTRAP, &action, &old);
    pthread_t walker, others;
    if (pthread_create(&others, 0, others_call, 0) != 0)
        return -1;
    if (pthread_create(&walker, 0, walk, 0) == 0)
        pthread_join(walker, &result);
    wanted = -1;
    pthread_join(others, 0);
    sigaction(SIGTRAP, &old, 0);
    return (long)result;
}
ODD long odd_step_steps(void) { return steps; }
ODD long odd_step_difference(void) { return difference; }
ODD long odd_step_lost_callers(void) { return lost_callers; }

/* ---- hits in the middle of a function of the engine's that runs outside the hit path ---- */
ODD long odd_identity(long);
ODD int odd_write_byte(long address, int value);
ODD int odd_read_byte(long address);

static uint64_t entered;
static long hits_inside;
static int first_byte;
static void on_entry(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (info->si_code != TRAP_TRACE) {
        gregs[REG_RIP]--;
        odd_write_byte((long)entered, first_byte);
        gregs[REG_EFL] |= 0x100;
    } else if ((uint64_t)gregs[REG_RIP] - entered >= high - entered) {
        gregs[REG_EFL] &= ~0x100;
    } else if (++steps == wanted) {
        for (long i = 0; i < hits_inside; i++)
            if (odd_identity(i) != i)
                abort();
        gregs[REG_EFL] &= ~0x100;
    }
}

/* When the function between these addresses is entered next it is interrupted after so many of its instructions, for so many calls of
 * odd_identity. With end 0: no more. */
ODD void odd_step_into(void *function, void *end, long instructions, long calls)
{
    static struct sigaction old;
    struct sigaction action = { .sa_sigaction = on_entry, .sa_flags = SA_SIGINFO | SA_NODEFER };
    sigemptyset(&action.sa_mask);
    if (!end) {
        sigaction(SIGTRAP, &old, 0);
        return;
    }
    sigaction(SIGTRAP, &action, entered ? 0 : &old);
    if (!entered)
        first_byte = odd_read_byte((long)function);
    entered = (uint64_t)function, high = (uint64_t)end, wanted = instructions, steps = 0, hits_inside = calls;
    odd_write_byte((long)function, 0xcc);
}
