/* What makes libc block every signal for itself: threads born and gone, children of every kind, helper threads of timers and aio, raise, abort,
 * cancellation. The witness counts its own calls. */
#define _GNU_SOURCE
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

extern char **environ;
static long witnessed;

__attribute__((noipa, visibility("default"))) void storm_witness(void)
{
    __atomic_add_fetch(&witnessed, 1, __ATOMIC_RELAXED);
}

static int status_of(pid_t child)
{
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- threads: each allocates, and they end together, when libc frees the stacks of others ---- */
static pthread_barrier_t barrier;
static pthread_key_t key;

static void on_end(void *block)
{
    free(block);
    storm_witness();
}

static void *live(void *together)
{
    pthread_setspecific(key, malloc(100));
    void *big = malloc(1 << 20);
    storm_witness();
    free(big);
    if (together)
        pthread_barrier_wait(&barrier);
    return NULL;
}

static int threads(int together)
{
    pthread_t all[256];
    int wrong = together > 256;
    pthread_barrier_init(&barrier, NULL, (unsigned)together);
    for (int i = 0; i < together; i++)
        wrong += pthread_create(&all[i], NULL, live, (void *)1) != 0;
    for (int i = 0; i < together; i++)
        wrong += pthread_join(all[i], NULL) != 0;
    pthread_barrier_destroy(&barrier);
    return wrong;
}

/* ---- children ---- */
static int spawns(void)
{
    char *const arguments[] = { "sh", "-c", "exit 7", NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all;
    pid_t pid;
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 50, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 50, 51);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &all);
    int error = posix_spawnp(&pid, "sh", &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error ? error : status_of(pid) != 7;
}

static int vforks(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/nowhere/at/all", "nowhere", NULL);
        execl("/bin/sh", "sh", "-c", "exit 7", NULL);
        _exit(1);
    }
    return status_of(pid) != 7;
}

static int forks(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        char *block = strdup("a child allocates");
        setenv("STORM", block, 1);
        _exit(block && strcmp(getenv("STORM"), block) == 0 ? 7 : 1);
    }
    return status_of(pid) != 7;
}

static int runs_shell(void)
{
    return WEXITSTATUS(system("exit 7")) != 7;
}

static int reads_pipe(void)
{
    char line[20] = "";
    FILE *pipe = popen("echo seven", "r");
    int wrong = !pipe || !fgets(line, sizeof line, pipe) || strcmp(line, "seven\n") != 0;
    return wrong + (pipe && pclose(pipe) != 0);
}

/* abort raises with every handler in its way, then without; a child of its own dies of it. */
static void on_abort(int signal)
{
    (void)signal;
    storm_witness();
}

static int aborts(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, on_abort);
        abort();
    }
    return status_of(pid) != 1000 + SIGABRT;
}

/* ---- helper threads ---- */
static int ticks, notified;

static void tick(union sigval unused)
{
    (void)unused;
    __atomic_add_fetch(&ticks, 1, __ATOMIC_RELAXED);
    storm_witness();
}

static void done(union sigval unused)
{
    (void)unused;
    storm_witness();
    __atomic_add_fetch(&notified, 1, __ATOMIC_RELAXED);
}

static int timers(void)
{
    timer_t timer;
    struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick };
    const struct itimerspec often = { { 0, 3000000 }, { 0, 3000000 } };
    int before = __atomic_load_n(&ticks, __ATOMIC_RELAXED);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &often, NULL) != 0)
        return 1;
    for (int i = 0; i < 5000 && __atomic_load_n(&ticks, __ATOMIC_RELAXED) - before < 5; i++)
        usleep(1000);
    timer_delete(timer);
    usleep(20000);              /* those that were on their way */
    return __atomic_load_n(&ticks, __ATOMIC_RELAXED) - before < 5;
}

static int reads_ahead(void)
{
    char bytes[100];
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), before = notified;
    struct aiocb request = { .aio_fildes = file, .aio_buf = bytes, .aio_nbytes = sizeof bytes,
                             .aio_sigevent = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = done } };
    const struct aiocb *list[] = { &request };
    int wrong = aio_read(&request) != 0;
    while (!wrong && aio_error(&request) == EINPROGRESS)
        aio_suspend(list, 1, NULL);
    wrong += aio_return(&request) != sizeof bytes;
    for (int i = 0; i < 5000 && __atomic_load_n(&notified, __ATOMIC_RELAXED) == before; i++)
        usleep(1000);
    close(file);
    return wrong + (notified == before);
}

