/* A call that goes on for as long as somebody wants: blocked in read(2), on a thread of the library's own or below Java. */
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))

static int ends[2];
static pthread_t waiter;
static volatile int32_t waiting;

ODD int odd_waits_open(void) { return pipe(ends); }

/* n + 1, once somebody has written. */
ODD long odd_waits_read(long n)
{
    char c;
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    long got = read(ends[0], &c, 1);
    __atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    return got == 1 ? n + 1 : -1;
}
static void *wait_there(void *n) { return (void *)odd_waits_read((long)n); }

ODD int odd_waits_on_thread(long n) { return pthread_create(&waiter, 0, wait_there, (void *)n); }
ODD long odd_waits_joined(void)
{
    void *result;
    pthread_join(waiter, &result);
    return (long)result;
}
ODD int odd_waits_waiting(void) { return waiting; }
ODD int odd_waits_wake(void) { return write(ends[1], "x", 1) == 1 ? 0 : -1; }
