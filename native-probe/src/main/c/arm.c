/* Floor 5 */
/* Arming: the trap is written, and taken away again. Caller holds Java's engine lock. */
#define _GNU_SOURCE
#include "site.h"
#include "text.h"
#include "thread.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

/* One byte is stored whole, so no thread sees half a trap (SDM vol. 3A 9.1.1); a processor that has fetched the old byte runs the old
 * instruction once more, which is right as well. */
static int arm_one(int text, struct up_site *site)
{
    if (!site)
        return -EINVAL;
    if (site->armed) {
        uint8_t now;
        int error = up_text_look(site->address, &now);
        return error ? error : now == UP_TRAP_BYTE ? 0 : UP_E_CHANGED;
    }
    __atomic_store_n(&site->armed, 1, __ATOMIC_RELEASE);
    int error = up_text_replace(text, site->address, site->way->original, UP_TRAP_BYTE);
    if (error)
        __atomic_store_n(&site->armed, 0, __ATOMIC_RELEASE);
    return error;
}

int up_sites_arm(const int32_t *indices, int32_t count, int32_t *error)
{
    if (getpid() != up_threads.pid) {
        *error = UP_E_OTHER_PROCESS;
        return 0;
    }
    int text = up_text_open(), n = 0;
    *error = 0;
    while (n < count && (*error = arm_one(text, up_site_at(indices[n]))) == 0)
        n++;
    up_text_close(text);
    return n;
}

static int disarm_one(int text, struct up_site *site)
{
    if (!site)
        return -EINVAL;
    if (!site->armed)
        return 0;
    int error = up_text_replace(text, site->address, UP_TRAP_BYTE, site->way->original);
    /* Whoever changed it, or unmapped it, took our trap away: arming again compares with the original. */
    if (!error || error == UP_E_CHANGED || error == UP_E_GONE)
        __atomic_store_n(&site->armed, 0, __ATOMIC_RELEASE);
    return error;
}

int up_sites_disarm(const int32_t *indices, int32_t count, int32_t *errors)
{
    if (getpid() != up_threads.pid)
        return UP_E_OTHER_PROCESS;
    int text = up_text_open();
    for (int32_t i = 0; i < count; i++)
        errors[i] = disarm_one(text, up_site_at(indices[i]));
    up_text_close(text);
    return 0;
}

int up_site_forget(int32_t index)
{
    struct up_site *site = up_site_at(index);
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
    for (int32_t next = 0; next < up_site_count && n < capacity;) {
        int count = 0;
        for (; next < up_site_count && count < BATCH; next++)
            if (up_site_at(next)->armed) {
                remote[count] = (struct iovec){ (void *)up_site_at(next)->address, 1 };
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
    struct up_site *site = up_site_at(index);
    return site ? site->armed : -EINVAL;
}
