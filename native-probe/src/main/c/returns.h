/* Returns
 * -------
 * A return is seen by putting the address of a trampoline in the place of the return address. Each trampoline belongs to one slot of a
 * process-wide table; up_return_shadow[slot] keeps the true address, and the trampolines' own DWARF data says so, so exceptions, backtrace(),
 * pthread_cancel and gdb pass through (returns_x86_64.S). One slot serves everything that waits for the same return: the `r` and `c` probes of
 * the function, those of functions that tail-called it, and the flush at the return of a JNI call.
 *
 * Entries are found by slot and stack pointer, never by depth, so a coroutine may return out of order or on another thread. Entries of frames
 * that were left by an exception or longjmp are found by stack pointer: their records are written with UP_HIT_UNWOUND. */
#ifndef UP_RETURNS_H
#define UP_RETURNS_H

#include "probe.h"
#include "thread.h"

enum {
    UP_RETURN_SLOTS = 65536,    /* also in returns_x86_64.S */
    UP_TRAMPOLINE_SIZE = 16,
    UP_TRAMPOLINE_MARK = 0x5c710000,    /* as there: what a trampoline pushes, less the slot */
    UP_RETURN_CHAIN = 16,       /* consumers of one return address; a loop of tail calls uses no more */
    UP_RETURN_LOOK = 64         /* entries that are looked at for a hit's caller */
};

/* LEAVING: its return, or its dropping, is being recorded by a frame that signals may interrupt and leave for good; whoever comes in between leaves it
 * alone. BUSY: nobody leaves that frame: it flushes, or runs on another thread. DONE: all is recorded; it is free when it is its owner's newest. */
enum up_return_state { UP_RETURN_FREE, UP_RETURN_LIVE, UP_RETURN_LEAVING, UP_RETURN_BUSY, UP_RETURN_DONE };

struct up_return {
    uint64_t sp;                /* address of the swapped word */
    struct up_thread *owner;
    int32_t below;              /* next older entry of the same thread */
    int32_t chain;              /* further entry that waits for the same return; its own slot is unused */
    int32_t state;
    int32_t flushes;            /* the word is the return address of a JNI call whose records wait */
    uint64_t first;             /* ring position from which those records lie */
    /* the call as a frame of the hits inside it; function == 0: it is none */
    uint64_t function;          /* its address; of functions that tail-called each other the last one's */
    uint64_t java_sp;           /* up_context.java_sp when it was called */
    uint16_t callers, frames;   /* the chains that it was made under, and that it makes */
    /* what waits to be recorded; probe == NULL: nothing */
    struct up_probe *probe;
    uint64_t waiting;           /* its name: a number that is used once, and in the lower 16 bits the slot */
    uint64_t counted;           /* the newest of these names that is known to be in a tally */
    uint64_t record;            /* ring position + 1 of the record that is about to be published, 0: none */
    uint64_t time;
    uint64_t call;
    uint32_t flags;
    uint16_t missing;
    int64_t values[UP_MAX_FIELDS];
};

extern uint64_t up_return_shadow[UP_RETURN_SLOTS] __attribute__((visibility("hidden")));
extern uint8_t up_return_trampolines[UP_RETURN_SLOTS * UP_TRAMPOLINE_SIZE] __attribute__((visibility("hidden")));
extern uint64_t up_returns_unwound, up_returns_refused;
extern uint64_t up_returns_abandoned;   /* how often a frame of the return path was found to have been left for good */

struct up_return *up_return_at(int32_t slot);

/* The slot whose trampoline the word points to, or UP_NONE. */
static inline int32_t up_return_slot(uint64_t word)
{
    uint64_t offset = word - (uint64_t)up_return_trampolines;
    return offset < sizeof up_return_trampolines && offset % UP_TRAMPOLINE_SIZE == 1 ? (int32_t)(offset / UP_TRAMPOLINE_SIZE) : UP_NONE;
}

