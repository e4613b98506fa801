/* The native code of the shop in ../java/shop: what a small JNI library of one's own looks like. */
#include <jni.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_A_PIXEL = 4 };

static void *volatile shelf;

JNIEXPORT jint JNICALL Java_shop_Scaler_scale(JNIEnv *env, jclass c, jint width, jboolean keeps)
{
    (void)env, (void)c;
    size_t bytes = (size_t)width * (size_t)width * BYTES_A_PIXEL;
    char *picture = malloc(bytes);
    if (!picture)
        return 0;
    memset(picture, width, bytes);
    shelf = picture;
    if (!keeps)
        free(picture);
    return (jint)bytes;
}
