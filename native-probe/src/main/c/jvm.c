/* Floor 8 */
/* The head of jvm.h has the idea. Allowed here: what the head of trap.c allows. */
#include "jvm.h"
#include "java.h"
#include "returns.h"

/* For up_jvm_java_id. */
static uint64_t known_as(uint64_t thread)
{
    return up_java_id && up_java_id_watch == up_java.watch ? (uint64_t)up_java_id : thread;
}

static void left_to_drain(struct up_context *out, uint64_t thread, enum up_drained reason)
{
    out->flags = (uint32_t)reason << UP_HIT_DRAINED_SHIFT;
    out->call = thread ? known_as(thread) : 0;
}

void up_jvm_context(struct up_thread *t, uint64_t sp, struct up_context *out)
{
    uint64_t thread = __atomic_load_n(&up_java.attached, __ATOMIC_ACQUIRE) ? up_java_thread() : 0;
    out->java_sp = UP_NO_JAVA_FRAME;
    if (!thread) {
        left_to_drain(out, 0, UP_DRAINED_NATIVE_THREAD);
        return;
    }
    uint64_t last_sp = up_java_load(thread + (uint64_t)up_java.vm.last_java_sp), pc = up_java_load(thread + (uint64_t)up_java.vm.last_java_pc);
    if (last_sp)
        out->java_sp = last_sp;
    else if (up_java_state(thread) != UP_THREAD_IN_NATIVE)
        out->java_sp = UP_UNKNOWN_JAVA_FRAME;
    if (!last_sp) {
        /* Attached, but no Java frame below: a native thread for all that a stack could tell. */
        left_to_drain(out, thread, up_java_state(thread) == UP_THREAD_IN_NATIVE ? UP_DRAINED_NATIVE_THREAD : UP_DRAINED_VM_STATE);
        return;
    }
    if (up_java_state(thread) != UP_THREAD_IN_NATIVE || !pc) {
        up_count(&up_flush_stats.refused_state);
        left_to_drain(out, thread, UP_DRAINED_VM_STATE);
        return;
    }
    uint64_t at = last_sp - UP_WORD, word = up_java_load(at);
    int32_t slot = up_return_slot(word);
    struct up_return *e = slot == UP_NONE ? NULL : up_return_at(slot);
    if (!(e && e->flushes && e->sp == at && e->owner == t)) {
        /* Swapped already, but only for a probe on the native function itself: what counts is the true address. */
        uint64_t address = e ? up_return_shadow[slot] : word;
        enum up_frame_kind kind;
        if (address == pc || address < (uint64_t)up_java.vm.code_low || address >= (uint64_t)up_java.vm.code_high
            || (kind = up_java_frame_kind(thread, pc)) == UP_FRAME_OTHER) {
            up_count(&up_flush_stats.refused_runtime_call);
            left_to_drain(out, thread, UP_DRAINED_RUNTIME_CALL);
            return;
        }
        if (kind == UP_FRAME_JFR_METHOD) {
            up_count(&up_flush_stats.refused_jfr);
            left_to_drain(out, thread, UP_DRAINED_JFR);
            return;
        }
        if (up_java_is_bare_carrier(thread)) {
            left_to_drain(out, thread, UP_DRAINED_CARRIER);
            return;
        }
        if (up_java.shadow_stack) {
            left_to_drain(out, thread, UP_DRAINED_SHADOW_STACK);
            return;
        }
        up_return_drop_below(t, sp, UP_NONE);
    }
    e = up_return_swap(t, at);
    if (!e) {
        up_count(&up_flush_stats.slots_refused);
        left_to_drain(out, thread, UP_DRAINED_NO_RETURN_SLOT);
        return;
    }
    if (!e->flushes) {
        e->first = t->head;
        e->flushes = 1;
        up_count_own(&t->swaps);
    }
    t->java = known_as(thread); /* while records of this call are there it is this thread: it can not detach before the call's return */
    out->call = at;
    out->flags = 0;
}
