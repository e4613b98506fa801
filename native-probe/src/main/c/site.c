/* Floor 4 */
#include "site.h"
#include "keep.h"

#include <errno.h>

static struct up_table sites;

enum { SITES_PER_PAGE = 1024, PAGES = 4096 };
static struct up_site *pages[PAGES];
int32_t up_site_count;

const struct up_site *up_site_find(uint64_t address)
{
    return (const struct up_site *)up_table_find(&sites, address);
}

struct up_site *up_site_at(int32_t index)
{
    return index < 0 || index >= up_site_count ? NULL : &pages[index / SITES_PER_PAGE][index % SITES_PER_PAGE];
}

static int define_one(const struct up_way *plan)
{
    struct up_site *site = (struct up_site *)up_site_find(plan->site);
    if (site && site->armed)
        return -EBUSY;
    if (!site && up_site_count == SITES_PER_PAGE * PAGES)
        return UP_E_FULL;
    const struct up_way *way = up_way_keep(plan);
    if (!way)
        return -ENOMEM;
    if (site) {
        /* A trap that was taken before the site was disarmed may still come: it finds the old way or the new one, and both mean this
         * instruction - or the library is another one now, and nobody is there. */
        __atomic_store_n(&site->way, way, __ATOMIC_RELEASE);
        return site->index;
    }
    struct up_site **page = &pages[up_site_count / SITES_PER_PAGE];
    if (!*page && !(*page = up_keep(SITES_PER_PAGE * sizeof **page)))
        return -ENOMEM;
    site = &(*page)[up_site_count % SITES_PER_PAGE];
    site->address = plan->site;
    site->way = way;
    site->index = up_site_count;
    up_table_add(&sites, (const struct up_keyed *)site);
    return up_site_count++;
}

/* Caller holds Java's engine lock, as for all that follow. */
int up_sites_define(const struct up_way *ways, int32_t count, int32_t *indices)
{
    if (count < 0)
        return -EINVAL;
    if (up_table_reserve(&sites, (uint64_t)count) != 0 || up_way_reserve((uint64_t)count) != 0)
        return -ENOMEM;
    for (int32_t i = 0; i < count; i++) {
        int index = define_one(&ways[i]);
        if (index < 0)
            return index;
        indices[i] = index;
    }
    return 0;
}

static int set_consumer(int32_t index, int32_t probe, int32_t active)
{
    struct up_site *site = up_site_at(index);
    if (!site || probe < 0 || probe >= up_probe_count())
        return -EINVAL;
    struct up_consumer *unused = NULL;
    for (struct up_consumer *c = site->consumers; c; c = c->next) {
        if (c->probe->id == probe) {
            __atomic_store_n(&c->active, active, __ATOMIC_RELEASE);
            return 0;
        }
        if (!c->active)
            unused = c;
    }
    if (!active)
        return 0;
    if (unused) {
        /* A hit that found the node's former probe active just now counts for this one: the thread is at the site while both change. */
        __atomic_store_n(&unused->probe, up_probe_at(probe), __ATOMIC_RELEASE);
        __atomic_store_n(&unused->active, 1, __ATOMIC_RELEASE);
        return 0;
    }
    struct up_consumer *fresh = up_keep_small(sizeof *fresh);
    if (!fresh)
        return -ENOMEM;
    fresh->next = site->consumers;
    fresh->probe = up_probe_at(probe);
    fresh->active = active;
    __atomic_store_n(&site->consumers, fresh, __ATOMIC_RELEASE);
    return 0;
}

int up_sites_consumers(const int32_t *indices, const int32_t *probes, int32_t count, int32_t active)
{
    for (int32_t i = 0; i < count; i++) {
        int error = set_consumer(indices[i], probes[i], active);
        if (error) {
            while (--i >= 0)
                set_consumer(indices[i], probes[i], 0);
            return error;
        }
    }
    return 0;
}
