/* libc: strings and memory in all sizes and alignments, formatted and scanned text, numbers, sorting, regular expressions, time, conversions, the
 * allocator, streams, wide characters, search tables. This namespace has its own libc: nothing here is shared with the JVM's. */
#define _GNU_SOURCE
#include "exam.h"

#include <argz.h>
#include <ctype.h>
#include <envz.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <glob.h>
#include <iconv.h>
#include <inttypes.h>
#include <langinfo.h>
#include <libgen.h>
#include <locale.h>
#include <malloc.h>
#include <monetary.h>
#include <obstack.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>
#include <wordexp.h>

static char a[5000], b[5000], text[4096];
static wchar_t wa[600], wb[600];

static void memory(void)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 31, 32, 33, 47, 63, 64, 65, 96, 127, 128, 129, 191, 255, 256, 257, 383, 511, 512,
        513, 700, 1023, 1024, 1025, 2047, 2100, 4000 };
    int step = exam_shared->full ? 1 : 5, alignments = exam_shared->full ? 3 : 1;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i += (unsigned)step)
        for (int k = 0; k < alignments; k++) {
            size_t n = sizes[i];
            char *p = a + 64 + k * 13, *q = b + 64 + k * 29;
            memset(p, 'a' + k, n);
            p[n] = 0;
            if (n > 2)
                p[n - 2] = 'z';
            memcpy(q, p, n + 1);
            exam_note_word((uint64_t)memcmp(p, q, n));
            exam_note_word((uint64_t)(__memcmpeq(p, q, n) != 0));
            exam_note_word((uint64_t)strcmp(p, q) + (uint64_t)strncmp(p, q, n / 2) + (uint64_t)strcasecmp(p, q) + (uint64_t)strncasecmp(p, q, n));
            q[n / 2] ^= 1;
            exam_note_word((uint64_t)(memcmp(p, q, n) > 0) + (uint64_t)(strcmp(p, q) > 0));
            memmove(q + 3, q, n);
            memmove(q, q + 5, n);
            exam_note(q, n);
            exam_note_word(strlen(p) + strnlen(p, n / 2 + 1));
            exam_note_word((uint64_t)((char *)memchr(p, 'z', n + 1) - p) + (uint64_t)((char *)memrchr(p, 'a', n) - p) + (uint64_t)((char *)rawmemchr(p, 0) - p));
            exam_note_word((uint64_t)(strchr(p, 'z') - p) + (uint64_t)(strrchr(p, 'a') - p) + (uint64_t)(strchrnul(p, 'q') - p));
            exam_note_word((uint64_t)(stpcpy(q, p) - q) + (uint64_t)(stpncpy(q, p, n + 9) - q));
            strcpy(q, p);
            strncpy(q, p, n + 3);
            exam_note_word((uint64_t)((char *)mempcpy(q, p, n) - q));
            q[n / 3] = 0;
            strcat(q, "xyz");
            strncat(q, p, 7);
            exam_note_text(q);
            exam_note_word(strspn(p, "abcz") + strcspn(p, "z") + (uint64_t)(strpbrk(p, "zy") - p));
            exam_note_word((uint64_t)(strstr(p, "za") - p) + (uint64_t)((char *)memmem(p, n, "az", 2) - p) + (uint64_t)(strcasestr(p, "AZ") - p));
            if (n < 500) {
                wmemset(wa, L'a', n);
                wa[n] = 0;
                wcscpy(wb, wa);
                exam_note_word((uint64_t)wmemcmp(wa, wb, n) + wcslen(wa) + wcsnlen(wa, n) + (uint64_t)wcscmp(wa, wb) + (uint64_t)wcsncmp(wa, wb, n));
                exam_note_word((uint64_t)(wcschr(wa, L'b') == NULL) + (uint64_t)(wmemchr(wa, L'b', n) == NULL) + (uint64_t)(wcsrchr(wa, L'a') - wa));
                wmemmove(wb + 1, wb, n);
                wcscat(wb, L"x");
                exam_note_word(wcsspn(wb, L"ax") + (uint64_t)(wcsstr(wb, L"ax") - wb));
            }
        }
    memfrob(a, 50);
    exam_note(memccpy(b, a, a[20], 50), 1);
    swab(a, b, 20);
    exam_note(b, 20);
    char *rest = strcpy(text, "one,two;;three four"), *word;
    while ((word = strsep(&rest, ",; ")))
        exam_note_text(word);
    for (word = strtok_r(strcpy(text, " a b  c"), " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        exam_note_text(word);
    char *copy = strdup("duplicate");
    exam_note_text(strfry(strcpy(text, "")));
    exam_note_text(basename(strcpy(text, "/usr/lib/x/")));
    exam_note_word((uint64_t)strverscmp("a10", "a9") + (uint64_t)strcoll("a", "B") + strxfrm(text, copy, 40));
    free(copy);
    for (int e = 0; e < 135; e += exam_shared->full ? 1 : 20) {
        exam_note_text(strerror_r(e, text, sizeof text));
        exam_note_text(strerrorname_np(e));
    }
    for (int s = 0; s < 66; s += 9)
        exam_note_text(sigabbrev_np(s));
    explicit_bzero(a, 30);
}

static void printed(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    exam_note_word((uint64_t)n);
    exam_note_text(text);
}

static void formats(void)
{
    static const double numbers[] = { 0, -0.0, 1, 0.1, 123456.789, 1e-5, 1e22, 5e-324, 1.7976931348623157e308, -2.5, 1.0 / 0.0, 0.0 / 0.0, 999999.5 };
    for (int i = 0; i < 13; i += exam_shared->full ? 1 : 4) {
        printed("%f %e %g %a %.0f %10.3e %-12g| %+.15g %#g %A %'f", numbers[i], numbers[i], numbers[i], numbers[i], numbers[i], numbers[i], numbers[i],
                numbers[i], numbers[i], numbers[i], numbers[i]);
        printed("%Lf %Lg %La %.30Le", (long double)numbers[i], (long double)numbers[i], (long double)numbers[i], (long double)numbers[i]);
        strfromd(text, 60, "%.9g", numbers[i]);
        exam_note_text(text);
        int point, sign;
        exam_note_text(ecvt(numbers[i], 8, &point, &sign));
        exam_note_text(fcvt(numbers[i], 3, &point, &sign));
        exam_note_text(gcvt(numbers[i], 9, text));
    }
    printed("%d %5i %-5u| %05d %+d % d %o %#o %x %#X %hhd %hd %ld %lld %zu %jd %td %c %5s %-5s| %.2s %p %n%% %lc %ls %m", 1, -2, 3u, 42, 5, 6, 8, 8, 255, 255, 300,
            70000, 1L << 40, -1LL, (size_t)9, (intmax_t)-9, (ptrdiff_t)3, 'x', "ab", "cd", "efgh", (void *)0x1234, &(int){ 0 }, (wint_t)L'y', L"wide");
    printed("%2$s %1$d %3$*4$.*5$f", 7, "positional", 3.14159, 12, 3);
    static const char *const integers[] = { "0", "  -12x", "0x7fG", "077", "99999999999999999999", "-9223372036854775808", "zz", "" };
    for (int i = 0; i < 8; i++) {
        char *end;
        for (int base = 0; base <= 36; base += 9)
            exam_note_word((uint64_t)strtol(integers[i], &end, base) + strtoull(integers[i], &end, base) + (uint64_t)(end - integers[i]));
        exam_note_word((uint64_t)atoi(integers[i]) + (uint64_t)strtoimax(integers[i], &end, 10));
    }
    static const char *const reals[] = { "0", "3.14159265358979", "-1e400", "1e-400", "0x1.8p3", "inf", "nan(12)", ".5e+10x", "123456789012345678901234567890",
        "2.2250738585072011e-308", "4.9406564584124654e-324", "1e23" };
    for (int i = 0; i < 12; i += exam_shared->full ? 1 : 3) {
        char *end;
        double d = strtod(reals[i], &end);
        float f = strtof(reals[i], &end);
        long double l = strtold(reals[i], &end);
        exam_note(&d, 8);
        exam_note(&f, 4);
        exam_note(&l, 10);
        wchar_t wide[50];
        mbstowcs(wide, reals[i], 50);
        d = wcstod(wide, NULL);
        exam_note(&d, 8);
    }
    int i = 0, j = 0;
    long l = 0;
    double d = 0;
    char *allocated = NULL;
    exam_note_word((uint64_t)sscanf("42 -7 0x1f 3.5e2 word [abc]def", "%d %ld %i %lf %99s [%[a-c]]%ms", &i, &l, &j, &d, text, a, &allocated));
    exam_note_text(allocated);
    free(allocated);
    exam_note_word((uint64_t)(i + l + j));
    exam_note_word((uint64_t)swscanf(L"12 ab", L"%d %50ls", &i, wa));
    exam_note_word((uint64_t)swprintf(wa, 100, L"%d %ls %s %.3f", 5, L"wide", "narrow", 2.5));
    exam_note(wa, 40);
    exam_note_word((uint64_t)asprintf(&allocated, "%s-%d", "allocated", 5));
    exam_note_text(allocated);
    free(allocated);
    exam_note_word((uint64_t)strfmon(text, 100, "%n %i", 1234.567, -3.5));
    exam_note_text(l64a(123456789));
    exam_note_word((uint64_t)a64l("abc"));
}

static int by_word(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

static int by_number(const void *x, const void *y)
{
    return *(const int *)x < *(const int *)y ? -1 : *(const int *)x > *(const int *)y;
}

static int by_number_r(const void *x, const void *y, void *count)
{
    ++*(int *)count;
    return by_number(x, y);
}

static void visit(const void *node, VISIT order, int depth)
{
    exam_note_word((uint64_t)order * 100 + (uint64_t)depth + (uint64_t)**(int *const *)node);
}

static void tables(void)
{
    static int numbers[300];
    uint64_t seed = 3;
    int n = exam_shared->full ? 300 : 60, calls = 0;
    for (int i = 0; i < n; i++)
        numbers[i] = (int)(exam_random(&seed) >> 40);
    void *root = NULL;
    for (int i = 0; i < n / 4; i++)
        tsearch(&numbers[i], &root, by_number);
    twalk(root, visit);
    for (int i = 0; i < n / 8; i++)
        exam_note_word((uint64_t)(tdelete(&numbers[i * 2], &root, by_number) != NULL) + (uint64_t)(tfind(&numbers[i], &root, by_number) != NULL));
    qsort(numbers, (size_t)n, sizeof *numbers, by_number);
    qsort_r(numbers, (size_t)n, sizeof *numbers, by_number_r, &calls);
    exam_note(numbers, sizeof numbers);
    exam_note_word((uint64_t)(bsearch(&numbers[7], numbers, (size_t)n, sizeof *numbers, by_number) != NULL) + (uint64_t)calls);
    char *words[] = { "pear", "apple", "fig", "date", "cherry", "banana" };
    qsort(words, 6, sizeof *words, by_word);
    exam_note_text(words[0]);
    struct hsearch_data table = { 0 };
    hcreate_r(30, &table);
    ENTRY *found;
    for (int i = 0; i < 6; i++)
        hsearch_r((ENTRY){ words[i], (void *)(intptr_t)i }, ENTER, &found, &table);
    exam_note_word((uint64_t)hsearch_r((ENTRY){ "fig", NULL }, FIND, &found, &table));
    hdestroy_r(&table);
    size_t count = 10;
    exam_note_word((uint64_t)(lfind(&numbers[3], numbers, &count, sizeof *numbers, by_number) != NULL));
    struct random_data state = { 0 };
    static char random_state[64];
    initstate_r(7, random_state, sizeof random_state, &state);
    int32_t r;
    for (int i = 0; i < 10; i++) {
        random_r(&state, &r);
        exam_note_word((uint64_t)r);
    }
    srand48(5);
    exam_note_word((uint64_t)lrand48() + (uint64_t)mrand48());
    srand(9);
    exam_note_word((uint64_t)rand());
    char *argz = NULL;
    size_t length = 0;
    argz_create_sep("a:bc:d", ':', &argz, &length);
    argz_add(&argz, &length, "more");
    argz_replace(&argz, &length, "bc", "replaced", NULL);
    envz_add(&argz, &length, "k", "v");
    exam_note(argz, length);
    free(argz);
}

static void patterns(void)
{
    static const char *const expressions[] = { "^a(b|c)*d$", "[[:alpha:]_][[:alnum:]_]*", "(a)(b)?\\2", "x{2,4}y+", "\\(ab\\)*\\1", "[^a-z]", "a||b", "(unclosed", "é+", ".*z" };
    static const char *const subjects[] = { "abcbd", "_name42 = 5", "aab", "wxxxyyz", "ababab", "", "héé" };
    for (int e = 0; e < 10; e += exam_shared->full ? 1 : 3)
        for (int flags = 0; flags < 2; flags++) {
            regex_t regex;
            regmatch_t match[4];
            int result = regcomp(&regex, expressions[e], flags ? REG_EXTENDED | REG_ICASE : 0);
            exam_note_word((uint64_t)result);
            regerror(result, &regex, text, sizeof text);
            exam_note_text(text);
            for (int s = 0; result == 0 && s < 7; s++) {
                exam_note_word((uint64_t)regexec(&regex, subjects[s], 4, match, 0));
                exam_note(match, sizeof match);
            }
            if (result == 0)
                regfree(&regex);
        }
    static const char *const globs[] = { "*.c", "a?[b-d]*", "[!x]*", "**/z", "+(ab|c)", "\\*x", "[[:digit:]]*" };
    for (int g = 0; g < 7; g++)
        for (int flags = 0; flags < 64; flags += 9)
            exam_note_word((uint64_t)fnmatch(globs[g], "abc.c", flags) + (uint64_t)fnmatch(globs[g], ".x/z", flags));
    glob_t found;
    exam_note_word((uint64_t)glob("/nonexistent/*", 0, NULL, &found));
    wordexp_t words;
    if (wordexp("one 'two three' $((1+2*3)) ${unset:-default}", &words, WRDE_NOCMD) == 0) {
        exam_note_text(words.we_wordv[1]);
        wordfree(&words);
    }
    char *arguments[] = { "program", "-a", "--long=5", "-bvalue", "rest", "--flag", NULL };
    static const struct option options[] = { { "long", 1, NULL, 'l' }, { "flag", 0, NULL, 'f' }, { 0 } };
    optind = 0;
    for (int c; (c = getopt_long(6, arguments, "ab:", options, NULL)) != -1;)
        exam_note_word((uint64_t)c);
}

static void times(void)
{
    static const time_t instants[] = { 0, 1700000000, 951782400, -1, 4102444800 };
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (int i = 0; i < 5; i += exam_shared->full ? 1 : 2) {
        struct tm utc, local;
        gmtime_r(&instants[i], &utc);
        localtime_r(&instants[i], &local);
        strftime(text, sizeof text, "%a %A %b %B %c %C %d %D %e %F %g %G %H %I %j %m %M %n %p %r %R %s %S %t %T %u %U %V %w %W %x %X %y %Y %z %Z %%", &local);
        exam_note_text(text);
        exam_note_text(asctime_r(&utc, text));
        exam_note_word((uint64_t)mktime(&local) + (uint64_t)timegm(&utc));
    }
    struct tm parsed = { 0 };
    exam_note_word((uint64_t)(strptime("2024-02-29 23:59:58 Thu", "%Y-%m-%d %H:%M:%S %a", &parsed) != NULL));
    exam_note_word((uint64_t)parsed.tm_yday);
    double d = difftime(5, 3);
    exam_note(&d, 8);
}

static void characters(void)
{
    static const char *const codes[] = { "UTF-8", "ISO-8859-1", "UTF-16LE", "UTF-32", "ASCII//TRANSLIT", "UCS-4" };
    exam_note_text(setlocale(LC_ALL, "C.UTF-8"));
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 2; k++) {
            iconv_t c = k ? iconv_open("UTF-8", codes[i]) : iconv_open(codes[i], "UTF-8");
            if (c == (iconv_t)-1)
                continue;
            char *in = (char *)"h\xc3\xa9llo w\xe2\x82\xacrld \xf0\x9f\x98\x80", *out = text;
            size_t left = strlen(in), room = 200;
            exam_note_word(iconv(c, &in, &left, &out, &room));
            exam_note(text, 200 - room);
            iconv_close(c);
        }
    mbstate_t state = { 0 };
    const char *from = "w\xc3\xa9\xe2\x82\xac";
    exam_note_word(mbsrtowcs(wa, &from, 100, &state));
    const wchar_t *wide = wa;
    exam_note_word(wcsrtombs(text, &wide, 100, &state));
    exam_note_word((uint64_t)wcswidth(wa, 3) + (uint64_t)wctob(L'a') + (uint64_t)btowc('b'));
    for (wint_t c = 0; c < 0x3000; c += exam_shared->full ? 37 : 501)
        exam_note_word((uint64_t)!!iswalpha(c) + (uint64_t)towupper(c) * 2 + (uint64_t)!!iswprint(c) + (uint64_t)towlower(c) + (uint64_t)wcwidth((wchar_t)c)
                + (uint64_t)!!iswctype(c, wctype("space")));
    for (int c = 0; c < 256; c += 5)
        exam_note_word((uint64_t)!!isalpha(c) + (uint64_t)toupper(c) + (uint64_t)!!ispunct(c));
    locale_t other = newlocale(LC_ALL_MASK, "C", NULL), before = uselocale(other);
    exam_note_text(nl_langinfo(CODESET));
    exam_note_word((uint64_t)strtol_l("12", NULL, 10, other) + (uint64_t)strcasecmp_l("a", "A", other));
    uselocale(before);
    freelocale(other);
    exam_note_text(localeconv()->decimal_point);
    setlocale(LC_ALL, "C");
}

static void allocator(void)
{
    static void *held[400];
    uint64_t seed = 11;
    int n = exam_shared->full ? 1500 : 200;
    for (int i = 0; i < n; i++) {
        uint64_t r = exam_random(&seed);
        unsigned k = (unsigned)(r % 400);
        size_t size = (size_t)(r >> 20) % (r & 0x100 ? 90 : r & 0x200 ? 3000 : r & 0x400 ? 40000 : 300000);
        switch (r >> 60) {
        case 0: case 1: held[k] = realloc(held[k], size + 1); break;
        case 2: free(held[k]); held[k] = memalign((size_t)16 << (r >> 50 & 7), size); break;
        case 3: free(held[k]); held[k] = calloc(3, size / 3 + 1); break;
        case 4: free(held[k]); held[k] = aligned_alloc(64, (size + 63) & ~(size_t)63); break;
        case 5: case 6: case 7: free(held[k]); held[k] = NULL; break;
        default: free(held[k]); held[k] = malloc(size); break;
        }
        exam_note_word((uint64_t)held[k] + malloc_usable_size(held[k]));
    }
    for (int k = 0; k < 400; k++)
        free(held[k]);
    struct mallinfo2 info = mallinfo2();
    exam_note_word(info.uordblks);
    exam_note_word((uint64_t)malloc_trim(0));
}

static void streams(void)
{
    char *memory = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&memory, &size);
    for (int i = 0; i < 40; i++)
        fprintf(f, "line %d %s\n", i, "of some text");
    fputs("puts", f);
    fputc('c', f);
    fwrite("block", 1, 5, f);
    fseek(f, 3, SEEK_SET);
    fputs("over", f);
    fclose(f);
    exam_note(memory, size);
    f = fmemopen(memory, size, "r+");
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, f) > 0)
        exam_note_text(line);
    rewind(f);
    exam_note_word((uint64_t)fgetc(f) + (uint64_t)ungetc('q', f) + (uint64_t)fgetc(f));
    exam_note_text(fgets(text, 50, f));
    exam_note_word(fread(text, 3, 10, f));
    exam_note_word((uint64_t)fscanf(f, "%50s", text) + (uint64_t)ftell(f) + (uint64_t)feof(f) + (uint64_t)ferror(f));
    fclose(f);
    free(line);
    free(memory);
    static const int modes[] = { _IOFBF, _IOLBF, _IONBF };
    for (int m = 0; m < 3; m++) {
        int fd = memfd_create("exam", 0);
        f = fdopen(fd, "w+");
        setvbuf(f, NULL, modes[m], 256);
        for (int i = 0; i < 30; i++)
            fprintf(f, "%d,%x;", i, i * 1000);
        fflush(f);
        fseeko(f, 10, SEEK_SET);
        exam_note_word((uint64_t)getdelim(&(char *){ NULL }, &(size_t){ 0 }, ';', f));
        exam_note_word(fread(text, 1, 100, f));
        exam_note(text, 100);
        fseek(f, 0, SEEK_END);
        exam_note_word((uint64_t)ftello(f) + __fbufsize(f));
        fputws(L"", f);
        fclose(f);
    }
    f = fopen("/dev/null", "r+");
    fwide(f, 1);
    fwprintf(f, L"%ls %d\n", L"wide", 5);
    exam_note_word((uint64_t)fgetwc(f));
    fclose(f);
    exam_note_word((uint64_t)(fopen("/nonexistent", "r") == NULL) + (uint64_t)errno);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void count_once(void)
{
    exam_note_word(1);
}