static int asks_for_names(void)
{
    struct gaicb request = { .ar_name = "localhost" }, *list[] = { &request };
    int wrong = getaddrinfo_a(GAI_WAIT, list, 1, NULL);
    if (gai_error(&request) == 0)
        freeaddrinfo(request.ar_result);
    return wrong;
}

/* ---- signals, cancellation, contexts ---- */
static void on_raise(int signal)
{
    (void)signal;
    free(malloc(64));
    storm_witness();
}

static int raises(void)
{
    struct sigaction action = { .sa_handler = on_raise }, before;
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, &before);
    int wrong = raise(SIGUSR1) + pthread_kill(pthread_self(), SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
    return wrong;
}

static void cleaned(void *block)
{
    free(block);
    storm_witness();
}

static void *sleeps(void *unused)
{
    pthread_cleanup_push(cleaned, malloc(10));
    for (;;)
        nanosleep(&(const struct timespec){ 1, 0 }, NULL);
    pthread_cleanup_pop(1);
    return unused;
}

static int cancels(void)
{
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, sleeps, NULL) != 0)
        return 1;
    usleep(2000);
    int wrong = pthread_cancel(thread) != 0;
    return wrong + (pthread_join(thread, &result) != 0) + (result != PTHREAD_CANCELED);
}

/* A context whose mask holds every signal: setcontext blocks them by a system call of its own. */
static ucontext_t home, away;

static void visited(void)
{
    free(malloc(10));
    storm_witness();
}

static int switches(void)
{
    static char stack[1 << 17];
    getcontext(&away);
    away.uc_stack.ss_sp = stack;
    away.uc_stack.ss_size = sizeof stack;
    away.uc_link = &home;
    sigfillset(&away.uc_sigmask);
    makecontext(&away, visited, 0);
    return swapcontext(&home, &away);
}

static int (*const what[])(void) = { spawns, vforks, forks, runs_shell, reads_pipe, aborts, timers, reads_ahead, asks_for_names, raises, cancels, switches };

/* ---- who looks at the masks meanwhile ---- */
static volatile int looking;
static long looks, blocked;
static pthread_t looker;

static void *look(void *unused)
{
    char path[64], text[4096];
    while (looking) {
        for (int tid = getpid(), missing = 0; missing < 200 && looking; tid++) {
            snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
            int file = open(path, O_RDONLY | O_CLOEXEC);
            if (file < 0) {
                missing++;
                continue;
            }
            ssize_t n = read(file, text, sizeof text - 1);
            close(file);
            text[n > 0 ? n : 0] = 0;
            const char *mask = strstr(text, "SigBlk:");
            if (mask) {
                looks++;
                blocked += strtoull(mask + 7, NULL, 16) >> (SIGTRAP - 1) & 1;
            }
            missing = 0;
        }
    }
    return unused;
}

JNIEXPORT void JNICALL Java_uprobe_it_app_LibcStorm_lookBegin(JNIEnv *env, jclass c)
{
    (void)env, (void)c;
    pthread_key_create(&key, on_end);
    looking = 1;
    pthread_create(&looker, NULL, look, NULL);
}
/* How often a mask was read, negative if SIGTRAP was ever in one. */
JNIEXPORT jlong JNICALL Java_uprobe_it_app_LibcStorm_lookEnd(JNIEnv *env, jclass c)
{
    (void)env, (void)c;
    looking = 0;
    pthread_join(looker, NULL);
    return blocked ? -blocked : looks;
}
JNIEXPORT jint JNICALL Java_uprobe_it_app_LibcStorm_threads(JNIEnv *env, jclass c, jint together)
{
    (void)env, (void)c;
    return threads(together);
}
JNIEXPORT jint JNICALL Java_uprobe_it_app_LibcStorm_run(JNIEnv *env, jclass c, jint which)
{
    (void)env, (void)c;
    return what[which]();
}
JNIEXPORT jlong JNICALL Java_uprobe_it_app_LibcStorm_witnessed(JNIEnv *env, jclass c)
{
    (void)env, (void)c;
    return __atomic_load_n(&witnessed, __ATOMIC_RELAXED);
}
