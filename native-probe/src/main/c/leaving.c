/* Floor 5 */
/* Allowed here: what the head of trap.c allows. */
#include "leaving.h"
#include "mask.h"
#include "memory.h"
#include "ring.h"

uint64_t up_returns_abandoned;

void up_return_await_again(struct up_thread *t, struct up_return *e)
{
    for (int32_t slot = up_return_slot_of(e); slot != UP_NONE; slot = up_return_table[slot].chain) {
        struct up_return *waiting = &up_return_table[slot];
        if (waiting->probe && (up_return_is_counted(waiting) || (waiting->record && up_ring_published(t, waiting->record - 1))))
            waiting->probe = NULL;
        waiting->record = 0;
    }
    e->state = UP_RETURN_LIVE;
}

/* All that such frames have left. A handler's hits would change the list that is walked here. */
static void await_all_again(struct up_thread *t)
{
    uint64_t before;
    int held = up_hold_signals(&before);
    up_count(&up_returns_abandoned);
    for (int32_t slot = up_return_slot_in(t->returns); slot != UP_NONE; slot = up_return_table[slot].below)
        if (up_return_table[slot].state == UP_RETURN_LEAVING)
            up_return_await_again(t, &up_return_table[slot]);
    __atomic_store_n(&t->abandoned_before, t->head, __ATOMIC_RELEASE);
    t->lost = 0;
    if (held)
        up_let_signals(before);
}

static int is_alive(const struct up_frame *known, const struct up_inside *frame)
{
    return known->address && known->address != (uint64_t)frame && up_holds(known->address, known->mark);
}

void up_settle_abandoned(struct up_thread *t, const struct up_inside *frame)
{
    int alive = 0;
    for (int i = 0; i < UP_FRAMES; i++) {
        if (!t->inside[i].address)
            continue;
        if (is_alive(&t->inside[i], frame)) {
            alive++;
        } else {
            t->lost = 1;
            t->inside[i].address = 0;
        }
    }
    if (alive || t->unnoted)
        return;
    t->inside_any = 0;
    if (t->lost)
        await_all_again(t);
}

/* A signal may come between any two stores here, and its frames may take a half-noted frame for one that is gone: then it is noted anew. Nothing is
 * at stake before up_enter returns. */
void up_enter(struct up_thread *t, struct up_inside *frame)
{
    if (t->inside_any | t->lost)
        up_settle_abandoned(t, frame);
    uint64_t mark = ++t->marks;
    frame->mark = mark;
    for (int i = 0; i < UP_FRAMES; i++) {
        struct up_frame *place = &t->inside[i];
        uint64_t none = 0;
        if (place->address || !up_cmpxchg_local(&place->address, &none, (uint64_t)frame))
            continue;
        place->mark = mark;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        if (place->address != (uint64_t)frame)
            continue;
        t->inside_any = 1;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        return;
    }
    frame->mark = 0;
    t->unnoted++;
}

void up_leave(struct up_thread *t, struct up_inside *frame)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (!frame->mark) {
        t->unnoted--;
        return;
    }
    struct up_frame *own = NULL;
    int others = 0;
    for (int i = 0; i < UP_FRAMES; i++) {
        struct up_frame *place = &t->inside[i];
        if (!place->address)
            continue;
        if (place->mark < frame->mark) {
            others++;
        } else if (place->mark > frame->mark) {
            t->lost = 1;        /* a frame inside this one never came to its end */
            place->address = 0;
        } else {
            own = place;
        }
    }
    if (!others && !t->unnoted) {
        if (t->lost)
            await_all_again(t);
        t->inside_any = 0;
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (own)
        own->address = 0;
    frame->mark = 0;
}
