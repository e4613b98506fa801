/* Floor 1 */
#include "clock.h"
#include "uprobe.h"

int up_clock_is_tsc;
int (*up_vdso_clock_gettime)(clockid_t, struct timespec *);

int64_t up_clock(void)
{
    return (int64_t)up_now();
}
