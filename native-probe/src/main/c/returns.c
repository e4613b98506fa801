/* Floor 7 */
/* Allowed here: what the head of trap.c allows. */
#include "returns.h"
#include "flush.h"
#include "java.h"
#include "leaving.h"
#include "mask.h"
#include "memory.h"
#include "record.h"

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

uint64_t up_returns_unwound;

_Static_assert(sizeof up_return_trampolines == UP_RETURN_SLOTS * UP_TRAMPOLINE_SIZE, "returns_x86_64.S: SLOTS, SIZE");
_Static_assert(UP_RETURN_SLOTS == 1 << 16 && UP_TRAMPOLINE_MARK % UP_RETURN_SLOTS == 0, "returns_x86_64.S: movzwl, DW_OP_deref_size 2");

/* Records all that waited on e: newest first, as the innermost of tail-called functions ended first. regs == NULL: it was unwound. */
static void complete(struct up_thread *t, struct up_return *e, const struct up_regs *regs)
{
    for (int32_t next = e->chain; next != UP_NONE; next = up_return_table[next].chain)
        up_hit_complete(t, &up_return_table[next], e, regs);
    up_hit_complete(t, e, e, regs);
}

static void count_dropped(struct up_return *e)
{
    for (int32_t slot = up_return_slot_of(e); slot != UP_NONE; slot = up_return_table[slot].chain) {
        struct up_probe *probe = up_return_table[slot].probe;
        if (probe)
            up_return_count(&up_return_table[slot], &probe->dropped);
    }
}

/* All is recorded: e is free again as soon as nothing newer is above it. */
static void retire(struct up_thread *t, struct up_return *e)
{
    __atomic_store_n(&e->state, UP_RETURN_DONE, __ATOMIC_RELEASE);
    for (uint64_t head = t->returns; up_return_slot_in(head) != UP_NONE; head = t->returns) {
        struct up_return *newest = &up_return_table[up_return_slot_in(head)];
        if (__atomic_load_n(&newest->state, __ATOMIC_ACQUIRE) != UP_RETURN_DONE)
            break;
        /* Left in between it would be nobody's. */
        uint64_t before;
        int careful = up_returns_abandoned != 0 && up_hold_signals(&before);
        if (up_return_move_head(t, head, newest->below))
            up_return_give_back(t, newest);
        if (careful)
            up_let_signals(before);
    }
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
    if (up_return_change(e, UP_RETURN_LIVE, UP_RETURN_LEAVING))
        unwind(t, e);
    retire(t, e);
}

/* Whether what lies there leads to e's trampoline, or that runs. */
static int is_swapped(const struct up_return *e)
{
    return up_holds(e->sp, up_return_trampoline(e)) || up_holds(e->sp, up_return_mark(e));
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
        return word != up_return_trampoline(e) && word != up_return_mark(e);
    }
    return !is_swapped(e);
}

void up_return_drop_below(struct up_thread *t, uint64_t limit, int32_t stop)
{
    for (int32_t slot = up_return_slot_in(t->returns); slot != UP_NONE && slot != stop; slot = up_return_slot_in(t->returns)) {
        struct up_return *e = &up_return_table[slot];
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
        struct up_return *e = &up_return_table[*from];
        if (is_swapped(e)) {
            from = &e->below;
            continue;
        }
        *from = e->below;
        up_return_give_back(NULL, e);
    }
}

void up_return_drop_all(struct up_thread *t)
{
    if (t->inside_any)
        up_count(&up_returns_abandoned);
    for (int32_t slot = up_return_slot_in(t->returns); slot != UP_NONE; slot = up_return_slot_in(t->returns)) {
        struct up_return *e = &up_return_table[slot];
        int32_t state = __atomic_load_n(&e->state, __ATOMIC_ACQUIRE);
        if (state == UP_RETURN_LEAVING || (state == UP_RETURN_BUSY && e->flushes))
            up_return_await_again(t, e);  /* the frame that was busy with it died as well */
        /* Else it may be returning on another thread just now, and be recorded there. */
        if (up_return_change(e, UP_RETURN_LIVE, UP_RETURN_LEAVING)) {
            unwind(t, e);
            __atomic_store_n(&e->state, UP_RETURN_DONE, __ATOMIC_RELEASE);
        }
        t->returns = (uint32_t)(e->below + 1);
        e->owner = NULL;
        e->below = orphans;
        orphans = slot;
    }
    up_return_give_back_spare(t);
    up_return_reclaim();
}

struct up_return *up_return_swapped(const struct up_thread *t, uint64_t sp)
{
    int32_t slot = up_return_slot(*(const uint64_t *)sp);
    if (slot == UP_NONE)
        return NULL;
    struct up_return *e = &up_return_table[slot];
    return e->sp == sp && e->owner == t && e->state == UP_RETURN_LIVE ? e : NULL;
}

struct up_return *up_return_swap(struct up_thread *t, uint64_t sp)
{
    uint64_t *word = (uint64_t *)sp;
    struct up_return *e = up_return_swapped(t, sp);
    if (e || !(e = up_return_take(t)))
        return e;
    int32_t slot = up_return_slot_of(e);
    e->sp = sp;
    e->owner = t;
    up_return_shadow[slot] = *word;
    uint64_t head;
    do {
        head = t->returns;
        e->below = up_return_slot_in(head);
    } while (!up_return_move_head(t, head, slot));
    up_java_keep_last_pc(sp, *word);
    __atomic_store_n(word, up_return_trampoline(e), __ATOMIC_RELEASE);
    return e;
}

int up_return_is_open(const struct up_return *e, uint64_t sp, int on_java_stack)
{
    if (on_java_stack)
        return e->sp >= sp && up_jvm_same_java_stack(sp, e->sp) && *(const volatile uint64_t *)e->sp == up_return_trampoline(e);
    return up_holds(e->sp, up_return_trampoline(e));
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
    for (int32_t slot = up_return_slot_in(t->returns); slot != UP_NONE; slot = up_return_table[slot].below) {
        struct up_return *e = &up_return_table[slot];
        if (e->state == UP_RETURN_LIVE && e->function && up_return_is_open(e, sp, on_java_stack)) {
            e->function = 0;
            break;
        }
    }
    return URC_CONTINUE_UNWIND;
}

/* Called by `leave` with the registers as the returning function left them; returns the true return address. */
uint64_t up_on_return(uint32_t slot, struct up_regs *regs);
uint64_t up_on_return(uint32_t slot, struct up_regs *regs)
{
    struct up_return *e = &up_return_table[slot];
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
        if (up_return_change(e, UP_RETURN_LIVE, UP_RETURN_BUSY)) {
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
