/* Floor 1 */
/* Calls between libraries, led elsewhere
 * --------------------------------------
 * Where a function of libc has no room for a jump at its entry (signals.c), the calls of other libraries to it can still be met: each has the function's
 * address in its global offset table, in an entry that its relocations name (psABI x86-64, 4.4: R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT). That is less:
 * calls inside libc, addresses that were taken before (dlsym) and libraries that are loaded later are not met. */
#define _GNU_SOURCE
#include "uprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

struct redirect {
    const char *name;
    uint64_t from, to;
    int memory;                 /* /proc/self/mem */
    int is_default;             /* an entry that is not bound yet would be bound to `from` */
    int32_t changed;
    int error;
};

/* As ld.so left them: absolute in what it may write, relative to the object in the vdso. */
static uint64_t absolute(const struct dl_phdr_info *info, uint64_t value)
{
    return value < info->dlpi_addr ? value + info->dlpi_addr : value;
}

static int lies_in(const struct dl_phdr_info *info, uint64_t address, uint32_t type)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == type && address - info->dlpi_addr - p->p_vaddr < p->p_memsz)
            return 1;
    }
    return 0;
}

static void redirect_entry(const struct dl_phdr_info *info, struct redirect *r, uint64_t *entry, int is_call)
{
    uint64_t now = __atomic_load_n(entry, __ATOMIC_RELAXED);
    int unbound = is_call && r->is_default && lies_in(info, now, PT_LOAD);      /* it points back to this object's own PLT */
    if (now != r->from && !unbound)
        return;
    /* Read-only by now, unless ld.so is still at work there. Written without a change of protection, which would get into its way: the kernel
     * copies eight aligned bytes by one move. */
    if (lies_in(info, (uint64_t)entry, PT_GNU_RELRO)) {
        if (r->memory < 0)
            r->error = -EACCES;
        else if (pwrite(r->memory, &r->to, sizeof r->to, (off_t)entry) != sizeof r->to)
            r->error = -errno;
        else
            r->changed++;
    } else if (__atomic_compare_exchange_n(entry, &now, r->to, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
        r->changed++;
    }
}

static void redirect_table(const struct dl_phdr_info *info, struct redirect *r, uint64_t table, uint64_t bytes, const ElfW(Sym) *symbols,
                           const char *names)
{
    const ElfW(Rela) *rela = (const ElfW(Rela) *)table;
    for (uint64_t i = 0; table && i < bytes / sizeof *rela; i++) {
        uint64_t type = ELF64_R_TYPE(rela[i].r_info);
        const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(rela[i].r_info)];
        /* An object that has a function of this name of its own means that one. */
        if ((type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT) && symbol->st_shndx == SHN_UNDEF && strcmp(names + symbol->st_name, r->name) == 0)
            redirect_entry(info, r, (uint64_t *)(info->dlpi_addr + rela[i].r_offset), type == R_X86_64_JUMP_SLOT);
    }
}

static int redirect_object(struct dl_phdr_info *info, size_t size, void *data)
{
    struct redirect *r = data;
    (void)size;
    if (lies_in(info, r->from, PT_LOAD) || lies_in(info, (uint64_t)redirect_object, PT_LOAD))
        return 0;               /* libc itself, and the helper */
    const ElfW(Dyn) *dynamic = NULL;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    uint64_t symbols = 0, names = 0, plt = 0, plt_bytes = 0, rela = 0, rela_bytes = 0;
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        switch (dynamic->d_tag) {
        case DT_SYMTAB: symbols = absolute(info, dynamic->d_un.d_ptr); break;
        case DT_STRTAB: names = absolute(info, dynamic->d_un.d_ptr); break;
        case DT_JMPREL: plt = absolute(info, dynamic->d_un.d_ptr); break;
        case DT_PLTRELSZ: plt_bytes = dynamic->d_un.d_val; break;
        case DT_RELA: rela = absolute(info, dynamic->d_un.d_ptr); break;
        case DT_RELASZ: rela_bytes = dynamic->d_un.d_val; break;
        default: break;
        }
    }
    if (symbols && names) {
        redirect_table(info, r, plt, plt_bytes, (const ElfW(Sym) *)symbols, (const char *)names);
        redirect_table(info, r, rela, rela_bytes, (const ElfW(Sym) *)symbols, (const char *)names);
    }
    return 0;
}

int up_got_redirect(const char *name, int64_t from, int64_t to, int32_t is_default)
{
    struct redirect r = { name, (uint64_t)from, (uint64_t)to, open("/proc/self/mem", O_RDWR | O_CLOEXEC), is_default, 0, 0 };
    dl_iterate_phdr(redirect_object, &r);
    if (r.memory >= 0)
        close(r.memory);
    return r.error ? r.error : r.changed;
}
