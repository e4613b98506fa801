/* Floor 3 */
#include "way.h"
#include "keep.h"

#include <errno.h>

static struct up_table ways_by_slot;

const struct up_way *up_way_holding(uint64_t pc)
{
    uint64_t unit = pc & ~(uint64_t)(UP_SLOT_UNIT - 1);
    for (int i = 0; i < UP_SLOT_UNITS; i++, unit -= UP_SLOT_UNIT) {
        const struct up_way *way = (const struct up_way *)up_table_find(&ways_by_slot, unit);
        if (way)
            return pc < way->slot + way->code_length ? way : NULL;
    }
    return NULL;
}

int up_way_reserve(uint64_t more)
{
    return up_table_reserve(&ways_by_slot, more);
}

const struct up_way *up_way_keep(const struct up_way *plan)
{
    const struct up_keyed *known = plan->slot ? up_table_find(&ways_by_slot, plan->slot) : NULL;
    if (known)
        return (const struct up_way *)known;
    struct up_way *way = up_keep_small(sizeof *way);
    if (!way || (plan->slot && up_table_reserve(&ways_by_slot, 1) != 0))
        return NULL;
    *way = *plan;
    if (way->slot)
        up_table_add(&ways_by_slot, (const struct up_keyed *)way);
    return way;
}
