/* Floor 6 */
/* The flush: events of what a JNI call has recorded, when it returns. Not the hit path: it runs in ordinary context, and calls Java. */
#ifndef UP_FLUSH_H
#define UP_FLUSH_H

#include "awaited.h"

/* At the return of the JNI call of e, on its thread. Makes events of the call's records, through Java. */
void up_jvm_flush(struct up_thread *t, struct up_return *e);

#endif
