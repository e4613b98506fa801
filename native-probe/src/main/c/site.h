/* Floor 4 */
/* Sites: addresses that trap, and who wants to know. A site keeps its entry, its slot and its consumers' nodes for good; arming again reuses them
 * and only data change, so a thread that is inside, or a trap that was taken before disarming, always finds what it needs. */
#ifndef UP_SITE_H
#define UP_SITE_H

#include "probe.h"
#include "way.h"

struct up_consumer {
    struct up_consumer *next;   /* never changes once the node can be seen */
    struct up_probe *probe;     /* changes only while the node is not active */
    int32_t active;
};

struct up_site {
    uint64_t address;           /* the key among sites */
    const struct up_way *way;   /* how its instruction is carried out; another one may be given while it is not armed */
    struct up_consumer *consumers;
    int32_t index;
    int32_t armed;
};

/* Lock-free; allowed in the hit path. NULL: never was a site. */
const struct up_site *up_site_find(uint64_t address);

/* By number, below up_site_count; NULL: there is none. For holders of Java's engine lock. */
struct up_site *up_site_at(int32_t index);
extern int32_t up_site_count;

#endif
