/* Floor 4 */
/* Carrying out displaced instructions
 * -----------------------------------
 * Allowed here: what the head of trap.c allows.
 *
 * A step runs with all signals blocked but the synchronous ones, so a thread has at most one step under way, and one thread-local word group
 * tells of it. The kernel clears TF while a handler runs and brings it back with sigreturn (arch/x86/kernel/signal.c), so it is enough to set it in
 * the interrupted context. */
#define _GNU_SOURCE
#include "carry_out.h"
#include "arch.h"
#include "mask.h"
#include "memory.h"

static const int greg_of[UP_GPR_COUNT] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15
};

enum { CF = 1 << 0, PF = 1 << 2, ZF = 1 << 6, SF = 1 << 7, TF = 1 << 8, OF = 1 << 11 };

/* The step that this thread has under way, and what has to come back after it. */
static __thread struct {
    const struct up_way *way;   /* NULL: none */
    uint64_t mask;
    uint64_t scratch;
    int trace;                  /* TF was set before */
} step __attribute__((tls_model("initial-exec")));

void up_registers_of(const ucontext_t *uc, struct up_regs *regs)
{
    for (int i = 0; i < UP_GPR_COUNT; i++)
        regs->gpr[i] = (uint64_t)uc->uc_mcontext.gregs[greg_of[i]];
}

static greg_t *gpr(ucontext_t *uc, unsigned number)
{
    return &uc->uc_mcontext.gregs[greg_of[number]];
}

/* jcc's sixteen conditions: the low bit negates (SDM vol. 2A, appendix B.1.4.7). */
static int condition_holds(unsigned condition, uint64_t flags)
{
    int less = !(flags & SF) != !(flags & OF), holds;
    switch (condition >> 1) {
    case 0: holds = (flags & OF) != 0; break;
    case 1: holds = (flags & CF) != 0; break;
    case 2: holds = (flags & ZF) != 0; break;
    case 3: holds = (flags & (CF | ZF)) != 0; break;
    case 4: holds = (flags & SF) != 0; break;
    case 5: holds = (flags & PF) != 0; break;
    case 6: holds = less; break;
    default: holds = less || flags & ZF; break;
    }
    return holds != (int)(condition & 1);
}

/* loopne, loope, loop, jrcxz: the first three count down, without touching flags. */
static int loop_branches(const struct up_way *way, ucontext_t *uc)
{
    uint64_t mask = way->size == 4 ? UINT32_MAX : UINT64_MAX;
    greg_t *rcx = gpr(uc, 1);
    uint64_t count = (uint64_t)*rcx & mask, zero = (uint64_t)uc->uc_mcontext.gregs[REG_EFL] & ZF;
    if (way->condition == 3)
        return count == 0;
    count = (count - 1) & mask;
    *rcx = (greg_t)count;       /* a 32-bit write clears the upper half */
    return count != 0 && (way->condition == 2 || (way->condition == 1) == (zero != 0));
}

/* The stack of the interrupted code. Right below its red zone lies this handler's frame, so the page is there; on another stack (an alternate one)
 * that is not known, and a missing page must not end in a fault of ours before the system call has been tried. A fault that cannot be helped is
 * raised by the plain access: it is the one that the instruction would have raised. */
static int frame_is_below(const ucontext_t *uc, uint64_t sp)
{
    return (uint64_t)uc < sp && sp - (uint64_t)uc < 1 << 16;
}

static void store(const ucontext_t *uc, uint64_t address, uint64_t value)
{
    if (!frame_is_below(uc, address) && up_write_safely(address, &value, sizeof value) == 0)
        return;
    *(volatile uint64_t *)address = value;
}

static uint64_t load(const ucontext_t *uc, uint64_t address)
{
    uint64_t value;
    if (!frame_is_below(uc, address) && up_read_safely(address, &value, sizeof value) == 0)
        return value;
    return *(volatile const uint64_t *)address;
}

static void push(ucontext_t *uc, uint64_t value)
{
    greg_t *sp = gpr(uc, UP_GPR_SP);
    store(uc, (uint64_t)*sp - UP_WORD, value);
    *sp -= UP_WORD;
}

static uint64_t pop(ucontext_t *uc)
{
    greg_t *sp = gpr(uc, UP_GPR_SP);
    uint64_t value = load(uc, (uint64_t)*sp);
    *sp += UP_WORD;
    return value;
}

