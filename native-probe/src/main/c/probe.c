#define _GNU_SOURCE
#include "probe.h"
#include "settings.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

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
    probe->settings = &up_settings_default;
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
    const struct up_probe *p = up_probe_at(id);
    /* In the reverse order of counting, so that the parts never exceed the whole. */
    out->timed = __atomic_load_n(&p->timed, __ATOMIC_ACQUIRE);
    out->total_time = __atomic_load_n(&p->total_time, __ATOMIC_ACQUIRE);
    out->max_time = __atomic_load_n(&p->max_time, __ATOMIC_ACQUIRE);
    out->recorded = __atomic_load_n(&p->recorded.first, __ATOMIC_ACQUIRE);
    out->filtered = __atomic_load_n(&p->filtered.first, __ATOMIC_ACQUIRE);
    out->sampled_out = __atomic_load_n(&p->sampled_out.first, __ATOMIC_ACQUIRE);
    out->dropped = __atomic_load_n(&p->dropped.first, __ATOMIC_ACQUIRE);
    out->missed = __atomic_load_n(&p->missed, __ATOMIC_ACQUIRE);
    out->hits = __atomic_load_n(&p->hits, __ATOMIC_ACQUIRE);
    return 0;
}

static int is_sound(const struct up_settings *s, const struct up_probe *probe, const struct up_if_step *step)
{
    int depth = 0, deepest = 0;
    for (int i = 0; i < s->steps; i++, step++) {
        if (step->operation >= UP_IF_OPERATIONS || (step->operation == UP_IF_FIELD && step->field >= probe->fields))
            return 0;
        depth += step->operation <= UP_IF_DURATION ? 1 : step->operation <= UP_IF_NEGATE ? 0 : -1;
        deepest = depth > deepest ? depth : deepest;
        if (depth < 1)
            return 0;
    }
    return s->steps == 0 || (depth == 1 && deepest <= UP_MAX_STACK);
}

int up_probe_settings(int32_t id, const struct up_settings *settings, const uint8_t *steps)
{
    if (id < 0 || id >= up_probe_count() || settings->steps < 0 || settings->steps > UP_MAX_STEPS || settings->second < 1
        || !is_sound(settings, up_probe_at(id), (const struct up_if_step *)steps))
        return -EINVAL;
    struct up_probe *probe = up_probe_at(id);
    const struct up_settings *kept = up_settings_keep(settings, steps);
    if (!kept || (settings->times && !probe->durations && !(probe->durations = up_keep(UP_BUCKETS * sizeof *probe->durations))))
        return -ENOMEM;
    __atomic_store_n(&probe->settings, kept, __ATOMIC_RELEASE);
    return 0;
}

int up_probe_durations(int32_t id, int64_t *out, int32_t capacity)
{
    if (id < 0 || id >= up_probe_count())
        return -EINVAL;
    const struct up_probe *probe = up_probe_at(id);
    int n = !probe->durations ? 0 : capacity < UP_BUCKETS ? capacity : UP_BUCKETS;
    for (int i = 0; i < n; i++)
        out[i] = (int64_t)__atomic_load_n(&probe->durations[i], __ATOMIC_RELAXED);
    return n;
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

/* FUTEX_WAIT for nothing: EAGAIN, the four bytes are others; EFAULT, there are none; else they are these. No seccomp filter can do without it. */
static int lies_at(uint64_t address, uint32_t half)
{
    static const struct timespec no_time = { 0, 0 };
    long answer = up_syscall4(SYS_futex, address, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, half, &no_time);
    return answer != -EAGAIN && answer != -EFAULT;
}

int up_holds(uint64_t address, uint64_t word)
{
    uint64_t there;
    int error = up_read_safely(address, &there, sizeof there);
    if (error && error != -EFAULT)
        return lies_at(address, (uint32_t)word) && lies_at(address + sizeof(uint32_t), (uint32_t)(word >> 32));
    return !error && there == word;
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
