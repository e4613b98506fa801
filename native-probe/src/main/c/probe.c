/* Floor 2 */
#define _GNU_SOURCE
#include "probe.h"
#include "keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PROBES_PER_PAGE = 1024, PAGES = 4096 };

/* Two levels, so that up_probe_at needs no lock while Java adds probes. */
static struct up_probe **pages[PAGES];
static int32_t probe_count;
struct up_probe *up_probes_given_up;
static struct up_probe *free_numbers;

const struct up_settings up_settings_default = { .one_of = 1, .per_second = INT64_MAX, .until = INT64_MAX, .mode = UP_MODE_EVENT };
const struct up_settings up_settings_given_up = { .one_of = 1, .per_second = INT64_MAX, .until = INT64_MAX, .mode = UP_MODE_COUNT };

/* What the probes of a pattern fetch is the same, and there once. */
struct up_program {
    uint32_t users;
    struct up_fetch fetches[];
};

struct up_probe *up_probe_at(int32_t id)
{
    return pages[id / PROBES_PER_PAGE][id % PROBES_PER_PAGE];
}

int32_t up_probe_count(void)
{
    return __atomic_load_n(&probe_count, __ATOMIC_ACQUIRE);
}

/* A number that nobody refers to. NULL: no memory, or there are no more. */
static struct up_probe *take_number(void)
{
    struct up_probe *probe = free_numbers;
    if (probe) {
        free_numbers = probe->next;
        return probe;
    }
    int32_t id = probe_count;
    if (id == PROBES_PER_PAGE * PAGES)
        return NULL;
    if (!pages[id / PROBES_PER_PAGE] && !(pages[id / PROBES_PER_PAGE] = up_keep(PROBES_PER_PAGE * sizeof(struct up_probe *))))
        return NULL;
    probe = up_keep(sizeof *probe);
    if (!probe)
        return NULL;
    probe->id = id;
    pages[id / PROBES_PER_PAGE][id % PROBES_PER_PAGE] = probe;
    __atomic_store_n(&probe_count, id + 1, __ATOMIC_RELEASE);
    return probe;
}

void up_probe_free(struct up_probe *probe)
{
    if (probe->program && --probe->program->users == 0)
        free(probe->program);
    /* A kernel that lets nobody do it has the memory kept, so it is zeroed when it is used next (up_probe_time). */
    if (probe->own_durations)
        madvise(probe->own_durations, UP_BUCKETS * sizeof *probe->own_durations, MADV_DONTNEED);
    *probe = (struct up_probe){ .id = probe->id, .own_durations = probe->own_durations, .life = UP_PROBE_FREE, .settings = &up_settings_given_up,
        .next = free_numbers };
    free_numbers = probe;
}

