/* odd_registers(in, out): loads every general register but rsp from in[] (numbering of the SDM; in[4] is unused), comes by one instruction that
 * changes nothing, and stores all of them to out[]; out[4] is rsp as it was there, out[16] the flags, out[17..32] the red zone.
 * The offset of that instruction is in odd_registers_site, and that of the `ret` in odd_registers_ret: labels count, not people. */
    .text
    .globl odd_registers
    .type odd_registers, @function
odd_registers:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, saved(%rip)
    mov %rsi, out(%rip)
    sub $256, %rsp
    mov %rdi, %rax
    /* red zone: 16 words that only we know */
    .set i, 1
    .rept 16
    movabs $(0x5ea0000000000000 + i), %rcx
    mov %rcx, -8*i(%rsp)
    .set i, i+1
    .endr
    mov 8(%rax), %rcx
    mov 16(%rax), %rdx
    mov 24(%rax), %rbx
    mov 40(%rax), %rbp
    mov 48(%rax), %rsi
    mov 56(%rax), %rdi
    mov 64(%rax), %r8
    mov 72(%rax), %r9
    mov 80(%rax), %r10
    mov 88(%rax), %r11
    mov 96(%rax), %r12
    mov 104(%rax), %r13
    mov 112(%rax), %r14
    mov 120(%rax), %r15
    mov 0(%rax), %rax
    stc                         /* CF, with ZF and the rest from the last arithmetic */
.Lsite:
    lea 0(%rbx), %rbx           /* no flags, no change */
.Lafter:
    mov %rax, scratch(%rip)
    mov out(%rip), %rax
    mov %rcx, 8(%rax)
    mov %rdx, 16(%rax)
    mov %rbx, 24(%rax)
    mov %rsp, 32(%rax)
    mov %rbp, 40(%rax)
    mov %rsi, 48(%rax)
    mov %rdi, 56(%rax)
    mov %r8, 64(%rax)
    mov %r9, 72(%rax)
    mov %r10, 80(%rax)
    mov %r11, 88(%rax)
    mov %r12, 96(%rax)
    mov %r13, 104(%rax)
    mov %r14, 112(%rax)
    mov %r15, 120(%rax)
    mov scratch(%rip), %rcx
    mov %rcx, 0(%rax)
    .set i, 1
    .rept 16
    mov -8*i(%rsp), %rcx
    mov %rcx, 8*(16+i)(%rax)
    .set i, i+1
    .endr
    pushf
    pop 128(%rax)
    mov saved(%rip), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
.Lret:
    ret
    .size odd_registers, . - odd_registers

    .bss
    .balign 8
saved: .zero 8
out: .zero 8
scratch: .zero 8

    .data
    .balign 8
    .globl odd_registers_site, odd_registers_ret
    .type odd_registers_site, @object
    .type odd_registers_ret, @object
    .size odd_registers_site, 8
    .size odd_registers_ret, 8
odd_registers_site: .quad .Lsite - odd_registers
odd_registers_ret: .quad .Lret - odd_registers
    .section .note.GNU-stack, "", @progbits
