/* Threads the JVM knows nothing of. */
#define COUNTED_FUNCTIONS(X) X(probed_worker)
#define _GNU_SOURCE
#include <jni.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include "counted.h"

PROBED long probed_worker(long i) {
    COUNT(probed_worker);
    return i * 9 + 5;
}

/* A name as compilers give them, which no Java method may have. */
PROBED long odd_name(long i) __asm__("probed.part.0");
PROBED long odd_name(long i) {
    return i ^ 5;
}

struct worker {
    pthread_t thread;
    int number, times;
    long wrong;
};

static void *work(void *argument) {
    struct worker *self = argument;
    char name[16];
    snprintf(name, sizeof name, "worker-%d", self->number);
    pthread_setname_np(pthread_self(), name);
    for (long k = 0; k < self->times; k++) {
        long i = self->number * 1000000L + k;
        self->wrong += probed_worker(i) != i * 9 + 5;
    }
    self->wrong += odd_name(self->number) != (self->number ^ 5);
    return NULL;
}

/* the number of wrong results */
JNIEXPORT jlong JNICALL Java_uprobe_it_app_NativeThreads_work(JNIEnv *env UNUSED, jclass type UNUSED, jint threads, jint times) {
    struct worker workers[threads];
    long wrong = 0;
    pthread_attr_t smallest;    /* a trap needs room for the signal's frame and the handler on whatever stack it finds */
    pthread_attr_init(&smallest);
    pthread_attr_setstacksize(&smallest, PTHREAD_STACK_MIN);
    for (int i = 0; i < threads; i++) {
        workers[i] = (struct worker) { .number = i, .times = times };
        if (pthread_create(&workers[i].thread, &smallest, work, &workers[i]) != 0) {
            return -1;
        }
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        wrong += workers[i].wrong;
    }
    return wrong;
}

static pthread_t blocking;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool blocks, told_to_end;

/* librdkafka does this in every thread it starts; a trap in such a thread kills the process. It runs no probed function itself. */
static void *block_all_signals_and_wait(void *unused UNUSED) {
    sigset_t all;
    pthread_setname_np(pthread_self(), "blocks-all");
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&lock);
    blocks = true;
    pthread_cond_broadcast(&changed);
    while (!told_to_end) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* returns when the thread has its signals blocked */
JNIEXPORT jboolean JNICALL Java_uprobe_it_app_NativeThreads_startBlocking(JNIEnv *env UNUSED, jclass type UNUSED) {
    if (pthread_create(&blocking, NULL, block_all_signals_and_wait, NULL) != 0) {
        return JNI_FALSE;
    }
    pthread_mutex_lock(&lock);
    while (!blocks) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    return JNI_TRUE;
}

JNIEXPORT void JNICALL Java_uprobe_it_app_NativeThreads_endBlocking(JNIEnv *env UNUSED, jclass type UNUSED) {
    pthread_mutex_lock(&lock);
    told_to_end = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(blocking, NULL);
}

JNIEXPORT jlong JNICALL Java_uprobe_it_app_NativeThreads_calls(JNIEnv *env, jclass type UNUSED, jstring function) {
    const char *name = (*env)->GetStringUTFChars(env, function, NULL);
    jlong calls = counted_calls(name);
    (*env)->ReleaseStringUTFChars(env, function, name);
    return calls;
}
