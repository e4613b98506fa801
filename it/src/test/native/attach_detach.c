/* Threads that come and go: between DetachCurrentThread and the next AttachCurrentThread what the JVM knew of a thread is freed memory, and
 * the same thread is soon another JavaThread. Netty, JNA callbacks and RocksDB's listeners do this all the time. */
#define COUNTED_FUNCTIONS(X) X(probed_detached) X(probed_attached) X(probed_in_destructor)
#define _GNU_SOURCE
#include <jni.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>
#include "counted.h"

/* tid and java_id: for a probe to read who called */
PROBED long probed_detached(long i, pid_t tid UNUSED) {
    COUNT(probed_detached);
    return i * 3 + 4;
}

PROBED long probed_attached(long i, pid_t tid UNUSED, jlong java_id UNUSED) {
    COUNT(probed_attached);
    return i * 5 + 6;
}

PROBED long probed_in_destructor(long i) {
    COUNT(probed_in_destructor);
    return i * 7 + 8;
}

static JavaVM *vm;
static jclass main_class;
static jmethodID from_native, java_id_of;
static pthread_key_t key;
static int rounds;
static bool as_daemon;
static atomic_long failures;

static void expect(bool right) {
    if (!right) {
        atomic_fetch_add(&failures, 1);
    }
}

/* as a pthread_key destructor it runs after the thread's function has returned, beside the JVM's own destructors */
static void hit_while_the_thread_ends(void *number) {
    long i = (long) number;
    expect(probed_in_destructor(i) == i * 7 + 8);
}

static bool attach(JNIEnv **env, long number) {
    char name[32];
    snprintf(name, sizeof name, "attached-%ld", number);
    JavaVMAttachArgs args = { JNI_VERSION_1_8, name, NULL };
    return (as_daemon ? (*vm)->AttachCurrentThreadAsDaemon(vm, (void **) env, &args) : (*vm)->AttachCurrentThread(vm, (void **) env, &args))
            == JNI_OK;
}

static void *come_and_go(void *argument) {
    long number = (long) argument;
    char name[16];
    snprintf(name, sizeof name, "comer-%ld", number);
    pthread_setname_np(pthread_self(), name);
    pthread_setspecific(key, argument);
    for (long round = 0; round < rounds; round++) {
        long i = number * 1000000 + round;
        JNIEnv *env;
        expect(probed_detached(i, gettid()) == i * 3 + 4);
        if (!attach(&env, number)) {
            expect(false);
            return NULL;
        }
        jlong id = (*env)->CallStaticLongMethod(env, main_class, java_id_of);
        expect(probed_attached(i, gettid(), id) == i * 5 + 6);
        expect((*env)->CallStaticLongMethod(env, main_class, from_native, i) == i * 5 + 6);
        expect(probed_attached(-i, gettid(), id) == -i * 5 + 6);
        (*vm)->DetachCurrentThread(vm);
        expect(probed_detached(-i, gettid()) == -i * 3 + 4);
    }
    return NULL;
}

/* the number of wrong results */
JNIEXPORT jlong JNICALL Java_uprobe_it_app_AttachDetach_comeAndGo(JNIEnv *env, jclass type, jint threads, jint times, jboolean daemon,
        jboolean in_destructor) {
    pthread_t started[threads];
    (*env)->GetJavaVM(env, &vm);
    main_class = (*env)->NewGlobalRef(env, type);
    from_native = (*env)->GetStaticMethodID(env, type, "fromNative", "(J)J");
    java_id_of = (*env)->GetStaticMethodID(env, type, "javaId", "()J");
    rounds = times;
    as_daemon = daemon;
    pthread_key_create(&key, in_destructor ? hit_while_the_thread_ends : NULL);
    for (long i = 0; i < threads; i++) {
        /* from 1: a destructor is called for values other than null only */
        expect(pthread_create(&started[i], NULL, come_and_go, (void *) (i + 1)) == 0);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(started[i], NULL);
    }
    pthread_key_delete(key);
    (*env)->DeleteGlobalRef(env, main_class);
    return atomic_exchange(&failures, 0);
}

JNIEXPORT jlong JNICALL Java_uprobe_it_app_AttachDetach_attached(JNIEnv *env UNUSED, jclass type UNUSED, jlong i, jlong java_id) {
    return probed_attached(i, gettid(), java_id);
}

JNIEXPORT jlong JNICALL Java_uprobe_it_app_AttachDetach_calls(JNIEnv *env, jclass type UNUSED, jstring function) {
    const char *name = (*env)->GetStringUTFChars(env, function, NULL);
    jlong calls = counted_calls(name);
    (*env)->ReleaseStringUTFChars(env, function, name);
    return calls;
}
