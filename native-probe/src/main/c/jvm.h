/* Floor 8 */
/* The Java side of a hit: JavaCallContext
 * ---------------------------------------
 * Which Java thread is this, is it inside a JNI call, and where does that call return? The thread's frame anchor tells (java.h): while it is in native
 * code, the word below last_Java_sp is the return address of the JNI call.
 *
 * But HotSpot runs C in state `native` above calls of its own as well: JVMTI callbacks of other agents, class loading from jars with libzip's
 * inflate. There the word returns into a runtime stub, which goes on in state `in Java`; an upcall there would corrupt the heap. So a return
 * address is swapped only if
 *   - the state is _thread_in_native and the anchor is whole (last_Java_pc known);
 *   - the word lies in the code cache and differs from last_Java_pc (a runtime call's pc is taken from that very word: make_walkable);
 *   - the frame of the anchor is a native method's (interpreter, or nmethod of a native method) or an FFM downcall stub;
 *   - the method is not one of jdk.jfr.internal, whose writer may be half-way through an event;
 * and when the call returns, state and anchor are looked at again before anything else: if the state is not _thread_in_native, or the anchor is
 * not that of this call any more (a virtual thread that was frozen in Object.wait), nothing is touched. */
#ifndef UP_JVM_H
#define UP_JVM_H

#include "returns.h"

/* What a record needs to know: the JNI call it belongs to; or why there is none (flags, enum up_drained) and the Java thread, if any, as
 * up_jvm_java_id will understand it. */
struct up_context {
    uint64_t call;
    uint32_t flags;
    uint64_t java_sp;           /* stack pointer of the Java frame below; UP_NO_JAVA_FRAME, or UP_UNKNOWN_JAVA_FRAME: HotSpot does not tell it now */
};
enum { UP_NO_JAVA_FRAME, UP_UNKNOWN_JAVA_FRAME };

/* Hit path. Looks at the calling thread; swaps the return address of its JNI call if that is not done yet. */
void up_jvm_context(struct up_thread *t, uint64_t sp, struct up_context *out);

#endif
