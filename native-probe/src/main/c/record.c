/* Floor 5 */
/* Allowed here: what the head of trap.c allows. */
#include "record.h"
#include "clock.h"
#include "fetch.h"
#include "ring.h"
#include "settings.h"

/* What becomes of a call or return, now that all is known: NULL if it is to be recorded, else where it is counted. values: the fields. */
static up_tally *outcome_of(struct up_probe *probe, const struct up_settings *s, const int64_t *values, uint16_t missing, int64_t duration, uint64_t now)
{
    if ((s->steps && s->at_return && !up_settings_hold(s, values, missing, duration)) || duration < s->threshold)
        return &probe->filtered;
    if (s->mode != UP_MODE_EVENT)
        return &probe->recorded;
    return up_settings_admit(s, probe, now) ? NULL : &probe->sampled_out;
}

/* A call is over, and with it those inside: to the one around it all that is inner time, its own duration or, if that is not timed, what it was told by
 * those inside. A coroutine that ends on another thread has nothing to do with that thread's list. */
static void tell_outer(struct up_thread *t, struct up_return *e, struct up_return *node, uint64_t time)
{
    e->inner = 0;
    struct up_return *outer = time && node->owner == t ? up_return_outer(e, node) : NULL;
    if (outer)
        __atomic_add_fetch(&outer->inner, time, __ATOMIC_RELAXED);
}

void up_hit_complete(struct up_thread *t, struct up_return *e, struct up_return *node, const struct up_regs *regs)
{
    struct up_probe *probe = e->probe;
    if (!probe)
        return;                 /* done already, by a frame that was left half-way */
    const struct up_settings *s = up_probe_settings_now(probe);
    uint64_t now = up_now();
    int is_call = probe->kind == UP_PROBE_CALL;
    int64_t values[UP_MAX_FIELDS], duration = is_call && regs ? (int64_t)(now - e->time) : UP_INSTANT;
    uint16_t missing = e->missing;
    for (int i = 0; i < probe->fields; i++)
        values[i] = e->values[i];
    missing |= regs ? up_probe_fetch(probe, regs, 1, values) : up_probe_unread(probe, 1, values);
    if (!regs && is_call)
        missing |= UP_MISSING_DURATION;
    up_tally *outcome = outcome_of(probe, s, values, missing, duration, now);
    int timed = is_call && regs && s->times && outcome != &probe->filtered;
    uint64_t inner = __atomic_load_n(&e->inner, __ATOMIC_RELAXED);
    if (timed)
        up_settings_time(probe, duration, inner);
    if (is_call)
        tell_outer(t, e, node, timed && duration > 0 ? (uint64_t)duration : inner);
    struct up_hit *hit = outcome ? NULL : up_ring_reserve(t, probe->record_length);
    if (!hit) {
        up_return_count(e, outcome ? outcome : &probe->dropped);
        return;
    }
    for (int i = 0; i < probe->fields; i++)
        hit->values[i + is_call] = values[i];
    if (is_call)
        hit->values[0] = regs ? duration : 0;
    hit->probe = probe->id;
    hit->flags = e->flags | (regs ? 0 : UP_HIT_UNWOUND);
    hit->time = (int64_t)(is_call || !regs ? e->time : now);
    hit->call = e->call;
    hit->missing = missing;
    /* A signal's handler may leave us at any instruction for good: e waits until its record is published, and not a moment longer (leaving.c). */
    e->record = up_ring_position(t, hit) + 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    up_ring_publish(hit);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    e->probe = NULL;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    e->record = 0;
}
