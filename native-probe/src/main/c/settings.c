/* Floor 3 */
/* Allowed here, but for what Java asks, at the end, and up_settings_keep: what the head of trap.c allows. */
#define _GNU_SOURCE
#include "settings.h"
#include "keep.h"

#include <errno.h>

static struct kept {
    struct kept *next;
    struct up_settings settings;
    struct up_if_step steps[];
} *all;

static int equal(const void *a, const void *b, size_t length)
{
    const uint8_t *p = a, *q = b;
    for (size_t i = 0; i < length; i++)
        if (p[i] != q[i])
            return 0;
    return 1;
}

/* Caller holds Java's engine lock. */
const struct up_settings *up_settings_keep(const struct up_settings *settings, const uint8_t *steps)
{
    size_t length = (size_t)settings->steps * sizeof(struct up_if_step);
    for (struct kept *k = all; k; k = k->next)
        if (equal(&k->settings, settings, sizeof *settings) && equal(k->steps, steps, length))
            return &k->settings;
    struct kept *k = up_keep(sizeof *k + length);
    if (!k)
        return NULL;
    k->settings = *settings;
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)k->steps)[i] = steps[i];
    k->next = all;
    all = k;
    return &k->settings;
}

/* The two operands of an operation that needs both; `known` has a bit for each place of the stack. */
static int64_t binary(int operation, int64_t a, int64_t b)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (operation) {
    case UP_IF_MULTIPLY: return (int64_t)(x * y);
    case UP_IF_ADD: return (int64_t)(x + y);
    case UP_IF_SUBTRACT: return (int64_t)(x - y);
    case UP_IF_LESS: return a < b;
    case UP_IF_LESS_UNSIGNED: return x < y;
    case UP_IF_LESS_EQUAL: return a <= b;
    case UP_IF_LESS_EQUAL_UNSIGNED: return x <= y;
    case UP_IF_EQUAL: return a == b;
    case UP_IF_NOT_EQUAL: return a != b;
    case UP_IF_AND_BITS: return a & b;
    case UP_IF_XOR_BITS: return a ^ b;
    case UP_IF_OR_BITS: return a | b;
    case UP_IF_AND: return a && b;
    default: return a || b;
    }
}

int up_settings_hold(const struct up_settings *s, const int64_t *values, uint16_t missing, int64_t duration)
{
    int64_t stack[UP_MAX_STACK];
    uint32_t known = 0;         /* a bit for each place */
    int top = -1;
    const struct up_if_step *step = (const struct up_if_step *)(s + 1);
    for (int i = 0; i < s->steps; i++, step++) {
        if (step->operation <= UP_IF_DURATION) {
            uint16_t unread = step->operation == UP_IF_FIELD ? (uint16_t)(1u << step->field)
                : step->operation == UP_IF_DURATION ? UP_MISSING_DURATION : 0;
            stack[++top] = step->operation == UP_IF_FIELD ? values[step->field] : step->operation == UP_IF_DURATION ? duration : step->constant;
            known = (known & ~(1u << top)) | (uint32_t)!(missing & unread) << top;
        } else if (step->operation <= UP_IF_NEGATE) {
            int64_t a = stack[top];
            stack[top] = step->operation == UP_IF_NOT ? !a : step->operation == UP_IF_INVERT ? ~a : (int64_t)(0 - (uint64_t)a);
        } else {
            int64_t b = stack[top--], a = stack[top];
            int a_known = known >> top & 1, b_known = known >> (top + 1) & 1, both = a_known & b_known;
            if (!both && step->operation == UP_IF_AND && ((a_known && !a) || (b_known && !b))) {
                stack[top] = 0;
                both = 1;
            } else if (!both && step->operation == UP_IF_OR && ((a_known && a) || (b_known && b))) {
                stack[top] = 1;
                both = 1;
            } else {
                stack[top] = binary(step->operation, a, b);
            }
            known = (known & ~(1u << top)) | (uint32_t)both << top;
        }
    }
    return (known & 1) && stack[0] != 0;
}

