#include "site.h"
#include "text.h"
#include "thread.h"

#include <errno.h>
#include <unistd.h>

/* Open addressing, at most half full. A fuller table is copied into one of twice the size, which is then published whole; the old one stays, as
 * a trap handler may be looking into it. */
struct table {
    uint64_t capacity;          /* power of two */
    struct up_site *entries[];
};
static struct table *table;

enum { SITES_PER_PAGE = 1024, PAGES = 4096, FIRST_CAPACITY = 1024 };
static struct up_site *pages[PAGES];
static int32_t site_count;

static uint64_t hash(uint64_t address)
{
    return address * 0x9e3779b97f4a7c15u >> 16;
}

const struct up_site *up_site_find(uint64_t address)
{
    const struct table *t = __atomic_load_n(&table, __ATOMIC_ACQUIRE);
    if (!t)
        return NULL;
    for (uint64_t i = hash(address);; i++) {
        const struct up_site *site = __atomic_load_n(&t->entries[i & (t->capacity - 1)], __ATOMIC_ACQUIRE);
        if (!site || site->address == address)
            return site;
    }
}

static struct up_site *site_at(int32_t index)
{
    return index < 0 || index >= site_count ? NULL : &pages[index / SITES_PER_PAGE][index % SITES_PER_PAGE];
}

static void insert(struct table *t, struct up_site *site)
{
    uint64_t i = hash(site->address);
    while (t->entries[i & (t->capacity - 1)])
        i++;
    __atomic_store_n(&t->entries[i & (t->capacity - 1)], site, __ATOMIC_RELEASE);
}

static int make_room(void)
{
    if (table && (uint64_t)site_count * 2 < table->capacity)
        return 0;
    uint64_t capacity = table ? table->capacity * 2 : FIRST_CAPACITY;
    struct table *larger = up_keep(sizeof *larger + capacity * sizeof larger->entries[0]);
    if (!larger)
        return -ENOMEM;
    larger->capacity = capacity;
    for (int32_t i = 0; i < site_count; i++)
        insert(larger, site_at(i));
    __atomic_store_n(&table, larger, __ATOMIC_RELEASE);
    return 0;
}

/* Caller holds Java's engine lock, as for all that follow. */
int up_site_define(int64_t address, int64_t slot, int32_t original)
{
    const struct up_site *known = up_site_find((uint64_t)address);
    if (known)
        return known->index;
    if (site_count == SITES_PER_PAGE * PAGES)
        return UP_E_FULL;
    int error = make_room();
    if (error)
        return error;
    struct up_site **page = &pages[site_count / SITES_PER_PAGE];
    if (!*page && !(*page = up_keep(SITES_PER_PAGE * sizeof **page)))
        return -ENOMEM;
    struct up_site *site = &(*page)[site_count % SITES_PER_PAGE];
    site->address = (uint64_t)address;
    site->slot = (uint64_t)slot;
    site->original = (uint8_t)original;
    site->index = site_count;
    insert(table, site);
    return site_count++;
}

int up_site_consumer(int32_t index, int32_t probe, int32_t active)
{
    struct up_site *site = site_at(index);
    if (!site || probe < 0 || probe >= up_probe_count())
        return -EINVAL;
    for (struct up_consumer *c = site->consumers; c; c = c->next)
        if (c->probe->id == probe) {
            __atomic_store_n(&c->active, active, __ATOMIC_RELEASE);
            return 0;
        }
    struct up_consumer *fresh = up_keep(sizeof *fresh);
    if (!fresh)
        return -ENOMEM;
    fresh->next = site->consumers;
    fresh->probe = up_probe_at(probe);
    fresh->active = active;
    __atomic_store_n(&site->consumers, fresh, __ATOMIC_RELEASE);
    return 0;
}

/* One byte is stored whole, so no thread sees half a trap (SDM vol. 3A 9.1.1); a processor that has fetched the old byte runs the old
 * instruction once more, which is right as well. */
int up_site_arm(int32_t index)
{
    struct up_site *site = site_at(index);
    if (!site)
        return -EINVAL;
    if (getpid() != up_threads.pid)
        return UP_E_OTHER_PROCESS;
    if (site->armed)
        return *(volatile const uint8_t *)site->address == UP_TRAP_BYTE ? 0 : UP_E_CHANGED;
    __atomic_store_n(&site->armed, 1, __ATOMIC_RELEASE);
    int error = up_text_replace(site->address, site->original, UP_TRAP_BYTE);
    if (error)
        __atomic_store_n(&site->armed, 0, __ATOMIC_RELEASE);
    return error;
}

int up_site_disarm(int32_t index)
{
    struct up_site *site = site_at(index);
    if (!site)
        return -EINVAL;
    if (getpid() != up_threads.pid)
        return UP_E_OTHER_PROCESS;
    if (!site->armed)
        return 0;
    int error = up_text_replace(site->address, UP_TRAP_BYTE, site->original);
    if (!error || error == UP_E_CHANGED)    /* whoever changed it took our trap away: arming again compares with the original */
        __atomic_store_n(&site->armed, 0, __ATOMIC_RELEASE);
    return error;
}

int up_site_armed(int32_t index)
{
    struct up_site *site = site_at(index);
    return site ? site->armed : -EINVAL;
}
