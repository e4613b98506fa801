/* Floor 4 */
/* Carrying out displaced instructions, and what a thread that is in a slot looks like meanwhile. Hit path. */
#ifndef UP_CARRY_OUT_H
#define UP_CARRY_OUT_H

#include "way.h"

#include <signal.h>
#include <ucontext.h>

/* The general registers of the interrupted code. */
void up_registers_of(const ucontext_t *uc, struct up_regs *regs);

/* Lets the interrupted thread go on as if the site's own instruction had run, or makes it run next. */
void up_way_carry_out(const struct up_way *way, ucontext_t *uc);

/* Whether a thread whose ip is behind the first byte of the way's site is there because that is its whole instruction and was carried out, and not since it
 * has just trapped, as far as can be known: the newest that the thread carried out was this one, and its stack pointer is not what it was before. */
int up_way_stands_behind(const struct up_way *way, const ucontext_t *uc);

/* A trace trap came: whether it ended one of our steps. What differs is then put right.
 * Returns 0: not ours; 1: ours; 2: ours, and the thread was being stepped by somebody else as well, who wants to know. */
int up_way_stepped(ucontext_t *uc);

/* What a thread in a slot looked like, so that it can be put back. */
struct up_shown {
    gregset_t gregs;            /* as it was in the slot */
    gregset_t shown;            /* as it was shown */
    uint64_t mask, mask_shown;
    const struct up_way *stepping;
    uint64_t step_mask, step_scratch;
    int step_trace;
    int in_slot;
};

/* If the context's instruction pointer lies in a slot, changes the context to what it would be without probes: at the original instruction, or
 * behind it. Returns whether it did. */
int up_way_show_original(ucontext_t *uc, struct up_shown *before);

/* After a handler saw what was shown: if it left all as it was, the thread goes on in the slot, else where the handler wants it. */
void up_way_put_back(ucontext_t *uc, const struct up_shown *before);

#endif
