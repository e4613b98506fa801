/* A counter inside the callee
 * ---------------------------
 * A probe's count is compared with what the probed function itself counted. Whoever includes this first defines COUNTED_FUNCTIONS(X) as
 * X(name) for each of its functions; each of those begins with COUNT(name).
 *
 * COUNT is a call, and neither inlined nor looked into (noipa): so a probed function has the prologue of ordinary code - pushes, moves,
 * arguments saved over a call - and not one lock add that happens to be as long as a jump. */
#ifndef COUNTED_H
#define COUNTED_H

#include <stdatomic.h>
#include <string.h>

/* noipa: no inlining, no clones (.constprop, .isra), and callers keep to the psABI's registers */
#define PROBED __attribute__((noipa, visibility("default")))
#define UNUSED __attribute__((unused))

#define AS_NUMBER(function) N_##function,
#define AS_ROW(function) { #function, 0 },

enum { COUNTED_FUNCTIONS(AS_NUMBER) COUNTED_COUNT };
static struct { const char *function; atomic_long calls; } counters[COUNTED_COUNT] = { COUNTED_FUNCTIONS(AS_ROW) };

static __attribute__((noipa)) void count_call(int number) {
    atomic_fetch_add_explicit(&counters[number].calls, 1, memory_order_relaxed);
}
#define COUNT(function) count_call(N_##function)

/* -1: there is no such function */
static long counted_calls(const char *function) {
    for (int i = 0; i < COUNTED_COUNT; i++) {
        if (strcmp(counters[i].function, function) == 0) {
            return atomic_load(&counters[i].calls);
        }
    }
    return -1;
}

#endif
