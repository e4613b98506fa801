/* What is seen at a trap
 * ----------------------
 * Both handlers put a hash of the machine's state at the instruction that is about to run into the row of its address: general registers, rip,
 * rflags without TF and RF, MXCSR, x87 and every vector component that the kernel saved into the signal frame (SDM vol. 1, 13.4: an XSAVE area
 * in the standard format; a component whose bit in XSTATE_BV is clear is in its initial state, all zero). Words that are zero add nothing, so a
 * component that is saved as zeros and one that is not saved are the same, as they are to the program. x87's last instruction and operand
 * pointers are left out: the kernel's own use of the unit changes them.
 *
 * The reference run steps with TF. What TF itself would change is put right, so that the program can not notice it either:
 *   pushf         the flags it pushed lose TF
 *   popf          the flags it is about to pop gain TF
 *   syscall       is done by the handler: the processor's own would show TF in r11, and the step after it would not be reported
 *   rep           traps after each iteration; only the first counts as an arrival
 * Functions of libc that call nobody back are run at full speed to the return address, where a breakpoint of ours stands meanwhile.
 *
 * Holds: no function of libc is called here; general registers only. */
#define _GNU_SOURCE
#include "exam.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

void exam_restorer(void);

enum { TF = 0x100, RF = 0x10000, TRAP_BYTE = 0xcc, SI_KERNEL_CODE = 0x80, SI_TRACE = 2 };

/* As the kernel takes it (asm/signal.h); libc's structure is another. */
struct kernel_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};
static struct kernel_sigaction engine;

static const int greg_of[16] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15
};

/* Components of the XSAVE area above the legacy part: bit in XSTATE_BV, offset and size in bytes (CPUID leaf 0xd). */
enum { COMPONENTS = 4 };
static struct { uint32_t bit, offset, size; } component[COMPONENTS] = { { 2, 0, 0 }, { 5, 0, 0 }, { 6, 0, 0 }, { 7, 0, 0 } };

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t *a, uint32_t *b)
{
    uint32_t c = sub, d;
    *a = leaf;
    __asm__ volatile("cpuid" : "+a"(*a), "=b"(*b), "+c"(c), "=d"(d));
}

static inline uint64_t mix(uint64_t word, uint64_t place)
{
    if (!word)
        return 0;
    uint64_t h = (word ^ place * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    h ^= h >> 32;
    h *= 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}

static inline uint64_t mix_all(const uint64_t *words, uint32_t bytes, uint64_t place)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < bytes / 8; i++)
        sum += mix(words[i], place + i);
    return sum;
}

enum { FLAGS = 17, MXCSR = 18, X87 = 19, XMM = 20, UPPER = 21 /* .. 24 */ };

static void collect(const ucontext_t *uc, uint64_t ip, uint64_t *word)
{
    const greg_t *g = uc->uc_mcontext.gregs;
    for (int i = 0; i < 16; i++)
        word[i] = (uint64_t)g[greg_of[i]];
    word[16] = ip;
    word[FLAGS] = (uint64_t)g[REG_EFL] & ~(uint64_t)(TF | RF);
    const uint8_t *area = (const uint8_t *)uc->uc_mcontext.fpregs;
    const uint32_t magic = *(const uint32_t *)(area + 464);     /* sw_reserved: FP_XSTATE_MAGIC1 says that the area is a whole one */
    uint64_t present = magic == 0x46505853u ? *(const uint64_t *)(area + 512) : 3;
    word[MXCSR] = *(const uint32_t *)(area + 24);
    word[X87] = 0;
    if (present & 1) {
        word[X87] = mix((uint64_t)*(const uint16_t *)area ^ 0x37f, 1) + mix(*(const uint16_t *)(area + 2), 2) + mix(area[4], 3);
        int top = area[3] >> 3 & 7;     /* an empty register keeps an old value here, which nobody can read and any XRSTOR may lose */
        for (int i = 0; i < 8; i++) {
            if (!(area[4] >> ((top + i) & 7) & 1))
                continue;
            const uint8_t *st = area + 32 + 16 * i;
            word[X87] += mix(*(const uint64_t *)st, 10 + (uint64_t)i) + mix(*(const uint16_t *)(st + 8), 20 + (uint64_t)i);
        }
    }
    word[XMM] = present & 2 ? mix_all((const uint64_t *)(area + 160), 256, 100) : 0;
    for (int i = 0; i < COMPONENTS; i++)
        word[UPPER + i] = present >> component[i].bit & 1 && component[i].size
                ? mix_all((const uint64_t *)(area + component[i].offset), component[i].size, 1000 * (uint64_t)(i + 1)) : 0;
}

