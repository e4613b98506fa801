/* Natives of every binding that lead into one probed function, way_taken
 * -----------------------------------------------------------------------
 * A call with an odd id has a witness: above the native, after the hit and before the return, Java code takes the stack that leads there. So the
 * stack of the hit has something to be compared with that was seen in the same call. Calls with an even id have none: nothing but the hit happens. */
#define COUNTED_FUNCTIONS(X) X(way_taken)
#define _GNU_SOURCE
#include <jni.h>
#include <errno.h>
#include <stdint.h>
#include <time.h>
#include "counted.h"

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_uprobe_it_app_NativeWays_##name

static JavaVM *vm;
static jclass ways;
static jmethodID witness, again;

PROBED long way_taken(long id) {
    COUNT(way_taken);
    return id * 3 + 1;
}

static long take(JNIEnv *env, long id) {
    long result = way_taken(id);
    if (id & 1) {
        (*env)->CallStaticVoidMethod(env, ways, witness, (jlong) id);
    }
    return result;
}

static JNIEnv *environment(void) {
    JNIEnv *env = NULL;
    (*vm)->GetEnv(vm, (void **) &env, JNI_VERSION_1_8);
    return env;
}

static jlong JNICALL registered(JNIEnv *env, jclass type UNUSED, jlong id) {
    return take(env, id);
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *java_vm, void *unused UNUSED) {
    JNINativeMethod method = { "registered", "(J)J", (void *) registered };
    vm = java_vm;
    JNIEnv *env = environment();
    ways = (*env)->NewGlobalRef(env, (*env)->FindClass(env, "uprobe/it/app/NativeWays"));
    witness = (*env)->GetStaticMethodID(env, ways, "witness", "(J)V");
    again = (*env)->GetStaticMethodID(env, ways, "again", "(J)J");
    return witness != NULL && again != NULL && (*env)->RegisterNatives(env, ways, &method, 1) == 0 ? JNI_VERSION_1_8 : JNI_ERR;
}

NATIVE(jlong, calls)(JNIEnv *env UNUSED, jclass type UNUSED) {
    return counted_calls("way_taken");
}

NATIVE(jlong, byName)(JNIEnv *env, jclass type UNUSED, jlong id) {
    return take(env, id);
}

NATIVE(jlong, ofInstance)(JNIEnv *env, jobject self UNUSED, jlong id) {
    return take(env, id);
}

JNIEXPORT jlong JNICALL Java_uprobe_it_app_NativeWays_00024Inner_ofInner(JNIEnv *env, jobject self UNUSED, jlong id) {
    return take(env, id);
}

NATIVE(jlong, locked)(JNIEnv *env, jclass type UNUSED, jlong id) {
    return take(env, id);
}

/* the hit comes while the array is pinned, where no upcall is allowed; the witness after it has been released */
NATIVE(jlong, pinning)(JNIEnv *env, jclass type UNUSED, jlongArray array) {
    jlong *values = (*env)->GetPrimitiveArrayCritical(env, array, NULL);
    if (values == NULL) {
        return -1;
    }
    long id = values[0], result = way_taken(id);
    (*env)->ReleasePrimitiveArrayCritical(env, array, values, JNI_ABORT);
    if (id & 1) {
        (*env)->CallStaticVoidMethod(env, ways, witness, (jlong) id);
    }
    return result;
}

NATIVE(jlong, upAndDown)(JNIEnv *env, jclass type UNUSED, jlong id) {
    long result = take(env, id);
    (*env)->CallStaticLongMethod(env, ways, again, (jlong) id);
    return result;
}

NATIVE(jlong, throwing)(JNIEnv *env, jclass type UNUSED, jlong id) {
    long result = take(env, id);
    (*env)->ThrowNew(env, (*env)->FindClass(env, "java/lang/IllegalStateException"), "thrown by a native");
    return result;
}

NATIVE(jlong, sleeping)(JNIEnv *env, jclass type UNUSED, jlong id, jint ms) {
    struct timespec rest = { ms / 1000, ms % 1000 * 1000000L };
    long result = take(env, id);
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
    return result;
}

/* for FFM and JNA */
JNIEXPORT long ways_plain(long id) {
    return take(environment(), id);
}

JNIEXPORT long ways_alone(long id) {
    return way_taken(id);
}

JNIEXPORT long ways_errno(long id) {
    long result = take(environment(), id);
    errno = (int) (id % 97) + 1;
    return result;
}

JNIEXPORT long ways_up(long id, int64_t (*up)(int64_t)) {
    long result = take(environment(), id);
    up(id);
    return result;
}
