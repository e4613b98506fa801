/* The objects of the namespace: opening them, where their functions are, what they may ask of the system. Called by the JVM before the first run. */
#define _GNU_SOURCE
#include "object.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <search.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern uint64_t exam_calls_back[];
void exam_own_text(uint64_t start, uint64_t end);

void *exam_library;
static const Elf64_Sym *symtab;
static size_t symtab_count;
static const char *symtab_names;
static uint64_t symtab_bias;

/* ---- what the system would answer differently each time ---- */

enum { FIXED_TIME = 1700000000, FIXED_PID = 4242 };

static time_t fixed_time(time_t *out)
{
    if (out)
        *out = FIXED_TIME;
    return FIXED_TIME;
}

static int fixed_gettimeofday(struct timeval *tv, void *zone)
{
    (void)zone;
    tv->tv_sec = FIXED_TIME;
    tv->tv_usec = 123456;
    return 0;
}

static int fixed_clock_gettime(clockid_t clock, struct timespec *ts)
{
    (void)clock;
    ts->tv_sec = FIXED_TIME;
    ts->tv_nsec = 123456789;
    return 0;
}

static clock_t fixed_clock(void)
{
    return 1000;
}

static pid_t fixed_getpid(void)
{
    return FIXED_PID;
}

static ssize_t fixed_getrandom(void *into, size_t length, unsigned flags)
{
    (void)flags;
    static uint64_t seed = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)into)[i] = (uint8_t)(exam_random(&seed) >> 56);
    return (ssize_t)length;
}

/* BoringSSL asks for random bytes by syscall(2). */
static long fixed_syscall(long n, long a, long b, long c, long d, long e, long f)
{
    enum { GETRANDOM = 318, GETTID = 186 };
    if (n == GETRANDOM)
        return fixed_getrandom((void *)a, (size_t)b, 0);
    if (n == GETTID)
        return FIXED_PID;
    long result = exam_syscall(n, a, b, c, d, e, f);
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

/* BoringSSL asks when it is first used: no RDRAND, bit 62 (OPENSSL_cpuid_setup); on processors of Intel it would be preferred to the kernel's numbers. */
static char *fixed_getenv(const char *name)
{
    static char no_rdrand[] = "~0x4000000000000000";
    return strcmp(name, "OPENSSL_ia32cap") == 0 ? no_rdrand : NULL;
}

/* Whatever a new file gets from the file system by chance: inode, times. SQLite looks at the inode only to tell files apart. */
static int settle(int result, struct stat *st)
{
    if (result == 0) {
        st->st_ino = st->st_dev = 1;
        st->st_atim = st->st_mtim = st->st_ctim = (struct timespec){ FIXED_TIME, 0 };
    }
    return result;
}

static int settled_stat(int version, const char *path, struct stat *st)
{
    (void)version;
    int result = settle(stat(path, st), st);
    for (; result == 0 && *path; path++)    /* different names, different files; the same name is the same file */
        st->st_ino = st->st_ino * 31 + (unsigned char)*path;
    return result;
}

/* Descriptors of one file must give its name's inode: /proc tells the name. */
static int settled_fstat(int version, int fd, struct stat *st)
{
    (void)version;
    char link[32] = "/proc/self/fd/", name[512];
    int result = settle(fstat(fd, st), st), at = 14;
    char digits[12];
    int n = 0;
    do
        digits[n++] = (char)('0' + fd % 10);
    while ((fd /= 10) > 0);
    while (n > 0)
        link[at++] = digits[--n];
    link[at] = 0;
    ssize_t length = readlink(link, name, sizeof name);
    for (ssize_t i = 0; result == 0 && i < length; i++)
        st->st_ino = st->st_ino * 31 + (unsigned char)name[i];
    return result;
}

/* Keys of this namespace's libc number the same slots of a thread as those of the JVM's libc: what stands there is not ours. */
static int cleared_key_create(pthread_key_t *key, void (*destroy)(void *))
{
    int result = pthread_key_create(key, destroy);
    if (result == 0)
        pthread_setspecific(*key, NULL);
    return result;
}

static const struct { const char *name; void *instead; } replaced[] = {
    { "time", fixed_time },
    { "gettimeofday", fixed_gettimeofday },
    { "clock_gettime", fixed_clock_gettime },
    { "clock", fixed_clock },
    { "getpid", fixed_getpid },
    { "getrandom", fixed_getrandom },
    { "syscall", fixed_syscall },
    { "getenv", fixed_getenv },
    { "__xstat64", settled_stat },
    { "__lxstat64", settled_stat },
    { "__fxstat64", settled_fstat },
    { "pthread_key_create", cleared_key_create },
    { "__pthread_key_create", cleared_key_create },
};

static void replace_in(const struct link_map *map)
{
    const Elf64_Sym *symbols = NULL;
    const char *names = NULL;
    const Elf64_Rela *tables[2] = { NULL, NULL };
    uint64_t sizes[2] = { 0, 0 };
    for (const Elf64_Dyn *d = map->l_ld; d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {     /* the dynamic linker has made addresses of these (not so in the vDSO and on MIPS) */
        case DT_SYMTAB: symbols = (const Elf64_Sym *)d->d_un.d_ptr; break;
        case DT_STRTAB: names = (const char *)d->d_un.d_ptr; break;
        case DT_RELA: tables[0] = (const Elf64_Rela *)d->d_un.d_ptr; break;
        case DT_RELASZ: sizes[0] = d->d_un.d_val; break;
        case DT_JMPREL: tables[1] = (const Elf64_Rela *)d->d_un.d_ptr; break;
        case DT_PLTRELSZ: sizes[1] = d->d_un.d_val; break;
        default: break;
        }
    }
    for (int t = 0; t < 2; t++)
        for (uint64_t i = 0; i < sizes[t] / sizeof(Elf64_Rela); i++) {
            const Elf64_Rela *r = &tables[t][i];
            uint64_t type = ELF64_R_TYPE(r->r_info);
            if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT && type != R_X86_64_64)
                continue;
            const char *name = names + symbols[ELF64_R_SYM(r->r_info)].st_name;
            for (size_t k = 0; k < sizeof replaced / sizeof *replaced; k++)
                if (strcmp(name, replaced[k].name) == 0) {
                    uint64_t at = map->l_addr + r->r_offset, page = at & ~(uint64_t)4095;
                    mprotect((void *)page, 8192, PROT_READ | PROT_WRITE);
                    *(void **)at = replaced[k].instead;
                }
        }
}

