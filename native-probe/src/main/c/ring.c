/* Floor 3 */
#include "ring.h"
#include "probe.h"
#include "wake.h"

uint64_t up_ring_abandoned;

struct up_hit *up_ring_reserve(struct up_thread *t, uint32_t length)
{
    uint64_t size = up_threads.ring_bytes, head = t->head, padding;
    do {
        uint64_t offset = head & (size - 1);
        padding = offset + length > size ? size - offset : 0;
        int64_t used = (int64_t)(head - __atomic_load_n(&t->tail, __ATOMIC_ACQUIRE));
        if (used > 0 && (uint64_t)used + padding + length > size)       /* below 0: a handler's hits came and went, the exchange will tell */
            return NULL;
    } while (!up_cmpxchg_local(&t->head, &head, head + padding + length));
    if (padding) {
        struct up_hit *filler = up_ring_at(t, head);
        filler->length = (uint16_t)padding;
        __atomic_store_n(&filler->state, UP_HIT_CONSUMED, __ATOMIC_RELEASE);
    }
    /* Whoever fills the second half of a ring calls the drain, once, as most of what it finds may be its; and again where it takes all. */
    uint64_t before = head - t->tail, after = before + padding + length, full = up_ring_nearly_full();
    if ((before < size / 2 && after >= size / 2) || (before < full && after >= full))
        up_drain_wake();
    struct up_hit *hit = up_ring_at(t, head + padding);
    hit->length = (uint16_t)length;
    hit->missing = 0;
    hit->flags = 0;
    __atomic_store_n(&hit->state, UP_HIT_WRITING, __ATOMIC_RELEASE);
    return hit;
}

/* How far a reader may step from this record: its length, or 0 if it must wait for the writer. given_up: nobody will write here any more. */
static uint32_t step(const struct up_hit *hit, int32_t state, int given_up)
{
    if (state == UP_HIT_NONE)
        return given_up ? UP_HIT_ALIGN : 0;
    return hit->length;
}

static int is_wanted(const struct up_hit *hit, uint64_t position, const struct up_wanted *wanted)
{
    if (wanted->call)
        return hit->call == wanted->call && !up_hit_drained(hit->flags);
    return up_hit_drained(hit->flags) || (uint64_t)hit->time < wanted->older_than || position < wanted->before;
}

int up_ring_claim(struct up_thread *t, uint64_t *position, const struct up_wanted *wanted, struct up_run *runs, int capacity)
{
    int n = 0;
    struct up_run *open = NULL;
    up_reading_lock(t);
    if (*position < t->tail)
        *position = t->tail;
    uint64_t head = t->head, abandoned = __atomic_load_n(&t->abandoned_before, __ATOMIC_ACQUIRE);
    while (*position < head) {
        struct up_hit *hit = up_ring_at(t, *position);
        int32_t state = __atomic_load_n(&hit->state, __ATOMIC_ACQUIRE);
        uint32_t length = step(hit, state, wanted->gone || *position < abandoned);
        if (!length)
            break;              /* being written by a frame of the owner's that we interrupted, or by another thread's owner */
        if (state == UP_HIT_READY && is_wanted(hit, *position, wanted)) {
            uint32_t flags = hit->flags;
            if (!wanted->call && !up_hit_drained(flags)) {
                uint32_t reason = (uint64_t)hit->time < wanted->older_than ? wanted->reason : UP_DRAINED_RING_FULL;
                flags |= reason << UP_HIT_DRAINED_SHIFT;
                hit->flags = flags;
                hit->call = t->java;
            }
            uint64_t java = wanted->call ? t->java : hit->call;
            int joins = open && open->probe == hit->probe && open->flags == (flags & ~UP_HIT_UNWOUND) && open->java == java
                && (uint8_t *)hit == (uint8_t *)open->first + (uint64_t)open->count * length;
            if (!joins && n == capacity)
                break;
            __atomic_store_n(&hit->state, UP_HIT_CLAIMED, __ATOMIC_RELAXED);       /* who claims has the lock */
            if (joins) {
                open->count++;
            } else {
                open = &runs[n++];
                *open = (struct up_run){ hit, 1, hit->probe, flags & ~UP_HIT_UNWOUND, java };
            }
        } else if (state != UP_HIT_CONSUMED) {
            open = NULL;
        }
        *position += length;
    }
    up_reading_unlock(t);
    return n;
}

static struct up_hit *next_of(const struct up_hit *hit)
{
    return (struct up_hit *)((uint8_t *)hit + hit->length);
}

