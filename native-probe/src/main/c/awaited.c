/* Floor 4 */
/* Allowed here: what the head of trap.c allows. */
#include "awaited.h"
#include "pool.h"

struct up_return up_return_table[UP_RETURN_SLOTS];
static int32_t next_free[UP_RETURN_SLOTS];
static struct up_pool pool = { .next = next_free, .count = UP_RETURN_SLOTS };
uint64_t up_returns_refused;

struct up_return *up_return_take(struct up_thread *t)
{
    int32_t spare = t->spare;
    int32_t slot = spare && up_cmpxchg_local32(&t->spare, spare, 0) ? spare - 1 : up_pool_take(&pool);
    if (slot < 0) {
        __atomic_add_fetch(&up_returns_refused, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    struct up_return *e = &up_return_table[slot];
    e->below = e->chain = UP_NONE;
    e->flushes = 0;
    e->entered = 0;
    e->function = 0;
    e->probe = NULL;
    e->record = 0;
    __atomic_store_n(&e->state, UP_RETURN_LIVE, __ATOMIC_RELEASE);
    return e;
}

static void give_one_back(struct up_thread *t, struct up_return *e)
{
    __atomic_store_n(&e->state, UP_RETURN_FREE, __ATOMIC_RELEASE);
    if (!t || !up_cmpxchg_local32(&t->spare, 0, up_return_slot_of(e) + 1))
        up_pool_give_back(&pool, up_return_slot_of(e));
}

void up_return_give_back(struct up_thread *t, struct up_return *e)
{
    for (int32_t next = e->chain; next != UP_NONE;) {
        struct up_return *chained = &up_return_table[next];
        next = chained->chain;
        give_one_back(t, chained);
    }
    give_one_back(t, e);
}

/* A tally names the entry that it was last raised for. Who raises it next first says to that entry that it is in one: so whoever finds neither has not
 * been counted. That is said only while the tally names it, and never over a newer name. */
void up_return_count(struct up_return *e, up_tally *tally)
{
    for (;;) {
        struct up_pair was;
        was.second = __atomic_load_n(&tally->second, __ATOMIC_ACQUIRE);
        was.first = __atomic_load_n(&tally->first, __ATOMIC_ACQUIRE);
        struct up_return *last = &up_return_table[was.second % UP_RETURN_SLOTS];
        uint64_t counted = __atomic_load_n(&last->counted, __ATOMIC_ACQUIRE);
        int is_over = __atomic_load_n(&last->waiting, __ATOMIC_ACQUIRE) != was.second || !__atomic_load_n(&last->probe, __ATOMIC_ACQUIRE);
        if (__atomic_load_n(&tally->second, __ATOMIC_ACQUIRE) != was.second)
            continue;
        /* If another name came in between it may be an older one, from somebody who was late. */
        if (!is_over && !__atomic_compare_exchange_n(&last->counted, &counted, was.second, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        if (up_cmpxchg_pair(tally, &was, (struct up_pair){ was.first + 1, e->waiting }))
            break;
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    e->probe = NULL;
}

/* All tallies are asked: what is found again is unwound, and might go into another one. */
int up_return_is_counted(const struct up_return *e)
{
    const struct up_probe *p = e->probe;
    const up_tally *const tallies[] = { &p->recorded, &p->filtered, &p->sampled_out, &p->dropped };
    for (unsigned i = 0; i < sizeof tallies / sizeof *tallies; i++)
        if (__atomic_load_n(&tallies[i]->second, __ATOMIC_ACQUIRE) == e->waiting)
            return 1;
    return __atomic_load_n(&e->counted, __ATOMIC_ACQUIRE) == e->waiting;
}

static struct up_return *named(struct up_return *e)
{
    e->waiting = (e->waiting / UP_RETURN_SLOTS + 1) * UP_RETURN_SLOTS + (uint64_t)up_return_slot_of(e);
    return e;
}

struct up_return *up_return_wait(struct up_return *e)
{
    if (!e->probe)
        return named(e);
    int length = 1;
    for (int32_t next = e->chain; next != UP_NONE; next = up_return_table[next].chain)
        length++;
    if (length == UP_RETURN_CHAIN) {
        __atomic_add_fetch(&up_returns_refused, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    struct up_return *waiting = up_return_take(e->owner);
    if (waiting) {
        waiting->chain = e->chain;
        e->chain = up_return_slot_of(waiting);
        named(waiting);
    }
    return waiting;
}

static int is_call_of(const struct up_return *e, uint32_t group)
{
    const struct up_probe *probe = __atomic_load_n(&e->probe, __ATOMIC_ACQUIRE);
    return probe && probe->kind == UP_PROBE_CALL && probe->group == group;
}

/* Among all that wait for the return of `node`: the newest first, `node` itself was the first. */
static struct up_return *newest_of(struct up_return *node, int32_t chain, uint32_t group)
{
    for (; chain != UP_NONE; chain = up_return_table[chain].chain)
        if (is_call_of(&up_return_table[chain], group))
            return &up_return_table[chain];
    return node && is_call_of(node, group) ? node : NULL;
}

struct up_return *up_return_outer(struct up_return *e, struct up_return *node)
{
    enum { LOOK = 64 };
    uint32_t group = e->probe->group;
    struct up_return *outer = e == node ? NULL : newest_of(node, e->chain, group);
    int32_t slot = node->below;
    for (int looked = 0; !outer && slot != UP_NONE && looked < LOOK; looked++, slot = up_return_table[slot].below)
        if (__atomic_load_n(&up_return_table[slot].state, __ATOMIC_ACQUIRE) == UP_RETURN_LIVE)
            outer = newest_of(&up_return_table[slot], up_return_table[slot].chain, group);
    return outer;
}

int32_t up_return_used_high(void)
{
    return __atomic_load_n(&pool.used_high, __ATOMIC_ACQUIRE);
}

void up_return_give_back_spare(struct up_thread *t)
{
    if (t->spare)
        up_pool_give_back(&pool, t->spare - 1);
    t->spare = 0;
}

int up_returns_awaited(void)
{
    int spares = 0;
    for (int32_t i = 0; i < __atomic_load_n(&up_threads.pool.used_high, __ATOMIC_ACQUIRE); i++)
        spares += up_threads.all[i].spare != 0;
    return up_pool_taken(&pool) - spares;
}
