/* Floor 3 */
/* Per-thread rings: one writer, two readers, no lock in the hit path
 * -----------------------------------------------------------------
 * The owner reserves space by one unlocked compare-and-exchange on `head`, so that a hit in a signal handler nests whole inside a half-written
 * record of the same thread. Readers (the flush at the JNI return, on the owner's own thread; the drain thread) walk and claim under `reading`,
 * make their events without it, and give space back under it. A record's state word tells everything (uprobe.h).
 *
 * A frame of the owner's that a signal handler leaves by siglongjmp leaves its record unwritten or half-written. Once the owner knows that the frame
 * is gone, it says so in `abandoned_before` (leaving.h); until then readers wait there. The hit itself is not lost with the record: what
 * waited for the return still does, and is written again, as unwound.
 *
 * What a JNI call has recorded stays until it returns, so a ring is as large as the largest call may be. The memory that it takes is not: when its
 * owner leaves it empty, it begins anew, so pages that large calls have not touched stay the kernel's.
 *
 * Holds: memory between head and tail + size is zero in the first word of each UP_HIT_ALIGN bytes, so a reserved but unwritten record reads as
 * UP_HIT_NONE. */
#ifndef UP_RING_H
#define UP_RING_H

#include "thread.h"

/* enum up_drained: why a record was left to the drain, or UP_DRAINED_NOT. */
static inline uint32_t up_hit_drained(uint32_t flags)
{
    return flags >> UP_HIT_DRAINED_SHIFT & 0xff;
}

static inline uint16_t up_hit_chain(uint32_t flags)
{
    return (uint16_t)(flags >> UP_HIT_CHAIN_SHIFT);
}

/* Hit path. NULL if the ring is full. The record is UP_HIT_WRITING, its length set; length is a multiple of UP_HIT_ALIGN. */
struct up_hit *up_ring_reserve(struct up_thread *t, uint32_t length);

static inline void up_ring_publish(struct up_hit *hit)
{
    __atomic_store_n(&hit->state, UP_HIT_READY, __ATOMIC_RELEASE);
}

static inline struct up_hit *up_ring_at(const struct up_thread *t, uint64_t position)
{
    return (struct up_hit *)(t->ring + (position & (up_threads.ring_bytes - 1)));
}

/* Whether the record that the owner reserved at this position has been published. Asked by the owner, before abandoned_before passes it. */
static inline int up_ring_published(const struct up_thread *t, uint64_t position)
{
    return position < __atomic_load_n(&t->tail, __ATOMIC_ACQUIRE) || __atomic_load_n(&up_ring_at(t, position)->state, __ATOMIC_ACQUIRE) != UP_HIT_WRITING;
}

/* The position of a record that is in use: less than a ring before head. */
static inline uint64_t up_ring_position(const struct up_thread *t, const struct up_hit *hit)
{
    uint64_t last = t->head - 1, offset = (uint64_t)((const uint8_t *)hit - t->ring);
    return last - ((last - offset) & (up_threads.ring_bytes - 1));
}

extern uint64_t up_ring_abandoned;      /* records given up so far */

/* Records of one probe, called by the same probed functions, that follow each other; claimed. */
struct up_run {
    struct up_hit *first;
    int32_t count;
    int32_t probe;
    uint32_t flags;
    uint64_t java;              /* up_hit.call of drained records, and what it becomes for those that are left to the drain */
};

/* Which records a walk wants. call == 0 is the drain. */
struct up_wanted {
    uint64_t call;              /* nonzero: the records of this JNI call only */
    uint64_t older_than;        /* with call == 0: those left to the drain, and those of unfinished calls whose time is before this ... */
    uint64_t before;            /* ... or whose position is */
    uint32_t reason;            /* enum up_drained to put on those older than this */
    int gone;                   /* the owner has died: half-written records are passed over */
};

/* Walks from *position (at least tail) to head, claims what is wanted and groups it into runs. Returns the number of runs; *position is where to
 * go on. Takes `reading`. */
int up_ring_claim(struct up_thread *t, uint64_t *position, const struct up_wanted *wanted, struct up_run *runs, int capacity);

/* After the upcall: counts what was made into events. What was claimed and not committed goes back to READY for the drain, with the reason, or,
 * if `final`, is given up and counted as dropped. */
void up_ring_settle(const struct up_run *run, uint32_t reason, int final);

/* Gives the space of consumed records back. Takes `reading`. */
void up_ring_advance(struct up_thread *t, int gone);

/* Called by the owner when it has flushed a call. What waits for the calls around that one holds up the tail, though all behind it may be consumed: once
 * the ring is half full, such records are written again at the head, if they are few. Takes `reading`. */
void up_ring_carry(struct up_thread *t);

/* Called by the owner. An empty ring begins anew if it has come further than UP_RING_WARM. Takes `reading`. */
enum { UP_RING_WARM = 64 << 10 };
void up_ring_rewind(struct up_thread *t);

/* From here on the drain takes the older half of the ring whatever calls it belongs to: Java stacks are lost, hits are not. */
static inline uint64_t up_ring_nearly_full(void)
{
    return up_threads.ring_bytes / 4 * 3;
}

#endif
