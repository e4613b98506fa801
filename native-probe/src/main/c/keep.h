/* Floor 1 */
/* Memory for things that live as long as the process
 * --------------------------------------------------
 * Never freed, zeroed. Not for the hit path: callers of the defining functions hold Java's engine lock, the hit path only reads. */
#ifndef UP_KEEP_H
#define UP_KEEP_H

#include <stddef.h>

/* NULL when the kernel gives none. */
void *up_keep(size_t bytes);

/* The same for things of some words, of which there are very many: they share cache lines. */
void *up_keep_small(size_t bytes);

#endif
