/* Floor 2 */
#include "table.h"
#include "keep.h"

#include <errno.h>

enum { FIRST_CAPACITY = 1024 };

static void insert(struct up_table_part *t, const struct up_keyed *entry)
{
    uint64_t i = up_table_hash(entry->key);
    while (t->entries[i & (t->capacity - 1)])
        i++;
    __atomic_store_n(&t->entries[i & (t->capacity - 1)], entry, __ATOMIC_RELEASE);
}

int up_table_reserve(struct up_table *table, uint64_t more)
{
    const struct up_table_part *now = table->part;
    uint64_t capacity = now ? now->capacity : FIRST_CAPACITY;
    while ((table->count + more) * 2 > capacity)
        capacity *= 2;
    if (now && capacity == now->capacity)
        return 0;
    struct up_table_part *larger = up_keep(sizeof *larger + capacity * sizeof larger->entries[0]);
    if (!larger)
        return -ENOMEM;
    larger->capacity = capacity;
    for (uint64_t i = 0; now && i < now->capacity; i++)
        if (now->entries[i])
            insert(larger, now->entries[i]);
    __atomic_store_n(&table->part, larger, __ATOMIC_RELEASE);
    return 0;
}

void up_table_add(struct up_table *table, const struct up_keyed *entry)
{
    insert(table->part, entry);
    table->count++;
}
