/* Floor 5 */
/* The names of our signal handler
 * -------------------------------
 * What the kernel calls, one address for each name (signals.c, 3): a fourth argument beside the handler's three.
 *
 * System calls that pass through the helper
 * -----------------------------------------
 * A slot that stands for a system call of somebody's code (SystemCalls.java says which and why) comes here by a call, below the red zone and with all
 * registers as the kernel would have got them. up_guarded_call makes the call, or a better one. As after `syscall`, rax is the result, r11 the flags,
 * and everything else but rcx is as it was; vector state is not touched (the helper's C uses general registers only). */

#define NAMES 64                /* as in signals.c */

    .text
    .balign 16
    .globl up_signal_names
    .hidden up_signal_names
    .type up_signal_names, @function
up_signal_names:
    .cfi_startproc
    .set i, 0
    .rept NAMES
    mov $i, %ecx
    jmp up_signals_enter
    .balign 16, 0xcc
    .set i, i+1
    .endr
    .cfi_endproc
    .size up_signal_names, . - up_signal_names

    .globl up_guards_entry
    .hidden up_guards_entry
    .type up_guards_entry, @function
up_guards_entry:
    .cfi_startproc
    pushfq
    .cfi_adjust_cfa_offset 8
    push %r9                    /* struct up_guarded, from its end */
    push %r8
    push %r10
    push %rdx
    push %rsi
    push %rdi
    push %rax
    .cfi_adjust_cfa_offset 56
    push %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    lea 8(%rsp), %rdi
    and $-16, %rsp
    cld
    call up_guarded_call
    mov %rbp, %rsp
    .cfi_def_cfa_register %rsp
    pop %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    lea 8(%rsp), %rsp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %r10
    pop %r8
    pop %r9
    .cfi_adjust_cfa_offset -56
    mov (%rsp), %r11
    popfq
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size up_guards_entry, . - up_guards_entry

    .section .note.GNU-stack, "", @progbits
