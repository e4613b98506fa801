/* Floor 1 */
/* Decoding in bulk, by Zydis: one call per stretch of code, packed rows for Java's planner. Not for the hit path. */
#include "arch.h"
#include "uprobe.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <string.h>

static uint16_t flags_of(const ZydisDecodedInstruction *insn)
{
    uint16_t flags = 0;
    int relative = (insn->attributes & ZYDIS_ATTRIB_IS_RELATIVE) != 0;
    if (relative)
        flags |= UP_INSN_RELATIVE;
    if (relative && !insn->raw.imm[0].is_relative)
        flags |= UP_INSN_RIP_RELATIVE;
    if (insn->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
        flags |= UP_INSN_PRIVILEGED;
    if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        flags |= UP_INSN_FAR;
    switch (insn->meta.category) {
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR:
        flags |= insn->raw.imm[0].is_relative ? UP_INSN_BRANCH : UP_INSN_INDIRECT;
        break;
    case ZYDIS_CATEGORY_CALL:
        flags |= UP_INSN_CALL;
        break;
    case ZYDIS_CATEGORY_RET:
        flags |= UP_INSN_RETURN;
        break;
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
        flags |= UP_INSN_SYSCALL;
        break;
    case ZYDIS_CATEGORY_INTERRUPT:
        flags |= UP_INSN_TRAP;
        break;
    default:
        break;
    }
    switch (insn->mnemonic) {
    case ZYDIS_MNEMONIC_CLI:    /* these ask for IOPL rather than CPL 0, which Zydis does not count */
    case ZYDIS_MNEMONIC_STI:
    case ZYDIS_MNEMONIC_IN:
    case ZYDIS_MNEMONIC_INSB:
    case ZYDIS_MNEMONIC_INSW:
    case ZYDIS_MNEMONIC_INSD:
    case ZYDIS_MNEMONIC_OUT:
    case ZYDIS_MNEMONIC_OUTSB:
    case ZYDIS_MNEMONIC_OUTSW:
    case ZYDIS_MNEMONIC_OUTSD:
        flags |= UP_INSN_PRIVILEGED;
        break;
    case ZYDIS_MNEMONIC_IRET:   /* returns that Zydis does not count as far */
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
        flags |= UP_INSN_FAR;
        break;
    case ZYDIS_MNEMONIC_XBEGIN:
        flags |= UP_INSN_TRANSACTION;
        break;
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
        flags |= UP_INSN_TRAP;
        break;
    default:
        break;
    }
    return flags;
}

static int64_t target_of(const ZydisDecodedInstruction *insn, uint64_t next)
{
    if (insn->raw.imm[0].is_relative)
        return (int64_t)(next + (uint64_t)insn->raw.imm[0].value.s);
    if (insn->attributes & ZYDIS_ATTRIB_IS_RELATIVE)
        return (int64_t)(next + (uint64_t)insn->raw.disp.value);
    return 0;
}

int64_t up_decoder(void)
{
    return (int64_t)ZydisDecoderInit;
}

/* at: address of the instruction. */
static void fill_row(const ZydisDecodedInstruction *insn, uint64_t at, struct up_insn *row)
{
    row->length = insn->length;
    row->flags = flags_of(insn);
    row->target = target_of(insn, at + insn->length);
    if (row->flags & UP_INSN_RIP_RELATIVE)
        row->displacement_at = insn->raw.disp.offset;
}

static int decode(const ZydisDecoder *decoder, const uint8_t *bytes, int32_t length, int64_t address, struct up_insn *out, int32_t capacity)
{
    int n = 0;
    for (int32_t at = 0; at < length; n++) {
        if (n == capacity)
            return -ENOSPC;
        ZydisDecodedInstruction insn;
        struct up_insn *row = &out[n];
        *row = (struct up_insn){ .offset = (uint32_t)at };
        if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(decoder, NULL, bytes + at, (ZyanUSize)(length - at), &insn))) {
            at++;
            continue;
        }
        fill_row(&insn, (uint64_t)address + (uint64_t)at, row);
        at += insn.length;
    }
    return n;
}

static int init(ZydisDecoder *decoder)
{
    return ZYAN_SUCCESS(ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64));
}

/* Decodes from the first byte to the last; a byte that begins no instruction becomes a row of length 0 and is stepped over. Returns the number
 * of rows, -ENOSPC if there are more than capacity. */