static void record(const ucontext_t *uc, uint64_t ip)
{
    struct exam_shared *s = exam_shared;
    if (ip < s->text_start || ip >= s->text_end)
        return;
    uint64_t word[EXAM_STATE_WORDS];
    collect(uc, ip, word);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < UPPER + COMPONENTS; i++)
        sum += mix(word[i], 7000 + i);
    sum ^= sum >> 31;
    struct exam_row *row = &exam_rows[ip - s->text_start];
    row->count++;
    row->sum += sum * 0x9e3779b97f4a7c15u + 1;
    int watched = 0;
    for (int i = 0; i < EXAM_WATCHED; i++)
        watched |= ip == s->watch[i];
    if (watched && s->log_count < EXAM_LOG) {
        struct exam_state *log = &s->log[s->log_count++];
        for (int i = 0; i < UPPER + COMPONENTS; i++)
            log->word[i] = word[i];
    }
}

static void remember(uint64_t ip)
{
    exam_shared->traps++;
    exam_shared->last[exam_shared->last_count++ % EXAM_LAST] = ip;
}

/* ---- probed runs ---- */

static void on_hit(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    if (info->si_code == SI_KERNEL_CODE) {
        uint64_t ip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP] - 1;
        remember(ip);
        record(uc, ip);
    }
    engine.handler(signal, info, context);
}

/* ---- reference runs ---- */

static uint64_t before;         /* the instruction that was stepped last; 0 after a stretch at full speed */
static struct { uint64_t address, sp; uint8_t byte; } home;     /* where a stretch at full speed ends */
static uint64_t own_text_start, own_text_end;

/* Functions of libc that call back into the examined code, or do not return to where they were called from. */
enum { CALLERS_BACK = 32 };
uint64_t exam_calls_back[CALLERS_BACK];

static const uint8_t *opcode_of(const uint8_t *insn)
{
    while (*insn == 0x66 || *insn == 0xf2 || *insn == 0xf3 || *insn == 0x3e || *insn == 0x2e || (*insn & 0xf0) == 0x40)
        insn++;
    return insn;
}

/* Whether the step from `before` was a call, or the jump of a PLT or a tail call. */
static int came_by_call(void)
{
    if (!before)
        return 0;
    const uint8_t *op = opcode_of((const uint8_t *)before);
    int extension = op[1] >> 3 & 7;
    return op[0] == 0xe8 || op[0] == 0xe9 || op[0] == 0xeb || (op[0] == 0xff && (extension == 2 || extension == 4));
}

static int is_rep(const uint8_t *insn)
{
    int rep = 0;
    for (;; insn++) {
        if (*insn == 0xf2 || *insn == 0xf3)
            rep = 1;
        else if (*insn != 0x66 && *insn != 0x2e && *insn != 0x3e && *insn != 0x67 && (*insn & 0xf0) != 0x40)
            break;
    }
    /* ins outs movs cmps stos lods scas: SDM vol. 2B, REP */
    return rep && ((*insn >= 0x6c && *insn <= 0x6f) || (*insn >= 0xa4 && *insn <= 0xa7) || (*insn >= 0xaa && *insn <= 0xaf));
}

static int in_text(uint64_t ip)
{
    return ip >= exam_shared->text_start && ip < exam_shared->text_end;
}

static int run_at_full_speed(ucontext_t *uc, uint64_t ip)
{
    struct exam_shared *s = exam_shared;
    int in_libc = ip >= s->libc_start && ip < s->libc_end && !(before >= s->libc_start && before < s->libc_end);
    if (ip != (uint64_t)exam_note && !in_libc)
        return 0;
    if (!came_by_call())
        return 0;
    for (int i = 0; i < CALLERS_BACK; i++)
        if (exam_calls_back[i] == ip)
            return 0;
    uint64_t sp = (uint64_t)uc->uc_mcontext.gregs[REG_RSP], back = *(const uint64_t *)sp;
    if (!in_text(back) && (back < own_text_start || back >= own_text_end))
        return 0;
    home.address = back;
    home.sp = sp + 8;
    home.byte = *(const uint8_t *)back;
    *(volatile uint8_t *)back = TRAP_BYTE;
    uc->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TF;
    return 1;
}

