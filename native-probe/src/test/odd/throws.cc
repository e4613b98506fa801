/* C++ exceptions through probed frames, with the unwinder of libgcc_s, with one of the library's own (linked with -static-libgcc), which learns of code
 * only through dl_iterate_phdr, and with LLVM's. */
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <atomic>

#ifdef __clang__
#define ODD extern "C" __attribute__((noinline, visibility("default")))
#else
#define ODD extern "C" __attribute__((noipa, visibility("default")))
#endif

static thread_local int destroyed;
struct Witness { ~Witness() { destroyed++; } };

ODD long odd_throws(long depth)
{
    Witness witness;
    if (depth == 0)
        throw std::runtime_error("out of " + std::to_string(1999993));
    return odd_throws(depth - 1) + 1;
}

/* Catches what it called, rethrows half of it, and returns the rest. */
ODD long odd_catches_inside(long n)
{
    try {
        return odd_throws(n);
    } catch (const std::runtime_error &) {
        if (n % 2)
            throw;
        return -n;
    }
}

/* 0 if the exception arrived whole and every frame was cleaned up once. */
ODD int odd_catch(long depth)
{
    destroyed = 0;
    try {
        odd_throws(depth);
        return 1;
    } catch (const std::exception &e) {
        if (std::string(e.what()) != "out of 1999993")
            return 2;
    }
    if (destroyed != depth + 1)
        return 3;
    if (odd_catches_inside(4) != -4)
        return 4;
    try {
        odd_catches_inside(3);
        return 5;
    } catch (const std::runtime_error &) {
    }
    return 0;
}

static std::atomic<int> failures;
static pthread_barrier_t together;
static void *catch_often(void *rounds)
{
    pthread_barrier_wait(&together);
    for (long i = 0; i < (long)rounds; i++)
        failures += odd_catch(i % 9) != 0;
    return nullptr;
}
ODD int odd_catch_on_threads(int threads, long rounds)
{
    pthread_t t[64];
    failures = 0;
    pthread_barrier_init(&together, nullptr, (unsigned)threads);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&t[i], nullptr, catch_often, (void *)rounds) != 0)
            return -1;
    for (int i = 0; i < threads; i++)
        pthread_join(t[i], nullptr);
    return failures;
}
