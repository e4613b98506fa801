/* The differential exam, its native side
 * --------------------------------------
 * Whether a program notices probes is found by running it twice. This library is loaded by dlmopen into a namespace of its own, together with its
 * own copies of libz, libm, libc and whatever library is examined: the JVM around it never runs that code, so its memory is the same whenever a
 * run begins, and a probe on any of its instructions disturbs nobody else. Each run is a child that the JVM forks; its one thread runs a
 * deterministic workload on a stack of its own and reports through shared memory. Registers, addresses and file descriptors are the same in each
 * run (run.c), so is all that a library could ask of the system (interpose.c).
 *
 *   plain      no probe: the workload's results
 *   reference  no probe, on request: the workload is single-stepped (TF). For every address of the examined text: how often it was reached, and the sum
 *              of a hash of the machine's state at each arrival (traps.c)
 *   probed     with the probes that the JVM armed: the same two numbers for every trap, taken before the engine's own handler is called
 *
 * Java compares (Exam.java). Sums do not depend on the order of arrivals; the order is deterministic anyway.
 *
 * Holds: run.c and traps.c call no function of libc, because its instructions may be what is examined. */
#ifndef EXAM_H
#define EXAM_H

#include <stddef.h>
#include <stdint.h>

#define EXAM_EXPORT __attribute__((visibility("default")))

enum exam_mode { EXAM_PLAIN, EXAM_REFERENCE, EXAM_PROBED };

/* One row per byte of the examined text; rows of bytes that begin no executed instruction stay zero. Exam.java reads them. */
struct exam_row {
    uint64_t count;
    uint64_t sum;
};

/* A state that was asked for by its address (exam_shared.watch). Exam.java names the words. */
enum { EXAM_STATE_WORDS = 32, EXAM_LOG = 1 << 16 };
struct exam_state {
    uint64_t word[EXAM_STATE_WORDS];    /* 16 general registers in the order of the SDM, rip, rflags, MXCSR, x87 and vector parts as hashes */
};

enum { EXAM_LAST = 16, EXAM_WATCHED = 8 };
struct exam_shared {
    /* what the run is to do; written by the parent */
    uint64_t text_start, text_end;      /* the code under exam */
    uint64_t libc_start, libc_end;      /* code that is run at full speed in a reference run; empty when libc is under exam */
    uint64_t watch[EXAM_WATCHED];       /* log the states at these addresses; 0: none */
    uint64_t counters_function;         /* up_probe_counters, or 0 */
    uint64_t probes;                    /* how many ids stand in the table of probes */
    int32_t mode;
    int32_t workload;
    int32_t full;                       /* the long form of the workload */
    int32_t cpu;                        /* the processor to stay on */
    /* what came of it; written by the child */
    uint64_t result;                    /* hash of all results of the workload */
    uint64_t notes;                     /* how many results went into it */
    uint64_t traps;                     /* steps or hits */
    uint64_t state;                     /* enum exam_progress */
    uint64_t crash_signal, crash_ip, crash_address;
    uint64_t last_count;
    uint64_t last[EXAM_LAST];           /* addresses of the last traps, a ring */
    uint64_t log_count;
    struct exam_state log[EXAM_LOG];
};
enum exam_progress { EXAM_NOT_STARTED, EXAM_STARTED, EXAM_DONE, EXAM_CRASHED };

extern struct exam_shared *exam_shared;
extern struct exam_row *exam_rows;      /* of the present run */
extern int exam_stepping;               /* reference run: the workload has not ended */

/* Folds bytes into the result. The only place where results leave a workload. */
void exam_note(const void *bytes, size_t length);
static inline void exam_note_word(uint64_t word)
{
    exam_note(&word, sizeof word);
}
void exam_note_text(const char *text);  /* NULL is noted as such */

/* A symbol of the examined library that the dynamic linker does not tell, from its .symtab; NULL if it has none of that name. */
void *exam_symbol(const char *name);

/* Handlers of SIGTRAP and of crashes, traps.c. */
void exam_traps_install(void);
uint64_t exam_return_to(void *stack, void (*function)(void), uint64_t flags, void *xsave);

/* Deterministic numbers: xorshift64* (Vigna). */
static inline uint64_t exam_random(uint64_t *seed)
{
    uint64_t x = *seed;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *seed = x;
    return x * 0x2545f4914f6cdd1du;
}

/* Input for compressors and others: text-like, runs, noise; deterministic. */
void exam_fill(uint8_t *into, size_t length, int kind, uint64_t seed);
enum { EXAM_TEXT, EXAM_RUNS, EXAM_NOISE, EXAM_RECORDS, EXAM_KINDS };

/* The workloads. */
struct exam_workload {
    const char *name;
    /* Run once by the JVM: finds the functions that the workload calls. 0, or -1 if one is missing. May be NULL. */
    int (*prepare)(void);
    void (*run)(void);
};
extern const struct exam_workload exam_workloads[];

/* Raw system calls, for code that may not enter libc. */
static inline long exam_syscall(long n, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}
#define EXAM_SYSCALL3(n, a, b, c) exam_syscall((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)

#endif
