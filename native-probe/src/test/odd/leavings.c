/* Ways to leave a probed function at a moment that nobody chose - a cancellation or a jump out of a signal handler - and calls that are suspended
 * on a stack of their own and go on elsewhere. Functions count their own calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))

static long leaf_calls, frame_calls;
ODD long odd_leave_leaf_calls(void) { return __atomic_load_n(&leaf_calls, __ATOMIC_SEQ_CST); }
ODD long odd_leave_frame_calls(void) { return __atomic_load_n(&frame_calls, __ATOMIC_SEQ_CST); }

ODD long odd_leave_leaf(long n)
{
    __atomic_add_fetch(&leaf_calls, 1, __ATOMIC_RELAXED);
    return n * 3 + 1;
}

/* Calls the leaf until something ends it. */
ODD long odd_leave_frame(long n)
{
    __atomic_add_fetch(&frame_calls, 1, __ATOMIC_RELAXED);
    for (volatile long i = 0;; i++)
        if (odd_leave_leaf(i + n) != (i + n) * 3 + 1)
            abort();
}

/* ---- cancelled at any instruction ---- */
static volatile int running;
static int cleaned;
static void clean(void *unused) { (void)unused; __atomic_add_fetch(&cleaned, 1, __ATOMIC_SEQ_CST); }

static void *cancelled_anywhere(void *n)
{
    int old;
    pthread_cleanup_push(clean, 0);
    pthread_cleanup_push(clean, 0);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    running = 1;
    odd_leave_frame((long)n);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return 0;
}
/* Rounds in which the thread did not end as cancelled with each of its two handlers run once. */
ODD int odd_cancel_anywhere(int rounds)
{
    int wrong = 0;
    for (int i = 0; i < rounds; i++) {
        pthread_t t;
        void *result = 0;
        cleaned = running = 0;
        if (pthread_create(&t, 0, cancelled_anywhere, (void *)(long)i) != 0)
            return -1;
        while (!running)
            sched_yield();
        struct timespec nap = { 0, 100000 + i % 97 * 1000 };
        nanosleep(&nap, 0);
        pthread_cancel(t);
        pthread_join(t, &result);
        wrong += result != PTHREAD_CANCELED || cleaned != 2;
    }
    return wrong;
}

/* ---- what a container may forbid ---- */
/* process_vm_readv and process_vm_writev fail with EPERM from now on, in the whole process. */
ODD int odd_forbid_memory_access(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_writev, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

/* ---- a handler that jumps out of what it interrupted ---- */
static __thread sigjmp_buf home;
static __thread volatile int armed;
static void jump_home(int signal)
{
    (void)signal;
    if (armed) {
        armed = 0;
        siglongjmp(home, 23);
    }
}

/* A signal that the probed function sends to itself: the handler interrupts its body. */
ODD long odd_leave_raises(long depth)
{
    if (depth > 0)
        depth = odd_leave_raises(depth - 1);
    else
        raise(SIGUSR1);
    __asm__ volatile("" : "+r"(depth));
    return depth + 1;
}
static void take_signal(struct sigaction *old, int flags)
{
    struct sigaction action = { .sa_handler = jump_home, .sa_flags = flags };
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, old);
}
ODD int odd_leave_by_handler(long depth)
{
    struct sigaction old;
    take_signal(&old, SA_RESTART);
    int came = sigsetjmp(home, 1);
    if (came == 0) {
        armed = 1;
        odd_leave_raises(depth);
    }
    sigaction(SIGUSR1, &old, 0);
    return came;
}

/* Signals that come at any instruction of a thread that does nothing but call probed functions. */
static volatile int done;
static int jumps_made;
static void *jumps_home_often(void *rounds)
{
    for (volatile long i = 0; i < (long)rounds; i++) {
        if (sigsetjmp(home, 1) == 0) {
            armed = 1;
            odd_leave_frame(i);
        }
        jumps_made++;
    }
    /* The thread lives on: what was abandoned must not be in the way of its next hits. */
    for (long i = 0; i < 1000; i++)
        if (odd_leave_leaf(i) != i * 3 + 1)
            jumps_made = -1;
    done = 1;
    while (done != 2)
        usleep(1000);
    return 0;
}
static pthread_t jumper;
/* Returns how often the thread jumped, or -1; it then waits for odd_leave_jumper_end. */
ODD int odd_leave_anywhere(long rounds)
{
    take_signal(0, SA_RESTART);
    done = jumps_made = 0;
    if (pthread_create(&jumper, 0, jumps_home_often, (void *)rounds) != 0)
        return -1;
    for (long i = 0; !done; i++) {
        struct timespec nap = { 0, 50000 + i % 89 * 1000 };
        nanosleep(&nap, 0);
        if (!done)
            pthread_kill(jumper, SIGUSR1);
    }
    return jumps_made;          /* the handler stays: the last signal may still be on its way */
}