/* The handler's own system call for the program's. Those that make processes or replace this one are not in the workloads. */
static void do_syscall(greg_t *g, uint64_t ip)
{
    g[REG_RAX] = exam_syscall(g[REG_RAX], g[REG_RDI], g[REG_RSI], g[REG_RDX], g[REG_R10], g[REG_R8], g[REG_R9]);
    g[REG_RCX] = (greg_t)(ip + 2);
    g[REG_R11] = g[REG_EFL] & ~(greg_t)TF;
    g[REG_RIP] = (greg_t)(ip + 2);
}

static void on_step(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;
    uint64_t ip = (uint64_t)g[REG_RIP];
    if (info->si_code == SI_KERNEL_CODE) {
        ip--;
        if (ip != home.address || (uint64_t)g[REG_RSP] != home.sp) {    /* not ours, or reached by another call: the workload is not fit */
            exam_shared->state = EXAM_CRASHED;
            exam_shared->crash_signal = SIGTRAP;
            exam_shared->crash_ip = ip;
            exam_shared->crash_address = (uint64_t)g[REG_RSP];
            EXAM_SYSCALL3(SYS_exit_group, 4, 0, 0);
        }
        *(volatile uint8_t *)ip = home.byte;
        home.address = 0;
        g[REG_RIP] = (greg_t)ip;
        g[REG_EFL] |= TF;
        before = 0;
    }
    if (!exam_stepping) {
        g[REG_EFL] &= ~(greg_t)TF;
        return;
    }
    if (before) {
        const uint8_t *op = opcode_of((const uint8_t *)before);
        if (*op == 0x9c)        /* 9c    pushf */
            *(uint64_t *)g[REG_RSP] &= ~(uint64_t)TF;
    }
    for (;;) {
        const uint8_t *insn = (const uint8_t *)ip;
        remember(ip);
        if (!(ip == before && is_rep(insn)))
            record(uc, ip);
        if (run_at_full_speed(uc, ip)) {
            before = 0;
            return;
        }
        before = ip;
        if (insn[0] == 0x0f && insn[1] == 0x05) {       /* 0f 05    syscall */
            do_syscall(g, ip);
            ip += 2;
            continue;
        }
        if (*opcode_of(insn) == 0x9d)   /* 9d    popf */
            *(uint64_t *)g[REG_RSP] |= TF;
        return;
    }
}

static void on_crash(int signal, siginfo_t *info, void *context)
{
    exam_shared->crash_signal = (uint64_t)signal;
    exam_shared->crash_ip = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    exam_shared->crash_address = (uint64_t)info->si_addr;
    exam_shared->state = EXAM_CRASHED;
    EXAM_SYSCALL3(SYS_exit_group, 5, 0, 0);
}

static void take(int signal, void (*handler)(int, siginfo_t *, void *))
{
    enum { RESTORER = 0x04000000 };
    struct kernel_sigaction action = { handler, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | RESTORER, exam_restorer, 0 };
    exam_syscall(SYS_rt_sigaction, signal, (long)&action, 0, 8, 0, 0);
}

/* The text of a mapping has to be written in a reference run, for the breakpoint at a return address. */
static void make_writable(uint64_t start, uint64_t end)
{
    enum { PAGE = 4096 };
    start &= ~(uint64_t)(PAGE - 1);
    EXAM_SYSCALL3(SYS_mprotect, start, (end - start + PAGE - 1) & ~(uint64_t)(PAGE - 1), PROT_READ | PROT_WRITE | PROT_EXEC);
}


void exam_own_text(uint64_t start, uint64_t end);
void exam_own_text(uint64_t start, uint64_t end)
{
    own_text_start = start;
    own_text_end = end;
}

void exam_traps_install(void)
{
    uint32_t size, offset;
    for (int i = 0; i < COMPONENTS; i++) {
        cpuid(0xd, component[i].bit, &size, &offset);
        component[i].size = size;
        component[i].offset = offset;
    }
    static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS };
    for (unsigned i = 0; i < sizeof crashes / sizeof *crashes; i++)
        take(crashes[i], on_crash);
    if (exam_shared->mode == EXAM_REFERENCE) {
        make_writable(exam_shared->text_start, exam_shared->text_end);
        make_writable(own_text_start, own_text_end);
        take(SIGTRAP, on_step);
    } else if (exam_shared->mode == EXAM_PROBED) {
        exam_syscall(SYS_rt_sigaction, SIGTRAP, 0, (long)&engine, 8, 0, 0);
        take(SIGTRAP, on_hit);
    }
}
