/* The functions of libprobed.so that tests put probes on. Each returns a value that only its own arguments give. */
#ifndef PROBED_H
#define PROBED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probed_part {
    int16_t kind;             /* +0 */
    float ratio;              /* +4 */
    uint8_t tags[4];          /* +8 */
};

struct probed_request {
    int32_t id;               /* +0 */
    uint32_t level : 4;       /* +4  b4@0/32 */
    uint32_t final : 1;       /*     b1@4/32 */
    uint32_t window : 15;     /*     b15@5/32 */
    int64_t length;           /* +8 */
    const char *name;         /* +16 */
    double weight;            /* +24 */
    struct probed_part *part; /* +32  null where the request has none */
    char inline_name[8];      /* +40 */
};
_Static_assert(offsetof(struct probed_request, length) == 8, "named in tests");
_Static_assert(offsetof(struct probed_request, name) == 16, "named in tests");
_Static_assert(offsetof(struct probed_request, weight) == 24, "named in tests");
_Static_assert(offsetof(struct probed_request, part) == 32, "named in tests");
_Static_assert(offsetof(struct probed_request, inline_name) == 40, "named in tests");
_Static_assert(offsetof(struct probed_part, ratio) == 4, "named in tests");
_Static_assert(offsetof(struct probed_part, tags) == 8, "named in tests");

long probed_leaf(long i);                           /* i * 3 + 1 */
long probed_values(long a, const char *s, int b, unsigned char c, const struct probed_request *r);
long probed_many(long a, long b, long c, long d, long e, long f, long on_stack_7, long on_stack_8);
double probed_floats(double x, float y, int i);
float probed_float(float x);                        /* x * 0.5f - 1 */
signed char probed_narrow(signed char x);           /* x - 1, the upper bits of eax are not part of it */
bool probed_bool(long i);                           /* i is odd */
const char *probed_text(long i);                    /* "even" or "odd" */
void *probed_pointer(void *p);                      /* p itself */
long probed_tail(long i);                           /* i * 5 + 2 */
long probed_before_throw(long i);
long probed_enter(long depth);                      /* depth * 7 */
long probed_leave(long depth);                      /* depth * 11 */
long probed_first(long id);
long probed_second(long id);
long probed_deep(long i);                           /* i * 2 + 9, over 2 KB of stack */
long probed_in_critical(const int64_t *values, long n); /* their sum */
long probed_locked(long i);                         /* i * 17 */
long probed_in_callback(long kind);                 /* kind * 13 */

/* how often the function of that name was entered; -1: there is none */
long probed_calls(const char *function);

#endif
