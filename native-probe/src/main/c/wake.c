/* Floor 1 */
/* Allowed here: what the head of trap.c allows. */
#include "wake.h"
#include "arch.h"

#include <linux/futex.h>
#include <sys/syscall.h>

uint32_t up_wanted_round;

/* The word changes, so that a drain thread that is about to sleep does not. */
void up_drain_wake(void)
{
    __atomic_add_fetch(&up_wanted_round, 1, __ATOMIC_ACQ_REL);
    up_syscall3(SYS_futex, &up_wanted_round, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}
