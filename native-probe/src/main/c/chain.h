/* Floor 1 */
/* Chains: the probed functions that a hit was called by
 * -----------------------------------------------------
 * A return that is awaited is an open call. The open calls of a thread above one Java frame are a chain, outermost to innermost, and every hit inside
 * shows them as frames below its own. A record has room for a number, not for a list, so chains are numbered: each is the chain that its innermost call
 * was made under, and that call's probe. Number 0 is the empty chain.
 *
 * The table is open-addressed and a chain's number is its place in it, so adding is one compare-and-exchange, and what is there stays for good. Chains
 * come from code, not from data, and are few; recursion makes one for each level. If no place is near, or the chain is as deep as it may be, the call is
 * no frame, as if it were not probed: those outside it still are.
 *
 * All that is here is allowed in the hit path. */
#ifndef UP_CHAIN_H
#define UP_CHAIN_H

#include <stdint.h>

enum {
    UP_CHAINS = 65536,          /* numbers fit the upper half of up_hit.flags */
    UP_CHAIN_DEPTH = 256,       /* calls of a chain at most: recursion must not fill the table */
    UP_CHAIN_LOOK = 64          /* places looked at for one */
};

extern uint64_t up_chains_refused;      /* calls that are no frames because of these limits */

/* The chain of a call of this probe's function that is made under `callers`; `callers` if there is no room for it. */
uint16_t up_chain_add(uint16_t callers, int32_t probe);

/* While somebody looks which probes are referred to (forget.c), chains that hits take over from entries of the return table are noted. */
extern int32_t up_chains_watched;
void up_chain_note(uint16_t chain);
/* Begins or ends that; at its beginning nothing is noted. */
void up_chains_watch(int32_t on);
int up_chain_is_noted(uint16_t chain);

/* The probes of a chain, innermost first. Returns how many, at most capacity: of a longer chain the outermost are left out. */
int up_chain_probes(uint16_t chain, int32_t *probes, int capacity);

#endif
