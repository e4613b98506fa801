/* A run: fork, make the child's world the same each time, run the workload, wait
 * --------------------------------------------------------------------------------
 * What would differ between two children of a living JVM, and what is done about it:
 *
 *   addresses that mmap gives   the JVM maps things all the time. A window of address space is kept from the start; the child fills every gap
 *                               above it and frees the window, so that the kernel's search from the top ends there
 *   the stack and registers     the workload has its own stack; registers are zeroed, vector state is the initial one
 *   thread id                   the child is made by a raw clone: what libc remembers of the thread is what it was in the parent
 *   file descriptors            all above 2 are closed
 *   processor                   one, as cpuid and rdpid tell it
 *   signal frames               on a stack of their own, so that the workload's memory is the same whether it traps or not
 *
 * Holds: no function of libc is called here. */
#define _GNU_SOURCE
#include "exam.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct exam_shared *exam_shared;
struct exam_row *exam_rows;
int exam_stepping;

enum {
    PAGE = 4096,
    STACK = 8 << 20,
    TRAP_STACK = 1 << 20,
    MAPS_TEXT = 4 << 20,
    PROBES = 1 << 21
};
/* Far below all libraries, so that the engine finds room for slots near them. */
static const uint64_t WINDOW = (uint64_t)64 << 30, WINDOW_AT = (uint64_t)0x5000 << 32;
static uint64_t window;
static uint8_t *stack, *trap_stack, *maps_text;
static int64_t *probe_table;    /* ids, then hits; shared */
static struct exam_row *rows_of_mode[3];
static uint64_t rows_bytes;

/* An XSAVE area whose header names no component: XRSTOR sets all of them to their initial state (SDM vol. 1, 13.8). */
static struct { uint8_t legacy[512], header[64], rest[16384 - 576]; } initial_state __attribute__((aligned(64)));

static void *map(uint64_t size, int protection, int flags)
{
    long p = exam_syscall(SYS_mmap, 0, (long)size, protection, flags | MAP_ANONYMOUS, -1, 0);
    return p < 0 ? NULL : (void *)p;
}

