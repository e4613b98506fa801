#define _GNU_SOURCE
#include "ring.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct up_threads up_threads;
__thread struct up_thread *up_self __attribute__((tls_model("initial-exec")));

static const volatile uint32_t not_yet = 0;
const volatile uint32_t *up_alive = &not_yet;

static void die_in_child(void)
{
    *(volatile uint32_t *)up_alive = 0;
}

/* Kernels before 4.14 can not wipe: there a handler of pthread_atfork does, which a raw clone system call passes by. */
static int alive_init(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint32_t *word = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (word == MAP_FAILED)
        return -errno;
    *word = 1;
    up_alive = word;
    if (madvise(word, page, MADV_WIPEONFORK) == 0) {
        mprotect(word, page, PROT_READ);
        return 0;
    }
    return -pthread_atfork(NULL, NULL, die_in_child);
}

int up_threads_init(uint64_t ring_bytes, int32_t count)
{
    size_t table = (size_t)count * sizeof(struct up_thread), rings = (size_t)count * ring_bytes;
    void *all = mmap(NULL, table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return -errno;
    void *memory = mmap(NULL, rings, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        int error = errno;
        munmap(all, table);
        return -error;
    }
    void *next = mmap(NULL, (size_t)count * sizeof(int32_t), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (next == MAP_FAILED) {
        int error = errno;
        munmap(all, table);
        munmap(memory, rings);
        return -error;
    }
    int error = alive_init();
    if (error) {
        munmap(all, table);
        munmap(memory, rings);
        munmap(next, (size_t)count * sizeof(int32_t));
        return error;
    }
    up_threads.all = all;
    up_threads.memory = memory;
    up_threads.pool = (struct up_pool){ .next = next, .count = count };
    up_threads.ring_bytes = ring_bytes;
    up_threads.pid = getpid();
    return 0;
}

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
    t->reading = 0;
    t->returns = 0;
    t->java = t->carry_from = 0;
    t->marks = t->abandoned_before = 0;
    t->inside_any = t->unnoted = 0;
    for (int i = 0; i < UP_FRAMES; i++)
        t->inside[i].address = 0;
    t->lost = 0;
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

void up_thread_give_back(struct up_thread *t)
{
    madvise(t->ring, up_threads.ring_bytes, MADV_DONTNEED);   /* memory back to the kernel, and zero when it is used again */
    __atomic_store_n(&t->state, UP_THREAD_FREE, __ATOMIC_RELEASE);
    __atomic_add_fetch(&up_threads.recycled, 1, __ATOMIC_RELAXED);
    up_pool_give_back(&up_threads.pool, t->index);
}
