/* A library of which there are several copies
 * --------------------------------------------
 * Built under two names, loaded by several class loaders, and opened and closed by itself: by dlopen, and by dlmopen, which makes another copy of
 * the same file. */
#define COUNTED_FUNCTIONS(X) X(copied_work)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <jni.h>
#include <stdint.h>
#include "counted.h"

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_uprobe_it_app_Copied_##name

PROBED long copied_work(long n) {
    COUNT(copied_work);
    return n * 3 + 1;
}

NATIVE(jlong, work)(JNIEnv *env UNUSED, jclass type UNUSED, jlong n) {
    return copied_work(n);
}

NATIVE(jlong, calls)(JNIEnv *env UNUSED, jclass type UNUSED) {
    return counted_calls("copied_work");
}

/* apart: in a namespace of its own */
NATIVE(jlong, open)(JNIEnv *env, jclass type UNUSED, jstring path, jboolean apart) {
    const char *text = (*env)->GetStringUTFChars(env, path, NULL);
    void *handle = apart ? dlmopen(LM_ID_NEWLM, text, RTLD_NOW) : dlopen(text, RTLD_NOW);
    (*env)->ReleaseStringUTFChars(env, path, text);
    return (intptr_t) handle;
}

NATIVE(jlong, workIn)(JNIEnv *env UNUSED, jclass type UNUSED, jlong handle, jlong n) {
    long (*work)(long) = (long (*)(long)) dlsym((void *) handle, "copied_work");
    return work(n);
}

NATIVE(jint, close)(JNIEnv *env UNUSED, jclass type UNUSED, jlong handle) {
    return dlclose((void *) handle);
}