/* Once, before the first run. Returns 0, or -1 if memory is refused. */
EXAM_EXPORT int exam_init(void)
{
    if (exam_shared)
        return 0;
    struct exam_shared *shared = map(sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE);
    stack = map(STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    trap_stack = map(TRAP_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    maps_text = map(MAPS_TEXT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    probe_table = map(PROBES * 2 * sizeof *probe_table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE);
    window = (uint64_t)exam_syscall(SYS_mmap, (long)WINDOW_AT, (long)WINDOW, PROT_NONE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (!shared || !stack || !trap_stack || !maps_text || !probe_table || window != WINDOW_AT)
        return -1;
    exam_shared = shared;
    return 0;
}

EXAM_EXPORT struct exam_shared *exam_shared_memory(void)
{
    return exam_shared;
}

/* The table of the last run of this mode, one row per byte of text. */
EXAM_EXPORT struct exam_row *exam_rows_of(int mode)
{
    return rows_of_mode[mode];
}

EXAM_EXPORT int64_t *exam_probe_table(void)
{
    return probe_table;
}

EXAM_EXPORT int32_t exam_probe_table_capacity(void)
{
    return PROBES;
}

/* Says what is examined from now on; both tables are emptied. Returns 0 or -1. */
EXAM_EXPORT int exam_select(uint64_t text_start, uint64_t text_end, uint64_t libc_start, uint64_t libc_end)
{
    for (int mode = EXAM_REFERENCE; mode <= EXAM_PROBED; mode++) {
        if (rows_of_mode[mode])
            EXAM_SYSCALL3(SYS_munmap, rows_of_mode[mode], rows_bytes, 0);
        rows_of_mode[mode] = NULL;
    }
    exam_shared->text_start = text_start;
    exam_shared->text_end = text_end;
    exam_shared->libc_start = libc_start;
    exam_shared->libc_end = libc_end;
    rows_bytes = ((text_end - text_start) * sizeof(struct exam_row) + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    for (int mode = EXAM_REFERENCE; mode <= EXAM_PROBED; mode++)
        if (!(rows_of_mode[mode] = map(rows_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE)))
            return -1;
    return 0;
}

static uint64_t hexadecimal(const uint8_t **at)
{
    uint64_t value = 0;
    for (;; (*at)++) {
        uint8_t c = **at;
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return value;
    }
}

/* Fills the gaps between the mappings above the window, then frees the window. */
static int settle_addresses(void)
{
    int fd = (int)exam_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY, 0, 0, 0);
    if (fd < 0)
        return -1;
    uint64_t length = 0;
    for (long n; length < MAPS_TEXT - 1 && (n = EXAM_SYSCALL3(SYS_read, fd, maps_text + length, MAPS_TEXT - 1 - length)) > 0;)
        length += (uint64_t)n;
    EXAM_SYSCALL3(SYS_close, fd, 0, 0);
    maps_text[length] = 0;
    uint64_t before = window + WINDOW;
    for (const uint8_t *at = maps_text; *at;) {
        uint64_t start = hexadecimal(&at);
        at++;
        uint64_t end = hexadecimal(&at);
        while (*at && *at++ != '\n')
            ;
        if (start >= (uint64_t)1 << 47)
            break;      /* [vsyscall] */
        if (start > before)
            exam_syscall(SYS_mmap, (long)before, (long)(start - before), PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (end > before)
            before = end;
    }
    return (int)EXAM_SYSCALL3(SYS_munmap, window, WINDOW, 0);
}

static void work(void)
{
    exam_workloads[exam_shared->workload].run();
    exam_stepping = 0;
}

/* What the engine itself counted here, in the child's private copy of its memory. */
static void read_counters(void)
{
    int (*counters)(int32_t, uint64_t *) = (int (*)(int32_t, uint64_t *))exam_shared->counters_function;
    for (uint64_t i = 0; counters && i < exam_shared->probes; i++) {
        uint64_t out[16] = { 0 };      /* struct up_counters, hits first */
        probe_table[PROBES + i] = counters((int32_t)probe_table[i], out) < 0 ? -1 : (int64_t)out[0];
    }
}

static void child(void)
{
    uint64_t none = 0;
    exam_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof none, 0, 0);
    exam_syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL, 0, 0, 0, 0);
    stack_t on = { .ss_sp = trap_stack, .ss_size = TRAP_STACK };
    EXAM_SYSCALL3(SYS_sigaltstack, &on, 0, 0);
    uint64_t processors[16] = { 0 };
    processors[exam_shared->cpu / 64] = (uint64_t)1 << (exam_shared->cpu % 64);
    EXAM_SYSCALL3(SYS_sched_setaffinity, 0, sizeof processors, processors);
    EXAM_SYSCALL3(SYS_close_range, 3, ~0u, 0);
    EXAM_SYSCALL3(SYS_umask, 022, 0, 0);
    if (settle_addresses() != 0)
        EXAM_SYSCALL3(SYS_exit_group, 3, 0, 0);
    *(uint32_t *)(initial_state.legacy + 24) = 0x1f80;      /* MXCSR, which XRSTOR always loads */
    *(uint16_t *)initial_state.legacy = 0x37f;
    exam_traps_install();
    exam_shared->state = EXAM_STARTED;
    exam_stepping = exam_shared->mode == EXAM_REFERENCE;
    exam_return_to(stack + STACK - 256, work, 0x202 | (exam_stepping ? 0x100 : 0), &initial_state);
    exam_shared->state = EXAM_DONE;
    if (exam_shared->mode == EXAM_PROBED)
        read_counters();
    EXAM_SYSCALL3(SYS_exit_group, 0, 0, 0);
}

/* Runs the workload in a child; watch: EXAM_WATCHED addresses, or NULL. Returns its wait status, or -1 if there was none, -2 if it took longer and was killed. */
EXAM_EXPORT int exam_run(int mode, int workload, int full, int cpu, const uint64_t *watch, int timeout_ms)
{
    struct exam_shared *s = exam_shared;
    s->mode = mode;
    s->workload = workload;
    s->full = full;
    s->cpu = cpu;
    for (int i = 0; i < EXAM_WATCHED; i++)
        s->watch[i] = watch ? watch[i] : 0;
    s->result = 0xcbf29ce484222325u;
    s->notes = s->traps = s->state = s->crash_signal = s->crash_ip = s->crash_address = s->last_count = s->log_count = 0;
    exam_rows = rows_of_mode[mode];
    if (exam_rows)      /* zero again */
        exam_syscall(SYS_mmap, (long)exam_rows, (long)rows_bytes, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    int pidfd = -1;
    long pid = exam_syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, (long)&pidfd, 0, 0, 0);
    if (pid < 0)
        return -1;
    if (pid == 0)
        child();
    struct pollfd ended = { .fd = pidfd, .events = POLLIN };
    long got;
    while ((got = EXAM_SYSCALL3(SYS_poll, &ended, 1, timeout_ms)) == -4 /* EINTR */)
        ;
    if (got <= 0)
        EXAM_SYSCALL3(SYS_kill, pid, SIGKILL, 0);
    int status = -1;
    exam_syscall(SYS_wait4, pid, (long)&status, 0, 0, 0, 0);
    EXAM_SYSCALL3(SYS_close, pidfd, 0, 0);
    return got <= 0 ? -2 : status;
}
