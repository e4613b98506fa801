/* Signals of the hit path. What code there is allowed stands at the head of trap.c. */
#ifndef UP_TRAP_H
#define UP_TRAP_H

#include "arch.h"

#include <signal.h>
#include <ucontext.h>

/* Those that an instruction itself raises: blocked, they kill. As the kernel's mask has them. */
static inline uint64_t up_synchronous_signals(void)
{
    return (uint64_t)1 << (SIGTRAP - 1) | (uint64_t)1 << (SIGILL - 1) | (uint64_t)1 << (SIGSEGV - 1) | (uint64_t)1 << (SIGBUS - 1)
        | (uint64_t)1 << (SIGFPE - 1) | (uint64_t)1 << (SIGSYS - 1);
}

/* The general registers of the interrupted code. */
void up_registers_of(const ucontext_t *uc, struct up_regs *regs);

#endif
