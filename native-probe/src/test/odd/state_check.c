/* Fills XSAVE areas with patterns, runs odd_state between them and compares: what a hit must not change. */
#include <cpuid.h>
#include <stdint.h>
#include <string.h>

#define ODD __attribute__((noipa, visibility("default")))

enum { X87 = 1, SSE = 2, AVX = 4, ZMM = 0xe0, AREA = 16384, LEGACY = 512, HEADER = 64 };
uint32_t odd_state(const void *in, void *out, uint64_t mask);

static uint8_t in[AREA] __attribute__((aligned(64))), out[AREA] __attribute__((aligned(64)));

static uint64_t enabled(void)
{
    uint32_t a, d;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return a;
}

static void fill(uint32_t offset, uint32_t size, unsigned seed)
{
    for (uint32_t i = 0; i < size; i++)
        in[offset + i] = (uint8_t)(seed + i * 37);
}

/* The parts of the state that were compared: XCR0 bits. */
ODD uint64_t odd_state_parts(void) { return enabled() & (X87 | SSE | AVX | ZMM); }

/* 0: all was kept. Else bits 0..14: general registers; bit 16 + n: state component n. */
ODD uint32_t odd_check_state(void)
{
    uint64_t mask = odd_state_parts();
    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    in[0] = 0x7f, in[1] = 0x06;                         /* fcw: 53 bits, round down, all masked */
    in[4] = 0xff;                                       /* abridged tag word: eight values */
    in[24] = 0xbf, in[25] = 0x3f;                       /* mxcsr: round down, sticky flags */
    memcpy(in + 28, "\xff\xff", 2);                     /* mxcsr mask, not loaded */
    for (unsigned r = 0; r < 8; r++)
        fill(32 + 16 * r, 10, 0x11 * (r + 1));
    for (unsigned r = 0; r < 16; r++)
        fill(160 + 16 * r, 16, 0x21 + 3 * r);
    memcpy(in + LEGACY, &mask, sizeof mask);            /* XSTATE_BV */
    for (unsigned n = 2; n < 8; n++) {
        uint32_t size, offset, c, d;
        if (!(mask >> n & 1))
            continue;
        __cpuid_count(0xd, n, size, offset, c, d);
        fill(offset, size, 0x40 + 13 * n);
    }
    uint32_t wrong = odd_state(in, out, mask);
    if (memcmp(in, out, 5) != 0 || memcmp(in + 32, out + 32, 128) != 0)
        wrong |= 1u << 16;
    if (memcmp(in + 24, out + 24, 4) != 0 || memcmp(in + 160, out + 160, 256) != 0)
        wrong |= 1u << 17;
    for (unsigned n = 2; n < 8; n++) {
        uint32_t size, offset, c, d;
        if (!(mask >> n & 1))
            continue;
        __cpuid_count(0xd, n, size, offset, c, d);
        if (memcmp(in + offset, out + offset, size) != 0)
            wrong |= 1u << (16 + n);
    }
    return wrong;
}