/* To be probed; tells where its return address is and is left by a jump. */
static uint64_t *volatile left_word;
static __thread jmp_buf left_from;
ODD long odd_leave_jumps(long n)
{
    left_word = (uint64_t *)__builtin_frame_address(0) + 1;
    if (n >= 0)
        longjmp(left_from, 1);
    return n;
}
/* Far below what later calls and their signal frames write to. */
static __attribute__((noipa)) long far_below(void)
{
    volatile char room[256 << 10];
    room[0] = 1;
    return odd_leave_jumps(room[0]) + room[0];
}
static void *leaves_a_number(void *number)
{
    if (setjmp(left_from) == 0)
        far_below();
    *left_word = (uint64_t)number;
    done = odd_leave_leaf(1) == 4 ? 1 : -1;
    while (done != 2)
        usleep(1000);
    return 0;
}
/* A thread leaves a probed call, has this number where its return address was, makes another and waits for odd_leave_jumper_end. 1, or -1 if a result
 * was wrong. */
ODD int odd_leave_number(long number)
{
    done = 0;
    if (pthread_create(&jumper, 0, leaves_a_number, (void *)number) != 0)
        return -1;
    while (done == 0)
        usleep(1000);
    return done;
}

ODD void odd_leave_jumper_end(void)
{
    done = 2;
    pthread_join(jumper, 0);
}

/* ---- hits in a handler on a stack of its own, which lies above the thread's ---- */
/* Part of the library, which was mapped before the threads' stacks were: its addresses are the higher ones. */
static char signal_stack[64 << 10] __attribute__((aligned(64)));
static int handled;
ODD long odd_leave_beside(long n)
{
    return n * 5 + 1;
}
static void call_in_handler(int signal)
{
    (void)signal;
    if (odd_leave_leaf(7) != 22 || odd_leave_beside(7) != 36)
        abort();
    __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}
static void *calls_often(void *unused)
{
    stack_t own = { .ss_sp = signal_stack, .ss_size = sizeof signal_stack }, off = { .ss_flags = SS_DISABLE };
    sigaltstack(&own, 0);
    running = 1;
    long wrong = 0;
    for (long i = 0; !done; i++)
        wrong += odd_leave_leaf(i) != i * 3 + 1;
    sigaltstack(&off, 0);
    (void)unused;
    return (void *)wrong;
}
/* Returns the wrong results, or -1 if the handler did not run or its stack is not above the thread's. */
ODD long odd_leave_handler_stack(int signals)
{
    struct sigaction old, action = { .sa_handler = call_in_handler, .sa_flags = SA_RESTART | SA_ONSTACK };
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, &old);
    pthread_t t;
    void *wrong = 0;
    done = running = handled = 0;
    if (pthread_create(&t, 0, calls_often, 0) != 0)
        return -1;
    while (!running)
        sched_yield();
    for (int i = 0; i < signals; i++) {
        int before = __atomic_load_n(&handled, __ATOMIC_RELAXED);
        pthread_kill(t, SIGUSR1);
        for (int naps = 0; __atomic_load_n(&handled, __ATOMIC_RELAXED) == before && naps < 100000; naps++)
            usleep(20);         /* not before it has come: signals that wait at one time are one */
    }
    done = 1;
    pthread_attr_t attributes;
    void *stack = 0;
    size_t size;
    pthread_getattr_np(t, &attributes);
    pthread_attr_getstack(&attributes, &stack, &size);
    pthread_attr_destroy(&attributes);
    pthread_join(t, &wrong);
    sigaction(SIGUSR1, &old, 0);
    return handled == signals && (char *)stack < signal_stack ? (long)wrong : -1;
}

/* ---- the same on the calling thread, and with the handlers' stack a part of its own ---- */
static volatile pthread_t caller;
static void *send_signals(void *signals)
{
    for (long i = 0; i < (long)signals; i++) {
        int before = __atomic_load_n(&handled, __ATOMIC_RELAXED);
        pthread_kill(caller, SIGUSR1);
        for (int naps = 0; __atomic_load_n(&handled, __ATOMIC_RELAXED) == before && naps < 100000; naps++)
            usleep(20);
    }
    done = 1;
    return 0;
}
/* Returns the wrong results, -1, or -2 if the handlers' stack would not be above the thread's. */
ODD long odd_leave_handler_of_caller(long signals, int is_own)
{
    char own[64 << 10] __attribute__((aligned(64)));
    stack_t there = { .ss_sp = is_own ? own : signal_stack, .ss_size = sizeof own }, before;
    if (!is_own && &own[0] > &signal_stack[0])
        return -2;
    struct sigaction old, action = { .sa_handler = call_in_handler, .sa_flags = SA_RESTART | SA_ONSTACK };
    sigemptyset(&action.sa_mask);
    sigaltstack(&there, &before);
    sigaction(SIGUSR1, &action, &old);
    long wrong = 0;
    pthread_t t;
    done = handled = 0;
    caller = pthread_self();
    if (pthread_create(&t, 0, send_signals, (void *)signals) != 0)
        return -1;
    for (long i = 0; !done; i++)
        wrong += odd_leave_leaf(i) != i * 3 + 1;
    pthread_join(t, 0);
    sigaction(SIGUSR1, &old, 0);
    sigaltstack(&before, 0);
    return handled == signals ? wrong : -1;
}

