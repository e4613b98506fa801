/* The natives of uprobe.it.app.Probed, which call what probed.c holds. */
#include <jni.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include "probed.h"

#define UNUSED __attribute__((unused))
#define NATIVE(type, name) JNIEXPORT type JNICALL Java_uprobe_it_app_Probed_##name

NATIVE(jlong, calls)(JNIEnv *env, jclass type UNUSED, jstring function) {
    const char *name = (*env)->GetStringUTFChars(env, function, NULL);
    jlong calls = probed_calls(name);
    (*env)->ReleaseStringUTFChars(env, function, name);
    return calls;
}

NATIVE(jlong, leaf)(JNIEnv *env UNUSED, jclass type UNUSED, jlong i) {
    return probed_leaf(i);
}

NATIVE(jlong, times)(JNIEnv *env UNUSED, jclass type UNUSED, jlong first, jint n) {
    jlong sum = 0;
    for (jint k = 0; k < n; k++) {
        sum += probed_leaf(first + k);
    }
    return sum;
}

static void sleep_us(long us) {
    struct timespec rest = { us / 1000000, us % 1000000 * 1000 };
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

NATIVE(jlong, paced)(JNIEnv *env UNUSED, jclass type UNUSED, jlong first, jint n, jint us) {
    jlong sum = 0;
    for (jint k = 0; k < n; k++) {
        sum += probed_leaf(first + k);
        sleep_us(us);
    }
    return sum;
}

NATIVE(jlong, around)(JNIEnv *env, jclass type UNUSED, jlong id, jobject runnable) {
    jlong first = probed_first(id);
    (*env)->CallVoidMethod(env, runnable, (*env)->GetMethodID(env, (*env)->GetObjectClass(env, runnable), "run", "()V"));
    return first + probed_second(id);
}

NATIVE(jlong, values)(JNIEnv *env, jclass type UNUSED, jlong a, jstring s, jint b, jint c, jlong length, jboolean with_part) {
    const char *text = (*env)->GetStringUTFChars(env, s, NULL);
    struct probed_part part = { .kind = -321, .ratio = 0.75f, .tags = { 11, 22, 33, 244 } };
    struct probed_request request = { .id = -1234567, .level = 9, .final = 1, .window = 32000, .length = length, .name = "request",
        .weight = 2.5, .part = with_part ? &part : NULL, .inline_name = "inline" };
    jlong result = probed_values(a, text, b, (unsigned char) c, &request);
    (*env)->ReleaseStringUTFChars(env, s, text);
    return result;
}

NATIVE(jlong, many)(JNIEnv *env UNUSED, jclass type UNUSED, jlong first) {
    return probed_many(first, first + 1, first + 2, first + 3, first + 4, first + 5, first + 6, first + 7);
}

NATIVE(jdouble, ofDouble)(JNIEnv *env UNUSED, jclass type UNUSED, jdouble x, jfloat y, jint i) {
    return probed_floats(x, y, i);
}

NATIVE(jfloat, ofFloat)(JNIEnv *env UNUSED, jclass type UNUSED, jfloat x) {
    return probed_float(x);
}

NATIVE(jbyte, ofByte)(JNIEnv *env UNUSED, jclass type UNUSED, jbyte x) {
    return probed_narrow(x);
}

NATIVE(jboolean, ofBoolean)(JNIEnv *env UNUSED, jclass type UNUSED, jlong i) {
    return probed_bool(i);
}

/* the handle it was given */
NATIVE(jobject, ofObject)(JNIEnv *env UNUSED, jclass type UNUSED, jobject object) {
    return probed_pointer(object);
}

/* the only reference to the result is a local handle of this call: it must survive whatever happens at the call's return */
NATIVE(jstring, ofNewString)(JNIEnv *env, jclass type UNUSED, jlong i) {
    return (*env)->NewStringUTF(env, probed_text(i));
}

NATIVE(void, ofNothing)(JNIEnv *env UNUSED, jclass type UNUSED, jlong i) {
    probed_leaf(i);
}

NATIVE(jlong, throwing)(JNIEnv *env, jclass type UNUSED, jlong i, jstring message) {
    jlong result = probed_before_throw(i);
    jclass exception = (*env)->FindClass(env, "java/lang/IllegalStateException");
    const char *text = (*env)->GetStringUTFChars(env, message, NULL);
    (*env)->ThrowNew(env, exception, text);
    (*env)->ReleaseStringUTFChars(env, message, text);
    return result;
}

/* the exception is pending when probed_leave is called, and still when this returns */
NATIVE(jlong, nested)(JNIEnv *env, jclass type, jint depth, jboolean throwing_at_the_bottom) {
    jlong sum = probed_enter(depth);
    jmethodID again = (*env)->GetStaticMethodID(env, type, "again", "(IZ)J");
    sum += (*env)->CallStaticLongMethod(env, type, again, depth, throwing_at_the_bottom);
    return sum + probed_leave(depth);
}

NATIVE(jdouble, direct)(JNIEnv *env UNUSED, jclass type UNUSED, jlong a, jint b, jdouble d) {
    return (double) a + b + d;
}

NATIVE(jlong, sleepBetween)(JNIEnv *env UNUSED, jclass type UNUSED, jlong id, jint ms) {
    jlong first = probed_first(id);
    sleep_us(ms * 1000L);
    return first + probed_second(id);
}

NATIVE(jlong, atDepth)(JNIEnv *env UNUSED, jclass type UNUSED, jlong i) {
    return probed_deep(i);
}

NATIVE(jlong, critical)(JNIEnv *env, jclass type UNUSED, jlongArray array) {
    jsize n = (*env)->GetArrayLength(env, array);
    jlong *values = (*env)->GetPrimitiveArrayCritical(env, array, NULL);
    if (values == NULL) {
        return -1;
    }
    jlong sum = probed_in_critical((const int64_t *) values, n);
    (*env)->ReleasePrimitiveArrayCritical(env, array, values, JNI_ABORT);
    return sum;
}

/* declared synchronized in Java: the monitor is held at the hit and given back after the JNI return */
NATIVE(jlong, locked)(JNIEnv *env UNUSED, jclass type UNUSED, jlong i) {
    return probed_locked(i);
}
