/* Floor 5 */
#include "commit.h"
#include "chain.h"
#include "java.h"
#include "probe.h"

#include <jni.h>
#include <errno.h>
#include <stdlib.h>

void *up_thread_death;

/* How the chain of a run becomes frames
 * -------------------------------------
 * The method that commits carries the probed function's name and is the event's top frame. Those that called it stand below it in the same way: beside
 * each event class lies one of the same name with native methods, bound to call_inner, each of which calls the next function's; the last one is the
 * commit method. So between two functions' frames is none of ours, and nothing is looked up or made. An exception ends all levels: no one here handles
 * it, it is pending when the outermost call comes back.
 *
 * None of these methods takes an argument, as a frame is shown with its method's parameters. What they are called for the commit method asks for
 * (HitRun.java), on the same thread. */
struct upcall {
    const struct up_commit *calls[UP_CHAIN_FRAMES + 1]; /* innermost first: [0] commits, the others are frames */
    int deep;
    const struct up_run *run;
    const struct up_left *left;     /* NULL: not the drain's */
};
static __thread struct upcall *current __attribute__((tls_model("initial-exec")));

static void call_next(JNIEnv *env)
{
    const struct up_commit *next = current->calls[--current->deep];
    if (current->deep > 0)
        (*env)->CallStaticVoidMethodA(env, next->frames, next->frame, NULL);
    else
        (*env)->CallStaticVoidMethodA(env, next->clazz, next->method, NULL);
}

static void JNICALL call_inner(JNIEnv *env, jclass type)
{
    (void)type;
    call_next(env);
}

/* 63: the drain brings it; 62..32: where its first record lies; 31..0: how many there are. */
static jlong JNICALL run_now(JNIEnv *env, jclass type)
{
    (void)env, (void)type;
    if (!current)
        return 0;
    uint64_t offset = (uint64_t)((uint8_t *)current->run->first - up_threads.memory);
    return (jlong)((uint64_t)(current->left != NULL) << 63 | offset << 32 | (uint32_t)current->run->count);
}

static jlong JNICALL native_thread_id(JNIEnv *env, jclass type)
{
    (void)env, (void)type;
    return current && current->left ? current->left->tid : 0;
}

static jlong JNICALL java_thread_id(JNIEnv *env, jclass type)
{
    (void)env, (void)type;
    return current && current->left ? current->left->java_id : 0;
}

static jstring JNICALL native_thread_name(JNIEnv *env, jclass type)
{
    (void)type;
    return current && current->left ? (*env)->NewStringUTF(env, current->left->name) : NULL;
}

static jstring JNICALL drained(JNIEnv *env, jclass type)
{
    (void)type;
    return current && current->left && current->left->reason ? (*env)->NewStringUTF(env, current->left->reason) : NULL;
}

/* The native methods of HitRun. */
UP_EXPORT int up_commit_bind(JNIEnv *env, jclass hit_run);
int up_commit_bind(JNIEnv *env, jclass hit_run)
{
    const JNINativeMethod methods[] = {
        { (char *)"now", (char *)"()J", (void *)run_now },
        { (char *)"nativeThreadId", (char *)"()J", (void *)native_thread_id },
        { (char *)"nativeThreadName", (char *)"()Ljava/lang/String;", (void *)native_thread_name },
        { (char *)"javaThreadId", (char *)"()J", (void *)java_thread_id },
        { (char *)"drained", (char *)"()Ljava/lang/String;", (void *)drained }
    };
    if ((*env)->RegisterNatives(env, hit_run, methods, sizeof methods / sizeof *methods) == JNI_OK)
        return 0;
    (*env)->ExceptionClear(env);
    return -ESRCH;
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
    upcall.run = run;
    upcall.left = left;
    struct upcall *outer = current;
    current = &upcall;
    call_next(env);
    current = outer;
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

/* The native method of this name, bound to call_inner; NULL if there is none. */
static jmethodID bind_frame(JNIEnv *env, jclass frames, const char *name)
{
    const JNINativeMethod native = { (char *)name, (char *)"()V", (void *)call_inner };
    jmethodID frame = (*env)->GetStaticMethodID(env, frames, name, native.signature);
    if (frame && (*env)->RegisterNatives(env, frames, &native, 1) == JNI_OK)
        return frame;
    (*env)->ExceptionClear(env);
    return NULL;
}

/* A global reference, and how many probes hold on to it. */
struct up_class {
    jclass clazz;
    uint32_t users;
};
/* The class that the last probe named; its frames'. The functions of a pattern follow each other, thousands in one class. */
static struct up_class *last_class, *last_frames;

static struct up_class *hold(JNIEnv *env, jclass clazz, struct up_class **last)
{
    if (*last && (*env)->IsSameObject(env, (*last)->clazz, clazz)) {
        (*last)->users++;
        return *last;
    }
    struct up_class *fresh = malloc(sizeof *fresh);
    jclass reference = fresh ? (*env)->NewGlobalRef(env, clazz) : NULL;
    if (!reference) {
        free(fresh);
        return NULL;
    }
    *fresh = (struct up_class){ reference, 1 };
    return *last = fresh;
}

static void let_go(JNIEnv *env, struct up_class *class)
{
    if (!class || --class->users > 0)
        return;
    if (class == last_class)
        last_class = NULL;
    if (class == last_frames)
        last_frames = NULL;
    (*env)->DeleteGlobalRef(env, class->clazz);
    free(class);
}

void up_commit_release(void *env, struct up_probe *probe)
{
    probe->commit = NULL;
    let_go(env, probe->own_commit.holds[0]);
    let_go(env, probe->own_commit.holds[1]);
    probe->own_commit = (struct up_commit){ 0 };
}

/* Caller holds Java's engine lock. frames: the class that has the function's native method, or NULL: its calls are no frames of the hits inside. */
UP_EXPORT int up_commit_register(JNIEnv *env, int32_t probe, jclass clazz, jclass frames, const char *method);
int up_commit_register(JNIEnv *env, int32_t id, jclass clazz, jclass frames, const char *method)
{
    if (id < 0 || id >= up_probe_count() || up_probe_at(id)->life != UP_PROBE_DEFINED || up_probe_at(id)->commit)
        return -EINVAL;
    struct up_probe *probe = up_probe_at(id);
    struct up_commit *commit = &probe->own_commit;
    commit->holds[0] = hold(env, clazz, &last_class);
    commit->holds[1] = frames ? hold(env, frames, &last_frames) : NULL;
    commit->method = commit->holds[0] && (!frames || commit->holds[1]) ? (*env)->GetStaticMethodID(env, clazz, method, "()V") : NULL;
    if (!commit->method) {
        (*env)->ExceptionClear(env);
        up_commit_release(env, probe);
        return -ESRCH;
    }
    commit->clazz = commit->holds[0]->clazz;
    commit->frames = frames ? commit->holds[1]->clazz : NULL;
    commit->frame = frames ? bind_frame(env, frames, method) : NULL;
    __atomic_store_n(&probe->commit, commit, __ATOMIC_RELEASE);
    return 0;
}
