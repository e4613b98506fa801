/* Floor 2 */
/* What HotSpot keeps of the calling thread
 * ----------------------------------------
 * It has the thread in a TLS variable of libjvm (Thread::_thr_current), which is read each time, through glibc's own vector of TLS blocks, so nothing is
 * remembered that a DetachCurrentThread could make dangle. The thread's frame anchor (javaFrameAnchor.hpp) tells the innermost Java frame. Here is only
 * read; where things lie attach.c has found out. All is allowed in the hit path. */
#ifndef UP_JAVA_H
#define UP_JAVA_H

#include "arch.h"
#include "uprobe.h"

enum { UP_THREAD_IN_NATIVE = 4 };       /* globalDefinitions.hpp, JavaThreadState */

struct up_java {
    struct up_vm_layout vm;
    int attached;               /* all else is valid */
    int shadow_stack;           /* user shadow stacks (CET) are on: return addresses must stay as they are */
    uint64_t tls_module, tls_offset;    /* where libjvm keeps Thread::_thr_current */
    uint64_t thread_vtable;     /* of java.lang.Threads' JavaThread */
    uint64_t env_distance;      /* JNIEnv* - JavaThread* */
    int64_t excluded;           /* from Thread*: the byte that says that JFR leaves the thread out; 0: not known (up_jfr_find_exclusion) */
    uint64_t *carriers;         /* those that were there before us */
    int carrier_count;
    int32_t watch;              /* how often the VM was asked to tell of threads */
};
extern struct up_java up_java __attribute__((visibility("hidden")));

/* The java.lang.Thread's id, set by JVMTI ThreadStart; 0 on threads that were there before us (up_jvm_java_id) and on others. */
extern __thread int64_t up_java_id __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* up_java.watch when it was set: a thread that was another's, or nobody's, while the VM told nothing, does not know. */
extern __thread int32_t up_java_id_watch __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Whether the thread is one that carries virtual threads (jdk.internal.misc.CarrierThread): 1 or -1, set like up_java_id; 0: not known yet. */
extern __thread int32_t up_java_carries __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* What came of hits' and returns' looking at it; each part is raised by the file that it tells of. */
extern struct up_flush_statistics up_flush_stats;

static inline uint64_t up_java_load(uint64_t address)
{
    return *(const volatile uint64_t *)address;
}

/* The VM's Thread* of the calling thread, or 0. glibc's TCB has the vector of TLS blocks at fs:8; entry n (16 bytes) is module n's block, or -1 while
 * the thread has not touched it; entry -1 is the vector's length (glibc sysdeps/x86_64/nptl/tls.h, elf/dl-tls.c). */
static inline uint64_t up_java_any_thread(void)
{
    uint64_t vector;
    __asm__("movq %%fs:8, %0" : "=r"(vector));
    if (up_java.tls_module > up_java_load(vector - 16))
        return 0;
    uint64_t block = up_java_load(vector + 16 * up_java.tls_module);
    if (block == 0 || block == UINT64_MAX)
        return 0;
    return up_java_load(block + up_java.tls_offset);
}

/* The same if it is a JavaThread. The VM's own are other classes: GC and compiler threads, but also some that run Java (the attach listener, JVMTI's
 * agent threads). */
static inline uint64_t up_java_thread(void)
{
    uint64_t thread = up_java_any_thread();
    return thread && up_java_load(thread) == up_java.thread_vtable ? thread : 0;
}

static inline int up_java_state(uint64_t thread)
{
    return *(const volatile int32_t *)(thread + (uint64_t)up_java.vm.thread_state);
}

/* Whether the calling thread, a JavaThread, is a carrier and no virtual thread's frames are on its stack: it looks for work, mounts one or has just
 * unmounted it. Who it is, its own thread or the virtual one, is answered differently by different parts of the VM then (Thread.currentThread has
 * switched and JFR has not, or the other way round). Above all JFR loses the first event that a thread writes in Java as itself after one as a virtual
 * thread: when it finds that the thread's EventWriter has another's id it stores `false`, meant for the writer's pinVirtualThread, into its field `valid`
 * (jfrJavaEventWriter.cpp of JDK 25, whose pin_offset is valid's); commit() then resets the writer instead of writing. It tells nobody. */
int up_java_is_bare_carrier(uint64_t thread);

enum up_frame_kind { UP_FRAME_NATIVE_METHOD, UP_FRAME_JFR_METHOD, UP_FRAME_OTHER };

/* What the frame at the anchor is. Where the VM tells too little for that, the caller's other checks have to do. */
enum up_frame_kind up_java_frame_kind(uint64_t thread, uint64_t pc);

/* To be called before the return address that lies at `at` is changed. Where HotSpot calls C from Java code it often notes last_Java_sp alone:
 * make_walkable() takes last_Java_pc from the word below it when somebody wants to walk the stack (GC, an exception, JFR), which is the return address of
 * the function called. It would find a trampoline, which is no Java frame's. So this does what make_walkable() does, while the word is still there.
 * Nobody minds: whoever clears last_Java_sp clears last_Java_pc as well, since that may have been set in this way. */
void up_java_keep_last_pc(uint64_t at, uint64_t address);

/* Whether both addresses lie on the Java stack of the calling thread. */
int up_jvm_same_java_stack(uint64_t a, uint64_t b);

#endif
