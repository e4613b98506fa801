/* The hit path: from a site to a record. What it may do stands at the head of trap.c. */
#ifndef UP_HIT_H
#define UP_HIT_H

#include "returns.h"
#include "site.h"

/* A thread came by the site; regs are the processor's at that moment. */
void up_hit_site(const struct up_site *site, const struct up_regs *regs);

/* What waited on e for its function's return is recorded. regs as the function left them, or NULL if it was unwound. */
void up_hit_complete(struct up_thread *t, struct up_return *e, const struct up_regs *regs);

#endif