int up_decode(const uint8_t *bytes, int32_t length, int64_t address, struct up_insn *out, int32_t capacity)
{
    ZydisDecoder decoder;
    return init(&decoder) ? decode(&decoder, bytes, length, address, out, capacity) : -EINVAL;
}

int up_decode_pieces(const uint8_t *bytes, const int32_t *lengths, const int64_t *addresses, int32_t pieces, struct up_insn *out, int32_t capacity)
{
    ZydisDecoder decoder;
    if (!init(&decoder))
        return -EINVAL;
    int n = 0;
    for (int32_t i = 0; i < pieces; i++) {
        int rows = decode(&decoder, bytes, lengths[i], addresses[i], out + n, capacity - n);
        if (rows < 0)
            return rows;
        n += rows;
        bytes += lengths[i];
    }
    return n;
}

/* [from[i], ends[i]] ends at a branch's target: what lies before it is not straight any more. */
static void shorten(int64_t target, const int64_t *ends, int64_t *from, int32_t count)
{
    int32_t low = 0, high = count;      /* the first that ends at the target or behind it */
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (ends[middle] < target)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < count && target > from[low])
        from[low] = target;
}

int up_straight_far(const uint8_t *bytes, int32_t length, int64_t address, const int64_t *ends, int64_t *from, int32_t count)
{
    enum { CALL = 0xe8, JUMP = 0xe9, TWO_BYTES = 0x0f, JCC = 0x80, XBEGIN = 0xc7, XBEGIN_MODRM = 0xf8, SIZE = 4 };
    for (int32_t at = 0; count && at + SIZE < length; at++) {
        int operand = at + 1;
        if (bytes[at] == CALL || bytes[at] == JUMP)
            ;
        else if ((bytes[at] == TWO_BYTES && (bytes[at + 1] & 0xf0) == JCC) || (bytes[at] == XBEGIN && bytes[at + 1] == XBEGIN_MODRM))
            operand++;
        else
            continue;
        int32_t relative;
        if (operand + SIZE > length)
            break;
        memcpy(&relative, bytes + operand, SIZE);
        int64_t target = address + operand + SIZE + relative;
        if (target <= ends[count - 1])
            shorten(target, ends, from, count);
    }
    return 0;
}

int up_straight(const uint8_t *bytes, int32_t length, int64_t address, const int64_t *ends, int64_t *from, int32_t count)
{
    ZydisDecoder decoder;
    if (!init(&decoder))
        return -EINVAL;
    for (int32_t at = 0; at < length;) {
        ZydisDecodedInstruction insn;
        if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes + at, (ZyanUSize)(length - at), &insn))) {
            at++;
            continue;
        }
        at += insn.length;
        if (!insn.raw.imm[0].is_relative)
            continue;
        shorten(target_of(&insn, (uint64_t)address + (uint64_t)at), ends, from, count);
    }
    return 0;
}

static int gpr(ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
    return ZydisRegisterGetClass(whole) == ZYDIS_REGCLASS_GPR64 ? ZydisRegisterGetId(whole) : UP_NO_REGISTER;
}

static void use(struct up_detail *out, ZydisRegister reg)
{
    int n = gpr(reg);
    if (n != UP_NO_REGISTER)
        out->used |= (uint16_t)(1u << n);
}

static int is_plain_register(const ZydisDecodedOperand *o)
{
    ZydisRegisterClass class = ZydisRegisterGetClass(o->reg.value);
    return o->type == ZYDIS_OPERAND_TYPE_REGISTER && (class == ZYDIS_REGCLASS_GPR64 || class == ZYDIS_REGCLASS_GPR32);
}

static void lea(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *o, struct up_detail *out)
{
    if (o[1].mem.base == ZYDIS_REGISTER_RIP) {
        out->operation = UP_OP_MOVE_IMMEDIATE;      /* of the target, which the planner knows */
        return;
    }
    out->operation = UP_OP_LEA;
    out->b = (uint8_t)gpr(o[1].mem.base);
    out->c = (uint8_t)gpr(o[1].mem.index);
    out->scale = o[1].mem.scale;
    out->immediate = insn->raw.disp.size ? insn->raw.disp.value : 0;
}

