/* A native method without a library function below it: its return address is the word that the flush wants too. No jni.h: all it takes are an
 * environment, a class and a number. */
#include <stdint.h>

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
