/* One function for each kind of displaced instruction, at its very start; each returns what says that it did its work elsewhere. */
    .macro odd name
    .globl \name
    .type \name, @function
\name:
    .endm
    .macro end name
    .size \name, . - \name
    .endm
    .text
    odd odd_reads_rip           /* rip-relative load; 0x7e57 */
    mov number(%rip), %rax
    ret
    end odd_reads_rip
    odd odd_takes_rip           /* rip-relative address: of itself */
2:  lea 2b(%rip), %rax
    ret
    end odd_takes_rip
    odd odd_jumps_short         /* eb rel8; 11 */
    jmp 1f
    mov $99, %eax
    ret
1:  mov $11, %eax
    ret
    end odd_jumps_short
    odd odd_jumps_near          /* e9 rel32; 12 */
    .byte 0xe9
    .long 1f - . - 4
    mov $99, %eax
    ret
1:  mov $12, %eax
    ret
    end odd_jumps_near
    odd odd_branches_short      /* 7x rel8 as the second instruction, probed at +4; rdi == 5 ? 13 : 14 */
    cmp $5, %rdi
    je 1f
    mov $14, %eax
    ret
1:  mov $13, %eax
    ret
    end odd_branches_short
    odd odd_branches_near       /* 0f 8x rel32 at +4; rdi < 5 ? 15 : 16 */
    cmp $5, %rdi
    .byte 0x0f, 0x8c
    .long 1f - . - 4
    mov $16, %eax
    ret
1:  mov $15, %eax
    ret
    end odd_branches_near
    odd odd_jumps_indirect      /* ff e0 at +7; 17 */
    lea 1f(%rip), %rax
    jmp *%rax
    hlt
1:  mov $17, %eax
    ret
    end odd_jumps_indirect
    odd odd_jumps_through_memory /* ff 25 rel32, as in a PLT entry; 18 */
    jmp *pointer(%rip)
    hlt
.Leighteen:
    mov $18, %eax
    ret
    end odd_jumps_through_memory
    odd odd_endbr               /* f3 0f 1e fa; 19 */
    endbr64
    mov $19, %eax
    ret
    end odd_endbr
    odd odd_only_returns        /* c3 at once: eax as the caller had it */
    ret
    end odd_only_returns
    odd odd_pushes_rsp          /* 54: the value before the push; 20 if so */
    push %rsp
    pop %rax
    cmp %rsp, %rax
    mov $20, %eax
    je 1f
    mov $99, %eax
1:  ret
    end odd_pushes_rsp
    odd odd_returns_plainly     /* rep ret: f3 c3; 21 at +5 */
    mov $21, %eax
    rep ret
    end odd_returns_plainly
    odd odd_compares_rip        /* rip-relative with an immediate behind the displacement; number == 0x7e57 ? 22 : 99 */
    cmpl $0x7e57, number(%rip)
    mov $22, %eax
    je 1f
    mov $99, %eax
1:  ret
    end odd_compares_rip
    .data
    .balign 8
number: .quad 0x7e57
pointer: .quad .Leighteen
    .section .note.GNU-stack, "", @progbits
