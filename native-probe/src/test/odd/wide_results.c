/* Arguments and results of the kinds that results.c has not: every register class the psABI names (3.2.3). odd_check_wide returns one bit for each
 * function that did not get or give what it should; what the processor lacks counts as right. */
#include <complex.h>
#include <immintrin.h>
#include <stdarg.h>
#include <string.h>

#define ODD __attribute__((noipa, visibility("default")))

struct reversed { long n; double x; };                  /* rax, xmm0 */
struct floats { float x, y, z; };                       /* xmm0: x y, xmm1: z */
struct bytes { char c[3]; };                            /* al.. in one register */
struct sixteen { int i[3]; float f; };                  /* rax, rdx with the float in it */
struct extended { long double x; };                     /* st0 */
struct two_extended { long double x, y; };              /* memory */
struct aligned { long n[4]; } __attribute__((aligned(32)));

ODD __int128 odd_w_int128(__int128 a, __int128 b) { return a * 3 + b; }                                          /* rax, rdx */
ODD struct reversed odd_w_reversed(struct reversed r) { return (struct reversed){ r.n + 1, r.x / 3 }; }
ODD struct floats odd_w_floats(struct floats f) { return (struct floats){ f.z, f.x, f.y }; }
ODD struct bytes odd_w_bytes(struct bytes b) { return (struct bytes){ { b.c[2], b.c[0], b.c[1] } }; }
ODD struct sixteen odd_w_sixteen(struct sixteen s) { return (struct sixteen){ { s.i[1], s.i[2], s.i[0] }, s.f * 2 }; }
ODD struct extended odd_w_extended(struct extended e) { return (struct extended){ e.x / 7 }; }
ODD struct two_extended odd_w_two_extended(struct two_extended e) { return (struct two_extended){ e.y, e.x }; }
/* in memory: gcc would tell that it changed its mind about passing it by value in 2011 */
ODD struct aligned odd_w_aligned(const struct aligned *from, int by) 
{
    struct aligned a = *from;
    a.n[by]++;
    return a;
}
ODD double complex odd_w_complex(double complex z) { return z * I; }                                            /* xmm0, xmm1 */
ODD float complex odd_w_float_complex(float complex z) { return z * I; }                                        /* xmm0 */
ODD __float128 odd_w_float128(__float128 a, __float128 b) { return a > b ? a : b; }                             /* xmm0 */
ODD long double odd_w_st_arguments(long double a, int n, long double b) { return a / n - b; }                   /* on the stack */
ODD double odd_w_twenty(long a, long b, long c, long d, long e, long f, long g, long h, double s, double t, double u, double v, double w, double x,
    double y, double z, double aa, double bb)
{
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * s + 10 * t + 11 * u + 12 * v + 13 * w + 14 * x + 15 * y + 16 * z + 17 * aa + 18 * bb;
}
/* al tells how many vector registers hold arguments: with a wrong one the prologue would not save them. */
ODD double odd_w_varargs(const char *kinds, ...)
{
    va_list list;
    va_start(list, kinds);
    double sum = 0;
    for (int i = 0; kinds[i]; i++)
        sum += (i + 1) * (kinds[i] == 'd' ? va_arg(list, double) : kinds[i] == 'x' ? (double)va_arg(list, long double) : (double)va_arg(list, long));
    va_end(list);
    return sum;
}
ODD __m128i odd_w_m128(__m128i a, __m128i b) { return _mm_sub_epi32(a, b); }
ODD __attribute__((target("avx"))) __m256d odd_w_m256(__m256d a, __m256d b, __m256d c) { return _mm256_sub_pd(_mm256_mul_pd(a, b), c); }
ODD __attribute__((target("avx512f"))) __m512d odd_w_m512(__m512d a, __m512d b, __m512d c) { return _mm512_sub_pd(_mm512_mul_pd(a, b), c); }

