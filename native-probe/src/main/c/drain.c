/* Floor 9 */
/* The drain
 * ---------
 * What no JNI return will flush - hits of native threads, hits in the VM, calls that stay native for long - is made into events by one thread of
 * ours. It is started by JVMTI's RunAgentThread, so it has no Java frame below: the only frames of its events are the native function itself and the
 * probed ones that called it.
 * The same thread gives rings back whose owners the kernel says are gone. It sleeps in state `native`, where it holds up no safepoint. It ends when the engine
 * is closed; the next one begins with the rings of threads that have ended since. */
#define _GNU_SOURCE
#include "clock.h"
#include "attach.h"
#include "commit.h"
#include "java.h"
#include "returns.h"
#include "ring.h"
#include "threads.h"
#include "wake.h"

#include <jni.h>
#include <jvmti.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 64, START_TIME_ROUNDS = 32 };

static int64_t period_ns, long_call_units;
static uint32_t done_round; /* futex word: rounds finished; those asked for are wake.h's */
static int32_t take_all;
static int32_t ends;        /* the thread is to end behind its next round */

static const char *const reason_names[] = {
    [UP_DRAINED_NOT] = NULL,
    [UP_DRAINED_NATIVE_THREAD] = "native thread",
    [UP_DRAINED_VM_STATE] = "in the VM",
    [UP_DRAINED_RUNTIME_CALL] = "runtime call of the VM",
    [UP_DRAINED_JFR] = "inside JFR",
    [UP_DRAINED_LONG_CALL] = "long call",
    [UP_DRAINED_RING_FULL] = "ring full",
    [UP_DRAINED_STACK_END] = "near the end of the stack",
    [UP_DRAINED_NO_RETURN_SLOT] = "no return slot",
    [UP_DRAINED_STATE_CHANGED] = "state changed",
    [UP_DRAINED_COMMIT_FAILED] = "commit failed",
    [UP_DRAINED_SHADOW_STACK] = "shadow stack",
    [UP_DRAINED_THREAD_ENDED] = "thread ended",
    [UP_DRAINED_BEGAN_UNRECORDED] = "began unrecorded",
    [UP_DRAINED_CARRIER] = "carrier without a virtual thread"
};

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *timeout)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

static int read_task_file(int32_t tid, const char *file, char *into, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", tid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, into, size - 1);
    close(fd);
    if (n < 0)
        return -errno;
    into[n] = 0;
    return 0;
}

/* Field 22 of /proc/PID/stat, counted after the last ')' as the name may hold anything; 0 if there is no such thread, UNKNOWN if it can not be
 * told now (no file descriptor left, no memory, no /proc). */
static const uint64_t UNKNOWN = UINT64_MAX;
static uint64_t start_time_of(int32_t tid)
{
    char stat[1024], *p;
    int error = read_task_file(tid, "stat", stat, sizeof stat);
    if (error != 0)
        return error == -ENOENT || error == -ESRCH ? 0 : UNKNOWN;
    if (!(p = strrchr(stat, ')')))
        return UNKNOWN;
    for (int field = 2; field < 22 && p; field++)
        p = strchr(p + 1, ' ');
    return p ? strtoull(p, NULL, 10) : UNKNOWN;
}

/* Whether the kernel thread that took t is gone. A thread id may have been given out again: then the start time differs. Looking that up opens a
 * file, so it is done at first and then now and then; the id alone costs one short system call. */
static int is_gone(struct up_thread *t, uint32_t round)
{
    if (syscall(SYS_tgkill, up_threads.pid, t->tid, 0) != 0 && errno == ESRCH)
        return 1;
    if (t->start_time && (round + (uint32_t)t->index) % START_TIME_ROUNDS != 0)
        return 0;
    uint64_t start = start_time_of(t->tid);
    if (start == UNKNOWN)
        return 0;               /* better a ring kept too long than one taken from a living thread */
    if (start == 0 || (t->start_time && start != t->start_time))
        return 1;
    t->start_time = start;
    return 0;
}

/* Threads are named after they have started, so the name is asked for again when it is needed. */
static void learn_name(struct up_thread *t)
{
    char name[sizeof t->name + 1];
    if (read_task_file(t->tid, "comm", name, sizeof name) != 0)
        return;
    name[strcspn(name, "\n")] = 0;
    name[sizeof t->name - 1] = 0;
    memcpy(t->name, name, strnlen(name, sizeof t->name - 1) + 1);   /* at most 15 and a 0: TASK_COMM_LEN */
}

static void commit_runs(JNIEnv *env, struct up_thread *t, struct up_run *runs, int n)
{
    for (int i = 0; i < n; i++) {
        int again = up_hit_drained(runs[i].flags) == UP_DRAINED_COMMIT_FAILED;
        struct up_left left = { t->tid, up_jvm_java_id(runs[i].java), t->name, reason_names[up_hit_drained(runs[i].flags)] };
        up_count(&up_flush_stats.upcalls);
        int failed = up_jvm_commit(env, &runs[i], &left, NULL);
        up_ring_settle(&runs[i], UP_DRAINED_COMMIT_FAILED, failed && again);
    }
}

