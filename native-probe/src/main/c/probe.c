/* Floor 2 */
#include "probe.h"
#include "keep.h"

#include <errno.h>
#include <string.h>

enum { PROBES_PER_PAGE = 1024, PAGES = 4096 };

/* Two levels, so that up_probe_at needs no lock while Java adds probes. */
static struct up_probe **pages[PAGES];
static int32_t probe_count;

const struct up_settings up_settings_default = { .one_of = 1, .per_second = INT64_MAX, .until = INT64_MAX, .mode = UP_MODE_EVENT };

struct up_probe *up_probe_at(int32_t id)
{
    return pages[id / PROBES_PER_PAGE][id % PROBES_PER_PAGE];
}

int32_t up_probe_count(void)
{
    return __atomic_load_n(&probe_count, __ATOMIC_ACQUIRE);
}

static int define_one(int32_t kind, int32_t fields, const uint8_t *fetches, int32_t bytes, int64_t offset, int32_t with)
{
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
    probe->first = with < 0 ? id : up_probe_at(with)->first;
    probe->offset = (uint32_t)offset;
    probe->settings = &up_settings_default;
    probe->kind = (uint8_t)kind;
    probe->fields = (uint8_t)fields;
    probe->record_length = (uint16_t)((length + UP_HIT_ALIGN - 1) & ~(uint32_t)(UP_HIT_ALIGN - 1));
    pages[id / PROBES_PER_PAGE][id % PROBES_PER_PAGE] = probe;
    __atomic_store_n(&probe_count, id + 1, __ATOMIC_RELEASE);
    return id;
}

int up_probes_define(int32_t count, int32_t kind, int32_t fields, const uint8_t *fetches, int32_t bytes, int64_t offset, int32_t with)
{
    if (count < 1 || with >= probe_count || fields < 0 || fields > UP_MAX_FIELDS || bytes < 0 || kind < UP_PROBE_ENTRY || kind > UP_PROBE_CALL)
        return -EINVAL;
    int32_t first = probe_count;
    for (int32_t i = 0; i < count; i++) {
        int id = define_one(kind, fields, fetches, bytes, offset, with >= 0 || i == 0 ? with : first);
        if (id < 0)
            return id;
    }
    return first;
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
