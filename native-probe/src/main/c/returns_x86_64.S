/* Floor 7 */
/* Return trampolines that unwinders understand
 * --------------------------------------------
 * Trampoline i stands for the true return address in up_return_shadow[i]. A thread arrives at its byte 1 by a `ret`; byte 0 is there because
 * unwinders look up pc - 1, which must lie in the same function. It pushes MARK + i: no number that other code is likely to leave on a stack, as what
 * lies there tells whether the call still goes on (returns.c).
 *
 * An unwinder that carries an exception out of a probed function is to tell us, by the personality routine up_return_unwinding: it notes that the call
 * is not open any more and has no handler. But a trampoline is a frame without a size, whose stack pointer is its caller's, and LLVM's libunwind knows
 * the frame that catches by its stack pointer alone: it would ask the trampoline to catch, in the caller's place, and abort. So the trampoline itself
 * has no personality, and says that it was called from a place that nobody runs, up_return_passed + i + 1, whose frame is the eight bytes below the
 * caller's. That one has the personality, and leads to the caller. One FDE covers each: the rules compute with the pc (DW_OP_breg16: in an unwinder the
 * return-address column of the frame holds the pc itself), so
 *
 *     up_return_trampolines   return address is      up_return_passed + ((pc - up_return_trampolines) >> 4) + 1
 *                             caller's rsp is        rsp + ((pc & 15) >= 6 ? 8 : 0) - 8      once the number has been pushed
 *     up_return_passed        return address is at   up_return_shadow + ((pc - up_return_passed - 1) << 3)
 *                             caller's rsp is        rsp + 8
 *
 * libgcc knows frames by their CFA, and gdb wants none below that of a frame further in: rsp for the first, rsp + 16 for the second.
 *
 * The data lie in this ELF object and are found through dl_iterate_phdr, also by a libgcc that is linked statically into some library;
 * __register_frame would inform one libgcc only. A .eh_frame that needs relocations (DW_OP_addr) is "aw": RELRO makes it read-only again.
 *
 * leave: saves every general register as struct up_regs and xmm0/xmm1, keeps the true address for unwinders, as a handler's hit may take the slot
 * while we are still here, asks up_on_return for it, puts it where a return address belongs (so that the plain CFA-8 rule holds from there on) and
 * leaves by an indirect jmp: a ret would unbalance the return predictor of all callers (Intel Optimization Manual, "Pairing CALL and RET"). x87 is
 * not touched. */

#define SLOTS 65536             /* UP_RETURN_SLOTS in awaited.h */
#define SIZE 16                 /* UP_TRAMPOLINE_SIZE in returns.h */
#define MARK 0x5c710000         /* UP_TRAMPOLINE_MARK; the lower two bytes are the slot's */

    .bss
    .balign 64
    .globl up_return_shadow
    .hidden up_return_shadow
    .type up_return_shadow, @object
    .size up_return_shadow, 8*SLOTS
up_return_shadow:
    .zero 8*SLOTS

    .text
    .balign 64
    .globl up_return_trampolines
    .hidden up_return_trampolines
    .type up_return_trampolines, @function
up_return_trampolines:
    .set i, 0
    .rept SLOTS
    .byte 0x90                  /* +0   nop */
    .byte 0x68                  /* +1   push imm32: five bytes in every trampoline, whatever the number */
    .long MARK + i
    .byte 0xe9                  /* +6   jmp rel32 to leave */
    .long leave - . - 4
    .balign SIZE, 0xcc
    .set i, i+1
    .endr
    .size up_return_trampolines, . - up_return_trampolines

    .globl up_return_passed
    .hidden up_return_passed
    .type up_return_passed, @function
up_return_passed:
    .fill SLOTS, 1, 0xcc
    .size up_return_passed, . - up_return_passed

    .type leave, @function
leave:                          /* rsp: MARK + slot; above it the caller's frame */
    push %rbp
.Lpushed_rbp:
    mov %rsp, %rbp
