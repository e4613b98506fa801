/* Floor 5 */
#include "commit.h"
#include "chain.h"
#include "java.h"
#include "keep.h"
#include "probe.h"

#include <jni.h>
#include <errno.h>

void *up_thread_death;

/* How the chain of a run becomes frames
 * -------------------------------------
 * The method that commits carries the probed function's name and is the event's top frame. Those that called it stand below it in the same way: each
 * event class has a native method of its function's name too, bound to call_inner. It is called with the address of what follows and calls the next
 * function's, the last one the commit method; so between two functions' frames is none of ours, and nothing is looked up or made. An exception ends all
 * levels: no one here handles it, it is pending when the outermost call comes back. */
struct upcall {
    const struct up_commit *calls[UP_CHAIN_FRAMES + 1]; /* innermost first: [0] commits, the others are frames */
    int deep;
    jmethodID method;
    jvalue arguments[6];
};

static void call_next(JNIEnv *env, struct upcall *upcall)
{
    const struct up_commit *next = upcall->calls[--upcall->deep];
    jvalue address = { .j = (jlong)upcall };
    if (upcall->deep > 0)
        (*env)->CallStaticVoidMethodA(env, next->clazz, next->frame, &address);
    else
        (*env)->CallStaticVoidMethodA(env, next->clazz, upcall->method, upcall->arguments);
}

static void JNICALL call_inner(JNIEnv *env, jclass type, jlong upcall)
{
    (void)type;
    call_next(env, (struct upcall *)upcall);
}

static int callers_of(const struct up_run *run, const struct up_commit **calls)
{
    int32_t probes[UP_CHAIN_FRAMES];
    int n = up_chain_probes(up_hit_chain(run->flags), probes, UP_CHAIN_FRAMES);
    for (int i = 0; i < n; i++)
        calls[i] = up_probe_at(probes[i])->commit;
    return n;
}

int up_jvm_commit(void *environment, const struct up_run *run, const struct up_left *left, void **thrown)
{
    JNIEnv *env = environment;
    const struct up_commit *commit = up_probe_at(run->probe)->commit;
    if (!commit)
        return 0;               /* nobody makes events of this probe: settled as not consumed */
    struct upcall upcall;       /* mostly unused, so not initialised as a whole */
    upcall.calls[0] = commit;
    upcall.deep = 1 + callers_of(run, upcall.calls + 1);
    upcall.method = left ? commit->drained : commit->method;
    jvalue *arguments = upcall.arguments;
    arguments[0].i = (jint)((uint8_t *)run->first - up_threads.memory);
    arguments[1].i = run->count;
    if (left) {
        arguments[2].j = left->tid;
        arguments[3].l = left->name;
        arguments[4].j = left->java_id;
        arguments[5].l = left->reason;
    }
    call_next(env, &upcall);
    if (!(*env)->ExceptionCheck(env))
        return 0;
    jthrowable exception = (*env)->ExceptionOccurred(env);
    (*env)->ExceptionClear(env);
    if (thrown && (*env)->IsInstanceOf(env, exception, up_thread_death)) {
        *thrown = exception;    /* not ours: Thread.stop of JDK 17, thrown at the first place that could */
    } else {
        up_count(&up_flush_stats.failed);
        (*env)->DeleteLocalRef(env, exception);
    }
    return 1;
}

/* The class's native method of this name, bound to call_inner; NULL if it has none. */
static jmethodID bind_frame(JNIEnv *env, jclass clazz, const char *name)
{
    const JNINativeMethod native = { (char *)name, (char *)"(J)V", (void *)call_inner };
    jmethodID frame = (*env)->GetStaticMethodID(env, clazz, name, native.signature);
    if (frame && (*env)->RegisterNatives(env, clazz, &native, 1) == JNI_OK)
        return frame;
    (*env)->ExceptionClear(env);
    return NULL;
}

/* offset: of the probe's sites from the beginning of their functions. */
UP_EXPORT int up_commit_register(JNIEnv *env, int32_t probe, jclass clazz, const char *method, int64_t offset);
int up_commit_register(JNIEnv *env, int32_t id, jclass clazz, const char *method, int64_t offset)
{
    if (id < 0 || id >= up_probe_count())
        return -EINVAL;
    struct up_commit *commit = up_keep(sizeof *commit);
    if (!commit)
        return -ENOMEM;
    commit->clazz = (*env)->NewGlobalRef(env, clazz);
    commit->method = (*env)->GetStaticMethodID(env, clazz, method, "(II)V");
    commit->drained = commit->method ? (*env)->GetStaticMethodID(env, clazz, method, "(IIJLjava/lang/String;JLjava/lang/String;)V") : NULL;
    if (!commit->drained || !commit->clazz) {
        (*env)->ExceptionClear(env);
        return -ESRCH;
    }
    commit->frame = bind_frame(env, clazz, method);
    up_probe_at(id)->offset = (uint32_t)offset;
    __atomic_store_n(&up_probe_at(id)->commit, commit, __ATOMIC_RELEASE);
    return 0;
}
