/* Floor 3 */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

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

void up_thread_give_back(struct up_thread *t)
{
    madvise(t->ring, up_threads.ring_bytes, MADV_DONTNEED);   /* memory back to the kernel, and zero when it is used again */
    __atomic_store_n(&t->state, UP_THREAD_FREE, __ATOMIC_RELEASE);
    __atomic_add_fetch(&up_threads.recycled, 1, __ATOMIC_RELAXED);
    up_pool_give_back(&up_threads.pool, t->index);
}

int up_rings_rest(void)
{
    int32_t high = __atomic_load_n(&up_threads.pool.used_high, __ATOMIC_ACQUIRE), held = 0;
    for (int32_t i = 0; i < high; i++) {
        struct up_thread *t = &up_threads.all[i];
        if (__atomic_load_n(&t->state, __ATOMIC_ACQUIRE) != UP_THREAD_USED)
            continue;
        up_reading_lock(t);
        int rests = t->head == t->tail && !t->inside_any && !__atomic_load_n(&t->hitting, __ATOMIC_ACQUIRE);
        if (rests)
            madvise(t->ring, up_threads.ring_bytes, MADV_DONTNEED);
        up_reading_unlock(t);
        held += !rests;
    }
    return held;
}
