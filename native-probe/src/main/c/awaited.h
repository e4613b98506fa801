/* Floor 4 */
/* The table of awaited returns
 * ----------------------------
 * One entry for each return that is awaited, and one more, chained to it, for each further probe that waits for the same. Here they are data: taken,
 * given back, counted once. Who puts them on the stack and takes them off is returns.c. All is hit path.
 *
 * A trap runs with signals blocked, a return does not: a handler's hit may come between any two instructions of up_on_return and change the thread's
 * list of entries. So an entry is taken out at the list's head only, when it is DONE, and the head carries a tag that every change of it counts up:
 * who read it before a handler did, reads it again. */
#ifndef UP_AWAITED_H
#define UP_AWAITED_H

#include "probe.h"
#include "thread.h"

enum {
    UP_RETURN_SLOTS = 65536,    /* also in returns_x86_64.S */
    UP_RETURN_CHAIN = 16        /* consumers of one return address; a loop of tail calls uses no more */
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
    uint64_t entered;           /* the site at whose function a call with this return address was last noted to begin, 0: none (hit.c) */
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
    uint64_t inner;             /* of the time since then what was spent in timed calls of the same probe */
    uint64_t call;
    uint32_t flags;
    uint16_t missing;
    int64_t values[UP_MAX_FIELDS];
};

extern struct up_return up_return_table[UP_RETURN_SLOTS] __attribute__((visibility("hidden")));
extern uint64_t up_returns_refused;

static inline struct up_return *up_return_at(int32_t slot)
{
    return &up_return_table[slot];
}

static inline int32_t up_return_slot_of(const struct up_return *e)
{
    return (int32_t)(e - up_return_table);
}

static inline int32_t up_return_slot_in(uint64_t head)
{
    return (int32_t)(uint32_t)head - 1;
}

/* Whether the head was still the one that was read. */
static inline int up_return_move_head(struct up_thread *t, uint64_t read, int32_t to)
{
    return up_cmpxchg_local(&t->returns, &read, ((read >> 32) + 1) << 32 | (uint32_t)(to + 1));
}

static inline int up_return_change(struct up_return *e, int32_t from, int32_t to)
{
    return __atomic_compare_exchange_n(&e->state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* An entry for t, LIVE and not yet in its list; NULL: none is free. Most calls take the one that the thread's last has given back. */
struct up_return *up_return_take(struct up_thread *t);

/* With all that are chained to it. t: the owner, who calls; NULL: it is gone. */
void up_return_give_back(struct up_thread *t, struct up_return *e);

/* An entry on which a probe can wait for the same return as `e`: e itself, or one chained to it. NULL: none free, or the chain is as
 * long as it may get. */
struct up_return *up_return_wait(struct up_return *e);

/* What waits on e is over: counted and forgotten. A handler may leave this at any instruction for good; then it waits again only if it was not
 * counted. */
void up_return_count(struct up_return *e, up_tally *tally);

/* Whether that was left between counting and forgetting. */
int up_return_is_counted(const struct up_return *e);

/* The innermost call of the same probe that e, which waits on the entry `node`, was made in; NULL: none, or not among the entries looked at. Caller is the
 * owner's thread, or the owner is gone. */
struct up_return *up_return_outer(struct up_return *e, struct up_return *node);

/* No entry with this number or a higher one was ever taken. */
int32_t up_return_used_high(void);

/* The thread is gone: the entry that it kept for its next call is everybody's again. */
void up_return_give_back_spare(struct up_thread *t);

#endif