/* Hit path, on the owner's thread. Has the return through the word at sp seen; returns the slot's entry, whether new or already there, or NULL
 * if none is free. */
struct up_return *up_return_swap(struct up_thread *t, uint64_t sp);

/* Hit path. An entry on which a probe can wait for the same return as `e`: e itself, or one chained to it. NULL: none free, or the chain is as
 * long as it may get. */
struct up_return *up_return_wait(struct up_return *e);

/* Open calls
 * ----------
 * An entry that waits for a probe's return is an open call of that function, and a frame below the hits inside it. What a hit's backtrace would show is
 * decided by the stack: a call is one of the hit's callers if it was made above the same Java frame and its return address still leads to its
 * trampoline. A function that ended in a tail call has left: its entry shows the one that it jumped to. The probes of one function are one frame.
 *
 * An exception or longjmp leaves the word as it is, and a frame that lies around it later may not overwrite it. What an unwinder leaves behind is told by
 * up_return_unwinding; after a longjmp a call may pass for open that is not. */

/* Hit path. The innermost open call of t at a hit with this stack pointer, or NULL. What is certainly gone is dropped before. */
const struct up_return *up_return_open(struct up_thread *t, uint64_t sp, uint64_t java_sp);

/* Hit path. The chain that a hit in `function` was called by, given what up_return_open found; inside: the hit is not at the function's beginning. */
uint16_t up_return_callers(const struct up_return *open, uint64_t sp, uint64_t function, int inside);

/* Hit path. The function was called under `callers`, and e is its return. */
void up_return_called(struct up_return *e, const struct up_probe *probe, uint64_t function, uint64_t java_sp, uint16_t callers);

/* Frames that may be left for good
 * --------------------------------
 * A hit in the trap handler has all signals that anybody may jump out of blocked. What runs in ordinary context, the return path, has not: a handler
 * may interrupt it at any instruction and siglongjmp away, over the half-written record. So such a frame says where it is, and what runs later on
 * the thread finds out whether it is still there:
 *   - the frame is marked with a number that is used once. A living frame keeps its mark, whatever stack it is on; once it is gone, others lie over
 *     it. A mark that differs, or can not be read, is proof; one that is still there only means: not yet.
 *   - two living frames never share an address.
 * As long as one frame that is known lives, or may, nothing is concluded for the others: what they left lies between what it may still write.
 * Stack pointers are not compared: an alternate stack or a coroutine's may lie above or below, even inside another frame of the same stack. */
struct up_inside {
    volatile uint64_t mark;
};
void up_enter(struct up_thread *t, struct up_inside *frame);
void up_leave(struct up_thread *t, struct up_inside *frame);

/* Hit path, before anything is reserved. If all frames that t was inside of are gone, what they left behind is settled. */
void up_settle_abandoned(struct up_thread *t, const struct up_inside *frame);
static inline void up_look_for_abandoned(struct up_thread *t)
{
    if (t->inside_any | t->lost)
        up_settle_abandoned(t, 0);
}

/* Drops the newest entries of t whose frames are gone: those below limit on the stack that contains it, at most down to the slot `stop` (or
 * UP_NONE). Their records are written as unwound. */
void up_return_drop_below(struct up_thread *t, uint64_t limit, int32_t stop);

/* Called by the drain. The owner has died: what waited is written into its ring as unwound. Its entries are free again once nobody can return to them. */
void up_return_drop_all(struct up_thread *t);

/* Called by the drain in each round: frees what nobody can return to any more. */
void up_return_reclaim(void);

/* What waits on e is over: counted and forgotten. A handler may leave this at any instruction for good; then it waits again only if it was not
 * counted. */
void up_return_count(struct up_return *e, up_tally *tally);

/* A handler may leave the return path at any instruction for good. What must be done whole holds signals off meanwhile: returns whether it
 * does, and then up_let_signals ends it. */
int up_hold_signals(uint64_t *before);
void up_let_signals(uint64_t before);

#endif
