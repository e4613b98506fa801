/* Floor 7 */
/* Returns
 * -------
 * A return is seen by putting the address of a trampoline in the place of the return address. Each trampoline belongs to one slot of a
 * process-wide table; up_return_shadow[slot] keeps the true address, and the trampolines' own DWARF data says so, so exceptions, backtrace(),
 * pthread_cancel and gdb pass through (returns_x86_64.S). One slot serves everything that waits for the same return: the `r` and `c` probes of
 * the function, those of functions that tail-called it, and the flush at the return of a JNI call.
 *
 * Entries are found by slot and stack pointer, never by depth, so a coroutine may return out of order or on another thread. Entries of frames
 * that were left by an exception or longjmp are found by stack pointer: their records are written with UP_HIT_UNWOUND. */
#ifndef UP_RETURNS_H
#define UP_RETURNS_H

#include "awaited.h"

enum {
    UP_TRAMPOLINE_SIZE = 16,    /* also in returns_x86_64.S */
    UP_TRAMPOLINE_MARK = 0x5c710000     /* as there: what a trampoline pushes, less the slot */
};

extern uint64_t up_return_shadow[UP_RETURN_SLOTS] __attribute__((visibility("hidden")));
extern uint8_t up_return_trampolines[UP_RETURN_SLOTS * UP_TRAMPOLINE_SIZE] __attribute__((visibility("hidden")));
extern uint64_t up_returns_unwound;

/* The slot whose trampoline the word points to, or UP_NONE. */
static inline int32_t up_return_slot(uint64_t word)
{
    uint64_t offset = word - (uint64_t)up_return_trampolines;
    return offset < sizeof up_return_trampolines && offset % UP_TRAMPOLINE_SIZE == 1 ? (int32_t)(offset / UP_TRAMPOLINE_SIZE) : UP_NONE;
}

static inline uint64_t up_return_trampoline(const struct up_return *e)
{
    return (uint64_t)up_return_trampolines + (uint64_t)up_return_slot_of(e) * UP_TRAMPOLINE_SIZE + 1;
}

/* What lies in e's place on the stack while e's trampoline runs: `push` in returns_x86_64.S. */
static inline uint64_t up_return_mark(const struct up_return *e)
{
    return (uint64_t)UP_TRAMPOLINE_MARK + (uint64_t)up_return_slot_of(e);
}

/* Hit path. The entry of t whose trampoline the word at sp leads to: the function that was entered with this stack pointer has not returned since. NULL:
 * none. */
struct up_return *up_return_swapped(const struct up_thread *t, uint64_t sp);

/* Hit path, on the owner's thread. Has the return through the word at sp seen; returns the slot's entry, whether new or already there, or NULL
 * if none is free. */
struct up_return *up_return_swap(struct up_thread *t, uint64_t sp);

/* Drops the newest entries of t whose frames are gone: those below limit on the stack that contains it, at most down to the slot `stop` (or
 * UP_NONE). Their records are written as unwound. */
void up_return_drop_below(struct up_thread *t, uint64_t limit, int32_t stop);

/* Hit path. Whether e is a call that what runs with this stack pointer may have been made by. On another stack than the Java thread's own, which may be a
 * handler's, a coroutine's or a native thread's, nothing is known of what lies where. */
int up_return_is_open(const struct up_return *e, uint64_t sp, int on_java_stack);

/* Called by the drain. The owner has died: what waited is written into its ring as unwound. Its entries are free again once nobody can return to them. */
void up_return_drop_all(struct up_thread *t);

/* Called by the drain in each round: frees what nobody can return to any more. */
void up_return_reclaim(void);

#endif
