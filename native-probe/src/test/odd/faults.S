/* Instructions that may fault, first in their functions: a probe displaces them, and a handler must see the fault as if it had not. */
    .text
    .globl odd_load, odd_divide, odd_divide_at
    .type odd_load, @function
    .type odd_divide, @function
odd_load:
    mov (%rdi), %rax            /* three bytes, as odd_skip in signals.c knows */
    ret
    .size odd_load, . - odd_load

odd_divide:
    mov %rdi, %rax
    cqto
.Ldivide:
    idiv %rsi                   /* three bytes */
    ret
    .size odd_divide, . - odd_divide

    .section .rodata
    .balign 8
odd_divide_at:
    .quad .Ldivide - odd_divide
    .section .note.GNU-stack, "", @progbits
