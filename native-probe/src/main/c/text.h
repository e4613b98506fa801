/* Floor 2 */
/* Writing into code. Through /proc/self/mem, which writes private copies of read-only pages; where that is closed (non-dumpable process, the
 * kernel's proc_mem restriction), by mprotect that never drops X. */
#ifndef UP_TEXT_H
#define UP_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* 0 or -errno. Threads may be executing there: the caller knows why that is right. */
int up_text_write(uint64_t address, const void *bytes, size_t length);

/* For many writes in a row: what up_text_replace takes, and up_text_close. Not kept longer: a descriptor that a fork inherits would write into the
 * parent. */
int up_text_open(void);
void up_text_close(int text);

/* Replaces one byte, if it is what is expected, and looks whether it is there then; UP_E_CHANGED if it is not, UP_E_GONE if nothing is mapped there. */
int up_text_replace(int text, uint64_t address, uint8_t expected, uint8_t desired);

/* The byte at address, UP_E_GONE if nothing is mapped there. */
int up_text_look(uint64_t address, uint8_t *byte);

#endif
