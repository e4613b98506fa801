/* Decoding in bulk, by Zydis: one call per stretch of code, packed rows for Java's planner. Not for the hit path. */
#include "uprobe.h"

#include <Zydis/Zydis.h>
#include <errno.h>

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

/* Decodes from the first byte to the last; a byte that begins no instruction becomes a row of length 0 and is stepped over. Returns the number
 * of rows, -ENOSPC if there are more than capacity. */
int up_decode(const uint8_t *bytes, int32_t length, int64_t address, struct up_insn *out, int32_t capacity)
{
    ZydisDecoder decoder;
    if (ZYAN_FAILED(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
        return -EINVAL;
    int n = 0;
    for (int32_t at = 0; at < length; n++) {
        if (n == capacity)
            return -ENOSPC;
        ZydisDecodedInstruction insn;
        struct up_insn *row = &out[n];
        *row = (struct up_insn){ .offset = (uint32_t)at };
        if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes + at, (ZyanUSize)(length - at), &insn))) {
            at++;
            continue;
        }
        row->length = insn.length;
        row->flags = flags_of(&insn);
        row->target = target_of(&insn, (uint64_t)address + (uint64_t)at + insn.length);
        if (row->flags & UP_INSN_RIP_RELATIVE)
            row->displacement_at = insn.raw.disp.offset;
        at += insn.length;
    }
    return n;
}
