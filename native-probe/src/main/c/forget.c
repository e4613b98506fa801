/* Floor 6 */
/* When a probe's number may be another's
 * --------------------------------------
 * A probe that was given up is active at no site. Who may yet refer to it, and how each is seen to be done:
 *
 *   a hit that found it active       a thread is inside up_hit_site: up_thread.hitting
 *   a return that is awaited         an entry of the return table waits for it, or was called under a chain that names it
 *   a record                         lies in a ring and is not consumed; it is the probe's, or its chain names it
 *   a commit that is going on        its record is claimed, not consumed
 *
 * What refers to it comes from above: only a hit makes an entry wait, only a hit or an entry makes a record, and no one copies downwards. So they are
 * looked at in this order, and who has left one place is found in the next, or is done. Chains are the exception: a hit of another probe takes over the
 * chain of the open call that it is in, and might do so from an entry not looked at yet to one that was. So while the look lasts, every chain that is
 * taken over is noted (chain.h), as a garbage collector notes what is stored meanwhile.
 *
 *   1. chains are watched
 *   2. every thread is seen outside of a hit: whoever hits from now on finds the probe inactive, and that chains are watched
 *   3. the return table, 4. the rings: who is named there has to wait
 *   5. so have those in the chains that were noted
 *
 * Holds: a number is free only if one look, begun after it was given up, has found it in none of these places. What can not be told in time - a thread that
 * stays inside a hit, a record that is not written on - ends the look, and every number waits for the next one. A call that never returns keeps its
 * own number, and no other. Consumers' nodes at sites go on to name a free number's probe; they are not active, and who takes one names another first.
 *
 * Caller holds Java's engine lock, so nobody defines, arms, or looks beside us. */
#define _GNU_SOURCE
#include "awaited.h"
#include "chain.h"
#include "commit.h"
#include "ring.h"

#include <jni.h>
#include <time.h>

static uint32_t look;

static void see(int32_t probe)
{
    up_probe_at(probe)->seen = look;
}

static void see_chain(uint16_t chain)
{
    int32_t probes[UP_CHAIN_DEPTH];
    int n = up_chain_probes(chain, probes, UP_CHAIN_DEPTH);
    for (int i = 0; i < n; i++)
        see(probes[i]);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* Until nobody hits there, or it is `until`. */
static int becomes_quiet(const int32_t *hitting, int64_t until)
{
    while (__atomic_load_n(hitting, __ATOMIC_SEQ_CST)) {
        if (now_ns() > until)
            return 0;
        up_syscall3(24 /* sched_yield */, 0, 0, 0);
    }
    return 1;
}

static int all_outside_of_hits(int64_t until)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    int32_t high = __atomic_load_n(&up_threads.pool.used_high, __ATOMIC_SEQ_CST);
    int quiet = becomes_quiet(&up_hits_elsewhere, until);
    for (int32_t i = 0; quiet && i < high; i++)
        quiet = becomes_quiet(&up_threads.all[i].hitting, until);
    return quiet;
}

static void see_awaited(void)
{
    int32_t high = up_return_used_high();
    for (int32_t i = 0; i < high; i++) {
        const struct up_return *e = up_return_at(i);
        if (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == UP_RETURN_FREE)
            continue;
        const struct up_probe *probe = __atomic_load_n(&e->probe, __ATOMIC_ACQUIRE);
        if (probe) {
            see(probe->id);
            see_chain(up_hit_chain(e->flags));
        }
        if (__atomic_load_n(&e->function, __ATOMIC_ACQUIRE)) {
            see_chain(e->callers);
            see_chain(e->frames);
        }
    }
}

/* A record that is reserved and has no length yet is being written by a hit of now, of others. Records that are being written are those of returns that
 * still are awaited, or of such hits. */
static int see_recorded(struct up_thread *t, int64_t until)
{
    int patient = 1;
    uint32_t last_chain = 0;
    up_reading_lock(t);
    uint64_t head = t->head, abandoned = __atomic_load_n(&t->abandoned_before, __ATOMIC_ACQUIRE);
    for (uint64_t position = t->tail; position < head && patient;) {
        const struct up_hit *hit = up_ring_at(t, position);
        int32_t state = __atomic_load_n(&hit->state, __ATOMIC_ACQUIRE);
        if (state == UP_HIT_NONE && position < abandoned) {
            position += UP_HIT_ALIGN;
        } else if (state == UP_HIT_NONE) {
            patient = now_ns() < until;
            up_syscall3(24 /* sched_yield */, 0, 0, 0);
        } else {
            if (state != UP_HIT_CONSUMED && state != UP_HIT_WRITING) {
                see(hit->probe);
                if (up_hit_chain(hit->flags) != last_chain)
                    see_chain(up_hit_chain(hit->flags));
                last_chain = up_hit_chain(hit->flags);
            }
            position += hit->length;
        }
    }
    up_reading_unlock(t);
    return patient;
}

static int see_all(int64_t until)
{
    look++;
    up_chains_watch(1);
    int whole = all_outside_of_hits(until);
    if (whole)
        see_awaited();
    int32_t high = __atomic_load_n(&up_threads.pool.used_high, __ATOMIC_ACQUIRE);
    for (int32_t i = 0; whole && i < high; i++)
        if (__atomic_load_n(&up_threads.all[i].state, __ATOMIC_ACQUIRE) == UP_THREAD_USED)
            whole = see_recorded(&up_threads.all[i], until);
    for (int32_t chain = 1; whole && chain < UP_CHAINS; chain++)
        if (up_chain_is_noted((uint16_t)chain))
            see_chain((uint16_t)chain);
    up_chains_watch(0);
    return whole;
}

/* env: the caller's. Returns how many numbers have to wait. */
UP_EXPORT int up_probes_reclaim(JNIEnv *env);
int up_probes_reclaim(JNIEnv *env)
{
    enum { LONGEST_NS = 50000000 };
    if (!up_probes_given_up)
        return 0;
    int whole = up_is_alive() && see_all(now_ns() + LONGEST_NS), waiting = 0;
    struct up_probe *left = NULL;
    for (struct up_probe *probe = up_probes_given_up, *next; probe; probe = next) {
        next = probe->next;
        if (whole && probe->seen != look) {
            up_commit_release(env, probe);
            up_probe_free(probe);
        } else {
            probe->next = left;
            left = probe;
            waiting++;
        }
    }
    up_probes_given_up = left;
    return waiting;
}
