/* Ways: how the displaced instruction of a site is carried out
 * ------------------------------------------------------------
 * Java plans a way and hands it down whole (Way.java packs it); nothing here decides. Three mechanisms leave the same machine state:
 *
 *   boost    the slot holds the instruction, changed so that it means there what it meant at the site, and a jump back
 *   emulate  the handler does itself what the instruction does; no slot
 *   step     the slot holds a copy that is single-stepped; what differs because of its place is put right afterwards
 *
 * A way and its slot stay for good. A site may get another way (another mechanism, another library at that address): a thread that is in the old
 * slot still finds what it needs. */
#ifndef UP_WAY_H
#define UP_WAY_H

#include "table.h"
#include "uprobe.h"

#include <signal.h>
#include <ucontext.h>

/* Keeps a copy for good, found by its slot from then on. A slot belongs to one way for good: asked for again, it is that one. NULL: no memory. Not for
 * the hit path. */
const struct up_way *up_way_keep(const struct up_way *plan);

/* The way whose slot holds pc, or NULL. Hit path. */
const struct up_way *up_way_holding(uint64_t pc);

/* Lets the interrupted thread go on as if the site's own instruction had run, or makes it run next. Hit path. */
void up_way_carry_out(const struct up_way *way, ucontext_t *uc);

/* A trace trap came: whether it ended one of our steps. What differs is then put right. Hit path.
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
