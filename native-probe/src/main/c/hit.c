/* Floor 9 */
/* Allowed here: what the head of trap.c allows. */
#define _GNU_SOURCE
#include "hit.h"
#include "calls.h"
#include "chain.h"
#include "clock.h"
#include "fetch.h"
#include "jvm.h"
#include "leaving.h"
#include "returns.h"
#include "ring.h"
#include "settings.h"

/* Where a hit belongs, looked at when the first consumer needs it. */
struct hit {
    struct up_thread *t;
    const struct up_site *site;
    const struct up_regs *regs;
    uint64_t time;
    struct up_context context;
    const struct up_return *open;       /* the innermost probed call that the hit is in; taken before any consumer's own call is one */
    int looked;
    int iterates;                       /* is_iteration; UNKNOWN: not looked yet */
};
enum { UNKNOWN = -1 };

static const struct up_context *context_of(struct hit *hit, const struct up_probe *probe)
{
    uint64_t sp = hit->regs->gpr[UP_GPR_SP];
    if (!hit->looked) {
        up_jvm_context(hit->t, sp, &hit->context);
        hit->open = up_return_open(hit->t, sp, hit->context.java_sp);
        hit->looked = 1;
    }
    uint16_t callers = up_return_callers(hit->open, sp, hit->site->address - probe->offset, probe->offset != 0);
    if (callers && __atomic_load_n(&up_chains_watched, __ATOMIC_RELAXED))
        up_chain_note(callers);
    hit->context.flags = (hit->context.flags & ((1u << UP_HIT_CHAIN_SHIFT) - 1)) | (uint32_t)callers << UP_HIT_CHAIN_SHIFT;
    return &hit->context;
}

static void hit_entry(struct hit *now, struct up_probe *probe, const struct up_settings *s)
{
    int64_t values[UP_MAX_FIELDS];
    uint16_t missing = s->mode == UP_MODE_EVENT || s->steps ? up_probe_fetch(probe, now->regs, 0, values) : 0;
    if ((s->steps && !up_settings_hold(s, values, missing, UP_INSTANT)) || s->threshold > UP_INSTANT) {
        up_tally_add(&probe->filtered, 1);
        return;
    }
    if (s->mode != UP_MODE_EVENT) {
        up_tally_add(&probe->recorded, 1);
        return;
    }
    if (!up_settings_admit(s, probe, now->time)) {
        up_tally_add(&probe->sampled_out, 1);
        return;
    }
    const struct up_context *context = context_of(now, probe);
    struct up_hit *hit = up_ring_reserve(now->t, probe->record_length);
    if (!hit) {
        up_tally_add(&probe->dropped, 1);
        return;
    }
    for (int i = 0; i < probe->fields; i++)
        hit->values[i] = values[i];
    hit->probe = probe->id;
    hit->flags = context->flags;
    hit->time = (int64_t)now->time;
    hit->call = context->call;
    hit->missing = missing;
    up_ring_publish(hit);
}

/* Swaps the return address, or joins whoever did; the record is written when the function returns. */
static void hit_call(struct hit *now, struct up_probe *probe, const struct up_settings *s)
{
    struct up_thread *t = now->t;
    int64_t values[UP_MAX_FIELDS];
    int decided = s->steps && !s->at_return;
    uint16_t missing = decided ? up_probe_fetch(probe, now->regs, 0, values) : 0;
    if (decided && !up_settings_hold(s, values, missing, 0)) {
        up_tally_add(&probe->filtered, 1);
        return;
    }
    if (s->mode == UP_MODE_COUNT && !s->at_return && !s->threshold) {
        up_tally_add(&probe->recorded, 1);
        return;
    }
    const struct up_context *context = s->mode == UP_MODE_EVENT || now->site->consumers->next ? context_of(now, probe) : NULL;
    uint64_t sp = now->regs->gpr[UP_GPR_SP];
    if (!context)               /* else context_of has */
        up_return_drop_below(t, sp, UP_NONE);
    struct up_return *e = up_return_swap(t, sp);
    if (e)
        e->entered = now->site->address;
    if (e && context)
        up_return_called(e, probe, now->site->address, context->java_sp, up_hit_chain(context->flags));
    if (e)
        e = up_return_wait(e);
    if (!e) {
        up_count(&probe->missed);
        return;
    }
    e->time = now->time;
    e->inner = 0;
    e->call = context ? context->call : 0;
    e->flags = context ? context->flags : UP_DRAINED_BEGAN_UNRECORDED << UP_HIT_DRAINED_SHIFT;
    e->missing = decided ? missing : up_probe_fetch(probe, now->regs, 0, e->values);
    for (int i = 0; decided && i < probe->fields; i++)
        e->values[i] = values[i];
    __atomic_signal_fence(__ATOMIC_RELEASE);    /* a signal's hit that drops e must see it whole */
    e->probe = probe;
}

