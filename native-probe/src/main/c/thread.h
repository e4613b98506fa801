/* Floor 2 */
/* What the engine keeps of a thread
 * ---------------------------------
 * One initial-exec TLS word leads to it: no call, no allocation. The first hit of a thread takes an up_thread with its ring from a pool that was
 * laid out at the start. It goes back only when the kernel says that the thread is gone (drain.c), never by a TLS destructor, because hits
 * follow destructors.
 *
 * Holds: an up_thread has one writer, the thread it belongs to (signal handlers of that thread nest inside). */
#ifndef UP_THREAD_H
#define UP_THREAD_H

#include "arch.h"
#include "pool.h"
#include "uprobe.h"

enum { UP_NONE = -1, UP_FRAMES = 16 };

enum up_thread_state { UP_THREAD_FREE, UP_THREAD_USED };

struct up_thread {
    volatile uint64_t head;     /* bytes ever reserved; written by the owner only */
    volatile uint64_t tail;     /* bytes ever given back; written under `reading` */
    int32_t reading;            /* spin lock of those who walk and claim; never held over an upcall, never taken in the hit path */
    int32_t own_work;           /* the owner works for the engine, so many deep: what it hits is nobody's data */
    int32_t committing;         /* the owner is making events of its records: hits meanwhile are our own doing */
    int32_t tid;
    int32_t index;
    int32_t state;
    volatile uint64_t returns;  /* newest entry of this thread in the return table: tag << 32 | slot + 1; 0 in the lower half: none (awaited.h) */
    /* frames of ours that signals may interrupt, and leave for good by siglongjmp: leaving.h */
    struct up_frame { volatile uint64_t address, mark; } inside[UP_FRAMES];     /* address 0: a free place */
    volatile int32_t inside_any;        /* 0: all places are free */
    volatile int32_t unnoted;   /* frames that found no free place */
    uint64_t marks;             /* how many frames were marked so far: their marks are these numbers */
    int32_t lost;               /* a frame is gone that may have left something */
    volatile uint64_t abandoned_before;         /* ring position: what is unwritten or half-written before it will never be finished */
    uint64_t carry_from;        /* ring position of head before which up_ring_carry need not look again */
    uint8_t *ring;
    int32_t hitting;            /* the owner is inside up_hit_site: it may hold on to probes that are active no more */
    uint64_t swaps, flushes, upcalls;   /* up_flush_statistics'; of all owners so far */
    int32_t spare;              /* a free entry of the return table + 1 that only the owner takes, 0: none (awaited.c) */
    uint64_t random;            /* state of settings.h's generator, never 0 */
    uint64_t java;              /* as up_jvm_java_id understands it: who the owner was at its newest hit in a JNI call */
    uint64_t start_time;        /* of the kernel's thread, as /proc tells; 0 until the drain has looked */
    char name[16];              /* as the kernel knows the thread; read by the drain */
} __attribute__((aligned(128)));

struct up_threads {
    struct up_thread *all;
    struct up_pool pool;
    uint8_t *memory;            /* rings, one after the other */
    uint64_t ring_bytes;
    uint64_t taken, recycled, refused;
    int32_t pid;                /* the process that the engine was set up in */
};
extern struct up_threads up_threads;

/* 1 in the process that the engine was set up in, 0 in the child of a fork, however it was made: a page of its own that the kernel hands to such a
 * child wiped (MADV_WIPEONFORK). A child has the parent's text with its traps, but none of its other threads and no JVM that works: its hits are
 * counted in its own counters and dropped, what it awaits returns unseen. A child of vfork or posix_spawn shares all memory with its sleeping
 * parent, this word too, and counts as the parent. */
extern const volatile uint32_t *up_alive;

static inline int up_is_alive(void)
{
    return *up_alive != 0;
}

extern __thread struct up_thread *up_self __attribute__((tls_model("initial-exec")));

struct up_thread *up_thread_take(void);

/* Hits of threads that have no up_thread, going on now. */
extern int32_t up_hits_elsewhere;

/* Around everything that reads a site's consumers. A full barrier between the two: whoever has made a consumer inactive, and then finds that a thread is
 * not hitting, knows that the thread will find it so. Returns what up_hit_end wants: a handler of a fault may hit inside a hit. */
static inline int32_t up_hit_begin(struct up_thread *t)
{
    if (!t)
        return __atomic_fetch_add(&up_hits_elsewhere, 1, __ATOMIC_SEQ_CST);
    return __atomic_exchange_n(&t->hitting, 1, __ATOMIC_SEQ_CST);
}

static inline void up_hit_end(struct up_thread *t, int32_t before)
{
    if (t)
        __atomic_store_n(&t->hitting, before, __ATOMIC_RELEASE);
    else
        __atomic_fetch_sub(&up_hits_elsewhere, 1, __ATOMIC_SEQ_CST);
}

/* The calling thread's, taken from the pool if it has none yet; NULL if the pool is empty. */
static inline struct up_thread *up_thread_self(void)
{
    struct up_thread *t = up_self;
    return t ? t : up_thread_take();
}

static inline void up_reading_lock(struct up_thread *t)
{
    while (__atomic_exchange_n(&t->reading, 1, __ATOMIC_ACQUIRE))
        up_syscall3(24 /* sched_yield */, 0, 0, 0);
}
static inline void up_reading_unlock(struct up_thread *t)
{
    __atomic_store_n(&t->reading, 0, __ATOMIC_RELEASE);
}

#endif
