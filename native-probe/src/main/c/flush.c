/* Floor 6 */
#include "flush.h"
#include "commit.h"
#include "java.h"
#include "ring.h"

#include <jni.h>
#include <errno.h>

enum {
    /* Left for the upcall, above the end of the stack: HotSpot's guard and shadow zones (StackYellowPages .. StackShadowPages: 24 pages) and
     * about 48 KiB for JFR's commit. */
    UPCALL_STACK = 144 * 1024,
    /* And for each call that is shown as a frame: 1,040 to 1,200 bytes measured, JDK 17 and 25, with and without -Xint and -Xcheck:jni. */
    CHAIN_FRAME_STACK = 1280,
    FLUSH_RUNS = 32
};

static void mark_rejected(const struct up_run *run)
{
    struct up_hit *hit = run->first;
    for (int i = 0; i < run->count; i++, hit = (struct up_hit *)((uint8_t *)hit + hit->length))
        __atomic_store_n(&hit->state, UP_HIT_REJECTED, __ATOMIC_RELEASE);
}

/* The records of this call become the drain's, or nobody's (UP_DRAINED_NOT). */
static void leave_to_drain(struct up_thread *t, struct up_return *e, enum up_drained reason)
{
    struct up_run runs[FLUSH_RUNS];
    struct up_wanted wanted = { .call = e->sp };
    uint64_t position = e->first;
    int n;
    do {
        n = up_ring_claim(t, &position, &wanted, runs, FLUSH_RUNS);
        for (int i = 0; i < n; i++) {
            if (reason == UP_DRAINED_NOT)
                mark_rejected(&runs[i]);
            up_ring_settle(&runs[i], reason, 0);
        }
    } while (n > 0);
}

/* Nobody would make events of them: filtered, and left to nobody. */
static void reject(struct up_thread *t, struct up_return *e)
{
    leave_to_drain(t, e, UP_DRAINED_NOT);
    up_ring_advance(t, 0);
    up_ring_carry(t);
    up_ring_rewind(t);
}

void up_jvm_flush(struct up_thread *t, struct up_return *e)
{
    up_count_own(&t->flushes);
    uint64_t thread = up_java_thread(), here = (uint64_t)__builtin_frame_address(0);
    if (!thread || up_java_state(thread) != UP_THREAD_IN_NATIVE) {
        up_count(&up_flush_stats.refused_state_at_return);
        leave_to_drain(t, e, UP_DRAINED_STATE_CHANGED);
        return;
    }
    const struct up_vm_layout *vm = &up_java.vm;
    uint64_t end = vm->stack_base >= 0 ? up_java_load(thread + (uint64_t)vm->stack_base) - up_java_load(thread + (uint64_t)vm->stack_size) : 0;
    if (here < end + UPCALL_STACK) {
        up_count(&up_flush_stats.refused_stack_end);
        leave_to_drain(t, e, UP_DRAINED_STACK_END);
        return;
    }
    int frames_fit = here >= end + UPCALL_STACK + UP_CHAIN_FRAMES * CHAIN_FRAME_STACK;
    /* The anchor is not the call's any more: a virtual thread was frozen in it (Object.wait, JEP 491), its frames are in the heap. */
    if (up_java_load(thread + (uint64_t)up_java.vm.last_java_sp) - UP_WORD != e->sp) {
        up_count(&up_flush_stats.refused_state_at_return);
        leave_to_drain(t, e, UP_DRAINED_STATE_CHANGED);
        return;
    }
    if (up_java.excluded && *(const volatile uint8_t *)(thread + (uint64_t)up_java.excluded)) {
        reject(t, e);
        return;
    }
    JNIEnv *env = (JNIEnv *)(thread + up_java.env_distance);
    struct up_run runs[FLUSH_RUNS];
    struct up_wanted wanted = { .call = e->sp };
    uint64_t position = e->first;
    jthrowable parked = NULL;
    int n = up_ring_claim(t, &position, &wanted, runs, FLUSH_RUNS);
    if (n == 0)
        return;
    int saved_errno = errno;    /* an FFM stub that captures it (Linker.Option.captureCallState) looks after us */
    if ((*env)->ExceptionCheck(env)) {
        parked = (*env)->ExceptionOccurred(env);
        (*env)->ExceptionClear(env);
    }
    t->committing = 1;
    do {
        for (int i = 0; i < n; i++) {
            void *thrown = NULL;
            if (!frames_fit && up_hit_chain(runs[i].flags)) {
                up_count(&up_flush_stats.refused_stack_end);
                up_ring_settle(&runs[i], UP_DRAINED_STACK_END, 0);
                continue;
            }
            up_count_own(&t->upcalls);
            up_jvm_commit(env, &runs[i], NULL, &thrown);
            up_ring_settle(&runs[i], UP_DRAINED_COMMIT_FAILED, 0);
            if (thrown && !parked)
                parked = thrown;
        }
        /* More than fitted, or a handler's hits since then. */
        n = position < t->head ? up_ring_claim(t, &position, &wanted, runs, FLUSH_RUNS) : 0;
    } while (n > 0);
    t->committing = 0;
    up_ring_advance(t, 0);
    up_ring_carry(t);
    up_ring_rewind(t);
    if (parked) {
        (*env)->Throw(env, parked);
        (*env)->DeleteLocalRef(env, parked);
    }
    errno = saved_errno;
}
