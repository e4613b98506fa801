/* The JNI native jumps to the probed function, so [rsp] at that function's entry is the return address of the JNI call itself: the word
 * that a return probe and the commit at JNI return both want. */
#include <jni.h>
#include "probed.h"

JNIEXPORT jlong Java_uprobe_it_app_Probed_tailCalled(JNIEnv *env, jclass type, jlong i) {
    (void) env;
    (void) type;
    return probed_tail(i);
}
