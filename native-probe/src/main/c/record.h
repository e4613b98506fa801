/* Floor 5 */
/* From an awaited call to its record. Hit path. */
#ifndef UP_RECORD_H
#define UP_RECORD_H

#include "awaited.h"

/* What waited on e, which is `node` or chained to it, for its function's return is recorded. regs as the function left them, or NULL if it was unwound. */
void up_hit_complete(struct up_thread *t, struct up_return *e, struct up_return *node, const struct up_regs *regs);

#endif