/* Functions whose loop begins at their first instruction
 * -------------------------------------------------------
 *     last: mov rax, rdi         <- site       while (p->next) p = p->next;
 *           mov rdi, [rdi]
 *           test rdi, rdi
 *           jne last
 *           ret
 *
 * What comes by the site is an iteration if the call before it has not returned: its return address is swapped, and the entry names the site. So each
 * call of such a function is noted on its entry, whatever becomes of its hit. A function that jumps to itself in place of a call does the same. */
static int is_iteration(struct hit *now)
{
    if (now->iterates == UNKNOWN) {
        const struct up_return *e = up_return_swapped(now->t, now->regs->gpr[UP_GPR_SP]);
        now->iterates = e && e->entered == now->site->address;
    }
    return now->iterates;
}

/* Behind all consumers: who looked for the Java frame has noted the return of the JNI call first. */
static void note_call(const struct hit *now)
{
    uint64_t sp = now->regs->gpr[UP_GPR_SP];
    up_return_drop_below(now->t, sp, UP_NONE);
    struct up_return *e = up_return_swap(now->t, sp);
    if (e)
        e->entered = now->site->address;
}

void up_hit_site(const struct up_site *site, const struct up_regs *regs)
{
    struct up_thread *t = up_is_alive() ? up_thread_self() : NULL;     /* no thread of ours: counted and dropped */
    struct hit now = { .t = t, .site = site, .regs = regs, .time = up_now(), .context = { 0, 0, UP_NO_JAVA_FRAME }, .iterates = UNKNOWN };
    int heads_loop = t && !t->committing && !t->own_work && __atomic_load_n(&site->way, __ATOMIC_ACQUIRE)->loop_head;
    if (t)
        up_look_for_abandoned(t);
    int32_t before_hit = up_hit_begin(t);
    for (const struct up_consumer *c = __atomic_load_n(&site->consumers, __ATOMIC_ACQUIRE); c; c = c->next) {
        if (!__atomic_load_n(&c->active, __ATOMIC_ACQUIRE))
            continue;
        struct up_probe *probe = __atomic_load_n(&c->probe, __ATOMIC_RELAXED);
        if (heads_loop && probe->kind != UP_PROBE_ENTRY && is_iteration(&now))
            continue;
        const struct up_settings *s = up_probe_settings_now(probe);
        uint64_t before = __atomic_fetch_add(&probe->hits, 1, __ATOMIC_RELAXED);
        if (!t)
            up_tally_add(&probe->dropped, 1);
        else if (t->own_work)
            up_count(&probe->own_work);
        else if (t->committing)
            up_count(&probe->missed);
        else if (before >= (uint64_t)s->until || (s->mode == UP_MODE_EVENT && !up_settings_draws(s, t)))
            up_tally_add(&probe->sampled_out, 1);
        else if (probe->kind == UP_PROBE_ENTRY)
            hit_entry(&now, probe, s);
        else
            hit_call(&now, probe, s);
    }
    up_hit_end(t, before_hit);
    if (now.iterates == 0)
        note_call(&now);
}
