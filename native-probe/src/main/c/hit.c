/* Allowed here: what the head of trap.c allows. */
#define _GNU_SOURCE
#include "hit.h"
#include "clock.h"
#include "jvm.h"
#include "ring.h"
#include "trap.h"

#include <sys/syscall.h>

static void hit_entry(struct up_thread *t, struct up_probe *probe, const struct up_regs *regs, uint64_t time, const struct up_context *context)
{
    struct up_hit *hit = up_ring_reserve(t, probe->record_length);
    if (!hit) {
        up_count(&probe->counters.dropped);
        return;
    }
    hit->probe = probe->id;
    hit->flags = context->flags;
    hit->time = (int64_t)time;
    hit->call = context->call;
    hit->missing = up_probe_fetch(probe, regs, 0, hit->values);
    up_ring_publish(hit);
}

/* Swaps the return address, or joins whoever did; the record is written when the function returns. */
static void hit_call(struct up_thread *t, struct up_probe *probe, const struct up_regs *regs, uint64_t time, const struct up_context *context)
{
    uint64_t sp = regs->gpr[UP_GPR_SP];
    up_return_drop_below(t, sp, UP_NONE);
    struct up_return *e = up_return_swap(t, sp);
    if (e)
        e = up_return_wait(e);
    if (!e) {
        up_count(&probe->counters.missed);
        return;
    }
    e->time = time;
    e->call = context->call;
    e->flags = context->flags;
    e->missing = up_probe_fetch(probe, regs, 0, e->values);
    __atomic_signal_fence(__ATOMIC_RELEASE);    /* a signal's hit that drops e must see it whole */
    e->probe = probe;
}

void up_hit_site(const struct up_site *site, const struct up_regs *regs)
{
    struct up_thread *t = up_is_alive() ? up_thread_self() : NULL;     /* no thread of ours: counted and dropped */
    struct up_context context = { 0, 0 };
    int looked = 0;
    uint64_t time = up_now();
    if (t)
        up_look_for_abandoned(t);
    for (const struct up_consumer *c = __atomic_load_n(&site->consumers, __ATOMIC_ACQUIRE); c; c = c->next) {
        if (!__atomic_load_n(&c->active, __ATOMIC_ACQUIRE))
            continue;
        struct up_probe *probe = __atomic_load_n(&c->probe, __ATOMIC_RELAXED);
        up_count(&probe->counters.hits);
        if (!t) {
            up_count(&probe->counters.dropped);
            continue;
        }
        if (t->committing) {
            up_count(&probe->counters.missed);
            continue;
        }
        if (!looked) {
            up_jvm_context(t, regs->gpr[UP_GPR_SP], &context);
            looked = 1;
        }
        if (probe->kind == UP_PROBE_ENTRY)
            hit_entry(t, probe, regs, time, &context);
        else
            hit_call(t, probe, regs, time, &context);
    }
}

/* Counted and forgotten, both or neither: no handler may leave us in between. */
static void drop_whole(struct up_probe *probe, struct up_return *e)
{
    enum { KERNEL_SIGSET_SIZE = 8 };
    uint64_t all = ~up_synchronous_signals(), before = 0;
    up_syscall4(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, KERNEL_SIGSET_SIZE);
    up_count(&probe->counters.dropped);
    e->probe = NULL;
    up_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
}

void up_hit_complete(struct up_thread *t, struct up_return *e, const struct up_regs *regs)
{
    struct up_probe *probe = e->probe;
    if (!probe)
        return;                 /* done already, by a frame that was left half-way */
    uint64_t now = up_now();
    struct up_hit *hit = up_ring_reserve(t, probe->record_length);
    if (!hit) {
        drop_whole(probe, e);
        return;
    }
    int is_call = probe->kind == UP_PROBE_CALL;
    int64_t *values = hit->values + is_call;
    uint16_t missing = e->missing;
    for (int i = 0; i < probe->fields; i++)
        values[i] = e->values[i];
    hit->probe = probe->id;
    hit->flags = e->flags;
    hit->time = (int64_t)(is_call ? e->time : now);
    hit->call = e->call;
    if (regs) {
        missing |= up_probe_fetch(probe, regs, 1, values);
        if (is_call)
            hit->values[0] = (int64_t)(now - e->time);
    } else {
        hit->flags |= UP_HIT_UNWOUND;
        hit->time = (int64_t)e->time;
        missing |= up_probe_unread(probe, 1, values);
        if (is_call) {
            hit->values[0] = 0;
            missing |= UP_MISSING_DURATION;
        }
    }
    hit->missing = missing;
    /* A signal's handler may leave us at any instruction for good: e waits until its record is published, and not a moment longer (returns.c). */
    e->record = up_ring_position(t, hit) + 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    up_ring_publish(hit);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    e->probe = NULL;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    e->record = 0;
}
