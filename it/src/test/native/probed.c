#define COUNTED_FUNCTIONS(X) \
    X(probed_leaf) X(probed_values) X(probed_many) X(probed_floats) X(probed_float) X(probed_narrow) X(probed_bool) X(probed_text) \
    X(probed_pointer) X(probed_tail) X(probed_before_throw) X(probed_enter) X(probed_leave) X(probed_first) X(probed_second) \
    X(probed_deep) X(probed_in_critical) X(probed_locked) X(probed_in_callback)
#include "counted.h"
#include "probed.h"

PROBED long probed_calls(const char *function) {
    return counted_calls(function);
}

PROBED long probed_leaf(long i) {
    COUNT(probed_leaf);
    return i * 3 + 1;
}

PROBED long probed_values(long a, const char *s, int b, unsigned char c, const struct probed_request *r) {
    COUNT(probed_values);
    long sum = a + (long) strlen(s) * 1000003 + b * 10007L + c * 101L;
    sum += r->id + r->level * 3L + r->final * 5L + r->window * 7L + r->length * 11 + (long) strlen(r->name) * 13 + (long) (r->weight * 17);
    return r->part == NULL ? sum : sum + r->part->kind + (long) (r->part->ratio * 19) + r->part->tags[3];
}

PROBED long probed_many(long a, long b, long c, long d, long e, long f, long on_stack_7, long on_stack_8) {
    COUNT(probed_many);
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * on_stack_7 + 8 * on_stack_8;
}

PROBED double probed_floats(double x, float y, int i) {
    COUNT(probed_floats);
    return x * 2 + y - i;
}

PROBED float probed_float(float x) {
    COUNT(probed_float);
    return x * 0.5f - 1;
}

PROBED signed char probed_narrow(signed char x) {
    COUNT(probed_narrow);
    return (signed char) (x - 1);
}

PROBED bool probed_bool(long i) {
    COUNT(probed_bool);
    return i & 1;
}

PROBED const char *probed_text(long i) {
    COUNT(probed_text);
    return i & 1 ? "odd" : "even";
}

PROBED void *probed_pointer(void *p) {
    COUNT(probed_pointer);
    return p;
}

PROBED long probed_tail(long i) {
    COUNT(probed_tail);
    return i * 5 + 2;
}

PROBED long probed_before_throw(long i) {
    COUNT(probed_before_throw);
    return -i;
}

PROBED long probed_enter(long depth) {
    COUNT(probed_enter);
    return depth * 7;
}

PROBED long probed_leave(long depth) {
    COUNT(probed_leave);
    return depth * 11;
}

PROBED long probed_first(long id) {
    COUNT(probed_first);
    return id + 1;
}

PROBED long probed_second(long id) {
    COUNT(probed_second);
    return id + 2;
}

/* uses about 2 KB of stack, as a real function would, and shows a stack that came back damaged */
PROBED long probed_deep(long i) {
    COUNT(probed_deep);
    volatile long local[256];
    for (int k = 0; k < 256; k++) {
        local[k] = i ^ k;
    }
    long sum = 0;
    for (int k = 0; k < 256; k++) {
        sum += local[k] == (i ^ k);
    }
    return i * 2 + 9 + (sum - 256);
}

PROBED long probed_in_critical(const int64_t *values, long n) {
    COUNT(probed_in_critical);
    long sum = 0;
    for (long i = 0; i < n; i++) {
        sum += values[i];
    }
    return sum;
}

PROBED long probed_locked(long i) {
    COUNT(probed_locked);
    return i * 17;
}

PROBED long probed_in_callback(long kind) {
    COUNT(probed_in_callback);
    return kind * 13;
}