/* Fills in the operation if it is one that the handler can do itself: no memory but the stack's, no flags. */
static void operation_of(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *o, struct up_detail *out)
{
    int relative = insn->raw.imm[0].is_relative, wide = insn->operand_width == 64, plain = wide || insn->operand_width == 32;
    out->size = (uint8_t)(insn->operand_width / 8);
    switch (insn->mnemonic) {
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_ENDBR64:
        out->operation = UP_OP_NOP;
        break;
    case ZYDIS_MNEMONIC_JMP:
    case ZYDIS_MNEMONIC_CALL: {
        int call = insn->mnemonic == ZYDIS_MNEMONIC_CALL;
        if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
            break;
        if (relative)
            out->operation = call ? UP_OP_CALL : UP_OP_JUMP;
        else if (is_plain_register(o) && o->size == 64) {
            out->operation = call ? UP_OP_CALL_REGISTER : UP_OP_JUMP_REGISTER;
            out->a = (uint8_t)gpr(o->reg.value);
        }
        break;
    }
    case ZYDIS_MNEMONIC_LOOP:
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
    case ZYDIS_MNEMONIC_JRCXZ:
    case ZYDIS_MNEMONIC_JECXZ:
        out->operation = UP_OP_LOOP;
        out->condition = insn->opcode & 3;
        out->size = (uint8_t)(insn->address_width / 8);
        break;
    case ZYDIS_MNEMONIC_RET:
        if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
            break;
        out->operation = UP_OP_RETURN;
        out->immediate = insn->raw.imm[0].size ? (int64_t)insn->raw.imm[0].value.u : 0;
        break;
    case ZYDIS_MNEMONIC_PUSH:
        if (!wide)
            break;
        if (is_plain_register(o)) {
            out->operation = UP_OP_PUSH;
            out->a = (uint8_t)gpr(o->reg.value);
        } else if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            out->operation = UP_OP_PUSH_IMMEDIATE;
            out->immediate = insn->raw.imm[0].value.s;
        }
        break;
    case ZYDIS_MNEMONIC_POP:
        if (wide && is_plain_register(o)) {
            out->operation = UP_OP_POP;
            out->a = (uint8_t)gpr(o->reg.value);
        }
        break;
    case ZYDIS_MNEMONIC_LEAVE:
        if (wide)
            out->operation = UP_OP_LEAVE;
        break;
    case ZYDIS_MNEMONIC_LEA:
        if (!plain || insn->address_width != 64)
            break;
        out->a = (uint8_t)gpr(o->reg.value);
        lea(insn, o, out);
        break;
    case ZYDIS_MNEMONIC_MOV:
        if (!plain || !is_plain_register(o))
            break;
        if (is_plain_register(o + 1)) {
            out->operation = UP_OP_MOVE;
            out->b = (uint8_t)gpr(o[1].reg.value);
        } else if (o[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            out->operation = UP_OP_MOVE_IMMEDIATE;
            out->immediate = insn->raw.imm[0].value.s;
        }
        out->a = (uint8_t)gpr(o->reg.value);
        break;
    default:
        if (insn->meta.category == ZYDIS_CATEGORY_COND_BR && relative) {
            out->operation = UP_OP_JUMP_IF;
            out->condition = insn->opcode & 15;
        }
        break;
    }
}

static uint8_t step_flags_of(const ZydisDecodedInstruction *insn)
{
    switch (insn->mnemonic) {
    case ZYDIS_MNEMONIC_CALL:
        return UP_STEP_CALL;
    case ZYDIS_MNEMONIC_PUSHF:
    case ZYDIS_MNEMONIC_PUSHFQ:
        return UP_STEP_PUSHF;
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFQ:
        return UP_STEP_POPF;
    default:
        return 0;
    }
}

static uint8_t hazards_of(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *o)
{
    uint8_t hazards = 0;
    int near = insn->meta.branch_type == ZYDIS_BRANCH_TYPE_SHORT || insn->meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR;
    if (near && insn->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE && !insn->raw.rex.W)
        hazards |= UP_HAZARD_SHORT_BRANCH;
    int loads_ss = insn->operand_count_visible > 0 && o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->reg.value == ZYDIS_REGISTER_SS
        && o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
    if (loads_ss || insn->meta.category == ZYDIS_CATEGORY_SYSCALL || insn->meta.category == ZYDIS_CATEGORY_INTERRUPT)
        hazards |= UP_HAZARD_NO_STEP;
    return hazards;
}

