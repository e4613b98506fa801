/* Floor 5 */
/* Events of records, through Java
 * -------------------------------
 * The commit method carries the probed function's name; the functions that it was called by stand below it as frames (commit.c). Not the hit path:
 * this is called when a JNI call returns, on its thread, and by the drain. */
#ifndef UP_COMMIT_H
#define UP_COMMIT_H

#include "ring.h"

/* Calls that are shown as frames: with the function itself half of what JFR keeps of a stack (stackdepth 64), so that a recursion does not push
 * out the Java frames below it. */
enum { UP_CHAIN_FRAMES = 31 };

/* What the drain tells of the thread that made the hits. reason: NULL, there is none. */
struct up_left {
    int64_t tid, java_id;
    const char *name, *reason;
};
/* Calls the commit method of the run's probe; left: NULL on the thread that made the hits. Returns 0, or 1 if it ended with an exception (cleared and
 * counted; only a ThreadDeath, which is not ours, comes back as a local reference in *thrown). */
int up_jvm_commit(void *env, const struct up_run *run, const struct up_left *left, void **thrown);

/* Its commit method is called no more, and nobody is just calling it. Caller holds Java's engine lock. */
struct up_probe;
void up_commit_release(void *env, struct up_probe *probe);

/* jclass of java.lang.ThreadDeath, a global reference; attach.c sets it. */
extern void *up_thread_death;

#endif
