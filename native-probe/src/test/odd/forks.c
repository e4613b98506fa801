/* Processes that a probed process makes: fork, the bare system call, vfork, posix_spawn. A child has the parent's traps in its text. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))
ODD long odd_identity(long);
ODD long odd_seven(long, const char *, double);
ODD long odd_recursion(long);
extern char **environ;

enum { RIGHT = 43, LIMIT_MS = 10000, CALLS = 1000 };

static void nap(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&t, 0);
}

/* What the child ended with; 128 + n for a signal; -1 if it hung and had to be killed. */
ODD int odd_child_result(long pid)
{
    int status;
    for (int waited = 0; waited < LIMIT_MS; waited += 5, nap(5)) {
        pid_t ended = waitpid((pid_t)pid, &status, WNOHANG);
        if (ended == (pid_t)pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (ended < 0 && errno != EINTR)
            return -2;
    }
    kill((pid_t)pid, SIGKILL);
    waitpid((pid_t)pid, &status, 0);
    return -1;
}

/* To be probed by c: the child returns through its parent's awaited return. how 0: fork(3), 1: the bare system call, which no handler of
 * pthread_atfork sees. */
ODD long odd_forks(long how)
{
    return how == 0 ? fork() : syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

struct counters { uint64_t hits, recorded, filtered, sampled_out, dropped, missed, timed, total_time, max_time, own_work, self_time; };     /* struct up_counters */

/* Which of its duties the child failed, or RIGHT. */
static int work(int (*counters)(int, struct counters *), int probe)
{
    struct counters before, after;
    if (counters(probe, &before) != 0)
        return 1;
    for (long i = 0; i < CALLS; i++)
        if (odd_identity(i) != i)
            return 2;
    if (odd_seven(1999993, "seven", 2.5) != 4000001)
        return 3;
    if (odd_recursion(100) != 100)
        return 4;
    if (counters(probe, &after) != 0)
        return 5;
    if (after.hits - before.hits != CALLS || after.dropped - before.dropped != CALLS)
        return 6;
    return after.recorded == before.recorded && after.missed == before.missed ? RIGHT : 7;
}

/* counters: up_probe_counters; probe: a probe on odd_identity. Returns what the child ended with. */
ODD long odd_fork_run(long how, int (*counters)(int, struct counters *), int probe)
{
    long pid = odd_forks(how);
    if (pid == 0) {
        int first = work(counters, probe);
        if (first != RIGHT)
            _exit(first);
        long grandchild = odd_forks(how);       /* and its own children */
        if (grandchild == 0)
            _exit(work(counters, probe));
        _exit(odd_child_result(grandchild));
    }
    return pid < 0 ? -3 : odd_child_result(pid);
}

/* The child of vfork runs in its parent's memory, on its stack. Returns the children that found what they should. */
ODD long odd_vforks(long times)
{
    volatile long right = 0;
    for (volatile long i = 0; i < times; i++) {
        pid_t pid = vfork();
        if (pid == 0)
            _exit(odd_identity(i) == i && odd_recursion(3) == 3 ? RIGHT : 1);
        right += odd_child_result(pid) == RIGHT;
    }
    return right;
}

/* What the spawned process ended with; -errno if there was none. */
ODD long odd_spawns(const char *file, int search)
{
    char *const arguments[] = { (char *)file, 0 };
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 50, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, 50, 51);
    posix_spawn_file_actions_addclose(&actions, 50);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP);
    int error = (search ? posix_spawnp : posix_spawn)(&pid, file, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error ? -error : odd_child_result(pid);
}

/* A child that sees its own text and slots only: they must stay as they were at the fork while the parent arms and disarms. */
struct watch { volatile long stop, looks, changed; };
static struct watch *watch;
static pid_t watcher;

ODD int odd_watch_start(const void *text, long text_length, const void *slots, long slots_length)
{
    watch = mmap(0, sizeof *watch, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *copy = malloc((size_t)(text_length + slots_length));
    if (watch == MAP_FAILED || !copy)
        return -1;
    watcher = fork();
    if (watcher == 0) {
        memcpy(copy, text, (size_t)text_length);
        memcpy(copy + text_length, slots, (size_t)slots_length);
        while (!watch->stop) {
            watch->changed += memcmp(copy, text, (size_t)text_length) != 0 || memcmp(copy + text_length, slots, (size_t)slots_length) != 0;
            watch->looks++;
            nap(1);
        }
        _exit(RIGHT);
    }
    free(copy);
    while (watcher > 0 && !watch->looks)
        nap(1);
    return watcher < 0 ? -2 : 0;
}
/* How often the child looked; -1 if it ever saw a change, or ended otherwise than told. */
ODD long odd_watch_end(void)
{
    watch->stop = 1;
    int ended = odd_child_result(watcher);
    long looks = watch->changed || ended != RIGHT ? -1 : watch->looks;
    munmap((void *)watch, sizeof *watch);
    return looks;
}

/* Two threads that call at the same time; the first one's first call is made by its vforked child. Returns wrong results. */
static volatile int go;
static volatile long times;
static void *calls_after_child(void *vforks)
{
    long wrong = 0;
    if (vforks) {
        pid_t pid = vfork();
        if (pid == 0)
            _exit(odd_identity(7) != 7);
        int status = -1;
        waitpid(pid, &status, 0);
        wrong += status != 0;
    }
    while (!go)
        usleep(1000);
    for (long i = 0; i < times; i++)
        wrong += odd_identity(i) != i;
    return (void *)wrong;
}
ODD long odd_first_call_in_vfork(long calls)
{
    pthread_t parent, other;
    void *wrong = (void *)-1, *wrong_too = (void *)-1;
    go = 0, times = calls;
    if (pthread_create(&parent, 0, calls_after_child, (void *)1) != 0)
        return -1;
    usleep(1500000);            /* the drain has looked for threads that ended */
    if (pthread_create(&other, 0, calls_after_child, 0) != 0)
        return -1;
    usleep(10000);
    go = 1;
    pthread_join(parent, &wrong);
    pthread_join(other, &wrong_too);
    return (long)wrong + (long)wrong_too;
}

/* A child of fork that goes on with what its parent's text was, for a while. Returns what it ended with. */
ODD long odd_fork_works(long microseconds)
{
    long pid = fork();
    if (pid == 0) {
        struct timespec begin, now;
        long wrong = 0;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        do {
            for (long i = 0; i < 100; i++)
                wrong += odd_identity(i) != i || odd_seven(1999993, "seven", 2.5) != 4000001;
            clock_gettime(CLOCK_MONOTONIC, &now);
        } while ((now.tv_sec - begin.tv_sec) * 1000000 + (now.tv_nsec - begin.tv_nsec) / 1000 < microseconds);
        _exit(wrong ? 1 : RIGHT);
    }
    return pid < 0 ? -3 : odd_child_result(pid);
}