static __attribute__((noinline, target("avx"))) int m256_is_right(void)
{
    double got[4];
    _mm256_storeu_pd(got, odd_w_m256(_mm256_set_pd(1, 2, 3, 4), _mm256_set_pd(5, 6, 7, 8), _mm256_set1_pd(0.5)));
    return got[0] == 31.5 && got[1] == 20.5 && got[2] == 11.5 && got[3] == 4.5;
}
static __attribute__((noinline, target("avx512f"))) int m512_is_right(void)
{
    double got[8];
    _mm512_storeu_pd(got, odd_w_m512(_mm512_set_pd(1, 2, 3, 4, 5, 6, 7, 8), _mm512_set1_pd(3), _mm512_set1_pd(0.25)));
    for (int i = 0; i < 8; i++)
        if (got[i] != (8 - i) * 3 - 0.25)
            return 0;
    return 1;
}

ODD int odd_check_wide(void)
{
    int wrong = 0;
    const __int128 large = ((__int128)1999993 << 70) - 7;
    wrong |= (odd_w_int128(large, -large * 2) != large) << 0;
    struct reversed r = odd_w_reversed((struct reversed){ 1999993, 2.5 });
    wrong |= (r.n != 1999994 || r.x != 2.5 / 3) << 1;
    struct floats f = odd_w_floats((struct floats){ 1.5f, 2.5f, 3.5f });
    wrong |= (f.x != 3.5f || f.y != 1.5f || f.z != 2.5f) << 2;
    struct bytes b = odd_w_bytes((struct bytes){ { 'a', 'b', 'c' } });
    wrong |= (memcmp(b.c, "cab", 3) != 0) << 3;
    struct sixteen s = odd_w_sixteen((struct sixteen){ { 1999993, -2, 3 }, 1.25f });
    wrong |= (s.i[0] != -2 || s.i[1] != 3 || s.i[2] != 1999993 || s.f != 2.5f) << 4;
    volatile long double seventh = 2.5L;
    wrong |= (odd_w_extended((struct extended){ 2.5L }).x != seventh / 7) << 5;
    struct two_extended e = odd_w_two_extended((struct two_extended){ 1.25L, 2.5L });
    wrong |= (e.x != 2.5L || e.y != 1.25L) << 6;
    struct aligned a = odd_w_aligned(&(struct aligned){ { 1, 2, 3, 4 } }, 2);
    wrong |= (a.n[0] != 1 || a.n[1] != 2 || a.n[2] != 4 || a.n[3] != 4) << 7;
    double complex z = odd_w_complex(1.5 + 2.5 * I);
    wrong |= (creal(z) != -2.5 || cimag(z) != 1.5) << 8;
    float complex y = odd_w_float_complex(1.5f + 2.5f * I);
    wrong |= (crealf(y) != -2.5f || cimagf(y) != 1.5f) << 9;
    wrong |= (odd_w_float128((__float128)1 / 3, -(__float128)1 / 3) != (__float128)1 / 3) << 10;
    wrong |= (odd_w_st_arguments(2.5L, 7, 1.25L) != seventh / 7 - 1.25L) << 11;
    wrong |= (odd_w_twenty(1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) != 204 + 9 + 20 + 33 + 48 + 65 + 84 + 105 + 128 + 153 + 180) << 12;
    wrong |= (odd_w_varargs("lll", 1L, 2L, 3L) != 14) << 13;
    wrong |= (odd_w_varargs("dldlxdddddddl", 0.5, 1L, 0.25, 2L, 1.5L, 1., 2., 3., 4., 5., 6., 7., 9L)
        != 0.5 + 2 + 0.75 + 8 + 7.5 + 6 + 14 + 24 + 36 + 50 + 66 + 84 + 117) << 14;
    int got[4];
    _mm_storeu_si128((__m128i *)got, odd_w_m128(_mm_set_epi32(40, 30, 20, 10), _mm_set_epi32(4, 3, 2, 1)));
    wrong |= (got[0] != 9 || got[1] != 18 || got[2] != 27 || got[3] != 36) << 15;
    if (__builtin_cpu_supports("avx"))
        wrong |= !m256_is_right() << 16;
    if (__builtin_cpu_supports("avx512f"))
        wrong |= !m512_is_right() << 17;
    return wrong;
}
