/* The list of workloads, and what they share. */
#include "exam.h"

void exam_libz(void);
int exam_libm_prepare(void);
void exam_libm(void);
void exam_libm_x87(void);
int exam_boringssl_prepare(void);
void exam_boringssl(void);
void exam_libc(void);
int exam_zstd_prepare(void);
void exam_zstd(void);
int exam_sqlite_prepare(void);
void exam_sqlite(void);

const struct exam_workload exam_workloads[] = {
    { "libz", NULL, exam_libz },
    { "libm", exam_libm_prepare, exam_libm },
    { "libm-x87", exam_libm_prepare, exam_libm_x87 },
    { "zstd", exam_zstd_prepare, exam_zstd },
    { "libc", NULL, exam_libc },
    { "boringssl", exam_boringssl_prepare, exam_boringssl },
    { "sqlite", exam_sqlite_prepare, exam_sqlite },
    { NULL, NULL, NULL }
};

/* FNV-1a over words, for speed; the last few bytes one by one. */
__attribute__((noinline)) void exam_note(const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    uint64_t h = exam_shared->result ^ length;
    for (; length >= 8; length -= 8, p += 8) {
        uint64_t word;
        __builtin_memcpy(&word, p, 8);
        h = (h ^ word) * 0x100000001b3u;
        h ^= h >> 29;
    }
    for (; length > 0; length--)
        h = (h ^ *p++) * 0x100000001b3u;
    exam_shared->result = h;
    exam_shared->notes++;
}

__attribute__((noinline)) void exam_note_text(const char *text)
{
    size_t length = 0;
    while (text && text[length])
        length++;
    exam_note(text ? text : "(null)", text ? length : 6);
}

static const char *const words[] = {
    "the", "probe", "of", "a", "library", "returns", "and", "section", "to", "INSERT", "0x7f", "buffer", "in", "memory,", "that", "is.\n", "page", "12345"
};

__attribute__((noinline)) void exam_fill(uint8_t *into, size_t length, int kind, uint64_t seed)
{
    size_t at = 0;
    while (at < length) {
        uint64_t r = exam_random(&seed);
        if (kind == EXAM_TEXT) {
            for (const char *w = words[(r >> 32) % (sizeof words / sizeof *words)]; *w && at < length; w++)
                into[at++] = (uint8_t)*w;
            if (at < length)
                into[at++] = ' ';
        } else if (kind == EXAM_RUNS) {
            size_t run = (r & 15) == 0 ? r >> 40 & 1023 : r >> 40 & 15;
            for (size_t i = 0; i < run && at < length; i++)
                into[at++] = (uint8_t)(r >> 56);
        } else if (kind == EXAM_NOISE) {
            into[at++] = (uint8_t)(r >> 56);
        } else {        /* rows of four fields, as in a table */
            uint32_t row[4] = { (uint32_t)at, (uint32_t)(r >> 60), (uint32_t)(r >> 48) & 255, 0xabcd };
            for (size_t i = 0; i < sizeof row && at < length; i++)
                into[at++] = ((uint8_t *)row)[i];
        }
    }
}
