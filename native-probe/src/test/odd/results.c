/* Results of every kind come through a return trampoline as the function left them. odd_check_results returns one bit for each that did not. */
#include <complex.h>
#include <immintrin.h>
#include <stdarg.h>
#include <string.h>

#define ODD __attribute__((noipa, visibility("default")))

struct pair { long a, b; };                     /* rax, rdx */
struct mixed { double x; long n; };             /* xmm0, rax */
struct doubles { double x, y; };                /* xmm0, xmm1 */
struct large { long words[9]; };                /* memory, address in rax */

ODD struct pair odd_pair(long n) { return (struct pair){ n + 1, n * 3 }; }
ODD struct mixed odd_mixed(long n) { return (struct mixed){ (double)n / 8, ~n }; }
ODD struct doubles odd_doubles(double x) { return (struct doubles){ x / 3, x * 7 }; }
ODD struct large odd_large(long n)
{
    struct large l;
    for (int i = 0; i < 9; i++)
        l.words[i] = n * i;
    return l;
}
ODD long double odd_long_double(long double x) { return x / 3; }
ODD long double complex odd_complex(long double x) { return x / 3 + (x / 7) * I; }      /* st0, st1 */
ODD float odd_float(float x) { return x * 1.5f; }
ODD double odd_sum(int count, ...)
{
    va_list list;
    va_start(list, count);
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += i % 2 ? va_arg(list, double) : (double)va_arg(list, long);
    va_end(list);
    return sum;
}
ODD __attribute__((target("avx"))) __m256d odd_vector(double x) { return _mm256_set_pd(x, x + 1, x + 2, x + 3); }

static __attribute__((noinline, target("avx"))) int vector_is_right(void)
{
    double got[4];
    _mm256_storeu_pd(got, odd_vector(2.5));
    return got[0] == 5.5 && got[1] == 4.5 && got[2] == 3.5 && got[3] == 2.5;
}

ODD int odd_check_results(void)
{
    int wrong = 0;
    struct pair p = odd_pair(1999993);
    wrong |= (p.a != 1999994 || p.b != 5999979) << 0;
    struct mixed m = odd_mixed(1999993);
    wrong |= (m.x != 1999993 / 8.0 || m.n != ~1999993L) << 1;
    struct doubles d = odd_doubles(2.5);
    wrong |= (d.x != 2.5 / 3 || d.y != 17.5) << 2;
    struct large l = odd_large(77);
    for (int i = 0; i < 9; i++)
        wrong |= (l.words[i] != 77 * i) << 3;
    volatile long double third = 2.5L;
    wrong |= (odd_long_double(2.5L) != third / 3) << 4;
    long double complex z = odd_complex(2.5L);
    wrong |= (creall(z) != third / 3 || cimagl(z) != third / 7) << 5;
    wrong |= (odd_float(2.5f) != 3.75f) << 6;
    wrong |= (odd_sum(6, 1L, 0.5, 20L, 0.25, 300L, 0.125) != 321.875) << 7;
    if (__builtin_cpu_supports("avx"))
        wrong |= !vector_is_right() << 8;
    return wrong;
}

/* Eight calls deep: results and durations nest. f8(x) = f7(x) + 8 ... f1(x) = x + 1. */
#define DEEP(n, below) ODD long odd_deep##n(long x) { return below + n; }
DEEP(1, x)
DEEP(2, odd_deep1(x))
DEEP(3, odd_deep2(x))
DEEP(4, odd_deep3(x))
DEEP(5, odd_deep4(x))
DEEP(6, odd_deep5(x))
DEEP(7, odd_deep6(x))
DEEP(8, odd_deep7(x))

/* Not a tail call: n return addresses wait at one time. */
ODD long odd_recursion(long n)
{
    long below = n == 0 ? -1 : odd_recursion(n - 1);
    __asm__ volatile("" : "+r"(below));     /* or gcc makes a loop of it */
    return below + 1;
}
