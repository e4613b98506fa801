/* What libraries do with signals: threads that block all of them, handlers with full masks, on stacks of their own, for faults of their own. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))
ODD long odd_identity(long);
ODD long odd_load(const long *);
ODD long odd_divide(long, long);
extern const long odd_divide_at;

static uint64_t mask_now(void)
{
    sigset_t now;
    uint64_t word;
    pthread_sigmask(SIG_BLOCK, 0, &now);
    memcpy(&word, &now, sizeof word);
    return word << 1;
}
/* Bit n: the calling thread has signal n blocked. */
ODD long odd_mask(void) { return (long)mask_now(); }

/* ---- threads ---- */
static volatile uint64_t mask_of_thread;
static void *call_identity(void *n)
{
    long wrong = 0;
    mask_of_thread = mask_now();
    for (long i = 0; i < (long)n; i++)
        wrong += odd_identity(i) != i;
    return (void *)wrong;
}
ODD long odd_mask_of_thread(void) { return (long)mask_of_thread; }

/* librdkafka and many others: new threads are to get no signals. Returns wrong results, or -1. */
ODD long odd_deaf_thread(long n)
{
    sigset_t all, before;
    pthread_t t;
    void *wrong = (void *)-1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&t, 0, call_identity, (void *)n);
    pthread_sigmask(SIG_SETMASK, &before, 0);
    if (!error)
        pthread_join(t, &wrong);
    return (long)wrong;
}

ODD long odd_deaf_by_attribute(long n)
{
    sigset_t all;
    pthread_attr_t attributes;
    pthread_t t;
    void *wrong = (void *)-1;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    if (pthread_attr_setsigmask_np(&attributes, &all) == 0 && pthread_create(&t, &attributes, call_identity, (void *)n) == 0)
        pthread_join(t, &wrong);
    pthread_attr_destroy(&attributes);
    return (long)wrong;
}

static volatile int deaf_state;
static pthread_t deaf;
static void *wait_deaf(void *unused)
{
    pthread_setname_np(pthread_self(), "deaf-to-all");
    deaf_state = 1;
    while (deaf_state == 1)
        usleep(1000);
    return unused;
}
ODD int odd_deaf_start(void)
{
    sigset_t all, before;
    deaf_state = 0;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&deaf, 0, wait_deaf, 0);
    sigprocmask(SIG_SETMASK, &before, 0);
    while (!error && !deaf_state)
        usleep(1000);
    return error;
}
ODD void odd_deaf_end(void)
{
    deaf_state = 2;
    pthread_join(deaf, 0);
}

/* The least stack that glibc gives. */
ODD long odd_small_stack(long n)
{
    pthread_attr_t attributes;
    pthread_t t;
    void *wrong = (void *)-1;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0
            && pthread_create(&t, &attributes, call_identity, (void *)n) == 0)
        pthread_join(t, &wrong);
    pthread_attr_destroy(&attributes);
    return (long)wrong;
}

/* Threads that block and open everything and set handlers, without a pause, while the engine puts its jumps there. */
static volatile int churning;
static volatile long churn_wrong;
static pthread_t churners[8];
static void quiet(int signal) { (void)signal; }
static void *churn(void *signal)
{
    sigset_t all, before, now;
    struct sigaction a, was;
    memset(&a, 0, sizeof a);
    a.sa_handler = quiet;
    sigfillset(&all);
    sigfillset(&a.sa_mask);
    int wrong = 0;              /* a bit for each thing that was */
    while (churning) {
        wrong |= pthread_sigmask(SIG_SETMASK, &all, &before) != 0;
        wrong |= (pthread_sigmask(SIG_BLOCK, 0, &now) != 0) << 1;
        wrong |= (!sigismember(&now, SIGHUP) || !sigismember(&now, SIGUSR1)) << 2;
        wrong |= (pthread_sigmask(SIG_SETMASK, &before, 0) != 0) << 3;
        wrong |= (sigaction((int)(long)signal, &a, &was) != 0) << 4;
        wrong |= (sigaction((int)(long)signal, 0, &was) != 0) << 5;
        wrong |= (was.sa_handler != quiet) << 6;
        wrong |= (!sigismember(&was.sa_mask, SIGHUP)) << 7;
    }
    __atomic_or_fetch(&churn_wrong, wrong, __ATOMIC_RELAXED);
    return 0;
}
ODD int odd_churn_start(void)
{
    /* Not SIGRTMAX - 2: the JDK wakes threads from blocking calls with it. */
    churning = 1, churn_wrong = 0;
    for (long i = 0; i < 4; i++)
        if (pthread_create(&churners[i], 0, churn, (void *)(SIGRTMIN + 3 + i)) != 0)
            return -1;
    return 0;
}
ODD long odd_churn_stop(void)
{
    churning = 0;
    for (int i = 0; i < 4; i++)
        pthread_join(churners[i], 0);
    return churn_wrong;
}

