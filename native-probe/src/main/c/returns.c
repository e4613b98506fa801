/* Allowed here: what the head of trap.c allows.
 *
 * A trap runs with signals blocked, a return does not: a handler's hit may come between any two instructions of up_on_return and change the thread's
 * list of entries. So an entry is taken out at the list's head only, when it is DONE, and the head carries a tag that every change of it counts up:
 * who read it before a handler did, reads it again. */
#include "returns.h"
#include "chain.h"
#include "hit.h"
#include "jvm.h"
#include "ring.h"
#include "trap.h"

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

static struct up_return table[UP_RETURN_SLOTS];
static int32_t next_free[UP_RETURN_SLOTS];
static struct up_pool pool = { .next = next_free, .count = UP_RETURN_SLOTS };
uint64_t up_returns_unwound, up_returns_refused, up_returns_abandoned;

_Static_assert(sizeof up_return_trampolines == UP_RETURN_SLOTS * UP_TRAMPOLINE_SIZE, "returns_x86_64.S: SLOTS, SIZE");
_Static_assert(UP_RETURN_SLOTS == 1 << 16 && UP_TRAMPOLINE_MARK % UP_RETURN_SLOTS == 0, "returns_x86_64.S: movzwl, DW_OP_deref_size 2");

struct up_return *up_return_at(int32_t slot)
{
    return &table[slot];
}

static int32_t slot_of(const struct up_return *e)
{
    return (int32_t)(e - table);
}

static int32_t slot_in(uint64_t head)
{
    return (int32_t)(uint32_t)head - 1;
}

/* Whether the head was still the one that was read. */
static int move_head(struct up_thread *t, uint64_t read, int32_t to)
{
    return up_cmpxchg_local(&t->returns, &read, ((read >> 32) + 1) << 32 | (uint32_t)(to + 1));
}

