/* Floor 2 */
/* A probe: what to record at a hit, and what came of its hits. Records, awaited returns and sites refer to it, by number or address, so its memory stays
 * for good; but once it was given up and nobody refers to it any more it is another probe's (forget.c). */
#ifndef UP_PROBE_H
#define UP_PROBE_H

#include "arch.h"
#include "uprobe.h"

struct up_commit {
    void *clazz;                /* jclass, global reference */
    void *method;               /* jmethodID of the one that makes events */
    void *frames;               /* jclass of the native method that shows the function as a caller (commit.c), a global reference, or NULL */
    void *frame;                /* its jmethodID; NULL: it is not shown */
    struct up_class *holds[2];  /* the references above, as commit.c counts them */
};

/* A counter of outcomes. `first` is the count; `second` the entry of awaited.h that it was last raised for by up_return_count, which is why nothing else
 * needs to write it. */
typedef struct up_pair up_tally;

struct up_probe {
    up_tally recorded, filtered, sampled_out, dropped;          /* up_counters' */
    uint64_t hits, missed, own_work, timed, total_time, max_time, self_time;
    const struct up_settings *settings;         /* never NULL */
    struct up_commit *commit;   /* who makes events of the records; NULL: nobody yet, they stay in the ring */
    uint64_t *durations;        /* UP_BUCKETS of them, whole pages; NULL until settings ask for them */
    uint64_t admitted;          /* settings.c */
    int32_t id;
    uint32_t group;             /* the same for those that are one probe to the user, as the functions of a pattern are; used once */
    uint32_t offset;            /* of its sites from the beginning of their functions */
    uint16_t record_length;     /* bytes, a multiple of UP_HIT_ALIGN */
    uint8_t kind;               /* enum up_probe_kind */
    uint8_t fields;
    uint8_t life;               /* enum up_probe_life */
    const struct up_fetch *fetches;     /* packed: fetch.c steps through them */
    /* not the hit path's */
    struct up_program *program; /* that holds them */
    struct up_commit own_commit;        /* where `commit` points */
    uint64_t *own_durations;    /* where `durations` does; kept for the number, without memory while it is nobody's */
    struct up_probe *next;      /* of those that were given up, or are free */
    uint32_t seen;              /* the look (forget.c) that found somebody who refers to it */
} __attribute__((aligned(64)));

enum up_probe_life { UP_PROBE_DEFINED, UP_PROBE_GIVEN_UP, UP_PROBE_FREE };

struct up_probe *up_probe_at(int32_t id);
int32_t up_probe_count(void);

/* What a probe begins with: every hit an event. And what one that was given up ends with: calls that still return make none. */
extern const struct up_settings up_settings_default, up_settings_given_up;

/* Those that were given up and may yet be referred to. For holders of Java's engine lock, as what follows. */
extern struct up_probe *up_probes_given_up;

/* The number is free for another probe. Caller has taken it from up_probes_given_up. */
void up_probe_free(struct up_probe *probe);

/* Memory for its durations, all 0: 0 or -ENOMEM. */
int up_probe_time(struct up_probe *probe);

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
