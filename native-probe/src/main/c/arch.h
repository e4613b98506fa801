/* Floor 0 */
/* Facts of the instruction set, in one place
 * ------------------------------------------
 * Everything that would change on another processor stands here or in a file whose name ends in _x86_64. Sources: Intel SDM vol. 2 (encodings),
 * vol. 3A ch. 6 (traps), psABI x86-64 3.2 (registers, red zone), linux/arch/x86 (signal codes).
 */
#ifndef UP_ARCH_H
#define UP_ARCH_H

#include <stdint.h>

#if !defined(__x86_64__) || !defined(__linux__)
#error "uprobe runs on Linux x86-64; another processor needs its own arch.h and the files named *_x86_64"
#endif

enum {
    UP_TRAP_BYTE = 0xcc,        /* cc    int3 */
    UP_TRAP_SIZE = 1,           /* the processor reports the address after the trap: the site begins this many bytes before */
    UP_TRAP_SI_CODE = 0x80,     /* SI_KERNEL: what Linux reports for cc (arch/x86/kernel/traps.c, do_int3) */
    UP_WORD = 8,                /* size of a return address */
    UP_RED_ZONE = 128,          /* bytes below rsp that leaf functions keep live data in (psABI 3.2.2) */
    UP_MAX_INSTRUCTION = 15,    /* SDM vol. 2A, 2.3.11 */
    UP_GPR_COUNT = 16,
    UP_GPR_RESULT = 0,          /* rax: integer results (psABI 3.2.3) */
    UP_GPR_SP = 4               /* rsp, in the processor's own numbering */
};

/* General registers in the numbering of the SDM: rax rcx rdx rbx rsp rbp rsi rdi r8 .. r15. The return trampolines build this on the stack, the
 * trap handler copies it out of the signal frame. */
struct up_regs {
    uint64_t gpr[UP_GPR_COUNT];
};

/* The hit path may not call libc: a probe may sit in the wrapper that it would call. */
static inline long up_syscall6(long n, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#define up_syscall3(n, a, b, c) up_syscall6((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define up_syscall4(n, a, b, c, d) up_syscall6((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* Compare and exchange against signals of the same thread only: no lock prefix. Returns whether the exchange took place; *expected is what was
 * found. */
static inline int up_cmpxchg_local(volatile uint64_t *word, uint64_t *expected, uint64_t desired)
{
    unsigned char done;
    __asm__ volatile("cmpxchgq %3, %1; sete %0"
                     : "=q"(done), "+m"(*word), "+a"(*expected)
                     : "r"(desired)
                     : "cc", "memory");
    return done;
}

static inline int up_cmpxchg_local32(volatile int32_t *word, int32_t expected, int32_t desired)
{
    unsigned char done;
    __asm__ volatile("cmpxchgl %3, %1; sete %0"
                     : "=q"(done), "+m"(*word), "+a"(expected)
                     : "r"(desired)
                     : "cc", "memory");
    return done;
}

/* CPUID leaf 1, ecx bit 13: cmpxchg16b. Only the first x86-64 processors have none. */
static inline int up_has_pairs(void)
{
    uint32_t a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 13 & 1;
}

/* Two words that change together. */
struct up_pair {
    uint64_t first, second;
} __attribute__((aligned(16)));

/* Against all threads. Returns whether the exchange took place; *expected is what was found. */
static inline int up_cmpxchg_pair(struct up_pair *pair, struct up_pair *expected, struct up_pair desired)
{
    unsigned char done;
    __asm__ volatile("lock cmpxchg16b %1; sete %0"
                     : "=q"(done), "+m"(*pair), "+a"(expected->first), "+d"(expected->second)
                     : "b"(desired.first), "c"(desired.second)
                     : "cc", "memory");
    return done;
}

/* Statistics only: no order with anything else. */
static inline void up_count(uint64_t *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* The same of a counter that only one thread and its signal handlers write: no lock prefix. */
static inline void up_count_own(uint64_t *counter)
{
    __asm__ volatile("incq %0" : "+m"(*counter) : : "cc");
}

static inline uint64_t up_rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#endif
