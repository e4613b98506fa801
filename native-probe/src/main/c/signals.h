/* Floor 5 */
/* Who has a signal, and what its handler is shown
 * -----------------------------------------------
 * The engine needs SIGTRAP for its traps, and SIGSEGV, SIGBUS and SIGFPE because a displaced instruction may fault in its slot. It takes them in the
 * kernel and keeps them; what the program says about them afterwards through libc's sigaction is only written down here (a virtual handler) and is
 * what the engine hands on to. signals.c has the whole idea. */
#ifndef UP_SIGNALS_H
#define UP_SIGNALS_H

#include <signal.h>
#include <stdint.h>

/* name: by which of our names in the kernel it was called (signals.c). */
typedef void (*up_handler)(int signal, siginfo_t *info, void *context, int32_t name);

/* Takes the signals in the kernel, or takes back those that somebody got past libc, and keeps SIGTRAP out of every sa_mask that is installed.
 * May be called again and again; 0 or -errno. Not for the hit path. on_trap: the handler of SIGTRAP, always the same. */
int up_signals_take(up_handler on_trap);

/* Hands the signal to whoever the name stands for, who has it in the program's eyes: under that handler's own mask, SA_NODEFER, SA_RESETHAND and
 * SA_SIGINFO. Returns 0 if instead the process is about to die of it: when our handler returns. Allowed in the hit path. */
int up_signals_chain(int signal, siginfo_t *info, void *context, int32_t name);

#endif
