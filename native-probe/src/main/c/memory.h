/* Floor 1 */
/* Memory that may not be there
 * ----------------------------
 * Whoever is interrupted may hold any value for an address. The kernel is asked to copy: it answers with an error where an access of our own would
 * fault. All is allowed in the hit path. */
#ifndef UP_MEMORY_H
#define UP_MEMORY_H

#include <stdint.h>

/* Bytes at address without a fault: 0 or -errno. A system call. */
int up_read_safely(uint64_t address, void *into, uint32_t length);

/* Whether these eight bytes lie at address. Also where it is forbidden to read safely: what is there and can not be looked at does. */
int up_holds(uint64_t address, uint64_t word);

/* The other way round. */
int up_write_safely(uint64_t address, const void *from, uint32_t length);

#endif
