/* Floor 2 */
/* A probe: what to record at a hit, and what came of its hits. Defined once, kept for good: records and sites refer to it by number. */
#ifndef UP_PROBE_H
#define UP_PROBE_H

#include "arch.h"
#include "uprobe.h"

struct up_commit {
    void *clazz;                /* jclass, global reference */
    void *method;               /* jmethodID of the one that makes events */
    void *frames;               /* jclass of the native method that shows the function as a caller (commit.c), a global reference, or NULL */
    void *frame;                /* its jmethodID; NULL: it is not shown */
};

/* A counter of outcomes. `first` is the count; `second` the entry of awaited.h that it was last raised for by up_return_count, which is why nothing else
 * needs to write it. */
typedef struct up_pair up_tally;

struct up_probe {
    up_tally recorded, filtered, sampled_out, dropped;          /* up_counters' */
    uint64_t hits, missed, own_work, timed, total_time, max_time, self_time;
    const struct up_settings *settings;         /* never NULL */
    struct up_commit *commit;   /* who makes events of the records; NULL: nobody yet, they stay in the ring */
    uint64_t *durations;        /* UP_BUCKETS of them; NULL until settings ask for them */
    uint64_t admitted;          /* settings.c */
    int32_t id;
    int32_t first;              /* of those that are one probe to the user, as the functions of a pattern are: the id of the first */
    uint32_t offset;            /* of its sites from the beginning of their functions */
    uint16_t record_length;     /* bytes, a multiple of UP_HIT_ALIGN */
    uint8_t kind;               /* enum up_probe_kind */
    uint8_t fields;
    struct up_fetch fetches[];  /* packed: fetch.c steps through them */
} __attribute__((aligned(64)));

struct up_probe *up_probe_at(int32_t id);
int32_t up_probe_count(void);

/* What a probe begins with. Every hit an event. */
extern const struct up_settings up_settings_default;

static inline void up_tally_add(up_tally *tally, uint64_t n)
{
    __atomic_add_fetch(&tally->first, n, __ATOMIC_RELAXED);
}

/* Hit path. Those of now. */
static inline const struct up_settings *up_probe_settings_now(const struct up_probe *probe)
{
    return __atomic_load_n(&probe->settings, __ATOMIC_ACQUIRE);
}

#endif
