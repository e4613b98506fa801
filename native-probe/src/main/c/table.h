/* Floor 2 */
/* Things found by address, without a lock
 * ---------------------------------------
 * Open addressing, at most half full. A fuller table is copied into one of twice the size, which is then published whole; the old one stays, as a
 * trap handler may be looking into it. Nothing is ever taken out. Looking up is allowed in the hit path; adding needs Java's engine lock. */
#ifndef UP_TABLE_H
#define UP_TABLE_H

#include "arch.h"

#include <stddef.h>

/* Begins whatever is kept in a table. */
struct up_keyed {
    uint64_t key;
};

struct up_table {
    struct up_table_part *part;
    uint64_t count;
};

struct up_table_part {
    uint64_t capacity;          /* power of two */
    const struct up_keyed *entries[];
};

static inline uint64_t up_table_hash(uint64_t key)
{
    return key * 0x9e3779b97f4a7c15u >> 16;
}

/* NULL: there is none. */
static inline const struct up_keyed *up_table_find(const struct up_table *table, uint64_t key)
{
    const struct up_table_part *t = __atomic_load_n(&table->part, __ATOMIC_ACQUIRE);
    if (!t)
        return NULL;
    for (uint64_t i = up_table_hash(key);; i++) {
        const struct up_keyed *entry = __atomic_load_n(&t->entries[i & (t->capacity - 1)], __ATOMIC_ACQUIRE);
        if (!entry || entry->key == key)
            return entry;
    }
}

/* Makes room for so many more: 0 or -ENOMEM. */
int up_table_reserve(struct up_table *table, uint64_t more);
/* The caller has reserved, and knows that the key is not there. */
void up_table_add(struct up_table *table, const struct up_keyed *entry);

#endif
