/* Libraries that native code opens and closes by itself, and text that somebody else writes into or takes away. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define ODD __attribute__((noipa, visibility("default")))

ODD void *odd_variant_open(const char *file, int own_namespace)
{
    return own_namespace ? dlmopen(LM_ID_NEWLM, file, RTLD_NOW) : dlopen(file, RTLD_NOW | RTLD_LOCAL);
}
ODD long odd_variant_address(void *handle)
{
    return handle ? (long)dlsym(handle, "odd_variant") : 0;
}
ODD long odd_variant_at(long address, long value)
{
    return ((long (*)(long))address)(value);
}
ODD int odd_variant_close(void *handle)
{
    return dlclose(handle);
}
ODD int odd_unmap_text(long address)
{
    return munmap((void *)(address & -4096), 4096);
}
/* As a debugger does it. */
ODD int odd_write_byte(long address, int value)
{
    uint8_t byte = (uint8_t)value;
    int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    int error = fd < 0 || pwrite(fd, &byte, 1, address) != 1;
    close(fd);
    return error;
}
ODD int odd_read_byte(long address)
{
    return *(volatile const uint8_t *)address;
}
