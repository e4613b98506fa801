/* Floor 8 */
/* Allowed here: what the head of trap.c allows. */
#include "calls.h"
#include "chain.h"
#include "java.h"
#include "returns.h"

enum { LOOK = 64 };     /* entries that are looked at for a hit's caller */

const struct up_return *up_return_open(struct up_thread *t, uint64_t sp, uint64_t java_sp)
{
    up_return_drop_below(t, sp, UP_NONE);
    if (up_return_slot_in(t->returns) == UP_NONE)
        return NULL;
    int on_java_stack = up_jvm_same_java_stack(sp, sp), looked = 0;
    for (int32_t slot = up_return_slot_in(t->returns); slot != UP_NONE && looked < LOOK; slot = up_return_table[slot].below, looked++) {
        const struct up_return *e = &up_return_table[slot];
        if (java_sp && e->sp >= java_sp && up_jvm_same_java_stack(e->sp, java_sp))
            return NULL;        /* beyond the Java frame */
        if (e->state == UP_RETURN_LIVE && e->function && e->java_sp == java_sp && up_return_is_open(e, sp, on_java_stack))
            return e;
    }
    return NULL;
}

uint16_t up_return_callers(const struct up_return *open, uint64_t sp, uint64_t function, int inside)
{
    if (!open)
        return 0;
    int is_its_own = inside && open->function == function, replaces = open->sp == sp;
    return is_its_own || replaces ? open->callers : open->frames;
}

void up_return_called(struct up_return *e, const struct up_probe *probe, uint64_t function, uint64_t java_sp, uint16_t callers)
{
    if (e->function == function && e->frames != e->callers)
        return;                 /* another probe of the same function has made it a frame */
    const struct up_commit *commit = __atomic_load_n(&probe->commit, __ATOMIC_ACQUIRE);
    e->java_sp = java_sp;
    e->callers = callers;
    e->frames = commit && commit->frame ? up_chain_add(callers, probe->id) : callers;
    e->function = function;
}
