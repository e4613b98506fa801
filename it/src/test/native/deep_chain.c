/* What a probe costs, measured inside: a leaf called in a loop, and the same leaf at the bottom of eight calls. The second shows what the
 * first cannot: a return that leaves a trampoline by ret makes the processor mispredict the return of every caller. */
#include <dlfcn.h>
#include <jni.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define UNUSED __attribute__((unused))
#define PROBED __attribute__((noipa, visibility("default")))

PROBED long bench_leaf(long a, long b) {
    return (a ^ b) + 1;
}

PROBED long bench_chain_leaf(long a, long b) {
    return (a ^ b) + 1;
}

/* the addition after the call keeps it a call: a tail jump would leave no return to predict */
#define LEVEL(name, callee) PROBED long name(long a, long b) { return callee(a, b) + 1; }
LEVEL(bench_chain_8, bench_chain_leaf)
LEVEL(bench_chain_7, bench_chain_8)
LEVEL(bench_chain_6, bench_chain_7)
LEVEL(bench_chain_5, bench_chain_6)
LEVEL(bench_chain_4, bench_chain_5)
LEVEL(bench_chain_3, bench_chain_4)
LEVEL(bench_chain_2, bench_chain_3)
LEVEL(bench_chain_1, bench_chain_2)

/* two fields behind pointers, as in  length=+8($arg1):s64 next=+8(+16($arg1)):s64 */
struct bench_node {
    long id, length;
    struct bench_node *next;
};

PROBED long bench_fields(const struct bench_node *node, long b) {
    return node->length + node->next->length + b;
}

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

/* ns per call; -1: a result was wrong */
JNIEXPORT jdouble JNICALL Java_uprobe_it_app_Bench_leaf(JNIEnv *env UNUSED, jclass type UNUSED, jlong n) {
    long wrong = 0;
    double start = now_ns();
    for (long i = 0; i < n; i++) {
        wrong |= bench_leaf(i, 1999993) ^ ((i ^ 1999993) + 1);
    }
    double end = now_ns();
    return wrong ? -1 : (end - start) / n;
}

JNIEXPORT jdouble JNICALL Java_uprobe_it_app_Bench_chain(JNIEnv *env UNUSED, jclass type UNUSED, jlong n) {
    long wrong = 0;
    double start = now_ns();
    for (long i = 0; i < n; i++) {
        wrong |= bench_chain_1(i, 1999993) ^ ((i ^ 1999993) + 9);
    }
    double end = now_ns();
    return wrong ? -1 : (end - start) / n;
}

JNIEXPORT jdouble JNICALL Java_uprobe_it_app_Bench_fields(JNIEnv *env UNUSED, jclass type UNUSED, jlong n) {
    struct bench_node last = { 2, 20, NULL }, first = { 1, 10, &last };
    long wrong = 0;
    double start = now_ns();
    for (long i = 0; i < n; i++) {
        wrong |= bench_fields(&first, i) ^ (30 + i);
    }
    double end = now_ns();
    return wrong ? -1 : (end - start) / n;
}

/* one JNI call with that many calls of the leaf; Java measures */
JNIEXPORT jlong JNICALL Java_uprobe_it_app_Bench_hits(JNIEnv *env UNUSED, jclass type UNUSED, jlong i, jint hits) {
    long sum = 0;
    for (jint k = 0; k < hits; k++) {
        sum += bench_leaf(i, k);
    }
    return sum;
}

/* libuprobe is there, but in no scope that dlsym searches */
static void *engine_function(const char *name) {
    char line[4200], *path;
    FILE *maps = fopen("/proc/self/maps", "r");
    void *function = NULL;
    while (!function && fgets(line, sizeof line, maps)) {
        if (strstr(line, "/libuprobe.so") && (path = strchr(line, '/')) != NULL) {
            path[strcspn(path, "\n")] = 0;
            void *engine = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
            function = engine ? dlsym(engine, name) : NULL;
        }
    }
    fclose(maps);
    return function;
}

/* One hit of the leaf's site as the leaf's own code would make it: with a return address of its own. */
static __attribute__((noipa)) int hit_without_trap(int (*hit)(int64_t, const uint64_t *), long a, long b) {
    enum { RSP = 4, RSI = 6, RDI = 7 };
    uint64_t regs[16] = { 0 };
    regs[RDI] = (uint64_t) a;
    regs[RSI] = (uint64_t) b;
    regs[RSP] = (uint64_t) __builtin_frame_address(0) + sizeof(void *);
    return hit((int64_t) bench_leaf, regs);
}

/* one JNI call with that many hits of the leaf's site, but no trap; -1: there is no engine, or no site */
JNIEXPORT jlong JNICALL Java_uprobe_it_app_Bench_hitsWithoutTrap(JNIEnv *env UNUSED, jclass type UNUSED, jlong i, jint hits) {
    static int (*hit)(int64_t, const uint64_t *);
    if (!hit) {
        hit = (int (*)(int64_t, const uint64_t *)) engine_function("up_hit_without_trap");
    }
    for (jint k = 0; k < hits; k++) {
        if (!hit || hit_without_trap(hit, i, k) != 0) {
            return -1;
        }
    }
    return i;
}