/* Most calls take the entry that the thread's last one has given back. */
static struct up_return *take(struct up_thread *t)
{
    int32_t spare = t->spare;
    int32_t slot = spare && up_cmpxchg_local32(&t->spare, spare, 0) ? spare - 1 : up_pool_take(&pool);
    if (slot < 0) {
        __atomic_add_fetch(&up_returns_refused, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    struct up_return *e = &table[slot];
    e->below = e->chain = UP_NONE;
    e->flushes = 0;
    e->function = 0;
    e->probe = NULL;
    e->record = 0;
    __atomic_store_n(&e->state, UP_RETURN_LIVE, __ATOMIC_RELEASE);
    return e;
}

/* t: the owner, who calls; NULL: it is gone. */
static void give_back(struct up_thread *t, struct up_return *e)
{
    __atomic_store_n(&e->state, UP_RETURN_FREE, __ATOMIC_RELEASE);
    if (!t || !up_cmpxchg_local32(&t->spare, 0, slot_of(e) + 1))
        up_pool_give_back(&pool, slot_of(e));
}

static void give_back_with_chain(struct up_thread *t, struct up_return *e)
{
    for (int32_t next = e->chain; next != UP_NONE;) {
        struct up_return *chained = &table[next];
        next = chained->chain;
        give_back(t, chained);
    }
    give_back(t, e);
}

enum { KERNEL_SIGSET_SIZE = 8 };

int up_hold_signals(uint64_t *before)
{
    uint64_t all = ~up_synchronous_signals();
    return up_syscall4(SYS_rt_sigprocmask, SIG_BLOCK, &all, before, KERNEL_SIGSET_SIZE) == 0;
}

void up_let_signals(uint64_t before)
{
    up_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
}

/* Records all that waited on e: newest first, as the innermost of tail-called functions ended first. regs == NULL: it was unwound. */
static void complete(struct up_thread *t, struct up_return *e, const struct up_regs *regs)
{
    for (int32_t next = e->chain; next != UP_NONE; next = table[next].chain)
        up_hit_complete(t, &table[next], regs);
    up_hit_complete(t, e, regs);
}

/* A tally names the entry that it was last raised for. Who raises it next first says to that entry that it is in one: so whoever finds neither has not
 * been counted. That is said only while the tally names it, and never over a newer name. */
void up_return_count(struct up_return *e, up_tally *tally)
{
    for (;;) {
        struct up_pair was;
        was.second = __atomic_load_n(&tally->second, __ATOMIC_ACQUIRE);
        was.first = __atomic_load_n(&tally->first, __ATOMIC_ACQUIRE);
        struct up_return *last = &table[was.second % UP_RETURN_SLOTS];
        uint64_t counted = __atomic_load_n(&last->counted, __ATOMIC_ACQUIRE);
        int is_over = __atomic_load_n(&last->waiting, __ATOMIC_ACQUIRE) != was.second || !__atomic_load_n(&last->probe, __ATOMIC_ACQUIRE);
        if (__atomic_load_n(&tally->second, __ATOMIC_ACQUIRE) != was.second)
            continue;
        /* If another name came in between it may be an older one, from somebody who was late. */
        if (!is_over && !__atomic_compare_exchange_n(&last->counted, &counted, was.second, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        if (up_cmpxchg_pair(tally, &was, (struct up_pair){ was.first + 1, e->waiting }))
            break;
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    e->probe = NULL;
}

/* Whether that was left between counting and forgetting. All tallies are asked: what is found again is unwound, and might go into another one. */
static int is_counted(const struct up_return *e)
{
    const struct up_probe *p = e->probe;
    const up_tally *const tallies[] = { &p->recorded, &p->filtered, &p->sampled_out, &p->dropped };
    for (unsigned i = 0; i < sizeof tallies / sizeof *tallies; i++)
        if (__atomic_load_n(&tallies[i]->second, __ATOMIC_ACQUIRE) == e->waiting)
            return 1;
    return __atomic_load_n(&e->counted, __ATOMIC_ACQUIRE) == e->waiting;
}

static void count_dropped(struct up_return *e)
{
    for (int32_t slot = slot_of(e); slot != UP_NONE; slot = table[slot].chain) {
        struct up_probe *probe = table[slot].probe;
        if (probe)
            up_return_count(&table[slot], &probe->dropped);
    }
}

/* All is recorded: e is free again as soon as nothing newer is above it. */
static void retire(struct up_thread *t, struct up_return *e)
{
    __atomic_store_n(&e->state, UP_RETURN_DONE, __ATOMIC_RELEASE);
    for (uint64_t head = t->returns; slot_in(head) != UP_NONE; head = t->returns) {
        struct up_return *newest = &table[slot_in(head)];
        if (__atomic_load_n(&newest->state, __ATOMIC_ACQUIRE) != UP_RETURN_DONE)
            break;
        /* Left in between it would be nobody's. */
        uint64_t before;
        int careful = up_returns_abandoned != 0 && up_hold_signals(&before);
        if (move_head(t, head, newest->below))
            give_back_with_chain(t, newest);
        if (careful)
            up_let_signals(before);
    }
}

static int change(struct up_return *e, int32_t from, int32_t to)
{
    return __atomic_compare_exchange_n(&e->state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void unwind(struct up_thread *t, struct up_return *e)
{
    if (!e->probe)
        return;
    up_count(&up_returns_unwound);
    complete(t, e, NULL);
}

/* e stays in the list until all is recorded: if this frame is left half-way, it is found there again. */
static void drop(struct up_thread *t, struct up_return *e)
{
    if (change(e, UP_RETURN_LIVE, UP_RETURN_LEAVING))
        unwind(t, e);
    retire(t, e);
}

/* e's return was being recorded by a frame that is gone: what had been neither published nor counted waits again. */
static void await_again(struct up_thread *t, struct up_return *e)
{
    for (int32_t slot = slot_of(e); slot != UP_NONE; slot = table[slot].chain) {
        struct up_return *waiting = &table[slot];
        if (waiting->probe && (is_counted(waiting) || (waiting->record && up_ring_published(t, waiting->record - 1))))
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
    for (int32_t slot = slot_in(t->returns); slot != UP_NONE; slot = table[slot].below)
        if (table[slot].state == UP_RETURN_LEAVING)
            await_again(t, &table[slot]);
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

static uint64_t trampoline_of(const struct up_return *e)
{
    return (uint64_t)up_return_trampolines + (uint64_t)slot_of(e) * UP_TRAMPOLINE_SIZE + 1;
}

/* What lies in e's place on the stack while e's trampoline runs: `push` in returns_x86_64.S. */
static uint64_t mark_of(const struct up_return *e)
{
    return (uint64_t)UP_TRAMPOLINE_MARK + (uint64_t)slot_of(e);
}

/* Whether what lies there leads to e's trampoline, or that runs. */
static int is_swapped(const struct up_return *e)
{
    return up_holds(e->sp, trampoline_of(e)) || up_holds(e->sp, mark_of(e));
}

/* A handler's stack may be a part of the thread's own, above what it interrupted. */
static int is_on_alternate_stack(uint64_t sp)
{
    stack_t stack;
    return up_syscall3(SYS_sigaltstack, NULL, &stack, 0) == 0 && !(stack.ss_flags & SS_DISABLE) && sp - (uint64_t)stack.ss_sp < stack.ss_size;
}

/* Whether the frame of the thread's newest entry e is certainly gone, now that the stack pointer is `limit`. Below the stack pointer nothing
 * lives - but a coroutine has a stack of its own, which may lie anywhere. */
static int is_gone(const struct up_return *e, uint64_t limit)
{
    if (e->state == UP_RETURN_DONE)
        return 1;
    if (e->state != UP_RETURN_LIVE || e->sp > limit)
        return 0;
    if (e->sp < limit && up_jvm_same_java_stack(e->sp, limit) && !is_on_alternate_stack(limit))
        return 1;
    /* The word has been overwritten, or its stack is no more - but the stack pointer's own is there. A handler on a stack of its own, above this one, must
     * not take a call for gone whose trampoline runs. */
    if (e->sp == limit) {
        uint64_t word = *(const volatile uint64_t *)limit;
        return word != trampoline_of(e) && word != mark_of(e);
    }
    return !is_swapped(e);
}

void up_return_drop_below(struct up_thread *t, uint64_t limit, int32_t stop)
{
    for (int32_t slot = slot_in(t->returns); slot != UP_NONE && slot != stop; slot = slot_in(t->returns)) {
        struct up_return *e = &table[slot];
        if (!is_gone(e, limit))
            break;
        drop(t, e);
    }
}

/* Entries of dead threads whose trampoline something may still return to: a coroutine, on whatever thread goes on with it. Their `below` is the next one's.
 * The drain's only. */
static int32_t orphans = UP_NONE;

void up_return_reclaim(void)
{
    for (int32_t *from = &orphans; *from != UP_NONE;) {
        struct up_return *e = &table[*from];
        if (is_swapped(e)) {
            from = &e->below;
            continue;
        }
        *from = e->below;
        give_back_with_chain(NULL, e);
    }
}

int up_returns_awaited(void)
{
    int spares = 0;
    for (int32_t i = 0; i < __atomic_load_n(&up_threads.pool.used_high, __ATOMIC_ACQUIRE); i++)
        spares += up_threads.all[i].spare != 0;
    return up_pool_taken(&pool) - spares;
}

void up_return_drop_all(struct up_thread *t)
{
    if (t->inside_any)
        up_count(&up_returns_abandoned);
    for (int32_t slot = slot_in(t->returns); slot != UP_NONE; slot = slot_in(t->returns)) {
        struct up_return *e = &table[slot];
        int32_t state = __atomic_load_n(&e->state, __ATOMIC_ACQUIRE);
        if (state == UP_RETURN_LEAVING || (state == UP_RETURN_BUSY && e->flushes))
            await_again(t, e);  /* the frame that was busy with it died as well */
        /* Else it may be returning on another thread just now, and be recorded there. */
        if (change(e, UP_RETURN_LIVE, UP_RETURN_LEAVING)) {
            unwind(t, e);
            __atomic_store_n(&e->state, UP_RETURN_DONE, __ATOMIC_RELEASE);
        }
        t->returns = (uint32_t)(e->below + 1);
        e->owner = NULL;
        e->below = orphans;
        orphans = slot;
    }
    if (t->spare)
        up_pool_give_back(&pool, t->spare - 1);
    t->spare = 0;
    up_return_reclaim();
}

struct up_return *up_return_swap(struct up_thread *t, uint64_t sp)
{
    uint64_t *word = (uint64_t *)sp;
    int32_t slot = up_return_slot(*word);
    if (slot != UP_NONE && table[slot].sp == sp && table[slot].owner == t && table[slot].state == UP_RETURN_LIVE)
        return &table[slot];
    struct up_return *e = take(t);
    if (!e)
        return NULL;
    slot = slot_of(e);
    e->sp = sp;
    e->owner = t;
    up_return_shadow[slot] = *word;
    uint64_t head;
    do {
        head = t->returns;
        e->below = slot_in(head);
    } while (!move_head(t, head, slot));
    *word = trampoline_of(e);
    return e;
}

/* Whether e is a call that what runs with this stack pointer may have been made by. On another stack than the Java thread's own, which may be a
 * handler's, a coroutine's or a native thread's, nothing is known of what lies where. */
static int is_open(const struct up_return *e, uint64_t sp, int on_java_stack)
{
    if (on_java_stack)
        return e->sp >= sp && up_jvm_same_java_stack(sp, e->sp) && *(const volatile uint64_t *)e->sp == trampoline_of(e);
    return up_holds(e->sp, trampoline_of(e));
}

const struct up_return *up_return_open(struct up_thread *t, uint64_t sp, uint64_t java_sp)
{
    up_return_drop_below(t, sp, UP_NONE);
    if (slot_in(t->returns) == UP_NONE)
        return NULL;
    int on_java_stack = up_jvm_same_java_stack(sp, sp), looked = 0;
    for (int32_t slot = slot_in(t->returns); slot != UP_NONE && looked < UP_RETURN_LOOK; slot = table[slot].below, looked++) {
        const struct up_return *e = &table[slot];
        if (java_sp && e->sp >= java_sp && up_jvm_same_java_stack(e->sp, java_sp))
            return NULL;        /* beyond the Java frame */
        if (e->state == UP_RETURN_LIVE && e->function && e->java_sp == java_sp && is_open(e, sp, on_java_stack))
            return e;
    }
    return NULL;
}

/* The personality routine of the trampolines (Itanium C++ ABI: Exception Handling, 1.6.2). The unwinder goes from the inside to the outside and calls
 * once for each trampoline that it leaves behind, so it is the innermost open call that ends now. Which one the unwinder means it would tell through
 * functions of its own library; there may be several of those in a process. Runs in ordinary context, below the frames that end. */
int up_return_unwinding(int version, int actions, uint64_t class, void *exception, void *context);
int up_return_unwinding(int version, int actions, uint64_t class, void *exception, void *context)
{
    enum { UA_CLEANUP_PHASE = 2, URC_CONTINUE_UNWIND = 8 };
    (void)version, (void)class, (void)exception, (void)context;
    struct up_thread *t = up_self;
    uint64_t sp = (uint64_t)__builtin_frame_address(0);
    if (!t || !(actions & UA_CLEANUP_PHASE))
        return URC_CONTINUE_UNWIND;
    int on_java_stack = up_jvm_same_java_stack(sp, sp);
    for (int32_t slot = slot_in(t->returns); slot != UP_NONE; slot = table[slot].below) {
        struct up_return *e = &table[slot];
        if (e->state == UP_RETURN_LIVE && e->function && is_open(e, sp, on_java_stack)) {
            e->function = 0;
            break;
        }
    }
    return URC_CONTINUE_UNWIND;
}

uint16_t up_return_callers(const struct up_return *open, uint64_t sp, uint64_t function, int inside)
{
    if (!open)
        return 0;
    int is_its_own = inside && open->function == function, replaces = open->sp == sp;
    return is_its_own || replaces ? open->callers : open->frames;
}

void up_return_called(struct up_return *e, const struct up_probe *probe, uint64_t function, uint64_t java_sp, uint16_t callers)
{
    if (e->function == function && e->frames != e->callers)
        return;                 /* another probe of the same function has made it a frame */
    const struct up_commit *commit = __atomic_load_n(&probe->commit, __ATOMIC_ACQUIRE);
    e->java_sp = java_sp;
    e->callers = callers;
    e->frames = commit && commit->frame ? up_chain_add(callers, probe->id) : callers;
    e->function = function;
}

static struct up_return *named(struct up_return *e)
{
    e->waiting = (e->waiting / UP_RETURN_SLOTS + 1) * UP_RETURN_SLOTS + (uint64_t)slot_of(e);
    return e;
}

struct up_return *up_return_wait(struct up_return *e)
{
    if (!e->probe)
        return named(e);
    int length = 1;
    for (int32_t next = e->chain; next != UP_NONE; next = table[next].chain)
        length++;
    if (length == UP_RETURN_CHAIN) {
        __atomic_add_fetch(&up_returns_refused, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    struct up_return *waiting = take(e->owner);
    if (waiting) {
        waiting->chain = e->chain;
        e->chain = slot_of(waiting);
        named(waiting);
    }
    return waiting;
}

/* Called by `leave` with the registers as the returning function left them; returns the true return address. */
uint64_t up_on_return(uint32_t slot, struct up_regs *regs);
uint64_t up_on_return(uint32_t slot, struct up_regs *regs)
{
    struct up_return *e = &table[slot];
    uint64_t address = up_return_shadow[slot];
    if (!up_is_alive())
        return address;         /* the child of a fork: the return is awaited in its parent */
    struct up_thread *t = up_self;
    if (!t || t != e->owner) {
        /* A coroutine that went on elsewhere: its entry stays in the owner's list until the owner comes by. Left half-way it would be found by
         * nobody. */
        uint64_t before;
        int held = up_hold_signals(&before);
        t = up_thread_self();
        if (change(e, UP_RETURN_LIVE, UP_RETURN_BUSY)) {
            if (t)
                complete(t, e, regs);
            else
                count_dropped(e);   /* this thread has got no ring */
            __atomic_store_n(&e->state, UP_RETURN_DONE, __ATOMIC_RELEASE);
        }
        if (held)
            up_let_signals(before);
        return address;
    }
    struct up_inside frame;
    up_enter(t, &frame);
    __atomic_store_n(&e->state, UP_RETURN_LEAVING, __ATOMIC_RELEASE);
    /* Newer entries are frames left behind, or coroutines that live on. */
    up_return_drop_below(t, e->sp, (int32_t)slot);
    complete(t, e, regs);
    if (!e->flushes) {
        retire(t, e);
        up_leave(t, &frame);
        return address;
    }
    /* All is recorded. What the flush calls is Java, which nobody may jump out of. */
    __atomic_store_n(&e->state, UP_RETURN_BUSY, __ATOMIC_RELEASE);
    up_leave(t, &frame);
    if (up_is_alive())          /* asked again: a signal's handler may have forked meanwhile */
        up_jvm_flush(t, e);
    retire(t, e);
    return address;
}
