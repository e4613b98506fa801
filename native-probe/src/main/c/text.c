#define _GNU_SOURCE
#include "text.h"
#include "uprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int write_by_mprotect(uint64_t address, const uint8_t *bytes, size_t length)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), first = address & ~(page - 1), end = (address + length + page - 1) & ~(page - 1);
    if (mprotect((void *)first, end - first, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
        return -errno;
    if (length == 1)
        __atomic_store_n((uint8_t *)address, *bytes, __ATOMIC_RELEASE);
    else
        memcpy((void *)address, bytes, length);
    return mprotect((void *)first, end - first, PROT_READ | PROT_EXEC) == 0 ? 0 : -errno;
}

int up_text_write(uint64_t address, const void *bytes, size_t length)
{
    /* Opened each time: a descriptor that a fork inherits would write into the parent. */
    int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return write_by_mprotect(address, bytes, length);
    ssize_t n = pwrite(fd, bytes, length, (off_t)address);
    close(fd);
    return n == (ssize_t)length ? 0 : write_by_mprotect(address, bytes, length);
}

int up_text_replace(uint64_t address, uint8_t expected, uint8_t desired)
{
    if (*(volatile const uint8_t *)address != expected)
        return UP_E_CHANGED;
    int error = up_text_write(address, &desired, 1);
    if (!error && *(volatile const uint8_t *)address != desired)
        return UP_E_CHANGED;
    return error;
}

int up_region_map(int64_t address, int64_t size)
{
    void *region = mmap((void *)address, (size_t)size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (region == MAP_FAILED)
        return -errno;
    if (region != (void *)address) {    /* a kernel before 4.17 takes the flag for a hint */
        munmap(region, (size_t)size);
        return -EEXIST;
    }
    return 0;
}

int up_code_write(int64_t address, const uint8_t *bytes, int32_t length)
{
    return up_text_write((uint64_t)address, bytes, (size_t)length);
}

int up_text_read(int64_t address, uint8_t *bytes, int32_t length)
{
    memcpy(bytes, (const void *)address, (size_t)length);
    return length;
}
