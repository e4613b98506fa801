/* Floor 1 */
/* Allowed here: what the head of trap.c allows. */
#include "mask.h"
#include "arch.h"

#include <stddef.h>
#include <sys/syscall.h>

enum { KERNEL_SIGSET_SIZE = 8 };

int up_hold_signals(uint64_t *before)
{
    uint64_t all = ~up_synchronous_signals();
    return up_syscall4(SYS_rt_sigprocmask, SIG_BLOCK, &all, before, KERNEL_SIGSET_SIZE) == 0;
}

void up_let_signals(uint64_t before)
{
    up_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
}
