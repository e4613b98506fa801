/* Floor 3 */
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

/* Keeps a copy for good, found by its slot from then on. A slot belongs to one way for good: asked for again, it is that one. NULL: no memory. Not for
 * the hit path. */
const struct up_way *up_way_keep(const struct up_way *plan);

/* Makes room for so many at once: 0 or -ENOMEM. */
int up_way_reserve(uint64_t more);

/* The way whose slot holds pc, or NULL. Hit path. */
const struct up_way *up_way_holding(uint64_t pc);

#endif
