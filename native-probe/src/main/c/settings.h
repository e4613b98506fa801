/* Floor 3 */
/* Which of a probe's hits become events
 * -------------------------------------
 * A probe has one settings object at a time. It is never changed: another one takes its place, and who is between entry and return of a call may use
 * the one and then the other. Equal ones are one, kept for good, so their number is bounded by how many different wishes there ever were.
 *
 * What is decided where: until and one_of at entry, before anything is spent; a condition as soon as all that it needs is known; threshold, then
 * per_second, when the record would be written, so that calls which are filtered use up nothing of the limit. */
#ifndef UP_SETTINGS_H
#define UP_SETTINGS_H

#include "probe.h"
#include "thread.h"

/* Kept: equal ones are one. NULL when memory is out. Not for the hit path. */
const struct up_settings *up_settings_keep(const struct up_settings *settings, const uint8_t *steps);

/* The rest is hit path. */

/* Whether this hit is drawn. */
static inline int up_settings_draws(const struct up_settings *s, struct up_thread *t)
{
    if (s->one_of <= 1)
        return 1;
    uint64_t x = t->random;     /* xorshift64 (Marsaglia 2003); a handler's hit in between only draws the same number twice */
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    t->random = x;
    /* The upper half of the product is uniform below one_of. */
    return (uint64_t)((unsigned __int128)x * (uint64_t)s->one_of >> 64) == 0;
}

/* Whether the condition holds; missing: bits of up_hit.missing. */
int up_settings_hold(const struct up_settings *s, const int64_t *values, uint16_t missing, int64_t duration);

/* Whether one more event may be made in the second that `now` lies in. */
int up_settings_admit(const struct up_settings *s, struct up_probe *probe, uint64_t now);

/* Notes a call's duration, of which `inner` was spent in other calls of the probe. */
void up_settings_time(struct up_probe *probe, int64_t duration, uint64_t inner);

#endif
