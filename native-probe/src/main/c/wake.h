/* Floor 1 */
/* Who fills a ring wakes the drain
 * --------------------------------
 * The drain lies far above the rings that it empties. What lies below it has only this word, which the drain sleeps on (drain.c). */
#ifndef UP_WAKE_H
#define UP_WAKE_H

#include <stdint.h>

extern uint32_t up_wanted_round;        /* futex word: rounds of the drain asked for */

/* Hit path. Has the drain thread look now. */
void up_drain_wake(void);

#endif