int up_settings_admit(const struct up_settings *s, struct up_probe *probe, uint64_t now)
{
    if (s->per_second == INT64_MAX)
        return 1;
    /* The window's number and how many it has admitted, in one word: whoever finds an older window begins the next. */
    uint64_t window = now / (uint64_t)s->second << 32, word = __atomic_load_n(&probe->admitted, __ATOMIC_RELAXED), next;
    do {
        uint32_t used = (word ^ window) >> 32 ? 0 : (uint32_t)word;
        if (used >= (uint64_t)s->per_second)
            return 0;
        next = window | (used + 1);
    } while (!__atomic_compare_exchange_n(&probe->admitted, &word, next, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return 1;
}

static int bucket_of(uint64_t duration)
{
    if (duration < 2 * UP_SUB_BUCKETS)
        return (int)duration;
    int octave = 63 - __builtin_clzll(duration);
    if (octave > UP_MAX_OCTAVE)
        return UP_BUCKETS - 1;
    return (octave - UP_SUB_BITS) * UP_SUB_BUCKETS + (int)(duration >> (octave - UP_SUB_BITS));
}

void up_settings_time(struct up_probe *probe, int64_t duration, uint64_t inner)
{
    uint64_t d = duration > 0 ? (uint64_t)duration : 0;     /* the counters of two processors may differ by a little */
    __atomic_add_fetch(&probe->durations[bucket_of(d)], 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&probe->total_time, d, __ATOMIC_RELAXED);
    if (d > inner)
        __atomic_add_fetch(&probe->self_time, d - inner, __ATOMIC_RELAXED);
    uint64_t max = __atomic_load_n(&probe->max_time, __ATOMIC_RELAXED);
    while (d > max && !__atomic_compare_exchange_n(&probe->max_time, &max, d, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    up_count(&probe->timed);
}

/* ---- from here on: not the hit path ---- */

static int is_sound(const struct up_settings *s, const struct up_probe *probe, const struct up_if_step *step)
{
    int depth = 0, deepest = 0;
    for (int i = 0; i < s->steps; i++, step++) {
        if (step->operation >= UP_IF_OPERATIONS || (step->operation == UP_IF_FIELD && step->field >= probe->fields))
            return 0;
        depth += step->operation <= UP_IF_DURATION ? 1 : step->operation <= UP_IF_NEGATE ? 0 : -1;
        deepest = depth > deepest ? depth : deepest;
        if (depth < 1)
            return 0;
    }
    return s->steps == 0 || (depth == 1 && deepest <= UP_MAX_STACK);
}

int up_probes_settings(const int32_t *ids, int32_t count, const struct up_settings *settings, const uint8_t *steps)
{
    if (settings->steps < 0 || settings->steps > UP_MAX_STEPS || settings->second < 1)
        return -EINVAL;
    for (int32_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= up_probe_count() || !is_sound(settings, up_probe_at(ids[i]), (const struct up_if_step *)steps))
            return -EINVAL;
    const struct up_settings *kept = up_settings_keep(settings, steps);
    if (!kept)
        return -ENOMEM;
    for (int32_t i = 0; i < count; i++) {
        struct up_probe *probe = up_probe_at(ids[i]);
        if (settings->times && up_probe_time(probe) != 0)
            return -ENOMEM;
        __atomic_store_n(&probe->settings, kept, __ATOMIC_RELEASE);
    }
    return 0;
}

int up_probe_durations(int32_t id, int64_t *out, int32_t capacity)
{
    if (id < 0 || id >= up_probe_count())
        return -EINVAL;
    const struct up_probe *probe = up_probe_at(id);
    int n = !probe->durations ? 0 : capacity < UP_BUCKETS ? capacity : UP_BUCKETS;
    for (int i = 0; i < n; i++)
        out[i] = (int64_t)__atomic_load_n(&probe->durations[i], __ATOMIC_RELAXED);
    return n;
}
