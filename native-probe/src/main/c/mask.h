/* Floor 1 */
/* The calling thread's signal mask. Hit path. */
#ifndef UP_MASK_H
#define UP_MASK_H

#include <signal.h>
#include <stdint.h>

/* Those that an instruction itself raises: blocked, they kill. As the kernel's mask has them. */
static inline uint64_t up_synchronous_signals(void)
{
    return (uint64_t)1 << (SIGTRAP - 1) | (uint64_t)1 << (SIGILL - 1) | (uint64_t)1 << (SIGSEGV - 1) | (uint64_t)1 << (SIGBUS - 1)
        | (uint64_t)1 << (SIGFPE - 1) | (uint64_t)1 << (SIGSYS - 1);
}

/* A handler may leave the return path at any instruction for good. What must be done whole holds signals off meanwhile: returns whether it
 * does, and then up_let_signals ends it. */
int up_hold_signals(uint64_t *before);
void up_let_signals(uint64_t before);

#endif
