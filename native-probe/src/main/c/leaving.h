/* Floor 5 */
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
#ifndef UP_LEAVING_H
#define UP_LEAVING_H

#include "awaited.h"

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

/* e's return was being recorded by a frame that is gone: what had been neither published nor counted waits again. */
void up_return_await_again(struct up_thread *t, struct up_return *e);

extern uint64_t up_returns_abandoned;   /* how often a frame of the return path was found to have been left for good */

#endif