static void set(ucontext_t *uc, const struct up_way *way, uint64_t value)
{
    *gpr(uc, way->a) = (greg_t)(way->size == 4 ? (uint32_t)value : value);
}

/* Where the thread goes on. */
static uint64_t emulate(const struct up_way *way, ucontext_t *uc)
{
    uint64_t value, flags = (uint64_t)uc->uc_mcontext.gregs[REG_EFL];
    greg_t *sp = gpr(uc, UP_GPR_SP);
    switch ((enum up_operation)way->operation) {
    case UP_OP_NOP:
        break;
    case UP_OP_JUMP:
        return way->target;
    case UP_OP_JUMP_IF:
        return condition_holds(way->condition, flags) ? way->target : way->next;
    case UP_OP_LOOP:
        return loop_branches(way, uc) ? way->target : way->next;
    case UP_OP_CALL:
        push(uc, way->next);
        return way->target;
    case UP_OP_CALL_REGISTER:
        value = (uint64_t)*gpr(uc, way->a);     /* before rsp changes: call rsp */
        push(uc, way->next);
        return value;
    case UP_OP_JUMP_REGISTER:
        return (uint64_t)*gpr(uc, way->a);
    case UP_OP_RETURN:
        value = pop(uc);
        *sp += way->immediate;
        return value;
    case UP_OP_PUSH:
        push(uc, (uint64_t)*gpr(uc, way->a));   /* push rsp: the value before (SDM, PUSH) */
        break;
    case UP_OP_PUSH_IMMEDIATE:
        push(uc, (uint64_t)way->immediate);
        break;
    case UP_OP_POP:
        value = pop(uc);
        *gpr(uc, way->a) = (greg_t)value;       /* pop rsp: the value read (SDM, POP) */
        break;
    case UP_OP_LEAVE:
        value = load(uc, (uint64_t)*gpr(uc, 5));
        *sp = *gpr(uc, 5) + UP_WORD;
        *gpr(uc, 5) = (greg_t)value;
        break;
    case UP_OP_LEA:
        value = (uint64_t)way->immediate;
        if (way->b != UP_NO_REGISTER)
            value += (uint64_t)*gpr(uc, way->b);
        if (way->c != UP_NO_REGISTER)
            value += (uint64_t)*gpr(uc, way->c) * way->scale;
        set(uc, way, value);
        break;
    case UP_OP_MOVE:
        set(uc, way, (uint64_t)*gpr(uc, way->b));
        break;
    case UP_OP_MOVE_IMMEDIATE:
        set(uc, way, (uint64_t)way->immediate);
        break;
    case UP_OP_NONE:
        break;                  /* no way is made of it (Mechanisms.java) */
    }
    return way->next;
}

static uint64_t get_mask(const ucontext_t *uc)
{
    uint64_t mask;
    __builtin_memcpy(&mask, &uc->uc_sigmask, sizeof mask);
    return mask;
}

static void set_mask(ucontext_t *uc, uint64_t mask)
{
    __builtin_memcpy(&uc->uc_sigmask, &mask, sizeof mask);
}

static void begin_step(const struct up_way *way, ucontext_t *uc)
{
    greg_t *gregs = uc->uc_mcontext.gregs;
    step.mask = get_mask(uc);
    step.trace = (gregs[REG_EFL] & TF) != 0;
    if (way->scratch != UP_NO_REGISTER) {
        step.scratch = (uint64_t)*gpr(uc, way->scratch);
        *gpr(uc, way->scratch) = (greg_t)way->immediate;
    }
    set_mask(uc, ~up_synchronous_signals());
    gregs[REG_EFL] |= TF;
    gregs[REG_RIP] = (greg_t)way->slot;
    step.way = way;
}

static void end_step(const struct up_way *way, ucontext_t *uc)
{
    if (way->scratch != UP_NO_REGISTER)
        *gpr(uc, way->scratch) = (greg_t)step.scratch;
    set_mask(uc, step.mask);
    step.way = NULL;
}

static void set_trace(ucontext_t *uc, int on)
{
    greg_t *flags = &uc->uc_mcontext.gregs[REG_EFL];
    *flags = on ? *flags | TF : *flags & ~(greg_t)TF;
}

