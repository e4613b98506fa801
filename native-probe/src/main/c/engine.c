/* Floor 11 */
/* Setting up, and the numbers that Java checks its own against. */
#define _GNU_SOURCE
#include "chain.h"
#include "clock.h"
#include "java.h"
#include "leaving.h"
#include "returns.h"
#include "ring.h"
#include "threads.h"

#include <errno.h>
#include <link.h>
#include <unistd.h>

_Static_assert(offsetof(struct up_hit, length) == 4, "HitRecordDescriptor.LENGTH");
_Static_assert(offsetof(struct up_hit, missing) == 6, "HitRecordDescriptor.MISSING");
_Static_assert(offsetof(struct up_hit, probe) == 8, "HitRecordDescriptor.PROBE");
_Static_assert(offsetof(struct up_hit, flags) == 12, "HitRecordDescriptor.FLAGS");
_Static_assert(offsetof(struct up_hit, time) == 16, "HitRecordDescriptor.TIME");
_Static_assert(offsetof(struct up_hit, call) == 24, "HitRecordDescriptor.CALL");
_Static_assert(offsetof(struct up_hit, values) == UP_HIT_HEADER, "HitRecordDescriptor.VALUES");
_Static_assert(sizeof(struct up_insn) == 16, "InstructionTable.ROW");

int up_init(int64_t ring_bytes, int32_t ring_count, int32_t use_tsc, int64_t vdso_clock_gettime)
{
    if (up_threads.all && getpid() != up_threads.pid)
        return UP_E_OTHER_PROCESS;
    if (up_threads.all) {       /* open once more: where rings lie is fixed, what they are stamped by is not */
        up_clock_is_tsc = use_tsc;
        return 0;
    }
    if (ring_bytes < 4096 || ring_bytes & (ring_bytes - 1) || ring_count < 1 || ring_bytes * ring_count > INT32_MAX)
        return -EINVAL;
    if (!up_has_pairs())
        return UP_E_PROCESSOR;
    up_clock_is_tsc = use_tsc;
    up_vdso_clock_gettime = (int (*)(clockid_t, struct timespec *))vdso_clock_gettime;
    return up_threads_init((uint64_t)ring_bytes, ring_count);
}

int64_t up_ring_memory(void)
{
    return (int64_t)up_threads.memory;
}

int64_t up_ring_memory_size(void)
{
    return (int64_t)up_threads.ring_bytes * up_threads.pool.count;
}

int up_layout(int32_t *out, int32_t capacity)
{
    const int32_t numbers[] = {
        UP_LAYOUT_VERSION, offsetof(struct up_hit, state), offsetof(struct up_hit, length), offsetof(struct up_hit, missing),
        offsetof(struct up_hit, probe), offsetof(struct up_hit, flags), offsetof(struct up_hit, time), offsetof(struct up_hit, call),
        offsetof(struct up_hit, values), UP_HIT_COMMITTED, UP_HIT_UNWOUND, UP_MAX_FIELDS, UP_MISSING_DURATION,
        sizeof(struct up_fetch), sizeof(struct up_insn), sizeof(struct up_vm_layout), sizeof(struct up_flush_statistics),
        sizeof(struct up_counters), sizeof(struct up_way), sizeof(struct up_detail), UP_SLOT_UNIT, UP_OP_NONE,
        sizeof(struct up_settings), sizeof(struct up_if_step), UP_IF_OPERATIONS, UP_BUCKETS, UP_SUB_BUCKETS, UP_HIT_REJECTED,
        sizeof(struct up_entry)
    };
    int n = sizeof numbers / sizeof *numbers;
    for (int i = 0; i < n && i < capacity; i++)
        out[i] = numbers[i];
    return n;
}

/* glibc makes dlpi_subs from dlpi_adds and the libraries that are there: with dlmopen it goes down as well, so their sum may come back to what it was.
 * dlpi_adds never goes down, and where it stays dlpi_subs does not. */
static int take_change_count(struct dl_phdr_info *info, size_t size, void *data)
{
    if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs)
        *(int64_t *)data = (int64_t)(info->dlpi_adds << 32 | (uint32_t)info->dlpi_subs);
    return 1;
}

int64_t up_library_changes(void)
{
    int64_t changes = 0;
    dl_iterate_phdr(take_change_count, &changes);
    return changes;
}

int up_own_work(int32_t change)
{
    struct up_thread *t = up_thread_self();
    if (!t)
        return -1;
    t->own_work += change;
    return 0;
}

__attribute__((noinline)) int64_t up_caller(void)
{
    return (int64_t)__builtin_return_address(0);
}

int up_flush_statistics(struct up_flush_statistics *out)
{
    *out = up_flush_stats;
    int32_t high = __atomic_load_n(&up_threads.pool.used_high, __ATOMIC_ACQUIRE);
    for (int32_t i = 0; i < high; i++) {
        const struct up_thread *t = &up_threads.all[i];
        out->swaps += __atomic_load_n(&t->swaps, __ATOMIC_RELAXED);
        out->flushes += __atomic_load_n(&t->flushes, __ATOMIC_RELAXED);
        out->upcalls += __atomic_load_n(&t->upcalls, __ATOMIC_RELAXED);
    }
    out->unwound = up_returns_unwound;
    out->threads_taken = up_threads.taken;
    out->threads_recycled = up_threads.recycled;
    out->threads_refused = up_threads.refused;
    out->slots_refused = up_returns_refused;
    out->abandoned = up_ring_abandoned;
    out->chains_refused = up_chains_refused;
    return 0;
}