.Lset_rbp:
    sub $(16 + 16*8 + 32), %rsp /* the true address, struct up_regs, xmm0, xmm1 */
    and $-16, %rsp
    mov %rax, 0(%rsp)
    mov %rcx, 8(%rsp)
    mov %rdx, 16(%rsp)
    mov %rbx, 24(%rsp)
    lea 16(%rbp), %rax          /* rsp as the caller will see it */
    mov %rax, 32(%rsp)
    mov 0(%rbp), %rax
    mov %rax, 40(%rsp)
    mov %rsi, 48(%rsp)
    mov %rdi, 56(%rsp)
    mov %r8, 64(%rsp)
    mov %r9, 72(%rsp)
    mov %r10, 80(%rsp)
    mov %r11, 88(%rsp)
    mov %r12, 96(%rsp)
    mov %r13, 104(%rsp)
    mov %r14, 112(%rsp)
    mov %r15, 120(%rsp)
    movaps %xmm0, 128(%rsp)
    movaps %xmm1, 144(%rsp)
    cld                         /* psABI 3.2.1: clear on entry and return of a function */
    movzwl 8(%rbp), %edi
    lea up_return_shadow(%rip), %rax
    mov (%rax,%rdi,8), %rax
    mov %rax, -8(%rbp)
.Lkept_address:
    mov %rsp, %rsi
    call up_on_return
    mov %rax, 8(%rbp)
.Lhave_address:
    movaps 128(%rsp), %xmm0
    movaps 144(%rsp), %xmm1
    mov 0(%rsp), %rax
    mov 8(%rsp), %rcx
    mov 16(%rsp), %rdx
    mov 48(%rsp), %rsi
    mov 56(%rsp), %rdi
    mov 64(%rsp), %r8
    mov 72(%rsp), %r9
    mov 80(%rsp), %r10
    mov 88(%rsp), %r11
    leave
.Lpopped_rbp:
    lea 8(%rsp), %rsp
.Lpopped_address:
    jmp *-8(%rsp)               /* below rsp, but in the red zone: signal frames stay clear of it */
.Lleave_end:
    .size leave, . - leave

    .section .eh_frame, "aw", @progbits
    .balign 8
.Lcie:
    .long .Lcie_end - .Lcie_body
.Lcie_body:
    .long 0
    .byte 1                     /* version */
    .asciz "zR"
    .uleb128 1                  /* code alignment */
    .sleb128 -8                 /* data alignment */
    .byte 16                    /* return address column: rip */
    .uleb128 1
    .byte 0x1b                  /* DW_EH_PE_pcrel | DW_EH_PE_sdata4 */
    .byte 0x0c, 7, 8            /* DW_CFA_def_cfa rsp+8 */
    .balign 8, 0
.Lcie_end:

    /* With the personality routine, which hears of each awaited return that an exception passes. */
.Lcie_heard:
    .long .Lcie_heard_end - .Lcie_heard_body
.Lcie_heard_body:
    .long 0
    .byte 1
    .asciz "zPR"
    .uleb128 1
    .sleb128 -8
    .byte 16
    .uleb128 6
    .byte 0x1b                  /* DW_EH_PE_pcrel | DW_EH_PE_sdata4 */
    .long up_return_unwinding - .
    .byte 0x1b
    .byte 0x0c, 7, 16           /* DW_CFA_def_cfa rsp+16 */
    .balign 8, 0
.Lcie_heard_end:

.Lfde_trampolines:
    .long .Lfde_trampolines_end - .Lfde_trampolines_body
.Lfde_trampolines_body:
    .long .Lfde_trampolines_body - .Lcie
    .long up_return_trampolines - .
    .long SLOTS*SIZE
    .uleb128 0
    .byte 0x0e, 0               /* DW_CFA_def_cfa_offset 0 */
    .byte 0x16, 7               /* DW_CFA_val_expression rsp */
    .uleb128 2f - 1f