/* Whether it had better be looked at again at once: something was taken, and meanwhile the ring has become half full again. */
static int drain_thread(JNIEnv *env, struct up_thread *t, int all, uint32_t round)
{
    struct up_run runs[RUNS];
    int gone = is_gone(t, round);
    if (gone)
        up_return_drop_all(t);  /* the calls it ended in: their records are the last in its ring */
    uint64_t position = 0, now = up_now(), head = t->head, used = head - t->tail;
    struct up_wanted wanted = {
        .older_than = all || gone ? UINT64_MAX >> 1 : now - (uint64_t)long_call_units,
        .before = used >= up_ring_nearly_full() && used <= up_threads.ring_bytes ? head - up_threads.ring_bytes / 2 : 0,
        .reason = gone ? UP_DRAINED_THREAD_ENDED : UP_DRAINED_LONG_CALL,
        .gone = gone
    };
    int n, any = 0;
    do {
        n = up_ring_claim(t, &position, &wanted, runs, RUNS);
        any |= n;
        if (n > 0 && !gone)
            learn_name(t);
        commit_runs(env, t, runs, n);
    } while (n == RUNS);
    up_ring_advance(t, gone);
    if (gone && t->tail == t->head)
        up_thread_give_back(t);
    uint64_t tail = t->tail, left = t->head - tail;
    return !gone && any && left >= up_threads.ring_bytes / 2 && left <= up_threads.ring_bytes;
}

static int drain_all(JNIEnv *env, int all)
{
    static uint32_t round;
    round++;
    up_return_reclaim();
    int again = 0;
    int32_t high = __atomic_load_n(&up_threads.pool.used_high, __ATOMIC_ACQUIRE);
    for (int32_t i = 0; i < high; i++) {
        struct up_thread *t = &up_threads.all[i];
        if (__atomic_load_n(&t->state, __ATOMIC_ACQUIRE) == UP_THREAD_USED)
            again |= drain_thread(env, t, all, round);
    }
    return again;
}

static void JNICALL run(jvmtiEnv *jvmti, JNIEnv *env, void *unused)
{
    (void)jvmti, (void)unused;
    struct up_thread *self = up_thread_self();
    if (self)
        self->own_work = 1;     /* whatever this thread hits is our own doing */
    for (;;) {
        uint32_t round = __atomic_load_n(&up_wanted_round, __ATOMIC_ACQUIRE);
        int all = __atomic_exchange_n(&take_all, 0, __ATOMIC_ACQ_REL), last = __atomic_load_n(&ends, __ATOMIC_ACQUIRE);
        int again = drain_all(env, all);
        if (__atomic_exchange_n(&done_round, round, __ATOMIC_ACQ_REL) != round)
            futex(&done_round, FUTEX_WAKE, INT32_MAX, NULL);
        if (last)
            return;
        if (again)
            continue;
        struct timespec period = { period_ns / 1000000000, period_ns % 1000000000 };
        futex(&up_wanted_round, FUTEX_WAIT, round, &period);
    }
}

/* env: JNA hands over the caller's. thread: a java.lang.Thread that was never started; it lends its name. period: nanoseconds; long_call: clock
 * units. */
UP_EXPORT int up_drain_start(JNIEnv *env, jobject thread, int64_t period, int64_t long_call);
int up_drain_start(JNIEnv *env, jobject thread, int64_t period, int64_t long_call)
{
    (void)env;
    jvmtiEnv *jvmti = up_jvm_jvmti();
    if (!jvmti)
        return UP_E_NO_VM;
    __atomic_store_n(&ends, 0, __ATOMIC_RELEASE);
    period_ns = period;
    long_call_units = long_call;
    jvmtiError error = (*jvmti)->RunAgentThread(jvmti, thread, run, NULL, JVMTI_THREAD_NORM_PRIORITY);
    return error == JVMTI_ERROR_NONE ? 0 : -EAGAIN;
}

int up_drain_stop(void)
{
    __atomic_store_n(&ends, 1, __ATOMIC_RELEASE);
    up_drain_wake();
    return 0;
}

int up_drain_now(int32_t all, int64_t timeout_ns)
{
    if (all)
        __atomic_store_n(&take_all, 1, __ATOMIC_RELEASE);
    uint32_t round = __atomic_add_fetch(&up_wanted_round, 1, __ATOMIC_ACQ_REL);
    futex(&up_wanted_round, FUTEX_WAKE, 1, NULL);
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t deadline = now.tv_sec * 1000000000 + now.tv_nsec + timeout_ns;
    for (;;) {
        uint32_t done = __atomic_load_n(&done_round, __ATOMIC_ACQUIRE);
        if ((int32_t)(done - round) >= 0)
            return 0;
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t left = deadline - (now.tv_sec * 1000000000 + now.tv_nsec);
        if (left <= 0)
            return -ETIMEDOUT;
        end = (struct timespec){ left / 1000000000, left % 1000000000 };
        futex(&done_round, FUTEX_WAIT, done, &end);
    }
}