/* ---- coroutines: calls suspended in the middle, and resumed by another thread, in another order, or never ---- */
enum { COROUTINES = 64, STACK = 64 << 10 };
static struct coroutine {
    ucontext_t self, resumer;
    char *stack;
    long number, result;
    int finished;
} coroutines[COROUTINES];

/* noipa: whatever thread comes back, nothing of the old one is kept in a register. */
__attribute__((noipa)) static void suspend(struct coroutine *c) { swapcontext(&c->self, &c->resumer); }
__attribute__((noipa)) static void resume(struct coroutine *c) { swapcontext(&c->resumer, &c->self); }

ODD long odd_co_inner(long number)
{
    suspend(&coroutines[number]);
    return number * 5 + 2;
}
ODD long odd_co_outer(long number)
{
    long inner = odd_co_inner(number);
    suspend(&coroutines[number]);
    return inner + number * 7;
}
static void body(int number)
{
    struct coroutine *c = &coroutines[number];
    c->result = odd_co_outer(number);
    c->finished = 1;
    for (;;)
        suspend(c);
}

/* Made, one after the other, and run into the middle of odd_co_inner. */
__attribute__((noipa)) static int start(int number)
{
    struct coroutine *c = &coroutines[number];
    c->stack = mmap(0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c->stack == MAP_FAILED || getcontext(&c->self) != 0)
        return -1;
    c->self.uc_stack = (stack_t){ .ss_sp = c->stack, .ss_size = STACK };
    c->finished = 0;
    makecontext(&c->self, (void (*)(void))body, 1, number);
    resume(c);
    return 0;
}
ODD int odd_co_start(void)
{
    for (int i = 0; i < COROUTINES; i++)
        if (start(i) != 0)
            return -1;
    return COROUTINES;
}
/* Resumes those numbers that leave `rest` when divided by `step`. */
ODD void odd_co_resume(int step, int rest, int backwards)
{
    for (int i = 0; i < COROUTINES; i++) {
        int at = backwards ? COROUTINES - 1 - i : i;
        if (at % step == rest && !coroutines[at].finished)
            resume(&coroutines[at]);
    }
}
static void *resume_all(void *backwards)
{
    odd_co_resume(1, 0, backwards != 0);
    return 0;
}
ODD int odd_co_resume_on_new_thread(int backwards)
{
    pthread_t t;
    return pthread_create(&t, 0, resume_all, (void *)(long)backwards) != 0 ? -1 : pthread_join(t, 0);
}
/* Their stacks go, whether they have finished or not. Returns those that finished with the right result. */
ODD int odd_co_end(void)
{
    int right = 0;
    for (int i = 0; i < COROUTINES; i++) {
        right += coroutines[i].finished && coroutines[i].result == i * 12L + 2;
        munmap(coroutines[i].stack, STACK);
    }
    return right;
}

/* ---- jumps out of the engine where a coroutine returns on another thread than it was called on ---- */
static uint64_t engine_low, engine_high;
static __thread sigjmp_buf back;
static __thread volatile int resuming;
static int resumers_left;
static void leave_the_engine(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    uint64_t ip = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    if (!resuming || ip < engine_low || ip >= engine_high)
        return;
    resuming = 0;
    resumers_left++;
    siglongjmp(back, 1);
}
static void *resume_beneath_signals(void *unused)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 3 };
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    timer_t timer;
    resuming = 0;               /* a handler must not be the first to use it: ld.so would allocate it */
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        return unused;
    struct itimerspec often = { { 0, 23000 }, { 0, 23000 } };
    timer_settime(timer, 0, &often, 0);
    for (volatile int i = 0; i < COROUTINES; i++)
        if (sigsetjmp(back, 1) == 0) {
            resuming = 1;
            resume(&coroutines[i]);
            resuming = 0;
        }
    timer_delete(timer);
    return 0;
}
/* Returns how often a coroutine's return was left half-way, or -1. */
ODD int odd_co_left_elsewhere(void *low, void *high, int rounds)
{
    engine_low = (uint64_t)low, engine_high = (uint64_t)high, resumers_left = 0;
    struct sigaction old, action = { .sa_sigaction = leave_the_engine, .sa_flags = SA_SIGINFO };
    sigemptyset(&action.sa_mask);
    sigaction(SIGRTMIN + 3, &action, &old);
    for (int i = 0; i < rounds; i++) {
        pthread_t t;
        void *failed = (void *)1;
        if (odd_co_start() != COROUTINES || pthread_create(&t, 0, resume_beneath_signals, (void *)1) != 0)
            return -1;
        pthread_join(t, &failed);
        if (failed)
            return -1;
        odd_co_end();
    }
    sigaction(SIGRTMIN + 3, &old, 0);
    return resumers_left;
}

/* odd_co_start on a thread that has ended when this returns. */
static void *start_coroutines(void *started)
{
    *(int *)started = odd_co_start();
    return 0;
}
ODD int odd_co_start_on_ended_thread(void)
{
    pthread_t t;
    int started = -1;
    if (pthread_create(&t, 0, start_coroutines, &started) == 0)
        pthread_join(t, 0);
    return started;
}