static void read_symtab(const char *path, uint64_t bias)
{
    symtab = NULL;
    symtab_count = 0;
    symtab_bias = bias;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    const uint8_t *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file == MAP_FAILED)
        return;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_SYMTAB) {
            symtab = (const Elf64_Sym *)(file + sections[i].sh_offset);
            symtab_count = sections[i].sh_size / sizeof *symtab;
            symtab_names = (const char *)(file + sections[sections[i].sh_link].sh_offset);
        }
}

void *exam_symbol(const char *name)
{
    for (size_t i = 0; i < symtab_count; i++)
        if (symtab[i].st_shndx != SHN_UNDEF && (ELF64_ST_TYPE(symtab[i].st_info) == STT_FUNC || ELF64_ST_TYPE(symtab[i].st_info) == STT_OBJECT)
                && strcmp(symtab_names + symtab[i].st_name, name) == 0)
            return (void *)(symtab_bias + symtab[i].st_value);
    return exam_library ? dlsym(exam_library, name) : NULL;
}

static uint64_t own_base;
static int own_text(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const Elf64_Phdr *p = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && p->p_flags & PF_X && (uint64_t)own_text >= start && (uint64_t)own_text < start + p->p_memsz)
            exam_own_text(start, start + p->p_memsz);
    }
    return 0;
}

/* malloc draws the key of its caches from the kernel when it is first called, past all that replaces randomness here, and the key gets about in registers and
 * memory: drawn before there are children it is the same in all of them. */
__attribute__((constructor)) static void let_malloc_draw_its_key(void)
{
    void *volatile block = malloc(64);
    free(block);
}

/* Opens the library to examine inside this namespace, by its full path or SONAME; returns its load bias, or 0 with a message in *why. */
EXAM_EXPORT uint64_t exam_open(const char *path, const char **why)
{
    void *calls_back[] = {
        qsort, qsort_r, bsearch, pthread_once, lfind, lsearch, tsearch, tdelete, tfind, twalk, tdestroy, longjmp, _longjmp, siglongjmp, pthread_create,
        dlsym(RTLD_DEFAULT, "__longjmp_chk"), dlsym(RTLD_DEFAULT, "twalk_r"), dlsym(RTLD_DEFAULT, "dl_iterate_phdr"), dlsym(RTLD_DEFAULT, "fopencookie"),
        dlopen, dlclose, dlsym, exit, abort
    };
    for (size_t i = 0; i < sizeof calls_back / sizeof *calls_back; i++)
        exam_calls_back[i] = (uint64_t)calls_back[i];
    dl_iterate_phdr(own_text, &own_base);
    free(malloc(100));      /* libc's allocator takes a random key at its first use: now, for all runs */
    exam_library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    struct link_map *map = NULL;
    if (!exam_library || dlinfo(exam_library, RTLD_DI_LINKMAP, &map) != 0) {
        *why = dlerror();
        return 0;
    }
    if (path[0] == '/') {
        replace_in(map);
        read_symtab(path, map->l_addr);
    }
    return map->l_addr;
}

