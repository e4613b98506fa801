/* A native method without a library function below it: its return address is the word that the flush wants too. No jni.h: all it takes are an
 * environment, a class and a number. */
#include <stdint.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))

ODD int64_t Java_uprobe_probe_NativeMethod_twice(void *env, void *clazz, int64_t n)
{
    (void)env, (void)clazz;
    return 2 * n;
}

/* And one that calls a probed function and returns its result, plus one. */
ODD long odd_identity(long);
ODD int64_t Java_uprobe_probe_NativeMethod_calls(void *env, void *clazz, int64_t n)
{
    (void)env, (void)clazz;
    return odd_identity(n) + 1;
}

/* A fork inside a JNI call: child and parent both return into Java. */
long odd_forks(long how);
ODD int64_t Java_uprobe_probe_NativeMethod_forks(void *env, void *clazz, int64_t how)
{
    (void)env, (void)clazz;
    return odd_forks(how);
}
ODD void Java_uprobe_probe_NativeMethod_leaves(void *env, void *clazz, int status)
{
    (void)env, (void)clazz;
    if (status >= 0)
        _exit(status);
}
/* Ends every process but this one. */
ODD void Java_uprobe_probe_NativeMethod_onlyIn(void *env, void *clazz, int64_t pid)
{
    (void)env, (void)clazz;
    if (getpid() != pid)
        _exit(9);
}
