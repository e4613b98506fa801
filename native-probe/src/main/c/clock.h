/* Floor 1 */
/* The clock of hit records: rdtsc where Java has found the kernel to trust it and JFR to use it, else CLOCK_MONOTONIC. */
#ifndef UP_CLOCK_H
#define UP_CLOCK_H

#include "arch.h"
#include <time.h>

extern int up_clock_is_tsc;
extern int (*up_vdso_clock_gettime)(clockid_t, struct timespec *);

/* Units: TSC cycles or nanoseconds. Allowed in the hit path: the vDSO is code of the kernel's, libc is not entered. */
static inline uint64_t up_now(void)
{
    if (up_clock_is_tsc)
        return up_rdtsc();
    struct timespec t;
    if (!up_vdso_clock_gettime || up_vdso_clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        up_syscall3(228 /* clock_gettime */, CLOCK_MONOTONIC, &t, 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