static void fill_detail(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands, struct up_detail *out)
{
    *out = (struct up_detail){ .operation = UP_OP_NONE, .a = UP_NO_REGISTER, .b = UP_NO_REGISTER, .c = UP_NO_REGISTER };
    for (int i = 0; i < insn->operand_count; i++) {
        const ZydisDecodedOperand *o = &operands[i];
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER)
            use(out, o->reg.value);
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            out->memory |= o->mem.type != ZYDIS_MEMOP_TYPE_AGEN;
            use(out, o->mem.base);
            use(out, o->mem.index);
        }
    }
    out->modrm_at = insn->attributes & ZYDIS_ATTRIB_HAS_MODRM ? insn->raw.modrm.offset : 0;
    if (insn->attributes & ZYDIS_ATTRIB_HAS_REX) {
        out->prefix = UP_PREFIX_REX;
        out->prefix_at = insn->raw.rex.offset;
    } else if (insn->attributes & ZYDIS_ATTRIB_HAS_VEX) {
        out->prefix = insn->raw.vex.size == 2 ? UP_PREFIX_VEX2 : UP_PREFIX_LONG;
        out->prefix_at = insn->raw.vex.offset;
    } else if (insn->attributes & (ZYDIS_ATTRIB_HAS_EVEX | ZYDIS_ATTRIB_HAS_XOP)) {
        out->prefix = UP_PREFIX_LONG;
        out->prefix_at = insn->attributes & ZYDIS_ATTRIB_HAS_EVEX ? insn->raw.evex.offset : insn->raw.xop.offset;
    }
    out->opcode = insn->opcode;
    out->step_flags = step_flags_of(insn);
    out->hazards = hazards_of(insn, operands);
    operation_of(insn, operands, out);
}

/* One instruction; -EINVAL if the bytes begin none. */
int up_describe(const uint8_t *bytes, int32_t length, struct up_detail *out)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    if (!init(&decoder) || ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes, (ZyanUSize)length, &insn, operands)))
        return -EINVAL;
    fill_detail(&insn, operands, out);
    return 0;
}

/* An explicit operand in the stack, at a fixed distance from where the return address lies: rsp is depth below that place, rbp framed below, or it holds
 * something else (framed < 0). */
static int touches_return_address(const ZydisDecodedOperand *o, int64_t displacement, int64_t depth, int64_t framed)
{
    if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN || o->mem.type != ZYDIS_MEMOP_TYPE_MEM
        || o->mem.index != ZYDIS_REGISTER_NONE)
        return 0;
    return (o->mem.base == ZYDIS_REGISTER_RSP && displacement == depth) || (o->mem.base == ZYDIS_REGISTER_RBP && framed >= 0 && displacement == framed);
}

static int writes_rsp(const ZydisDecodedOperand *o)
{
    return o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->reg.value == ZYDIS_REGISTER_RSP && o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
}

