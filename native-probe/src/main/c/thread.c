/* Floor 2 */
/* Allowed here: what the head of trap.c allows. */
#include "thread.h"
#include "wake.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

struct up_threads up_threads;
int32_t up_hits_elsewhere;
__thread struct up_thread *up_self __attribute__((tls_model("initial-exec")));

static const volatile uint32_t not_yet = 0;
const volatile uint32_t *up_alive = &not_yet;

struct up_thread *up_thread_take(void)
{
    /* A child of vfork would note its own thread id, which is gone long before its parent's thread: the drain would take the ring from under that. */
    int32_t index = up_syscall3(SYS_getpid, 0, 0, 0) == up_threads.pid ? up_pool_take(&up_threads.pool) : UP_NONE;
    if (index < 0) {
        __atomic_add_fetch(&up_threads.refused, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    struct up_thread *t = &up_threads.all[index];
    t->index = index;
    t->ring = up_threads.memory + (uint64_t)index * up_threads.ring_bytes;
    t->head = t->tail = 0;
    t->committing = 0;
    t->own_work = 0;
    t->reading = 0;
    t->returns = 0;
    t->java = t->carry_from = 0;
    t->marks = t->abandoned_before = 0;
    t->inside_any = t->unnoted = 0;
    for (int i = 0; i < UP_FRAMES; i++)
        t->inside[i].address = 0;
    t->lost = 0;
    t->hitting = 0;
    t->start_time = 0;
    t->random = (up_rdtsc() ^ (uint64_t)index << 48) | 1;
    up_syscall3(SYS_prctl, PR_GET_NAME, t->name, 0);    /* for threads that end before the drain has looked */
    t->tid = (int32_t)up_syscall3(SYS_gettid, 0, 0, 0);
    __atomic_store_n(&t->state, UP_THREAD_USED, __ATOMIC_RELEASE);
    uint64_t taken = __atomic_add_fetch(&up_threads.taken, 1, __ATOMIC_RELAXED), count = (uint64_t)up_threads.pool.count;
    /* Threads that are gone keep their rings until the drain comes by: where most are taken, it is called now and then. */
    if (taken - up_threads.recycled >= count / 4 * 3 && taken % (count / 16 + 1) == 0)
        up_drain_wake();
    up_self = t;
    return t;
}