/* Index of a workload by its name, after it has found the functions it needs; -1: unknown, -2: something is missing in the library. */
EXAM_EXPORT int exam_workload(const char *name)
{
    for (int i = 0; exam_workloads[i].name; i++)
        if (strcmp(exam_workloads[i].name, name) == 0)
            return exam_workloads[i].prepare && exam_workloads[i].prepare() != 0 ? -2 : i;
    return -1;
}

/* ---- functions by their unwind data ---- */

enum { PE_OMIT = 0xff, PE_PCREL = 0x10, PE_DATAREL = 0x30, PE_UDATA4 = 3, PE_SDATA4 = 0xb, PE_ABSPTR = 0, PE_SDATA8 = 0xc };

struct search {
    uint64_t address;           /* inside the object */
    uint64_t *ranges;
    int64_t capacity, count;
};

static int64_t encoded(const uint8_t *at, uint8_t encoding, uint64_t data)
{
    int64_t value;
    switch (encoding & 0xf) {
    case PE_UDATA4: value = *(const uint32_t *)at; break;
    case PE_SDATA4: value = *(const int32_t *)at; break;
    default: value = *(const int64_t *)at; break;
    }
    return value + ((encoding & 0x70) == PE_PCREL ? (int64_t)at : (encoding & 0x70) == PE_DATAREL ? (int64_t)data : 0);
}

/* The encoding of code addresses in FDEs stands in their CIE's augmentation (LSB Core, "Exception Frames"). */
static uint8_t fde_encoding(const uint8_t *cie)
{
    const uint8_t *at = cie + 8;
    uint8_t version = *at++;
    const char *augmentation = (const char *)at;
    at += strlen(augmentation) + 1;
    if (augmentation[0] != 'z')
        return PE_ABSPTR;
    for (int leb = 0; leb < (version == 1 ? 2 : 3); leb++)     /* code and data alignment, return register (one byte in version 1) */
        while (*at++ & 0x80)
            ;
    if (version == 1)
        at++;
    while (*at++ & 0x80)        /* length of the augmentation data */
        ;
    for (const char *a = augmentation + 1; *a; a++) {
        if (*a == 'R')
            return *at;
        if (*a == 'L')
            at++;
        else if (*a == 'P') {
            uint8_t encoding = *at++;
            at += (encoding & 7) == 3 ? 4 : (encoding & 7) == 2 ? 2 : 8;
        }
    }
    return PE_ABSPTR;
}

static int functions_of(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    struct search *s = data;
    const Elf64_Phdr *header = NULL;
    int inside = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const Elf64_Phdr *p = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && s->address >= start && s->address < start + p->p_memsz)
            inside = 1;
        if (p->p_type == PT_GNU_EH_FRAME)
            header = p;
    }
    if (!inside)
        return 0;
    if (!header)
        return 1;
    const uint8_t *table = (const uint8_t *)(info->dlpi_addr + header->p_vaddr);
    if (table[0] != 1 || table[2] != PE_UDATA4 || table[3] != (PE_DATAREL | PE_SDATA4))
        return 1;
    uint32_t count = *(const uint32_t *)(table + 8);
    const int32_t *rows = (const int32_t *)(table + 12);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *fde = table + rows[2 * i + 1];
        const uint8_t *cie = fde + 4 - *(const uint32_t *)(fde + 4);
        uint8_t encoding = fde_encoding(cie);
        int width = (encoding & 7) == 3 ? 4 : 8;
        int64_t start = encoded(fde + 8, encoding, 0), length = encoded(fde + 8 + width, encoding & 0xf, 0);
        if (s->count < s->capacity) {
            s->ranges[2 * s->count] = (uint64_t)start;
            s->ranges[2 * s->count + 1] = (uint64_t)(start + length);
        }
        s->count++;
    }
    return 1;
}

/* [start, end) of each function that .eh_frame_hdr knows, of the object that holds the address. Returns how many there are. */
EXAM_EXPORT int64_t exam_functions(uint64_t address, uint64_t *ranges, int64_t capacity)
{
    struct search s = { address, ranges, capacity, 0 };
    dl_iterate_phdr(functions_of, &s);
    return s.count;
}
