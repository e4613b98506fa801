/* A function whose name is that of a resolver (IFUNC), as memcpy's and strlen's are in libc. */
#define ODD __attribute__((noipa, visibility("default")))

ODD long odd_chosen_first(long n) { return n; }
ODD long odd_chosen_second(long n) { return 2 * n; }

static long (*choose(void))(long)
{
    return odd_chosen_second;
}
__attribute__((visibility("default"), ifunc("choose"))) long odd_chosen(long n);

/* Through the table of this library, as ld.so bound it. */
ODD long odd_chosen_calls(long n)
{
    long sum = 0;
    for (long i = 0; i < n; i++)
        sum += odd_chosen(1);
    return sum;
}