1:  .byte 0x77, 0x78            /* DW_OP_breg7 -8: rsp */
    .byte 0x80, 0               /* DW_OP_breg16 0: the pc */
    .byte 0x3f, 0x1a            /* lit15, and */
    .byte 0x36, 0x2a            /* lit6, ge */
    .byte 0x33, 0x24            /* lit3, shl */
    .byte 0x22                  /* plus */
2:  .byte 0x16, 16              /* DW_CFA_val_expression rip */
    .uleb128 4f - 3f
3:  .byte 0x80, 0               /* DW_OP_breg16 0 */
    .byte 0x03                  /* DW_OP_addr */
    .quad up_return_trampolines
    .byte 0x1c                  /* minus */
    .byte 0x34, 0x25            /* lit4, shr */
    .byte 0x03                  /* DW_OP_addr */
    .quad up_return_passed + 1
    .byte 0x22                  /* plus */
4:  .balign 8, 0
.Lfde_trampolines_end:

.Lfde_passed:
    .long .Lfde_passed_end - .Lfde_passed_body
.Lfde_passed_body:
    .long .Lfde_passed_body - .Lcie_heard
    .long up_return_passed - .
    .long SLOTS
    .uleb128 0
    .byte 0x16, 7               /* DW_CFA_val_expression rsp */
    .uleb128 2f - 1f
1:  .byte 0x77, 8               /* DW_OP_breg7 8 */
2:  .byte 0x10, 16              /* DW_CFA_expression: where the return address is */
    .uleb128 4f - 3f
3:  .byte 0x80, 0x7f            /* DW_OP_breg16 -1 */
    .byte 0x03                  /* DW_OP_addr */
    .quad up_return_passed
    .byte 0x1c                  /* minus */
    .byte 0x33, 0x24            /* lit3, shl */
    .byte 0x03                  /* DW_OP_addr */
    .quad up_return_shadow
    .byte 0x22                  /* plus */
4:  .balign 8, 0
.Lfde_passed_end:

.Lfde_leave:
    .long .Lfde_leave_end - .Lfde_leave_body
.Lfde_leave_body:
    .long .Lfde_leave_body - .Lcie
    .long leave - .
    .long .Lleave_end - leave
    .uleb128 0
    /* The caller's rsp is the CFA; MARK + slot lies at CFA-8, where the address will be. */
    .byte 0x10, 16              /* DW_CFA_expression rip; the CFA is on the stack of the expression */
    .uleb128 6f - 5f
5:  .byte 0x38, 0x1c            /* lit8, minus */
    .byte 0x94, 2               /* DW_OP_deref_size 2 */
    .byte 0x33, 0x24            /* lit3, shl */
    .byte 0x03
    .quad up_return_shadow
    .byte 0x22                  /* plus */
6:  .byte 0x02, .Lpushed_rbp - leave            /* DW_CFA_advance_loc1 */
    .byte 0x0e, 16                              /* def_cfa_offset 16 */
    .byte 0x86, 2                               /* rbp at CFA-16 */
    .byte 0x02, .Lset_rbp - .Lpushed_rbp
    .byte 0x0d, 6                               /* def_cfa_register rbp */
    .byte 0x02, .Lkept_address - .Lset_rbp
    .byte 0x90, 3                               /* rip at CFA-24 */
    .byte 0x02, .Lhave_address - .Lkept_address
    .byte 0x90, 1                               /* rip at CFA-8 */
    .byte 0x02, .Lpopped_rbp - .Lhave_address
    .byte 0x0c, 7, 8                            /* def_cfa rsp+8 */
    .byte 0xc6                                  /* restore rbp */
    .byte 0x02, .Lpopped_address - .Lpopped_rbp
    .byte 0x0e, 0                               /* def_cfa_offset 0: the address lies in the red zone */
    .balign 8, 0
.Lfde_leave_end:

    .section .note.GNU-stack, "", @progbits