/* ---- masks ---- */

/* 0, or the number of the first thing that is not as POSIX and pthread_sigmask(3) say. */
ODD int odd_mask_rules(void)
{
    sigset_t all, one, old, before;
    sigfillset(&all);
    sigemptyset(&one);
    sigaddset(&one, SIGTRAP);
    sigaddset(&one, SIGUSR1);
    errno = 77;
    if (pthread_sigmask(SIG_SETMASK, 0, &before) != 0 || pthread_sigmask(99, 0, 0) != 0)
        return 1;
    if (pthread_sigmask(99, &one, 0) != EINVAL || errno != 77)
        return 2;
    if (pthread_sigmask(SIG_BLOCK, &one, &old) != 0 || memcmp(&old, &before, 8) != 0 || errno != 77)
        return 3;
    if (pthread_sigmask(SIG_BLOCK, 0, &old) != 0 || !sigismember(&old, SIGUSR1) || sigismember(&old, SIGTRAP))
        return 4;
    if (!sigismember(&one, SIGTRAP))
        return 5;               /* the caller's own set was changed */
    if (pthread_sigmask(SIG_UNBLOCK, &one, 0) != 0 || (mask_now() & (1 << SIGUSR1 | 1 << SIGTRAP)))
        return 6;
    if (sigprocmask(99, &one, 0) != -1 || errno != EINVAL)
        return 7;
    errno = 78;
    if (sigprocmask(SIG_SETMASK, &all, &old) != 0 || memcmp(&old, &before, 8) != 0 || errno != 78)
        return 8;
    if (mask_now() & 1 << SIGTRAP || !(mask_now() & 1 << SIGSEGV))
        return 9;
    pthread_sigmask(SIG_SETMASK, &before, 0);
    return memcmp(&before, (pthread_sigmask(SIG_BLOCK, 0, &old), &old), 8) == 0 ? 0 : 10;
}

/* ---- handlers that come by a probe ---- */
static volatile uint64_t mask_in_handler;
static volatile long handled;
static void calls(int signal)
{
    mask_in_handler = mask_now();
    handled += odd_identity(signal) == signal;
}
ODD long odd_handled(void) { return handled; }
ODD long odd_mask_in_handler(void) { return (long)mask_in_handler; }
ODD int odd_full_mask_handler(int signal)
{
    struct sigaction a;
    memset(&a, 0, sizeof a);
    a.sa_handler = calls;
    sigfillset(&a.sa_mask);
    return sigaction(signal, &a, 0);
}
ODD int odd_raise(int signal) { return raise(signal); }

/* A pending signal is delivered as the call opens it, with everything else blocked. how: 0 sigsuspend, 1 epoll_pwait, 2 epoll_pwait2, 3 ppoll, 4 pselect.
 * Returns errno. */
ODD int odd_waits_with_mask(int signal, int how)
{
    sigset_t all_but, one, before;
    struct epoll_event events[1];
    const struct timespec limit = { 2, 0 };
    sigfillset(&all_but);
    sigdelset(&all_but, signal);
    sigemptyset(&one);
    sigaddset(&one, signal);
    pthread_sigmask(SIG_BLOCK, &one, &before);
    int fd = epoll_create1(EPOLL_CLOEXEC);
    raise(signal);
    errno = 0;
    int result = how == 0 ? sigsuspend(&all_but) : how == 1 ? epoll_pwait(fd, events, 1, 2000, &all_but)
        : how == 2 ? epoll_pwait2(fd, events, 1, &limit, &all_but) : how == 3 ? ppoll(0, 0, &limit, &all_but) : pselect(0, 0, 0, 0, &limit, &all_but);
    int error = result == -1 ? errno : -result;
    close(fd);
    pthread_sigmask(SIG_SETMASK, &before, 0);
    return error;
}

