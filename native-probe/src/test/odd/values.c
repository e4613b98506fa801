/* Values that can only come from one place: a swapped register, a wrong width or a wrong sign can not look right. */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))

static uint64_t calls;
ODD uint64_t odd_calls(void) { return calls; }

/* f(1999993, "seven", 2.5) = 1999993 * 2 + 5 + 10 = 4000001 */
ODD long odd_seven(long n, const char *word, double x)
{
    calls++;
    return n * 2 + (long)strlen(word) + (long)(x * 4);
}

ODD long odd_six(long a, long b, long c, long d, long e, long f)
{
    return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f;
}

ODD long odd_identity(long value)
{
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    return value;
}

ODD int odd_negative(void) { return -7; }

/* head -> inner -> text, with a value before and behind each pointer. */
struct inner { uint64_t before; int32_t level; uint8_t small; char *text; };
struct head { uint32_t length; struct inner *inner; int64_t last; };

ODD long odd_chain(struct head *head)
{
    return head->length + head->inner->level + head->inner->text[0] + head->last;
}

ODD long odd_call_chain(void)
{
    struct inner inner = { 0x1122334455667788, -1234567, 200, "Zwei" };
    struct head head = { 4000000007u, &inner, -99 };
    return odd_chain(&head + 0);
}

/* Takes any pointer and does not touch it. */
ODD long odd_pointer(const void *p) { return (long)p & 0xff; }

/* Address of the last four bytes before memory that can not be read; the bytes are 4a 3b 2c 1d. */
ODD const uint8_t *odd_cliff(void)
{
    long page = sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(0, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + page, (size_t)page, PROT_NONE);
    memcpy(pages + page - 4, "\x4a\x3b\x2c\x1d", 4);
    return pages + page - 4;
}

/* Called n times from native code, so that one JNI call holds n hits. Returns how many results were wrong. */
ODD long odd_many(long n)
{
    long wrong = 0;
    for (long i = 0; i < n; i++)
        wrong += odd_identity(i) != i;
    return wrong;
}

/* An object, not a function. */
__attribute__((visibility("default"))) uint64_t odd_object = 0x0dd;
