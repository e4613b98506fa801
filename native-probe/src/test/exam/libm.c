/* libm: every function that takes numbers, in float, double, long double and _Float128, over special and random arguments, in all rounding modes. */
#define _GNU_SOURCE
#define __STDC_WANT_IEC_60559_TYPES_EXT__ 1
#define __STDC_WANT_IEC_60559_BFP_EXT__ 1
#include "object.h"

#include <complex.h>
#include <dlfcn.h>
#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* Values go through volatile memory, so that the compiler neither computes results itself nor keeps x87 excess precision. */
#define ONE_ARGUMENT(F, S) \
    F(acos##S) F(acosh##S) F(asin##S) F(asinh##S) F(atan##S) F(atanh##S) F(cbrt##S) F(ceil##S) F(cos##S) F(cosh##S) F(erf##S) F(erfc##S) F(exp##S) \
    F(exp10##S) F(exp2##S) F(expm1##S) F(floor##S) F(j0##S) F(j1##S) F(lgamma##S) F(log##S) F(log10##S) F(log1p##S) F(log2##S) F(logb##S) \
    F(nearbyint##S) F(rint##S) F(round##S) F(roundeven##S) F(sin##S) F(sinh##S) F(sqrt##S) F(tan##S) F(tanh##S) F(tgamma##S) F(trunc##S) F(y0##S) \
    F(y1##S) F(nextup##S) F(nextdown##S)
#define TWO_ARGUMENTS(F, S) \
    F(atan2##S) F(copysign##S) F(fdim##S) F(fmax##S) F(fmin##S) F(fmod##S) F(hypot##S) F(nextafter##S) F(pow##S) F(remainder##S) F(fmaxmag##S) \
    F(fminmag##S) F(fmaximum##S) F(fminimum##S) F(fmaximum_num##S) F(fminimum_num##S) F(fmaximum_mag##S) F(fminimum_mag##S) F(fmaximum_mag_num##S) \
    F(fminimum_mag_num##S)
#define CLASSES(F, S) F(__fpclassify##S) F(__signbit##S) F(__isinf##S) F(__isnan##S) F(__finite##S) F(__issignaling##S)
#define TO_INTEGER(F, S) F(ilogb##S) F(llogb##S) F(lrint##S) F(llrint##S) F(lround##S) F(llround##S)
#define COMPLEX_ONE(F, S) \
    F(cacos##S) F(cacosh##S) F(casin##S) F(casinh##S) F(catan##S) F(catanh##S) F(ccos##S) F(ccosh##S) F(cexp##S) F(clog##S) F(clog10##S) F(csin##S) \
    F(csinh##S) F(csqrt##S) F(ctan##S) F(ctanh##S) F(cproj##S) F(conj##S) F(creal##S) F(cimag##S)

enum { SPECIAL = 40, MORE = 24 };

#define NOTED(value) do { volatile __typeof__(value) v_ = (value); exam_note((const void *)&v_, sizeof v_ > 10 && sizeof v_ == sizeof(long double) \
        && __builtin_types_compatible_p(__typeof__(value), long double) ? 10 : sizeof v_); } while (0)
/* A long double's last six bytes are padding. */
#define NOTED_COMPLEX(T, value) do { __auto_type c_ = (value); T re_ = __real__ c_, im_ = __imag__ c_; NOTED(re_); NOTED(im_); } while (0)

#define ONE(name) NOTED(name(x));
#define TWO(name) NOTED(name(x, y));
#define INTEGER(name) exam_note_word((uint64_t)name(x));
#define COMPLEX(name) NOTED_COMPLEX(T_, name(z));

/* feclearexcept goes through fnstenv, of which exam_libm wants to be free. */
static void clear_flags(void)
{
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    mxcsr &= ~0x3fu;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

/* The functions of one type: T its name, S the suffix of its functions, C its complex type. */
#define FAMILY(family, T, C, S, SQUEEZE) \
    static T family##_values[SPECIAL + MORE]; \
    static int family##_arguments(void) \
    { \
        static const double special[] = { 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -2.5, 10.0, 0.1, -0.75, 1e-5, -1e-10, 1e-300, 5e-324, 1e-40, 100.5, \
            709.0, -745.0, 88.0, 1e10, -1e15, 4503599627370497.5, 1e22, 1e300, 1.7e308, 3.14159265358979, 1.5707963267948966, 0.9999999, 1.0000001, 30.0, \
            -20.3, 7.5, 171.0, 6.02e23 }; \
        int n = 0; \
        for (unsigned i = 0; i < sizeof special / sizeof *special; i++) \
            family##_values[n++] = (T)special[i]; \
        family##_values[n++] = (T)INFINITY; \
        family##_values[n++] = (T)-INFINITY; \
        family##_values[n++] = (T)NAN; \
        uint64_t seed = 12345; \
        for (int i = 0; i < (exam_shared->full ? MORE : 4); i++) { \
            int64_t r = (int64_t)exam_random(&seed); \
            family##_values[n++] = (T)r / (T)((uint64_t)1 << (20 + i * 40 / MORE)); \
        } \
        return n; \
    } \
    __attribute__((noinline)) static void family##_one(T x) { ONE_ARGUMENT(ONE, S) } \
    __attribute__((noinline)) static void family##_two(T x, T y) { TWO_ARGUMENTS(TWO, S) } \
    __attribute__((noinline)) static void family##_integer(T x) \
    { \
        TO_INTEGER(INTEGER, S) \
        CLASSES(INTEGER, S) \
        int e; \
        T part; \
        NOTED(frexp##S(x, &e)); \
        exam_note_word((uint64_t)e); \
        NOTED(modf##S(x, &part)); \
        NOTED(part); \
        T sine, cosine; \
        sincos##S(x, &sine, &cosine); \
        NOTED(sine); \
        NOTED(cosine); \
        NOTED(lgamma##S##_r(x, &e)); \
        for (int n = -3; n < (SQUEEZE > 1 ? 12 : 40); n += SQUEEZE > 1 ? 14 : 7) { \
            NOTED(scalbn##S(x, n * 20)); \
            NOTED(scalbln##S(x, n)); \
            NOTED(ldexp##S(x, n)); \
            NOTED(jn##S(n, x)); \
            NOTED(yn##S(n, x)); \
        } \
        for (int r = 0; r < 5; r++) { \
            exam_note_word((uint64_t)fromfp##S(x, r, 33)); \
            exam_note_word((uint64_t)ufromfp##S(x, r, 20)); \
            exam_note_word((uint64_t)fromfpx##S(x, r, 64)); \
            exam_note_word((uint64_t)ufromfpx##S(x, r, 64)); \
        } \
        T canonical, payload = x; \
        exam_note_word((uint64_t)canonicalize##S(&canonical, &x)); \
        NOTED(getpayload##S(&x)); \
        exam_note_word((uint64_t)setpayload##S(&canonical, payload)); \
        exam_note_word((uint64_t)setpayloadsig##S(&canonical, payload)); \
    } \
    __attribute__((noinline)) static void family##_complex(T x, T y) \
    { \
        typedef T T_; \
        C z; \
        __real__ z = x; \
        __imag__ z = y; \
        COMPLEX_ONE(COMPLEX, S) \
        NOTED(cabs##S(z)); \
        NOTED(carg##S(z)); \
        C w; \
        __real__ w = y; \
        __imag__ w = (T)0.5; \
        NOTED_COMPLEX(T, cpow##S(z, w)); \
    } \
    /* Zeros, infinities, the least and the greatest, with each other: every early way out. */ \
    __attribute__((noinline)) static void family##_extremes(void) \
    { \
        static const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO }; \
        enum { N = 14 }; \
        T least = nextafter##S((T)0, (T)1), most = nextafter##S((T)INFINITY, (T)0); \
        T v[N] = { (T)0, (T)-0.0, (T)1, (T)-1, (T)INFINITY, (T)-INFINITY, (T)NAN, least, -least * 77, most, -most, (T)0.6, (T)-3.75, most * least }; \
        for (int i = 0; i < N; i++) \
            for (int k = 0; k < N; k++) { \
                T x = v[i], y = v[k]; \
                if ((i + k) % (1 + 2 * SQUEEZE) == 0) \
                    family##_complex(x, y); \
                if (k % 5 == i % 5) \
                    family##_two(x, y); \
                for (int m = 0; m < N; m++) { \
                    if ((i + k + m) % (SQUEEZE > 1 ? 6 : 2)) \
                        continue; \
                    fesetround(modes[(i + m) % 4]); \
                    NOTED(fma##S(x, y, v[m])); \
                    NOTED(fma##S(x * (T)1.1, (T)0.7, -x * (T)0.77)); \
                    NOTED(fdim##S(x * (T)1.3, y)); \
                } \
                fesetround(FE_TONEAREST); \
                NOTED(scalbln##S(x, k * 997 * (k & 1 ? 5 : -5))); \
            } \
        for (int i = 0; i < N; i++) { \
            family##_one(v[i]); \
            family##_integer(v[i]); \
        } \
    } \
    /* Functions that go another way in each interval of their argument. */ \
    __attribute__((noinline)) static void family##_slowly(void) \
    { \
        family##_complex((T)0.75, (T)0.7);      /* near the unit circle, where logarithms cancel */ \
        family##_complex((T)1.2, (T)0.3); \
        family##_complex((T)-0.1, (T)0.8); \
        for (int i = -84; i < 100; i += 1 + 2 * SQUEEZE) { \
            T x = i < 64 ? (T)i * (T)0.25 + (T)0.03 : scalbn##S((T)1.37, (i - 64) * (i - 64) / 8); \
            NOTED(lgamma##S(x)); \
            NOTED(tgamma##S(x)); \
            NOTED(erfc##S(x)); \
            NOTED(erf##S(x / 3)); \
            NOTED(acos##S(x / 22)); \
            NOTED(asin##S(x / 22)); \
            NOTED(atan2##S(x, (T)1 - x)); \
            NOTED(fmod##S(x, (T)0.3)); \
            if (i < 0) \
                continue; \
            NOTED(j0##S(x)); \
            NOTED(j1##S(x)); \
            NOTED(y0##S(x)); \
            NOTED(y1##S(x)); \
            if (i % 4 == 0) { \
                NOTED(jn##S(3, x)); \
                NOTED(yn##S(3, x)); \
            } \
        } \
    } \
    __attribute__((noinline)) static void family##_all(void) \
    { \
        static const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO }; \
        int n = family##_arguments(); \
        for (int m = 0; m < 4; m++) { \
            fesetround(modes[m]); \
            for (int i = 0; i < n; i += (1 + m * 3 + SQUEEZE * (exam_shared->full ? 2 : 1)) * (exam_shared->full ? 1 : 7)) { \
                clear_flags(); \
                family##_one(family##_values[i]); \
                exam_note_word((uint64_t)fetestexcept(FE_ALL_EXCEPT)); \
                if (m == 0 || i % 5 == 0) \
                    family##_integer(family##_values[i]); \
                for (int k = (i * 3 + m) % (7 + 4 * SQUEEZE); k < n; k += 7 + 4 * SQUEEZE + m) { \
                    T x = family##_values[i], y = family##_values[k]; \
                    family##_two(x, y); \
                    int quotient; \
                    NOTED(remquo##S(x, y, &quotient)); \
                    NOTED(fma##S(x, y, family##_values[(i + k) % n])); \
                    exam_note_word((uint64_t)totalorder##S(&x, &y)); \
                    exam_note_word((uint64_t)totalordermag##S(&x, &y)); \
                    exam_note_word((uint64_t)__iseqsig##S(x, y)); \
                    if ((i + k) % (SQUEEZE > 1 && exam_shared->full ? 27 : 3) == 0) \
                        family##_complex(x, y); \
                } \
            } \
        } \
        fesetround(FE_TONEAREST); \
        if (exam_shared->full) { \
            family##_extremes(); \
            family##_slowly(); \
        } \
    }

FAMILY(of_double, double, double _Complex, , 0)
FAMILY(of_float, float, float _Complex, f, 0)
FAMILY(of_long, long double, long double _Complex, l, 1)
FAMILY(of_quad, _Float128, _Complex _Float128, f128, 3)

static volatile double d[] = { 1.25, -3e300, 1e-310, 0.1, 0.0, 1e40, 3.5e38 };
static volatile long double l[] = { 1.25L, -3e4000L, 1e-4940L, 0.1L, 0.0L, 1e310L, 2e308L };

static void narrowing(void)
{
    for (int i = 0; i < 7; i++)
        for (int k = 0; k < 7; k++) {
            NOTED(fadd(d[i], d[k]));
            NOTED(fsub(d[i], d[k]));
            NOTED(fmul(d[i], d[k]));
            NOTED(fdiv(d[i], d[k]));
            NOTED(fsqrt(d[i]));
            NOTED(ffma(d[i], d[k], d[(i + k) % 7]));
            NOTED(daddl(l[i], l[k]));
            NOTED(dsubl(l[i], l[k]));
            NOTED(dmull(l[i], l[k]));
            NOTED(ddivl(l[i], l[k]));
            NOTED(dsqrtl(l[i]));
            NOTED(dfmal(l[i], l[k], l[(i + k) % 7]));
            NOTED(faddl(l[i], l[k]));
            NOTED(fdivl(l[i], l[k]));
            NOTED(fmull(l[i], l[k]));
            NOTED(fsubl(l[i], l[k]));
            NOTED(fsqrtl(l[i]));
            NOTED(ffmal(l[i], l[k], l[(i + k) % 7]));
            NOTED(scalb(d[i], (double)k));
            NOTED(scalbf((float)d[i], (float)k));
            NOTED(significand(d[i]));
            NOTED(significandf((float)d[i]));
            NOTED(significandl(l[i]));
            NOTED(nexttoward(d[i], l[k]));
            NOTED(nexttowardf((float)d[i], l[k]));
            NOTED(drem(d[i], d[k]));
            NOTED(nextafterl(l[i], l[k]));
            NOTED(gamma(d[i]));
            NOTED(fmaximum(d[i], d[k]));
            NOTED(fminimum(d[i], d[k]));
            NOTED(fmaximum_num(d[i], d[k]));
            NOTED(fminimum_mag(d[i], d[k]));
            NOTED(fmaximum_mag_num(d[i], d[k]));
            NOTED(fmaximumf((float)d[i], (float)d[k]));
            NOTED(fmaximuml(l[i], l[k]));
            NOTED(fminimuml(l[i], l[k]));
            NOTED(f32xaddf64(d[i], d[k]));
            NOTED(f32xsubf64(d[i], d[k]));
            NOTED(f32xmulf64(d[i], d[k]));
            NOTED(f32xdivf64(d[i], d[k]));
            NOTED(scalbl(l[i], (long double)k));
            NOTED(gammal(l[i]));
            NOTED(gammaf((float)d[i]));
            NOTED(dreml(l[i], l[k]));
            NOTED(dremf((float)d[i], (float)d[k]));
        }
    NOTED(nan("0x123"));
    NOTED(nanf("12"));
    NOTED(nanl(""));
}

/* Of quads: the results are rounded to each smaller type. */
static void narrowing_of_quads(void)
{
    static const _Float128 special[] = { 1.25, -3e300, 1e-310, 0.1, -0.0, 1e40, 3.5e38, INFINITY, NAN, 1e-46, -1.4e-45 };
    static const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
    enum { N = sizeof special / sizeof *special };
    volatile _Float128 q[N];
    for (int i = 0; i < N; i++)
        q[i] = special[i];
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            fesetround(modes[(i + k) % 4]);
#define NARROW(T) \
            NOTED(T##addf128(q[i], q[k])); \
            NOTED(T##subf128(q[i], q[k])); \
            NOTED(T##mulf128(q[i], q[k])); \
            NOTED(T##divf128(q[i], q[k])); \
            NOTED(T##fmaf128(q[i], q[k], q[(i + k) % N])); \
            NOTED(T##sqrtf128(q[i]));
            NARROW(f32)
            NARROW(f64)
            NARROW(f64x)
        }
    fesetround(FE_TONEAREST);
}

/* What a function does where it has no value was once the program's choice (libm's svid_compat.h): that of SVID, of X/Open, of POSIX. SVID's writes
 * to stderr, which the run does without from here on. */
enum { SVID, XOPEN, POSIX };
static int *choice;
typedef double one_double(double);
typedef double two_doubles(double, double);
typedef float one_float(float);
typedef float two_floats(float, float);
typedef long double one_long(long double);
typedef long double two_longs(long double, long double);
static const char *const wrapped_one[] = {
    "acos", "asin", "acosh", "atanh", "cosh", "sinh", "exp", "exp2", "exp10", "log", "log2", "log10", "j0", "j1", "y0", "y1", "lgamma", "gamma", "tgamma",
    "sqrt"
};
static const char *const wrapped_two[] = { "atan2", "fmod", "hypot", "pow", "remainder", "scalb", "drem" };
enum { WRAPPED_ONE = sizeof wrapped_one / sizeof *wrapped_one, WRAPPED_TWO = sizeof wrapped_two / sizeof *wrapped_two };
static void *one_of[3][WRAPPED_ONE], *two_of[3][WRAPPED_TWO];     /* double, float, long double */

static void *versioned(const char *name, const char *suffix)
{
    char symbol[24];
    strcat(strcpy(symbol, name), suffix);
    void *found = dlvsym(exam_library, symbol, "GLIBC_2.2.5");
    return found ? found : dlsym(exam_library, symbol);
}

int exam_libm_prepare(void)
{
    static const char *const suffixes[] = { "", "f", "l" };
    int missing = !(choice = dlvsym(exam_library, "_LIB_VERSION", "GLIBC_2.2.5"));
    for (int type = 0; type < 3; type++) {
        for (int i = 0; i < WRAPPED_ONE; i++)
            missing |= !(one_of[type][i] = versioned(wrapped_one[i], suffixes[type]));
        for (int i = 0; i < WRAPPED_TWO; i++)
            missing |= !(two_of[type][i] = versioned(wrapped_two[i], suffixes[type]));
    }
    return missing ? -1 : 0;
}

static void without_value(int long_double)
{
    static const double v[] = { -1, 0, 2, -2.5, 1000, -1000, 1e300, -1e300, 1e-300, 1e18, INFINITY, NAN };
    enum { N = sizeof v / sizeof *v };
    exam_syscall(SYS_close, 2, 0, 0, 0, 0, 0);
    for (*choice = SVID; *choice <= POSIX; ++*choice)
        for (int i = 0; i < N; i++) {
            for (int f = 0; f < WRAPPED_ONE; f++) {
                if (long_double)
                    NOTED(((one_long *)one_of[2][f])(v[i]));
                else {
                    NOTED(((one_double *)one_of[0][f])(v[i]));
                    NOTED(((one_float *)one_of[1][f])((float)v[i]));
                }
            }
            for (int k = 0; k < N; k++)
                for (int f = 0; f < WRAPPED_TWO; f++) {
                    if (long_double)
                        NOTED(((two_longs *)two_of[2][f])(v[i], v[k]));
                    else {
                        NOTED(((two_doubles *)two_of[0][f])(v[i], v[k]));
                        NOTED(((two_floats *)two_of[1][f])((float)v[i], (float)v[k]));
                    }
                }
        }
    *choice = POSIX;
}

static void environment(void)
{
    fenv_t held, other;
    fexcept_t flags;
    femode_t mode;
    feclearexcept(FE_ALL_EXCEPT);
    exam_note_word((uint64_t)feholdexcept(&held));
    exam_note_word((uint64_t)feraiseexcept(FE_DIVBYZERO | FE_INEXACT | FE_OVERFLOW | FE_UNDERFLOW | FE_INVALID));
    exam_note_word((uint64_t)fegetexceptflag(&flags, FE_ALL_EXCEPT));
    exam_note_word((uint64_t)fetestexceptflag(&flags, FE_INVALID));
    exam_note_word((uint64_t)fegetenv(&other));
    exam_note_word((uint64_t)feclearexcept(FE_ALL_EXCEPT));
    exam_note_word((uint64_t)fesetexceptflag(&flags, FE_INEXACT));
    exam_note_word((uint64_t)fesetexcept(FE_INVALID));
    exam_note_word((uint64_t)fegetmode(&mode));
    exam_note_word((uint64_t)fesetround(FE_UPWARD));
    exam_note_word((uint64_t)fegetround());
    exam_note_word((uint64_t)fesetmode(&mode));
    exam_note_word((uint64_t)fesetmode(FE_DFL_MODE));
    exam_note_word((uint64_t)feupdateenv(&held));
    exam_note_word((uint64_t)fesetenv(&other));
    exam_note_word((uint64_t)fesetenv(FE_DFL_ENV));
    exam_note_word((uint64_t)fegetexcept());
    exam_note_word((uint64_t)fedisableexcept(FE_ALL_EXCEPT));
}

/* What keeps to SSE and AVX. */
void exam_libm(void)
{
    of_double_all();
    of_float_all();
    if (exam_shared->full)
        without_value(0);
}

/* What uses x87 and its environment. fnstenv stores the pointers and selectors of the last x87 instruction, which are lost whenever the kernel saves
 * and restores the unit (XRSTOR64 keeps no FCS and FDS: SDM vol. 1, 8.1.8), with a trap as with any switch to another thread; they linger in
 * registers and on the stack. So Java compares results and arrivals of this workload, not states. */
void exam_libm_x87(void)
{
    of_long_all();
    of_quad_all();
    narrowing();
    if (exam_shared->full) {
        narrowing_of_quads();
        without_value(1);
    }
    environment();
}