/* lock add or or with 0: a fence, which compilers set on top of the stack. It leaves there what was there. */
static int is_fence(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *o)
{
    return insn->attributes & ZYDIS_ATTRIB_HAS_LOCK && (insn->mnemonic == ZYDIS_MNEMONIC_ADD || insn->mnemonic == ZYDIS_MNEMONIC_OR)
        && o[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && o[1].imm.value.u == 0;
}

/* Whether the straight code from a function's first instruction on reads or writes its own return address. Conditional branches are not followed; where
 * rsp is no longer known the search ends. */
static int uses_return_address(const ZydisDecoder *decoder, const uint8_t *bytes, int32_t length)
{
    ZydisDecoderContext context;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand o[ZYDIS_MAX_OPERAND_COUNT];
    int64_t depth = 0, framed = -1;
    for (int32_t at = 0; at < length; at += insn.length) {
        if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(decoder, &context, bytes + at, (ZyanUSize)(length - at), &insn))
            || ZYAN_FAILED(ZydisDecoderDecodeOperands(decoder, &context, &insn, o, insn.operand_count)))
            return 0;
        if (is_fence(&insn, o))
            continue;
        for (int i = 0; i < insn.operand_count; i++)
            if (touches_return_address(&o[i], insn.raw.disp.size ? insn.raw.disp.value : 0, depth, framed))
                return 1;
        switch (insn.mnemonic) {
        case ZYDIS_MNEMONIC_PUSH:
            depth += insn.operand_width / 8;
            break;
        case ZYDIS_MNEMONIC_POP:
            if (depth == 0)
                return 1;
            depth -= insn.operand_width / 8;
            if (o[0].type == ZYDIS_OPERAND_TYPE_REGISTER && o[0].reg.value == ZYDIS_REGISTER_RBP)
                framed = -1;
            break;
        case ZYDIS_MNEMONIC_SUB:
        case ZYDIS_MNEMONIC_ADD:
            if (writes_rsp(&o[0])) {
                if (o[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
                    return 0;
                depth += insn.mnemonic == ZYDIS_MNEMONIC_SUB ? o[1].imm.value.s : -o[1].imm.value.s;
            }
            break;
        case ZYDIS_MNEMONIC_MOV:
            if (o[0].type == ZYDIS_OPERAND_TYPE_REGISTER && o[0].reg.value == ZYDIS_REGISTER_RBP)
                framed = o[1].type == ZYDIS_OPERAND_TYPE_REGISTER && o[1].reg.value == ZYDIS_REGISTER_RSP ? depth : -1;
            if (writes_rsp(&o[0]))
                return 0;
            break;
        case ZYDIS_MNEMONIC_CALL:
            break;
        default:
            if (insn.meta.category == ZYDIS_CATEGORY_UNCOND_BR || insn.meta.category == ZYDIS_CATEGORY_RET)
                return 0;
            for (int i = 0; i < insn.operand_count; i++)
                if (writes_rsp(&o[i]))
                    return 0;
            break;
        }
        if (depth < 0)
            return 0;
    }
    return 0;
}

int up_uses_return_address(const uint8_t *bytes, int32_t length)
{
    ZydisDecoder decoder;
    return init(&decoder) ? uses_return_address(&decoder, bytes, length) : -EINVAL;
}

/* Whether what could be the displacement of a branch back to the first byte stands anywhere: eb or 7x or e0..e3 and rel8, e9 or 0f 8x and rel32. Of 30
 * functions one has such bytes, and looking for them takes a hundredth of decoding. */
static int may_branch_home(const uint8_t *bytes, int64_t length)
{
    for (int64_t at = 1; at < length; at++) {
        uint8_t opcode = bytes[at - 1];
        if (at + 1 <= 128 && (int8_t)bytes[at] == -(at + 1) && (opcode == 0xeb || (opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0))
            return 1;
        int32_t far;
        if ((opcode == 0xe9 || (opcode & 0xf0) == 0x80) && at + (int64_t)sizeof far <= length) {
            __builtin_memcpy(&far, bytes + at, sizeof far);
            if (far == -(at + (int64_t)sizeof far))
                return 1;
        }
    }
    return 0;
}

/* Whether a branch of the function leads back to its first instruction: the head of a loop, or a call of itself that became a jump. readable: as length,
 * and what its last instruction may have beyond it. */
static int branches_home(const ZydisDecoder *decoder, const uint8_t *bytes, int64_t length, int64_t readable)
{
    ZydisDecodedInstruction insn;
    if (!may_branch_home(bytes, readable))
        return 0;
    for (int64_t at = 0; at < length && at < readable;) {
        if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(decoder, NULL, bytes + at, (ZyanUSize)(readable - at), &insn))) {
            at++;
            continue;
        }
        at += insn.length;
        if (flags_of(&insn) & UP_INSN_BRANCH && at + insn.raw.imm[0].value.s == 0)
            return 1;
    }
    return 0;
}

int up_survey(int64_t text, int64_t length, int64_t address, struct up_entry *entries, int32_t count)
{
    ZydisDecoder decoder;
    if (!init(&decoder))
        return -EINVAL;
    for (struct up_entry *e = entries; e < entries + count; e++) {
        *e = (struct up_entry){ .start = e->start, .end = e->end };
        int64_t at = e->start - address;
        if (at < 0 || at >= length || e->end <= e->start)
            continue;
        const uint8_t *bytes = (const uint8_t *)text + at;
        /* Its last instruction may reach beyond the end that a wrong symbol size claims. */
        int64_t readable = e->end - e->start + UP_MAX_INSTRUCTION;
        if (readable > length - at)
            readable = length - at;
        ZydisDecodedInstruction insn;
        ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
        if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes, (ZyanUSize)readable, &insn, operands)))
            continue;
        fill_row(&insn, (uint64_t)e->start, &e->first);
        fill_detail(&insn, operands, &e->detail);
        for (int i = 0; i < insn.length; i++)
            e->bytes[i] = bytes[i];
        e->loop_head = (uint8_t)branches_home(&decoder, bytes, e->end - e->start, readable);
        e->uses_return_address = (uint8_t)uses_return_address(&decoder, bytes, (int32_t)(readable < INT32_MAX ? readable : INT32_MAX));
    }
    return 0;
}
