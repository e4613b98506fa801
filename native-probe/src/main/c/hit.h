/* Floor 9 */
/* From a site to a record, or to a return that is awaited. Hit path: what it may do stands at the head of trap.c. */
#ifndef UP_HIT_H
#define UP_HIT_H

#include "site.h"

/* A thread came by the site; regs are the processor's at that moment. */
void up_hit_site(const struct up_site *site, const struct up_regs *regs);

#endif
