/* Floor 1 */
/* A pool of numbered things, taken and given back without a lock
 * --------------------------------------------------------------
 * The free ones form a stack. Its top carries a tag that changes with every push and pop, so a compare-and-exchange cannot mistake a stack that has
 * come back to the same top for the one it read. Numbers never used before are handed out once the stack is empty: memory behind them is
 * touched only when it is needed. Allowed in the hit path. */
#ifndef UP_POOL_H
#define UP_POOL_H

#include "arch.h"

struct up_pool {
    volatile uint64_t free;     /* tag << 32 | number + 1; 0 in the lower half: empty */
    int32_t *next;              /* the number below each free one, + 1; as many as count */
    int32_t used_high;          /* none at or above this number was ever taken */
    int32_t count;
};

/* -1 if none is left. */
static inline int32_t up_pool_take(struct up_pool *pool)
{
    uint64_t top = __atomic_load_n(&pool->free, __ATOMIC_ACQUIRE);
    while ((uint32_t)top != 0) {
        int32_t number = (int32_t)((uint32_t)top - 1);
        uint64_t below = ((top >> 32) + 1) << 32 | (uint32_t)__atomic_load_n(&pool->next[number], __ATOMIC_RELAXED);
        if (__atomic_compare_exchange_n(&pool->free, &top, below, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return number;
    }
    int32_t fresh = __atomic_load_n(&pool->used_high, __ATOMIC_RELAXED);
    do {
        if (fresh >= pool->count)
            return -1;
    } while (!__atomic_compare_exchange_n(&pool->used_high, &fresh, fresh + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return fresh;
}

/* How many are taken; only about so while others take and give back. */
static inline int32_t up_pool_taken(const struct up_pool *pool)
{
    int32_t taken = __atomic_load_n(&pool->used_high, __ATOMIC_RELAXED);
    for (uint32_t top = (uint32_t)__atomic_load_n(&pool->free, __ATOMIC_ACQUIRE); top != 0 && taken > 0; taken--)
        top = (uint32_t)__atomic_load_n(&pool->next[top - 1], __ATOMIC_RELAXED);
    return taken;
}

static inline void up_pool_give_back(struct up_pool *pool, int32_t number)
{
    uint64_t top = __atomic_load_n(&pool->free, __ATOMIC_ACQUIRE), pushed;
    do {
        __atomic_store_n(&pool->next[number], (int32_t)(uint32_t)top, __ATOMIC_RELAXED);
        pushed = ((top >> 32) + 1) << 32 | (uint32_t)(number + 1);
    } while (!__atomic_compare_exchange_n(&pool->free, &top, pushed, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

#endif
