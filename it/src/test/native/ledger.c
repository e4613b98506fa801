/* A library that allocates in every way and keeps some blocks for good: who reads a recording must find those, and no others. */
#define _GNU_SOURCE
#include <jni.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* posix_memalign's block stands in memory, not in a register: here a probe sees it. */
__attribute__((noipa, visibility("default"))) void ledger_aligned(void *block)
{
    __asm__ volatile("" : : "r"(block) : "memory");
}

static void *take(uint32_t how, size_t bytes)
{
    void *block = NULL;
    switch (how % 5) {
    case 0: return malloc(bytes);
    case 1: return calloc(bytes, 1);
    case 2: return realloc(malloc(bytes / 2 + 1), bytes);
    case 3: return aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    default:
        if (posix_memalign(&block, 128, bytes) == 0)
            ledger_aligned(block);
        return block;
    }
}

/* Takes and frees in no order; at the end nothing is left. */
JNIEXPORT void JNICALL Java_uprobe_it_app_Ledger_borrow(JNIEnv *env, jclass c, jint seed, jint rounds)
{
    (void)env, (void)c;
    enum { HELD = 64 };
    void *held[HELD] = { 0 };
    uint32_t random = (uint32_t)seed * 2654435761u + 1;
    for (int i = 0; i < rounds; i++) {
        random = random * 1664525u + 1013904223u;
        void **place = &held[random >> 8 & (HELD - 1)];
        free(*place);
        *place = take(random >> 16, 16 + (random >> 20) % 2000);
    }
    for (int i = 0; i < HELD; i++)
        free(held[i]);
}

static void *volatile kept;

/* Keeps `blocks` of them. */
JNIEXPORT void JNICALL Java_uprobe_it_app_Ledger_keep(JNIEnv *env, jclass c, jint how, jint bytes, jint blocks)
{
    (void)env, (void)c;
    for (int i = 0; i < blocks; i++)
        kept = take((uint32_t)how, (size_t)bytes);
}
