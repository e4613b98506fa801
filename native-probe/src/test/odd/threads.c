/* Threads of a library's own: hits without a Java frame below, and ends of threads inside a probed call. */
#define _GNU_SOURCE
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))
ODD long odd_identity(long);
ODD long odd_seven(long, const char *, double);

/* ---- workers that call and check until told to stop ---- */
static volatile int stop;
static volatile long wrong_results, calls_made;
static pthread_t workers[64];
static int worker_count;

static void *work(void *unused)
{
    long made = 0, wrong = 0;
    while (!stop) {
        for (long i = 0; i < 100; i++, made++)
            wrong += odd_identity(made * 3) != made * 3;
        wrong += odd_seven(1999993, "seven", 2.5) != 4000001;
    }
    __atomic_add_fetch(&wrong_results, wrong, __ATOMIC_RELAXED);
    __atomic_add_fetch(&calls_made, made, __ATOMIC_RELAXED);
    return unused;
}

ODD int odd_workers_start(int n)
{
    stop = 0, wrong_results = calls_made = 0;
    for (worker_count = 0; worker_count < n; worker_count++)
        if (pthread_create(&workers[worker_count], 0, work, 0) != 0)
            return -1;
    return 0;
}
/* The number of calls of odd_identity, or -1 if a result was wrong. */
ODD long odd_workers_stop(void)
{
    stop = 1;
    for (int i = 0; i < worker_count; i++)
        pthread_join(workers[i], 0);
    return wrong_results ? -1 : calls_made;
}

/* One thread that calls odd_identity n times and ends. Returns wrong results. */
static void *call_times(void *n)
{
    long wrong = 0;
    for (long i = 0; i < (long)n; i++)
        wrong += odd_identity(i) != i;
    return (void *)wrong;
}
ODD long odd_on_new_thread(long n)
{
    pthread_t t;
    void *wrong = (void *)-1;
    if (pthread_create(&t, 0, call_times, (void *)n) == 0)
        pthread_join(t, &wrong);
    return (long)wrong;
}

/* `threads` of them at once, at most 64. Returns wrong results, or -1. */
ODD long odd_wave(int threads, long n)
{
    pthread_t t[64];
    long wrong = 0;
    int started = 0;
    while (started < threads && started < 64 && pthread_create(&t[started], 0, call_times, (void *)n) == 0)
        started++;
    for (int i = 0; i < started; i++) {
        void *result;
        pthread_join(t[i], &result);
        wrong += (long)result;
    }
    return started == threads ? wrong : -1;
}

/* ---- a thread that has SIGTRAP blocked ---- */
static pthread_t blocker;
static volatile int blocker_ends;
static void *block(void *unused)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTRAP);
    pthread_sigmask(SIG_BLOCK, &set, 0);
    pthread_setname_np(pthread_self(), "deaf-to-traps");
    blocker_ends = 1;
    while (blocker_ends != 2)
        usleep(1000);
    return unused;
}
ODD int odd_blocker_start(void)
{
    blocker_ends = 0;
    int error = pthread_create(&blocker, 0, block, 0);
    while (!error && !blocker_ends)
        usleep(1000);
    return error;
}
ODD void odd_blocker_end(void)
{
    blocker_ends = 2;
    pthread_join(blocker, 0);
}

/* ---- threads that end inside a probed call ---- */
static volatile int inside, cleaned;
static void clean(void *unused) { (void)unused; cleaned++; }

ODD long odd_waits(long n)
{
    inside = 1;
    for (;;)
        usleep(1000 + (unsigned)n);     /* a cancellation point */
}
ODD long odd_exits(long n)
{
    pthread_exit((void *)(n + 1));
}
static void *cancelled(void *unused)
{
    pthread_cleanup_push(clean, 0);
    odd_waits(5);
    pthread_cleanup_pop(0);
    return unused;
}
static void *exiting(void *unused)
{
    pthread_cleanup_push(clean, 0);
    odd_exits(41);
    pthread_cleanup_pop(0);
    return unused;
}
/* 0 if the thread was cancelled in odd_waits and its cleanup handler ran once. */
ODD int odd_cancel(void)
{
    pthread_t t;
    void *result = 0;
    inside = cleaned = 0;
    if (pthread_create(&t, 0, cancelled, 0) != 0)
        return 1;
    while (!inside)
        usleep(1000);
    pthread_cancel(t);
    pthread_join(t, &result);
    return result != PTHREAD_CANCELED ? 2 : cleaned != 1 ? 3 : 0;
}
ODD int odd_exit_thread(void)
{
    pthread_t t;
    void *result = 0;
    cleaned = 0;
    if (pthread_create(&t, 0, exiting, 0) != 0)
        return 1;
    pthread_join(t, &result);
    return result != (void *)42 ? 2 : cleaned != 1 ? 3 : 0;
}

/* ---- longjmp over probed frames ---- */
static jmp_buf home;
static volatile int home_is_set;
ODD long odd_jumper(long n)
{
    if (n > 0)
        n = odd_jumper(n - 1);
    else if (home_is_set)
        longjmp(home, 23);
    __asm__ volatile("" : "+r"(n));         /* or gcc makes a loop of it */
    return n + 1;
}
ODD int odd_jump_home(long depth)
{
    int came = setjmp(home);
    home_is_set = 1;
    if (came == 0)
        odd_jumper(depth);
    return came;
}

/* ---- backtrace(3) inside probed frames ---- */
ODD int odd_trace(long depth, void **into, int capacity)
{
    int n = depth == 0 ? backtrace(into, capacity) : odd_trace(depth - 1, into, capacity);
    __asm__ volatile("" : "+r"(n));     /* no tail call */
    return n;
}

/* ---- sleeps under two named callers, for a debugger ---- */
static volatile int awake;
ODD long odd_naps(long n)
{
    while (!awake)
        usleep(1000);
    return n + 1;
}
ODD long odd_naps_caller(long n) { return odd_naps(n) + 10; }
ODD long odd_naps_callers_caller(long n) { awake = 0; return odd_naps_caller(n) + 100; }
ODD void odd_wake(void) { awake = 1; }
