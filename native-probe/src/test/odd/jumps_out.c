/* Signals that interrupt the probe engine at any instruction of its return path and jump out of it for good, as programs do that bound a
 * computation by SIGALRM and siglongjmp. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))

static volatile long calls, landings;
static volatile int jumping;
static uint64_t low, high;
static long wanted;
static int alternate, nested;
static volatile long inner_landings;
static volatile int within;
static sigjmp_buf back, back_within;
static const long number = 1999993;

/* A signal is sent a moment after the handler of the one before has begun, or, from DEEPEST on, has ended: however slow the machine is, they do not pile up
 * before a handler's first instruction. */
enum { MOMENT_NS = 23000, DEEPEST = 16 };
static timer_t timer;
static volatile int depth;
static void again_soon(void)
{
    struct itimerspec once = { { 0, 0 }, { 0, MOMENT_NS } };
    timer_settime(timer, 0, &once, 0);
}

/* To be probed by c with a field that is read from where the result points: a system call between the record's first byte and its last. */
ODD const long *odd_leaves_value(long value)
{
    calls++;
    return value >= 0 ? &number : 0;
}

static void out(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    int own = ++depth;
    if (own < DEEPEST)
        again_soon();
    uint64_t ip = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    if (!jumping || ip < low || ip >= high) {
        depth = own - 1;
        if (own >= DEEPEST)
            again_soon();
        return;
    }
    if (within) {               /* out of a frame inside one that is still there */
        inner_landings++;
        siglongjmp(back_within, 1);
    }
    /* Hits that nest in the interrupted frame, and return while it is still there. */
    within = nested;
    volatile long before = inner_landings, calls_here = 0;
    sigsetjmp(back_within, 1);
    depth = own;
    again_soon();
    do {
        if (odd_leaves_value(7) != &number)
            _exit(97);
    } while (nested && inner_landings == before && calls_here++ < 50);
    within = 0;
    if (landings++ % 2 && nested) {
        depth = own - 1;
        return;                 /* the interrupted frame goes on */
    }
    siglongjmp(back, 1);
}

/* One more frame, and more stack below the probed call, in two rounds of three. */
static __attribute__((noipa)) const long *deeper(long i)
{
    volatile char room[1500];
    room[i % 1500] = 1;
    return odd_leaves_value(i) + (room[i % 1500] - 1);
}

static void *bombard(void *unused)
{
    stack_t stack = { .ss_size = 8 << 20 }, before;
    if (alternate) {
        stack.ss_sp = mmap(0, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        sigaltstack(&stack, &before);
    }
    struct sigaction action = { .sa_sigaction = out, .sa_flags = SA_SIGINFO | (alternate ? SA_ONSTACK : 0) | (nested ? SA_NODEFER : 0) }, old;
    sigaction(SIGRTMIN + 3, &action, &old);
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 3 };
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    void *result = (void *)-1;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) {
        volatile long i = 0, wrong = 0;
        sigsetjmp(back, 1);
        depth = 0;
        jumping = 1;
        again_soon();
        while (landings < wanted && i < 3000000) {
            i++;
            const long *p = i % 3 ? deeper(i) : odd_leaves_value(i);
            wrong += *p != 1999993;
        }
        jumping = 0;
        timer_delete(timer);
        result = (void *)wrong;
    }
    sigaction(SIGRTMIN + 3, &old, 0);
    if (alternate) {
        sigaltstack(&before, 0);
        munmap(stack.ss_sp, stack.ss_size);
    }
    return result == (void *)-1 ? result : unused ? unused : result;
}

/* Jumps out of the code between low_ and high_ until it has landed there so often. how: 1 on a new thread, 2 handlers on an alternate stack, 4 a
 * second signal interrupts the engine inside the handler, jumps out of that, and the first handler returns every other time. Returns wrong
 * results, or -1. */
ODD long odd_jump_out(void *low_, void *high_, long landings_, int how)
{
    low = (uint64_t)low_, high = (uint64_t)high_, wanted = landings_, alternate = how & 2, nested = how & 4;
    calls = landings = inner_landings = 0;
    void *result = (void *)-1;
    if (!(how & 1))
        return (long)bombard(0);
    pthread_t t;
    if (pthread_create(&t, 0, bombard, 0) == 0)
        pthread_join(t, &result);
    return (long)result;
}
ODD long odd_jump_calls(void) { return calls; }
ODD long odd_jump_landings(void) { return landings; }
ODD long odd_jump_inner_landings(void) { return inner_landings; }
