/* Another agent's callbacks run into probed functions
 * ---------------------------------------------------
 * HotSpot runs JVMTI callbacks in state "in native" although the innermost Java frame may be in a runtime call (an exception thrown by
 * compiled code, a class resolved by the interpreter), and those for garbage collections on the VM thread in a safepoint. A probe that took
 * such a call for a JNI call, and called Java at its return, would corrupt the heap.
 *
 * Holds: no callback calls JNI; each calls probed_in_callback(kind) once, until stopCallbacks. */
#include <jvmti.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include "probed.h"

#define UNUSED __attribute__((unused))

/* the argument of probed_in_callback */
enum { EXCEPTION = 1, CLASS_PREPARE, GC_START, GC_FINISH, CONTENDED_ENTER, KINDS };

static const jvmtiEvent events[KINDS] = { 0, JVMTI_EVENT_EXCEPTION, JVMTI_EVENT_CLASS_PREPARE, JVMTI_EVENT_GARBAGE_COLLECTION_START,
    JVMTI_EVENT_GARBAGE_COLLECTION_FINISH, JVMTI_EVENT_MONITOR_CONTENDED_ENTER };

static jvmtiEnv *jvmti;
static atomic_bool stopped;
static atomic_long running;
static atomic_long by_kind[KINDS];
static atomic_long wrong_results;

static void hit(int kind) {
    atomic_fetch_add(&running, 1);
    if (!atomic_load(&stopped)) {
        if (probed_in_callback(kind) != kind * 13) {
            atomic_fetch_add(&wrong_results, 1);
        }
        atomic_fetch_add(&by_kind[kind], 1);
    }
    atomic_fetch_sub(&running, 1);
}

static void JNICALL on_exception(jvmtiEnv *t UNUSED, JNIEnv *e UNUSED, jthread thread UNUSED, jmethodID method UNUSED, jlocation at UNUSED,
        jobject exception UNUSED, jmethodID catcher UNUSED, jlocation caught_at UNUSED) {
    hit(EXCEPTION);
}

static void JNICALL on_class_prepare(jvmtiEnv *t UNUSED, JNIEnv *e UNUSED, jthread thread UNUSED, jclass type UNUSED) {
    hit(CLASS_PREPARE);
}

static void JNICALL on_gc_start(jvmtiEnv *t UNUSED) {
    hit(GC_START);
}

static void JNICALL on_gc_finish(jvmtiEnv *t UNUSED) {
    hit(GC_FINISH);
}

static void JNICALL on_contended_enter(jvmtiEnv *t UNUSED, JNIEnv *e UNUSED, jthread thread UNUSED, jobject monitor UNUSED) {
    hit(CONTENDED_ENTER);
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *vm, char *options UNUSED, void *reserved UNUSED) {
    if ((*vm)->GetEnv(vm, (void **) &jvmti, JVMTI_VERSION_1_2) != JNI_OK) {
        return JNI_ERR;
    }
    jvmtiCapabilities wanted = { .can_generate_exception_events = 1, .can_generate_garbage_collection_events = 1,
        .can_generate_monitor_events = 1 };
    jvmtiEventCallbacks callbacks = { .Exception = on_exception, .ClassPrepare = on_class_prepare, .GarbageCollectionStart = on_gc_start,
        .GarbageCollectionFinish = on_gc_finish, .MonitorContendedEnter = on_contended_enter };
    if ((*jvmti)->AddCapabilities(jvmti, &wanted) != JVMTI_ERROR_NONE
            || (*jvmti)->SetEventCallbacks(jvmti, &callbacks, sizeof callbacks) != JVMTI_ERROR_NONE) {
        return JNI_ERR;
    }
    for (int kind = EXCEPTION; kind < KINDS; kind++) {
        if ((*jvmti)->SetEventNotificationMode(jvmti, JVMTI_ENABLE, events[kind], NULL) != JVMTI_ERROR_NONE) {
            fprintf(stderr, "jvmti_hits: event %d cannot be enabled\n", events[kind]);
            return JNI_ERR;
        }
    }
    return JNI_OK;
}

/* false: this JVM was started without -agentpath:libjvmti_hits.so */
JNIEXPORT jboolean JNICALL Java_uprobe_it_app_CallbacksRunIntoProbes_callbacksInstalled(JNIEnv *env UNUSED, jclass type UNUSED) {
    return jvmti != NULL;
}

/* the counts do not change after this returned */
JNIEXPORT void JNICALL Java_uprobe_it_app_CallbacksRunIntoProbes_stopCallbacks(JNIEnv *env UNUSED, jclass type UNUSED) {
    atomic_store(&stopped, true);
    while (atomic_load(&running) != 0) {
        usleep(1000);
    }
}

JNIEXPORT jlong JNICALL Java_uprobe_it_app_CallbacksRunIntoProbes_callbacks(JNIEnv *env UNUSED, jclass type UNUSED, jint kind) {
    return atomic_load(&by_kind[kind]);
}

JNIEXPORT jlong JNICALL Java_uprobe_it_app_CallbacksRunIntoProbes_wrongResults(JNIEnv *env UNUSED, jclass type UNUSED) {
    return atomic_load(&wrong_results);
}