int up_way_stepped(ucontext_t *uc)
{
    const struct up_way *way = step.way;
    greg_t *gregs = uc->uc_mcontext.gregs;
    if (!way)
        return 0;
    uint64_t ip = (uint64_t)gregs[REG_RIP];
    if (ip == way->slot)
        return 1;               /* a string instruction that is not through: on with it */
    uint64_t sp = (uint64_t)*gpr(uc, UP_GPR_SP);
    if (ip == way->slot + way->copy_length)
        gregs[REG_RIP] = (greg_t)way->next;
    else if (ip > way->slot && ip < way->slot + way->code_length)
        gregs[REG_RIP] = (greg_t)way->target;   /* the other end of a loop or jrcxz */
    if (way->step_flags & UP_STEP_CALL)
        store(uc, sp, way->next);
    if (way->step_flags & UP_STEP_PUSHF && !step.trace)
        store(uc, sp, load(uc, sp) & ~(uint64_t)TF);
    int trace = step.trace;
    end_step(way, uc);
    if (!(way->step_flags & UP_STEP_POPF))
        set_trace(uc, trace);
    return trace ? 2 : 1;
}

/* The newest that was carried out on this thread. */
static __thread struct {
    uint64_t site, sp;          /* sp before it */
} carried __attribute__((tls_model("initial-exec")));

/* Of the instructions of one byte: push, pop, pushf, popf, leave. What does neither is a nop or the like, that is better left out than done twice. */
static int moves_stack(uint8_t opcode)
{
    return (opcode & 0xf0) == 0x50 || opcode == 0x9c || opcode == 0x9d || opcode == 0xc9;
}

int up_way_stands_behind(const struct up_way *way, const ucontext_t *uc)
{
    return way->next - way->site == UP_TRAP_SIZE && carried.site == way->site
        && (!moves_stack(way->original) || (uint64_t)uc->uc_mcontext.gregs[REG_RSP] != carried.sp);
}

void up_way_carry_out(const struct up_way *way, ucontext_t *uc)
{
    carried.site = way->site;
    carried.sp = (uint64_t)uc->uc_mcontext.gregs[REG_RSP];
    switch ((enum up_mechanism)way->mechanism) {
    case UP_BOOST:
        uc->uc_mcontext.gregs[REG_RIP] = (greg_t)way->slot;
        break;
    case UP_EMULATE:
        uc->uc_mcontext.gregs[REG_RIP] = (greg_t)emulate(way, uc);
        break;
    case UP_STEP:
        begin_step(way, uc);
        break;
    }
}

static const struct up_mark *mark_at(const struct up_way *way, uint64_t ip)
{
    for (int i = 0; i < way->marks; i++)
        if (way->slot + way->mark[i].offset == ip)
            return &way->mark[i];
    return NULL;
}

int up_way_show_original(ucontext_t *uc, struct up_shown *before)
{
    greg_t *gregs = uc->uc_mcontext.gregs;
    before->in_slot = 0;
    const struct up_way *way = up_way_holding((uint64_t)gregs[REG_RIP]);
    const struct up_mark *mark = way ? mark_at(way, (uint64_t)gregs[REG_RIP]) : NULL;
    if (!mark)
        return 0;
    before->in_slot = 1;
    before->stepping = step.way == way ? way : NULL;
    before->mask = get_mask(uc);
    __builtin_memcpy(before->gregs, gregs, sizeof before->gregs);
    if (mark->saved)
        *gpr(uc, way->scratch) = (greg_t)load(uc, (uint64_t)*gpr(uc, UP_GPR_SP));
    *gpr(uc, UP_GPR_SP) += mark->stack;
    gregs[REG_RIP] = (greg_t)(mark->where == UP_AT_SITE ? way->site : mark->where == UP_AT_NEXT ? way->next : way->target);
    if (before->stepping) {
        before->step_mask = step.mask;
        before->step_scratch = step.scratch;
        before->step_trace = step.trace;
        set_trace(uc, step.trace);
        end_step(way, uc);
    }
    __builtin_memcpy(before->shown, gregs, sizeof before->shown);
    before->mask_shown = get_mask(uc);
    return 1;
}

void up_way_put_back(ucontext_t *uc, const struct up_shown *before)
{
    if (!before->in_slot || get_mask(uc) != before->mask_shown)
        return;
    for (unsigned i = 0; i < sizeof before->shown / sizeof before->shown[0]; i++)
        if (before->shown[i] != uc->uc_mcontext.gregs[i])
            return;
    __builtin_memcpy(uc->uc_mcontext.gregs, before->gregs, sizeof before->gregs);
    set_mask(uc, before->mask);
    if (before->stepping) {
        step.mask = before->step_mask;
        step.scratch = before->step_scratch;
        step.trace = before->step_trace;
        step.way = before->stepping;
    }
}
