/* Floor 3 */
/* Allowed here: what the head of trap.c allows. */
#include "fetch.h"
#include "memory.h"

/* The i-th fetch starts where the one before ended. */
static inline const struct up_fetch *up_fetch_next(const struct up_fetch *f)
{
    return (const struct up_fetch *)((const uint8_t *)(f + 1) + f->dereferences * sizeof(int64_t));
}

static int64_t narrow(uint64_t value, unsigned size, int is_signed)
{
    unsigned unused = 64 - 8 * size;
    return is_signed ? (int64_t)(value << unused) >> unused : (int64_t)(value << unused >> unused);
}

uint16_t up_probe_fetch(const struct up_probe *probe, const struct up_regs *regs, int at_return, int64_t *values)
{
    uint16_t missing = 0;
    const struct up_fetch *f = probe->fetches;
    for (int i = 0; i < probe->fields; i++, f = up_fetch_next(f)) {
        if (f->at_return != at_return)
            continue;
        uint64_t value = regs->gpr[f->source == UP_FETCH_RESULT ? UP_GPR_RESULT : f->source];
        for (uint32_t d = 0; d < f->dereferences; d++) {
            uint64_t address = value + (uint64_t)f->displacement[d];
            uint32_t size = d + 1 < f->dereferences ? UP_WORD : f->size;
            value = 0;
            if (up_read_safely(address, &value, size) != 0) {
                missing |= (uint16_t)(1u << i);
                value = 0;
                break;
            }
        }
        values[i] = narrow(value, f->size, f->is_signed);
    }
    return missing;
}

uint16_t up_probe_unread(const struct up_probe *probe, int at_return, int64_t *values)
{
    uint16_t missing = 0;
    const struct up_fetch *f = probe->fetches;
    for (int i = 0; i < probe->fields; i++, f = up_fetch_next(f))
        if (f->at_return == at_return) {
            values[i] = 0;
            missing |= (uint16_t)(1u << i);
        }
    return missing;
}
