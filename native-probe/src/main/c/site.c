#define _GNU_SOURCE
#include "site.h"
#include "text.h"
#include "thread.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

static struct up_table sites;

enum { SITES_PER_PAGE = 1024, PAGES = 4096 };
static struct up_site *pages[PAGES];
static int32_t site_count;

const struct up_site *up_site_find(uint64_t address)
{
    return (const struct up_site *)up_table_find(&sites, address);
}

static struct up_site *site_at(int32_t index)
{
    return index < 0 || index >= site_count ? NULL : &pages[index / SITES_PER_PAGE][index % SITES_PER_PAGE];
}

/* Caller holds Java's engine lock, as for all that follow. */
int up_site_define(const struct up_way *plan)
{
    struct up_site *site = (struct up_site *)up_site_find(plan->site);
    if (site && site->armed)
        return -EBUSY;
    if (!site && site_count == SITES_PER_PAGE * PAGES)
        return UP_E_FULL;
    if (up_table_reserve(&sites) != 0)
        return -ENOMEM;
    const struct up_way *way = up_way_keep(plan);
    if (!way)
        return -ENOMEM;
    if (site) {
        /* A trap that was taken before the site was disarmed may still come: it finds the old way or the new one, and both mean this
         * instruction - or the library is another one now, and nobody is there. */
        __atomic_store_n(&site->way, way, __ATOMIC_RELEASE);
        return site->index;
    }
    struct up_site **page = &pages[site_count / SITES_PER_PAGE];
    if (!*page && !(*page = up_keep(SITES_PER_PAGE * sizeof **page)))
        return -ENOMEM;
    site = &(*page)[site_count % SITES_PER_PAGE];
    site->address = plan->site;
    site->way = way;
    site->index = site_count;
    up_table_add(&sites, (const struct up_keyed *)site);
    return site_count++;
}

/* Caller holds Java's engine lock, as for all that follow. */
int up_site_consumer(int32_t index, int32_t probe, int32_t active)
{
    struct up_site *site = site_at(index);
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
    if (site->armed) {
        uint8_t now;
        int error = up_text_look(site->address, &now);
        return error ? error : now == UP_TRAP_BYTE ? 0 : UP_E_CHANGED;
    }
    __atomic_store_n(&site->armed, 1, __ATOMIC_RELEASE);
    int error = up_text_replace(site->address, site->way->original, UP_TRAP_BYTE);
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
    int error = up_text_replace(site->address, UP_TRAP_BYTE, site->way->original);
    /* Whoever changed it, or unmapped it, took our trap away: arming again compares with the original. */
    if (!error || error == UP_E_CHANGED || error == UP_E_GONE)
        __atomic_store_n(&site->armed, 0, __ATOMIC_RELEASE);
    return error;
}

int up_site_forget(int32_t index)
{
    struct up_site *site = site_at(index);
    if (!site)
        return -EINVAL;
    __atomic_store_n(&site->armed, 0, __ATOMIC_RELEASE);
    return 0;
}

int up_sites_changed(int32_t *sites, uint8_t *found, int32_t capacity)
{
    if (getpid() != up_threads.pid)
        return UP_E_OTHER_PROCESS;
    enum { BATCH = 1024 };      /* UIO_MAXIOV */
    static struct iovec remote[BATCH];
    static uint8_t bytes[BATCH];
    static int32_t index[BATCH];
    int n = 0;
    for (int32_t next = 0; next < site_count && n < capacity;) {
        int count = 0;
        for (; next < site_count && count < BATCH; next++)
            if (site_at(next)->armed) {
                remote[count] = (struct iovec){ (void *)site_at(next)->address, 1 };
                index[count++] = next;
            }
        for (int from = 0; from < count && n < capacity;) {
            struct iovec local = { bytes + from, (size_t)(count - from) };
            ssize_t got = process_vm_readv(getpid(), &local, 1, remote + from, (unsigned long)(count - from), 0);
            if (got <= 0)       /* the first is gone, or the call is forbidden: one by one */
                got = up_text_look((uint64_t)remote[from].iov_base, bytes + from) == 0;
            for (int i = from; i < from + got && n < capacity; i++)
                if (bytes[i] != UP_TRAP_BYTE) {
                    sites[n] = index[i];
                    found[n++] = bytes[i];
                }
            from += got > 0 ? (int)got : 1;
        }
    }
    return n;
}

int up_site_armed(int32_t index)
{
    struct up_site *site = site_at(index);
    return site ? site->armed : -EINVAL;
}
