#define _GNU_SOURCE
#include "probe.h"
#include "thread.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { PROBES_PER_PAGE = 1024, PAGES = 4096, KEEP_CHUNK = 1 << 20 };

/* Two levels, so that up_probe_at needs no lock while Java adds probes. */
static struct up_probe **pages[PAGES];
static int32_t probe_count;

/* Callers of the defining functions hold Java's engine lock; the hit path only reads. */
void *up_keep(size_t bytes)
{
    static uint8_t *chunk;
    static size_t left;
    bytes = (bytes + 63) & ~(size_t)63;
    if (bytes > KEEP_CHUNK / 4) {
        void *own = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return own == MAP_FAILED ? NULL : own;
    }
    if (bytes > left) {
        void *fresh = mmap(NULL, KEEP_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED)
            return NULL;
        chunk = fresh;
        left = KEEP_CHUNK;
    }
    void *result = chunk;
    chunk += bytes;
    left -= bytes;
    return result;
}

struct up_probe *up_probe_at(int32_t id)
{
    return pages[id / PROBES_PER_PAGE][id % PROBES_PER_PAGE];
}

int32_t up_probe_count(void)
{
    return __atomic_load_n(&probe_count, __ATOMIC_ACQUIRE);
}

int up_probe_define(int32_t kind, int32_t fields, const uint8_t *fetches, int32_t bytes)
{
    if (fields < 0 || fields > UP_MAX_FIELDS || bytes < 0 || kind < UP_PROBE_ENTRY || kind > UP_PROBE_CALL)
        return -EINVAL;
    int32_t id = probe_count;
    if (id == PROBES_PER_PAGE * PAGES)
        return UP_E_FULL;
    if (!pages[id / PROBES_PER_PAGE]) {
        struct up_probe **page = up_keep(PROBES_PER_PAGE * sizeof *page);
        if (!page)
            return -ENOMEM;
        pages[id / PROBES_PER_PAGE] = page;
    }
    struct up_probe *probe = up_keep(sizeof *probe + (size_t)bytes);
    if (!probe)
        return -ENOMEM;
    memcpy(probe->fetches, fetches, (size_t)bytes);
    uint32_t values = (uint32_t)fields + (kind == UP_PROBE_CALL);
    uint32_t length = UP_HIT_HEADER + values * (uint32_t)sizeof(int64_t);
    probe->id = id;
    probe->kind = (uint8_t)kind;
    probe->fields = (uint8_t)fields;
    probe->record_length = (uint16_t)((length + UP_HIT_ALIGN - 1) & ~(uint32_t)(UP_HIT_ALIGN - 1));
    pages[id / PROBES_PER_PAGE][id % PROBES_PER_PAGE] = probe;
    __atomic_store_n(&probe_count, id + 1, __ATOMIC_RELEASE);
    return id;
}

int up_probe_counters(int32_t id, struct up_counters *out)
{
    if (id < 0 || id >= up_probe_count())
        return -EINVAL;
    const struct up_counters *c = &up_probe_at(id)->counters;
    /* In the reverse order of counting, so that the parts never exceed the whole. */
    out->recorded = __atomic_load_n(&c->recorded, __ATOMIC_ACQUIRE);
    out->dropped = __atomic_load_n(&c->dropped, __ATOMIC_ACQUIRE);
    out->missed = __atomic_load_n(&c->missed, __ATOMIC_ACQUIRE);
    out->hits = __atomic_load_n(&c->hits, __ATOMIC_ACQUIRE);
    return 0;
}

static int copy_safely(long call, uint64_t address, const void *ours, uint32_t length)
{
    struct iovec local = { (void *)ours, length }, remote = { (void *)address, length };
    /* Asked each time: in the child of a fork a remembered pid would mean the parent's memory. */
    long self = up_syscall3(SYS_getpid, 0, 0, 0);
    long n = up_syscall6(call, self, (long)&local, 1, (long)&remote, 1, 0);
    return n == (long)length ? 0 : n < 0 ? (int)n : -EFAULT;
}

int up_read_safely(uint64_t address, void *into, uint32_t length)
{
    return copy_safely(SYS_process_vm_readv, address, into, length);
}

int up_memory_read(int64_t address, uint8_t *bytes, int32_t length)
{
    return up_read_safely((uint64_t)address, bytes, (uint32_t)length);
}

int up_write_safely(uint64_t address, const void *from, uint32_t length)
{
    return copy_safely(SYS_process_vm_writev, address, from, length);
}

static int64_t narrow(uint64_t value, unsigned size, int is_signed)
{
    unsigned unused = 64 - 8 * size;
    return is_signed ? (int64_t)(value << unused) >> unused : (int64_t)(value << unused >> unused);
}

uint16_t up_probe_fetch(const struct up_probe *probe, const struct up_regs *regs, int at_return, int64_t *values)
{
    uint16_t missing = 0;
    const struct up_fetch *f = probe->fetches;
    for (int i = 0; i < probe->fields; i++, f = up_fetch_next(f)) {
        if (f->at_return != at_return)
            continue;
        uint64_t value = regs->gpr[f->source == UP_FETCH_RESULT ? UP_GPR_RESULT : f->source];
        for (uint32_t d = 0; d < f->dereferences; d++) {
            uint64_t address = value + (uint64_t)f->displacement[d];
            uint32_t size = d + 1 < f->dereferences ? UP_WORD : f->size;
            value = 0;
            if (up_read_safely(address, &value, size) != 0) {
                missing |= (uint16_t)(1u << i);
                value = 0;
                break;
            }
        }
        values[i] = narrow(value, f->size, f->is_signed);
    }
    return missing;
}

uint16_t up_probe_unread(const struct up_probe *probe, int at_return, int64_t *values)
{
    uint16_t missing = 0;
    const struct up_fetch *f = probe->fetches;
    for (int i = 0; i < probe->fields; i++, f = up_fetch_next(f))
        if (f->at_return == at_return) {
            values[i] = 0;
            missing |= (uint16_t)(1u << i);
        }
    return missing;
}
