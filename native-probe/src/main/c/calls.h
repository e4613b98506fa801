/* Floor 8 */
/* Open calls
 * ----------
 * An entry that waits for a probe's return is an open call of that function, and a frame below the hits inside it. What a hit's backtrace would show is
 * decided by the stack: a call is one of the hit's callers if it was made above the same Java frame and its return address still leads to its
 * trampoline. A function that ended in a tail call has left: its entry shows the one that it jumped to. The probes of one function are one frame.
 *
 * An exception or longjmp leaves the word as it is, and a frame that lies around it later may not overwrite it. What an unwinder leaves behind is told by
 * up_return_unwinding (returns.c); after a longjmp a call may pass for open that is not. */
#ifndef UP_CALLS_H
#define UP_CALLS_H

#include "awaited.h"

/* The innermost open call of t at a hit with this stack pointer, or NULL. What is certainly gone is dropped before. */
const struct up_return *up_return_open(struct up_thread *t, uint64_t sp, uint64_t java_sp);

/* The chain that a hit in `function` was called by, given what up_return_open found; inside: the hit is not at the function's beginning. */
uint16_t up_return_callers(const struct up_return *open, uint64_t sp, uint64_t function, int inside);

/* The function was called under `callers`, and e is its return. */
void up_return_called(struct up_return *e, const struct up_probe *probe, uint64_t function, uint64_t java_sp, uint16_t callers);

#endif
