/* Floor 6 */
/* Finding out where HotSpot keeps what java.h reads, and which thread is which. Not the hit path. up_jvm_attach itself takes JNI references: it is
 * declared where it stands. */
#ifndef UP_ATTACH_H
#define UP_ATTACH_H

#include <stdint.h>

/* The java.lang.Thread id for what the record of a drained hit has in `call`; 0 if it was no Java thread. */
int64_t up_jvm_java_id(uint64_t call);

/* The jvmtiEnv*, NULL before up_jvm_attach. */
void *up_jvm_jvmti(void);

#endif
