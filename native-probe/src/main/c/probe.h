/* A probe: what to record at a hit, and what came of its hits. Defined once, kept for good: records and sites refer to it by number. */
#ifndef UP_PROBE_H
#define UP_PROBE_H

#include "arch.h"
#include "uprobe.h"

struct up_commit {
    void *clazz;                /* jclass, global reference */
    void *method;               /* jmethodID of the one for hits of the thread that calls it */
    void *drained;              /* and for those that the drain brings; both take first record and count, this one what struct up_left has as well */
    void *frame;                /* jmethodID of the native method that shows the function as a caller (jvm.c), or NULL: it is not shown */
};

/* A counter of outcomes. `first` is the count; `second` the entry of returns.h that it was last raised for by up_return_count, which is why nothing else
 * needs to write it. */
typedef struct up_pair up_tally;

struct up_probe {
    up_tally recorded, filtered, sampled_out, dropped;          /* up_counters' */
    uint64_t hits, missed, timed, total_time, max_time;
    const struct up_settings *settings;         /* never NULL */
    struct up_commit *commit;   /* who makes events of the records; NULL: nobody yet, they stay in the ring */
    uint64_t *durations;        /* UP_BUCKETS of them; NULL until settings ask for them */
    uint64_t admitted;          /* settings.c */
    int32_t id;
    uint32_t offset;            /* of its sites from the beginning of their functions */
    uint16_t record_length;     /* bytes, a multiple of UP_HIT_ALIGN */
    uint8_t kind;               /* enum up_probe_kind */
    uint8_t fields;
    struct up_fetch fetches[];  /* packed; step with up_fetch_next */
} __attribute__((aligned(64)));

struct up_probe *up_probe_at(int32_t id);
int32_t up_probe_count(void);

static inline void up_tally_add(up_tally *tally, uint64_t n)
{
    __atomic_add_fetch(&tally->first, n, __ATOMIC_RELAXED);
}

/* Hit path. Those of now. */
static inline const struct up_settings *up_probe_settings_now(const struct up_probe *probe)
{
    return __atomic_load_n(&probe->settings, __ATOMIC_ACQUIRE);
}

/* The i-th fetch starts where the one before ended. */
static inline const struct up_fetch *up_fetch_next(const struct up_fetch *f)
{
    return (const struct up_fetch *)((const uint8_t *)(f + 1) + f->dereferences * sizeof(int64_t));
}

/* Hit path. Evaluates the fetches whose at_return is as asked into values[]; returns the bits of those that could not be read. */
uint16_t up_probe_fetch(const struct up_probe *probe, const struct up_regs *regs, int at_return, int64_t *values);

/* Hit path. Zeroes those values instead, and returns all their bits: there was nothing to read. */
uint16_t up_probe_unread(const struct up_probe *probe, int at_return, int64_t *values);

/* Bytes at address without a fault: 0 or -errno. A system call; allowed in the hit path. */
int up_read_safely(uint64_t address, void *into, uint32_t length);

/* Whether these eight bytes lie at address. Also where it is forbidden to read safely: what is there and can not be looked at does. */
int up_holds(uint64_t address, uint64_t word);

/* The other way round. */
int up_write_safely(uint64_t address, const void *from, uint32_t length);

/* Memory for things that live as long as the process: never freed, zeroed. Not for the hit path. NULL when the kernel gives none. */
void *up_keep(size_t bytes);

#endif
