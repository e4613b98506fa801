/* Floor 3 */
/* Laying out what threads take, and giving back what those that are gone have left. Not the hit path. */
#ifndef UP_THREADS_H
#define UP_THREADS_H

#include "thread.h"

int up_threads_init(uint64_t ring_bytes, int32_t count);

/* Caller has seen that the thread is gone and that its ring is empty. */
void up_thread_give_back(struct up_thread *t);

#endif