int up_probe_time(struct up_probe *probe)
{
    enum { TOGETHER = 64 };
    static uint64_t *more;
    static int left;
    const size_t bytes = UP_BUCKETS * sizeof *more;
    if (probe->durations)
        return 0;
    if (!probe->own_durations && left == 0) {
        more = mmap(NULL, TOGETHER * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (more == MAP_FAILED)
            return -ENOMEM;
        left = TOGETHER;
    }
    if (!probe->own_durations) {
        probe->own_durations = more;
        more += UP_BUCKETS;
        left--;
    } else if (madvise(probe->own_durations, bytes, MADV_DONTNEED) != 0) {
        memset(probe->own_durations, 0, bytes);
    }
    __atomic_store_n(&probe->durations, probe->own_durations, __ATOMIC_RELEASE);
    return 0;
}

int up_probes_define(int32_t count, int32_t kind, int32_t fields, const uint8_t *fetches, int32_t bytes, int64_t offset, int32_t with, int32_t *ids)
{
    static uint32_t groups;
    if (count < 1 || with >= probe_count || fields < 0 || fields > UP_MAX_FIELDS || bytes < 0 || kind < UP_PROBE_ENTRY || kind > UP_PROBE_CALL)
        return -EINVAL;
    struct up_program *program = malloc(sizeof *program + (size_t)bytes);
    if (!program)
        return -ENOMEM;
    program->users = 1;         /* this function, until it is done */
    memcpy(program->fetches, fetches, (size_t)bytes);
    uint32_t group = with < 0 ? ++groups : up_probe_at(with)->group;
    uint32_t values = (uint32_t)fields + (kind == UP_PROBE_CALL);
    uint32_t length = UP_HIT_HEADER + values * (uint32_t)sizeof(int64_t);
    int32_t defined = 0;
    for (struct up_probe *probe; defined < count && (probe = take_number()) != NULL; ids[defined++] = probe->id) {
        probe->program = program;
        program->users++;
        probe->fetches = program->fetches;
        probe->group = group;
        probe->offset = (uint32_t)offset;
        probe->settings = &up_settings_default;
        probe->kind = (uint8_t)kind;
        probe->fields = (uint8_t)fields;
        probe->record_length = (uint16_t)((length + UP_HIT_ALIGN - 1) & ~(uint32_t)(UP_HIT_ALIGN - 1));
        probe->life = UP_PROBE_DEFINED;
    }
    int error = defined == count ? 0 : probe_count == PROBES_PER_PAGE * PAGES ? UP_E_FULL : -ENOMEM;
    while (error && defined > 0)
        up_probe_free(up_probe_at(ids[--defined]));
    if (--program->users == 0)
        free(program);
    return error;
}

int up_probes_give_up(const int32_t *ids, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= probe_count || up_probe_at(ids[i])->life != UP_PROBE_DEFINED)
            return -EINVAL;
    for (int32_t i = 0; i < count; i++) {
        struct up_probe *probe = up_probe_at(ids[i]);
        probe->life = UP_PROBE_GIVEN_UP;
        __atomic_store_n(&probe->settings, &up_settings_given_up, __ATOMIC_RELEASE);
        probe->next = up_probes_given_up;
        up_probes_given_up = probe;
    }
    return 0;
}

static void add_counters(const struct up_probe *p, struct up_counters *out)
{
    /* In the reverse order of counting, so that the parts never exceed the whole. */
    out->timed += __atomic_load_n(&p->timed, __ATOMIC_ACQUIRE);
    out->total_time += __atomic_load_n(&p->total_time, __ATOMIC_ACQUIRE);
    out->self_time += __atomic_load_n(&p->self_time, __ATOMIC_ACQUIRE);
    uint64_t max_time = __atomic_load_n(&p->max_time, __ATOMIC_ACQUIRE);
    out->max_time = max_time > out->max_time ? max_time : out->max_time;
    out->recorded += __atomic_load_n(&p->recorded.first, __ATOMIC_ACQUIRE);
    out->filtered += __atomic_load_n(&p->filtered.first, __ATOMIC_ACQUIRE);
    out->sampled_out += __atomic_load_n(&p->sampled_out.first, __ATOMIC_ACQUIRE);
    out->dropped += __atomic_load_n(&p->dropped.first, __ATOMIC_ACQUIRE);
    out->missed += __atomic_load_n(&p->missed, __ATOMIC_ACQUIRE);
    out->own_work += __atomic_load_n(&p->own_work, __ATOMIC_ACQUIRE);
    out->hits += __atomic_load_n(&p->hits, __ATOMIC_ACQUIRE);
}

int up_probe_counters(int32_t id, struct up_counters *out)
{
    return up_probes_counters(&id, 1, out);
}

int up_probes_counters_each(const int32_t *ids, int32_t count, struct up_counters *out)
{
    for (int32_t i = 0; i < count; i++) {
        int error = up_probes_counters(ids + i, 1, out + i);
        if (error)
            return error;
    }
    return 0;
}

int up_probes_counters(const int32_t *ids, int32_t count, struct up_counters *out)
{
    *out = (struct up_counters){ 0 };
    for (int32_t i = 0; i < count; i++) {
        if (ids[i] < 0 || ids[i] >= up_probe_count())
            return -EINVAL;
        add_counters(up_probe_at(ids[i]), out);
    }
    return 0;
}
