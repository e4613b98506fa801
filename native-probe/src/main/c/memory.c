/* Floor 1 */
/* Allowed here: what the head of trap.c allows. */
#include "memory.h"
#include "arch.h"
#include "uprobe.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

static int copy_safely(long call, uint64_t address, const void *ours, uint32_t length)
{
    struct iovec local = { (void *)ours, length }, remote = { (void *)address, length };
    /* Asked each time: in the child of a fork a remembered pid would mean the parent's memory. */
    long self = up_syscall3(SYS_getpid, 0, 0, 0);
    long n = up_syscall6(call, self, (long)&local, 1, (long)&remote, 1, 0);
    return n == (long)length ? 0 : n < 0 ? (int)n : -EFAULT;
}

int up_read_safely(uint64_t address, void *into, uint32_t length)
{
    return copy_safely(SYS_process_vm_readv, address, into, length);
}

/* FUTEX_WAIT for nothing: EAGAIN, the four bytes are others; EFAULT, there are none; else they are these. No seccomp filter can do without it. */
static int lies_at(uint64_t address, uint32_t half)
{
    static const struct timespec no_time = { 0, 0 };
    long answer = up_syscall4(SYS_futex, address, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, half, &no_time);
    return answer != -EAGAIN && answer != -EFAULT;
}

int up_holds(uint64_t address, uint64_t word)
{
    uint64_t there;
    int error = up_read_safely(address, &there, sizeof there);
    if (error && error != -EFAULT)
        return lies_at(address, (uint32_t)word) && lies_at(address + sizeof(uint32_t), (uint32_t)(word >> 32));
    return !error && there == word;
}

int up_memory_read(int64_t address, uint8_t *bytes, int32_t length)
{
    return up_read_safely((uint64_t)address, bytes, (uint32_t)length);
}

int up_write_safely(uint64_t address, const void *from, uint32_t length)
{
    return copy_safely(SYS_process_vm_writev, address, from, length);
}