static void control(void)
{
    static jmp_buf jump;
    volatile int rounds = 0;
    if (setjmp(jump) < 3)
        longjmp(jump, ++rounds);
    exam_note_word((uint64_t)rounds);
    pthread_mutex_t mutex;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    for (int type = 0; type < 4; type++) {
        pthread_mutexattr_settype(&attributes, type);
        pthread_mutex_init(&mutex, &attributes);
        exam_note_word((uint64_t)pthread_mutex_lock(&mutex) + (uint64_t)pthread_mutex_trylock(&mutex) * 10);
        exam_note_word((uint64_t)pthread_mutex_unlock(&mutex) + (uint64_t)pthread_mutex_destroy(&mutex));
    }
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    exam_note_word((uint64_t)pthread_rwlock_rdlock(&lock) + (uint64_t)pthread_rwlock_trywrlock(&lock) + (uint64_t)pthread_rwlock_unlock(&lock));
    pthread_once(&once, count_once);
    pthread_once(&once, count_once);
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    exam_note_word((uint64_t)pthread_cond_signal(&condition) + (uint64_t)pthread_cond_broadcast(&condition));
    setenv("EXAM", "value", 1);
    exam_note_text(getenv("EXAM"));
    unsetenv("EXAM");
    div_t d = div(17, 5);
    exam_note_word((uint64_t)d.quot + (uint64_t)ffsll(0x100) + (uint64_t)labs(-5));
}

void exam_libc(void)
{
    memory();
    formats();
    tables();
    patterns();
    times();
    characters();
    allocator();
    streams();
    control();
}
