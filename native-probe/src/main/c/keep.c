/* Floor 1 */
#define _GNU_SOURCE
#include "keep.h"

#include <stdint.h>
#include <sys/mman.h>

enum { KEEP_CHUNK = 1 << 20 };

static void *keep(size_t bytes, size_t alignment)
{
    static uint8_t *chunk;
    static size_t left;
    if (bytes > KEEP_CHUNK / 4) {
        void *own = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return own == MAP_FAILED ? NULL : own;
    }
    size_t skipped = (size_t)-(uintptr_t)chunk & (alignment - 1);
    if (bytes + skipped > left) {
        void *fresh = mmap(NULL, KEEP_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED)
            return NULL;
        chunk = fresh;
        left = KEEP_CHUNK;
        skipped = 0;
    }
    void *result = chunk + skipped;
    chunk += skipped + bytes;
    left -= skipped + bytes;
    return result;
}

void *up_keep(size_t bytes)
{
    return keep(bytes, 64);
}

void *up_keep_small(size_t bytes)
{
    return keep((bytes + 7) & ~(size_t)7, 8);
}
