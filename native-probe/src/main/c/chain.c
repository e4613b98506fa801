/* Floor 1 */
/* Allowed here: what the head of trap.c allows. */
#include "chain.h"
#include "arch.h"

/*   63   62            48 47             32 31                              0
 *   +---+----------------+-----------------+--------------------------------+
 *   | 1 |     depth      |     callers     |             probe              |       0: the place is free
 *   +---+----------------+-----------------+--------------------------------+ */
static uint64_t table[UP_CHAINS];
uint64_t up_chains_refused;

static uint64_t noted[UP_CHAINS / 64];
int32_t up_chains_watched;

void up_chain_note(uint16_t chain)
{
    __atomic_fetch_or(&noted[chain / 64], 1ull << chain % 64, __ATOMIC_SEQ_CST);
}

void up_chains_watch(int32_t on)
{
    for (int i = 0; on && i < UP_CHAINS / 64; i++)
        __atomic_store_n(&noted[i], 0, __ATOMIC_RELAXED);
    __atomic_store_n(&up_chains_watched, on, __ATOMIC_SEQ_CST);
}

int up_chain_is_noted(uint16_t chain)
{
    return __atomic_load_n(&noted[chain / 64], __ATOMIC_SEQ_CST) >> chain % 64 & 1;
}

static uint64_t depth_of(uint64_t entry)
{
    return entry >> 48 & 0x7fff;
}

uint16_t up_chain_add(uint16_t callers, int32_t probe)
{
    uint64_t depth = callers ? depth_of(table[callers]) + 1 : 1;
    uint64_t entry = 1ull << 63 | depth << 48 | (uint64_t)callers << 32 | (uint32_t)probe;
    uint64_t at = entry * 0x9e3779b97f4a7c15u >> 48;
    for (int i = 0; i < UP_CHAIN_LOOK && depth <= UP_CHAIN_DEPTH; i++, at++) {
        uint64_t *place = &table[at % UP_CHAINS], found = __atomic_load_n(place, __ATOMIC_ACQUIRE);
        if (place == table)
            continue;           /* its number means none */
        if (!found && __atomic_compare_exchange_n(place, &found, entry, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            found = entry;
        if (found == entry)
            return (uint16_t)(at % UP_CHAINS);
    }
    up_count(&up_chains_refused);
    return callers;
}

int up_chain_probes(uint16_t chain, int32_t *probes, int capacity)
{
    int n = 0;
    for (; chain && n < capacity; chain = (uint16_t)(table[chain] >> 32))
        probes[n++] = (int32_t)(uint32_t)table[chain];
    return n;
}
