/* What tells Go's code from other
 * -------------------------------
 * The head of Go's table of functions and the module data that point to it, in both layouts (GoCode.java), and one function in and one outside their
 * range. Of LAYOUT_unknown the module data has some other layout. */
    .section .data.rel.ro, "aw"
    .balign 32
pc_header:
#if defined LAYOUT_old
    .long 0xfffffffb
    .set PCS, 80
#else
    .long 0xfffffff1
    .set PCS, 160
#endif
    .byte 0, 0, 1, 8
    .quad 1

    .data
    .balign 32
    .quad pc_header, 1, 2, 3            /* the same pointer elsewhere, with what is no range of code behind it */
    .fill PCS
module_data:
    .quad pc_header
#if !defined LAYOUT_unknown
    .fill PCS - 8
    .quad odd_go_walked, odd_go_walked_end
#endif
    .fill PCS

    .text
    .balign 16
    .globl odd_go_walked
    .type odd_go_walked, @function
odd_go_walked:
    push %rbp
    mov %rsp, %rbp
    lea 1(%rdi), %rax
    pop %rbp
    ret
    .size odd_go_walked, . - odd_go_walked
odd_go_walked_end:

    .balign 16
    .globl odd_go_exported
    .type odd_go_exported, @function
odd_go_exported:
    push %rbp
    lea 2(%rdi), %rax
    pop %rbp
    ret
    .size odd_go_exported, . - odd_go_exported

    .section .note.GNU-stack, "", @progbits
