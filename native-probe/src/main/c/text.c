/* Floor 2 */
#define _GNU_SOURCE
#include "text.h"
#include "memory.h"
#include "uprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

/* Negative where /proc/self/mem is closed to us: those who take it have other ways. */
static int open_memory(int flags)
{
    return open("/proc/self/mem", flags | O_CLOEXEC);
}

int up_text_open(void)
{
    return open_memory(O_RDWR);
}

void up_text_close(int text)
{
    if (text >= 0)
        close(text);
}

/* A seccomp filter may forbid process_vm_readv; the kernel's own copy into a pipe can not be forbidden. At most a page. */
static int read_through_pipe(uint64_t address, void *into, size_t length)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -errno;
    ssize_t n = write(ends[1], (const void *)address, length);
    int error = n == (ssize_t)length ? 0 : n < 0 ? -errno : -EFAULT;
    if (!error && read(ends[0], into, length) != (ssize_t)length)
        error = -EIO;
    close(ends[0]);
    close(ends[1]);
    return error;
}

/* Without a descriptor of /proc/self/mem. UP_E_GONE: nothing is mapped there. */
static int read_mapped(uint64_t address, void *into, size_t length)
{
    int error = up_read_safely(address, into, (uint32_t)length);
    if (error && error != -EFAULT)
        error = read_through_pipe(address, into, length);
    return error == -EFAULT ? UP_E_GONE : error;
}

/* /proc/self/mem answers EIO where nothing is mapped (fs/proc/base.c, mem_rw). */
static int read_text(int fd, uint64_t address, void *into, size_t length)
{
    if (fd >= 0 && pread(fd, into, length, (off_t)address) == (ssize_t)length)
        return 0;
    return read_mapped(address, into, length);
}

static int write_text(int fd, uint64_t address, const void *bytes, size_t length)
{
    if (fd >= 0 && pwrite(fd, bytes, length, (off_t)address) == (ssize_t)length)
        return 0;
    /* Only now by a store of our own: a page that is gone would be a fault, and mprotect would make a stranger's page executable. */
    uint8_t first, last;
    int error = read_mapped(address, &first, 1);
    if (!error)
        error = read_mapped(address + length - 1, &last, 1);
    return error ? error : write_by_mprotect(address, bytes, length);
}

int up_text_write(uint64_t address, const void *bytes, size_t length)
{
    int text = up_text_open(), error = write_text(text, address, bytes, length);
    up_text_close(text);
    return error;
}

/* Byte by byte, neighbours too: what is written is what was compared, and nothing beside it is touched that somebody else may be changing. */
int up_text_replace(int text, uint64_t address, uint8_t expected, uint8_t desired)
{
    uint8_t now;
    int error = read_text(text, address, &now, 1);
    if (!error && now != expected)
        error = UP_E_CHANGED;
    if (!error)
        error = write_text(text, address, &desired, 1);
    if (!error)
        error = read_text(text, address, &now, 1);
    if (!error && now != desired)
        error = UP_E_CHANGED;
    return error;
}

int up_text_look(uint64_t address, uint8_t *byte)
{
    return read_mapped(address, byte, 1);
}

/* The first 0f 05, syscall, in these bytes, whatever instructions they are; NULL: there is none. */
static const uint8_t *next_call(const uint8_t *from, const uint8_t *end)
{
    for (const uint8_t *at = from + 1; at < end && (at = memchr(at, 0x05, (size_t)(end - at))) != NULL; at++)
        if (at[-1] == 0x0f)
            return at - 1;
    return NULL;
}

/* A system call up to a function's length behind b8+r imm32: mov r32, imm32, with one of the numbers. Code that makes several calls keeps their
 * number in a register. */
static int may_call(const uint8_t *bytes, size_t length, const int32_t *numbers, int32_t count)
{
    enum { MOVE = 0xb8, MOVE_SIZE = 5, FUNCTION = 4096 };
    const uint8_t *end = bytes + length, *seen = bytes;
    for (const uint8_t *at = bytes; (at = next_call(at, end)) != NULL; at++) {
        const uint8_t *from = at - bytes > FUNCTION ? at - FUNCTION : bytes;
        for (const uint8_t *move = from > seen ? from : seen; move + MOVE_SIZE <= at; move++) {
            int32_t number;
            if ((*move & 0xf8) != MOVE)
                continue;
            memcpy(&number, move + 1, sizeof number);
            for (int32_t i = 0; i < count; i++)
                if (number == numbers[i])
                    return 1;
        }
        seen = at - MOVE_SIZE > from ? at - MOVE_SIZE : from;
    }
    return 0;
}

int up_calls_find(const uint8_t *bytes, int32_t length, int32_t *at, int32_t capacity)
{
    int count = 0;
    for (const uint8_t *next = bytes; (next = next_call(next, bytes + length)) != NULL; next++, count++)
        if (count < capacity)
            at[count] = (int32_t)(next - bytes);
    return count;
}

int up_may_call(int64_t from, int64_t to, const int32_t *numbers, int32_t count)
{
    enum { PIECE = 1 << 18, OVERLAP = 1 << 13 };
    int fd = open_memory(O_RDONLY), found = 0;
    uint8_t *bytes = malloc(PIECE);
    if (!bytes)
        found = -ENOMEM;
    for (int64_t at = from; !found && at < to; at += PIECE - OVERLAP) {
        size_t length = (size_t)(to - at < PIECE ? to - at : PIECE);
        if (fd < 0 || pread(fd, bytes, length, (off_t)at) != (ssize_t)length)
            for (size_t i = 0; !found && i < length; i += 4096)
                found = read_mapped((uint64_t)at + i, bytes + i, length - i < 4096 ? length - i : 4096);
        if (!found)
            found = may_call(bytes, length, numbers, count);
    }
    free(bytes);
    if (fd >= 0)
        close(fd);
    return found;
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
    if (length < 0)
        return -EINVAL;
    int fd = open_memory(O_RDONLY), error = 0;
    enum { PIECE = 4096 };
    int whole = fd >= 0 && pread(fd, bytes, (size_t)length, (off_t)address) == length;
    for (int32_t at = 0; !whole && !error && at < length; at += PIECE)
        error = read_text(fd, (uint64_t)address + (uint64_t)at, bytes + at, (size_t)(length - at < PIECE ? length - at : PIECE));
    up_text_close(fd);
    return error ? error : length;
}