static pthread_t reader;
static void *interrupt_reader(void *signal)
{
    for (int i = 0; i < 50; i++) {      /* until the read has surely begun; a signal before it only runs the handler */
        usleep(20000);
        pthread_kill(reader, (int)(long)signal);
    }
    return 0;
}
/* A read that nothing will end but a signal whose handler hits a probe. Returns errno: EINTR without SA_RESTART. */
ODD int odd_interrupted_read(int signal)
{
    int ends[2];
    char c;
    pthread_t t;
    if (pipe(ends) != 0)
        return -1;
    reader = pthread_self();
    pthread_create(&t, 0, interrupt_reader, (void *)(long)signal);
    errno = 0;
    ssize_t n = read(ends[0], &c, 1);
    int error = n == -1 ? errno : (int)-n;
    pthread_join(t, 0);
    close(ends[0]);
    close(ends[1]);
    return error;
}

/* A handler on an alternate stack. Returns whether it ran there and its probed call was right. */
static volatile int on_alternate;
static char *alternate;
enum { ALTERNATE_SIZE = 64 * 1024 };
static void calls_there(int signal)
{
    char here;
    on_alternate = &here > alternate && &here < alternate + ALTERNATE_SIZE && odd_identity(signal) == signal;
}
static void *use_alternate(void *signal)
{
    struct sigaction a, before;
    stack_t stack = { .ss_sp = alternate = malloc(ALTERNATE_SIZE), .ss_size = ALTERNATE_SIZE }, none = { .ss_flags = SS_DISABLE };
    memset(&a, 0, sizeof a);
    a.sa_handler = calls_there;
    a.sa_flags = SA_ONSTACK;
    sigaltstack(&stack, 0);
    sigaction((int)(long)signal, &a, &before);
    pthread_kill(pthread_self(), (int)(long)signal);
    sigaction((int)(long)signal, &before, 0);
    sigaltstack(&none, 0);
    free(alternate);
    return 0;
}
ODD int odd_alternate_stack(int signal)
{
    pthread_t t;
    on_alternate = 0;
    if (pthread_create(&t, 0, use_alternate, (void *)(long)signal) != 0)
        return -1;
    pthread_join(t, 0);
    return on_alternate;
}

/* ---- handlers of faults ---- */
enum { SKIP, LEAVE, REPAIR };
static struct sigaction before_ours[65];
static volatile int how;
static volatile long faults, fault_ip, fault_address;
static sigjmp_buf home;
static long *page;

static void at_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t site = signal == SIGFPE ? (uint64_t)odd_divide + (uint64_t)odd_divide_at : (uint64_t)odd_load;
    if ((uint64_t)gregs[REG_RIP] != site) {
        before_ours[signal].sa_sigaction(signal, info, context);     /* HotSpot's own: null checks, safepoints */
        return;
    }
    faults++;
    fault_ip = gregs[REG_RIP] - (greg_t)site;
    fault_address = (long)info->si_addr - (signal == SIGFPE ? (long)site : (long)page);
    if (how == SKIP) {
        gregs[REG_RAX] = 1999993;
        gregs[REG_RIP] += 3;
    } else if (how == LEAVE) {
        siglongjmp(home, 1);
    } else {
        mprotect(page, 4096, PROT_READ | PROT_WRITE);
        page[0] = 4000001;
    }
}
ODD int odd_fault_handler(int signal, int what)
{
    struct sigaction a;
    memset(&a, 0, sizeof a);
    a.sa_sigaction = at_fault;
    a.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&a.sa_mask);
    if (!page)
        page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page, 4096, PROT_NONE);
    how = what;
    faults = 0, fault_ip = fault_address = -1;
    return sigaction(signal, &a, &before_ours[signal]);
}
ODD int odd_fault_handler_gone(int signal) { return sigaction(signal, &before_ours[signal], 0); }
ODD long odd_load_of_page(void) { return sigsetjmp(home, 1) ? -23 : odd_load(page); }
ODD long odd_divide_here(long a, long b) { return sigsetjmp(home, 1) ? -23 : odd_divide(a, b); }
ODD long odd_faults(void) { return faults; }
ODD long odd_fault_ip(void) { return fault_ip; }
ODD long odd_fault_address(void) { return fault_address; }
ODD int odd_default_action(int signal)
{
    struct sigaction a;
    memset(&a, 0, sizeof a);
    return sigaction(signal, &a, 0);
}
/* The program's handler of a signal, as it is told. */
ODD long odd_handler_of(int signal)
{
    struct sigaction a;
    return sigaction(signal, 0, &a) == 0 ? (long)a.sa_sigaction : -1;
}