void up_ring_settle(const struct up_run *run, uint32_t reason, int final)
{
    struct up_probe *probe = up_probe_at(run->probe);
    struct up_hit *hit = run->first;
    uint64_t committed = 0;
    for (int i = 0; i < run->count; i++, hit = next_of(hit))
        committed += __atomic_load_n(&hit->state, __ATOMIC_ACQUIRE) == UP_HIT_COMMITTED;
    /* Counted first: who finds the ring empty finds everything counted. */
    up_tally_add(&probe->recorded, committed);
    hit = run->first;
    for (int i = 0; i < run->count; i++) {
        struct up_hit *next = next_of(hit);
        int32_t state = __atomic_load_n(&hit->state, __ATOMIC_RELAXED), given_up = final && state == UP_HIT_CLAIMED;
        if (state != UP_HIT_CLAIMED || given_up) {
            if (state != UP_HIT_COMMITTED)
                up_tally_add(given_up ? &probe->dropped : &probe->filtered, 1);
            __atomic_store_n(&hit->state, UP_HIT_CONSUMED, __ATOMIC_RELEASE);
        } else {
            hit->flags = (hit->flags & ~(0xffu << UP_HIT_DRAINED_SHIFT)) | reason << UP_HIT_DRAINED_SHIFT;
            hit->call = run->java;
            __atomic_store_n(&hit->state, UP_HIT_READY, __ATOMIC_RELEASE);
        }
        hit = next;
    }
}

void up_ring_advance(struct up_thread *t, int gone)
{
    up_reading_lock(t);
    uint64_t tail = t->tail, head = t->head, abandoned = __atomic_load_n(&t->abandoned_before, __ATOMIC_ACQUIRE);
    int within_unwritten = 0;
    while (tail < head) {
        struct up_hit *hit = up_ring_at(t, tail);
        int32_t state = __atomic_load_n(&hit->state, __ATOMIC_ACQUIRE);
        int given_up = gone || tail < abandoned, unwritten = state == UP_HIT_NONE;
        uint32_t length = step(hit, state, given_up);
        if (!length || !(state == UP_HIT_CONSUMED || (given_up && (unwritten || state == UP_HIT_WRITING))))
            break;
        if (state == UP_HIT_WRITING || (unwritten && !within_unwritten))
            up_count(&up_ring_abandoned);
        within_unwritten = unwritten;
        for (uint32_t at = 0; at < length; at += UP_HIT_ALIGN)
            *(volatile uint64_t *)((uint8_t *)hit + at) = 0;
        tail += length;
    }
    __atomic_store_n(&t->tail, tail, __ATOMIC_RELEASE);
    up_reading_unlock(t);
}

/* Bytes of records between tail and head that wait; more than a ring if one of them is being written. */
static uint64_t waiting(const struct up_thread *t, uint64_t head)
{
    uint64_t bytes = 0;
    for (uint64_t position = t->tail; position < head;) {
        const struct up_hit *hit = up_ring_at(t, position);
        int32_t state = __atomic_load_n(&hit->state, __ATOMIC_ACQUIRE);
        if (state == UP_HIT_NONE || state == UP_HIT_WRITING)
            return UINT64_MAX;
        bytes += state == UP_HIT_READY ? hit->length : 0;
        position += hit->length;
    }
    return bytes;
}

void up_ring_carry(struct up_thread *t)
{
    uint64_t size = up_threads.ring_bytes, head = t->head;
    if (head - t->tail < size / 2 || head < t->carry_from)
        return;
    t->carry_from = head + size / 4;
    up_reading_lock(t);
    for (uint64_t position = waiting(t, head) <= size / 4 ? t->tail : head; position < head;) {
        struct up_hit *hit = up_ring_at(t, position);
        if (__atomic_load_n(&hit->state, __ATOMIC_ACQUIRE) == UP_HIT_READY) {
            struct up_hit *copy = up_ring_reserve(t, hit->length);
            if (!copy)
                break;
            copy->probe = hit->probe;
            copy->flags = hit->flags;
            copy->time = hit->time;
            copy->call = hit->call;
            copy->missing = hit->missing;
            for (uint32_t i = 0; i < (hit->length - UP_HIT_HEADER) / sizeof hit->values[0]; i++)
                copy->values[i] = hit->values[i];
            up_ring_publish(copy);
            __atomic_store_n(&hit->state, UP_HIT_CONSUMED, __ATOMIC_RELEASE);
        }
        position += hit->length;
    }
    up_reading_unlock(t);
    up_ring_advance(t, 0);
}

/* A signal's handler may record between any two lines: before the exchange it moves the head, which then stays; behind it, it finds as much of the
 * ring taken as is skipped. Never may it find more free than there is. */
void up_ring_rewind(struct up_thread *t)
{
    uint64_t size = up_threads.ring_bytes, old = t->head, start = (old + size - 1) & ~(size - 1);
    if ((old & (size - 1)) < UP_RING_WARM)
        return;
    up_reading_lock(t);
    uint64_t head = old;
    if (t->tail == old && up_cmpxchg_local(&t->head, &head, start))
        __atomic_store_n(&t->tail, start, __ATOMIC_RELEASE);
    up_reading_unlock(t);
}
