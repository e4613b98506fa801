/* Floor 1 */
#define _GNU_SOURCE
#include "keep.h"

#include <stdint.h>
#include <sys/mman.h>

enum { KEEP_CHUNK = 1 << 20 };

void *up_keep(size_t bytes)
{
    static uint8_t *chunk;
    static size_t left;
    bytes = (bytes + 63) & ~(size_t)63;
    if (bytes > KEEP_CHUNK / 4) {
        void *own = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return own == MAP_FAILED ? NULL : own;
    }
    if (bytes > left) {
        void *fresh = mmap(NULL, KEEP_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED)
            return NULL;
        chunk = fresh;
        left = KEEP_CHUNK;
    }
    void *result = chunk;
    chunk += bytes;
    left -= bytes;
    return result;
}