/* A handler that decodes the instruction it finds at the fault, as HotSpot's of SIGBUS does: a trap in its place is not what it expects. */
static void decode(int signal, siginfo_t *info, void *context)
{
    greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
    static const uint8_t load[] = { 0x48, 0x8b, 0x07 };     /* mov (%rdi), %rax */
    if (memcmp((const void *)gregs[REG_RIP], load, sizeof load) != 0) {
        before_ours[signal].sa_sigaction(signal, info, context);
        return;
    }
    faults++;
    gregs[REG_RAX] = 1999993;
    gregs[REG_RIP] += sizeof load;
}
/* A load behind the end of a file, which is empty. */
ODD long odd_load_of_truncated(void)
{
    int fd = memfd_create("odd", MFD_CLOEXEC);
    struct sigaction a;
    memset(&a, 0, sizeof a);
    a.sa_sigaction = decode;
    a.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &a, &before_ours[SIGBUS]);
    long *mapped = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0), result = -1;
    faults = 0;
    if (fd >= 0 && mapped != MAP_FAILED)
        result = odd_load(mapped);
    sigaction(SIGBUS, &before_ours[SIGBUS], 0);
    munmap(mapped, 4096);
    close(fd);
    return result;
}

/* A child that sets the signals' handlers, as children do before they exec; then whether its own view was right. */
ODD int odd_child_sets_handlers(int by_vfork)
{
    volatile int result = 0;
    pid_t child = by_vfork ? vfork() : fork();
    if (child == 0) {
        static const int signals[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGFPE };
        struct sigaction a, now;
        for (unsigned i = 0; i < 4; i++) {
            memset(&a, 0, sizeof a);
            a.sa_handler = i & 1 ? SIG_IGN : SIG_DFL;
            result |= sigaction(signals[i], &a, 0) != 0 || sigaction(signals[i], 0, &now) != 0 || now.sa_handler != a.sa_handler;
        }
        _exit(result);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

/* A handler that is set past libc and forwards to the one that was there, as static musl, Go and breakpad do: through syscall(2), or by a system call of
 * this library's own. */
struct kernel_action { void *handler; unsigned long flags; void *restorer; uint64_t mask; };
static struct kernel_action found;
static volatile long forwarded;
static void forward(int signal, siginfo_t *info, void *context)
{
    forwarded++;
    ((void (*)(int, siginfo_t *, void *))found.handler)(signal, info, context);
}
static long raw_sigaction(int by_libc, int signal, const struct kernel_action *set, struct kernel_action *old)
{
    if (by_libc)
        return syscall(SYS_rt_sigaction, signal, set, old, 8);
    long result;
    register long size __asm__("r10") = 8;
    __asm__ volatile("mov $13, %%eax; syscall" : "=&a"(result) : "D"(signal), "S"(set), "d"(old), "r"(size) : "rcx", "r11", "memory");
    return result;
}
ODD int odd_forwards_raw(int signal, int by_libc)
{
    if (raw_sigaction(by_libc, signal, 0, &found) != 0)
        return 1;
    struct kernel_action mine = found;
    mine.handler = forward;
    mine.mask = ~0ul;
    forwarded = 0;
    return raw_sigaction(by_libc, signal, &mine, 0) != 0;
}
ODD int odd_forwards_no_more(int signal, int by_libc) { return raw_sigaction(by_libc, signal, &found, 0) != 0; }
ODD long odd_forwarded(void) { return forwarded; }
