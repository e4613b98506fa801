/* odd_state(in, out, mask): loads x87, xmm, ymm, opmask and zmm from the XSAVE area `in`, calls odd_state_leaf, which is probed at its entry, in its
 * middle and at its return, and saves them to `out`. Only the parts in mask (SDM vol. 1, 13.1: XCR0 bits) are loaded and saved. Returns the general
 * registers that differ, a bit each: before the call they hold patterns. The leaf changes nothing. */
    .text
    .globl odd_state, odd_state_leaf
    .type odd_state, @function
    .type odd_state_leaf, @function
odd_state_leaf:
    lea 0(%rsi), %rsi
.Lmiddle:
    xchg %ax, %ax
    ret
    .size odd_state_leaf, . - odd_state_leaf

odd_state:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rsi                   /* 8: out */
    push %rdx                   /* 0: mask */
    mov %edx, %eax
    xor %edx, %edx
    xrstor64 (%rdi)
    .macro each_register what
    \what 0xa1, %rbx
    \what 0xa2, %rcx
    \what 0xa3, %rdx
    \what 0xa4, %rbp
    \what 0xa5, %rsi
    \what 0xa6, %rdi
    \what 0xa7, %r8
    \what 0xa8, %r9
    \what 0xa9, %r10
    \what 0xaa, %r11
    \what 0xab, %r12
    \what 0xac, %r13
    \what 0xad, %r14
    \what 0xae, %r15
    \what 0xaf, %rax
    .endm
    .macro load pattern, register
    movabs $(\pattern * 0x0101010101010101 & 0x7fffffffffffffff), \register
    .endm
    each_register load
    call .Lleaf
    /* compare on the stack: no register is spare */
    push $0
    .set n, 0
    .macro compare pattern, register
    push \register
    movabs $(\pattern * 0x0101010101010101 & 0x7fffffffffffffff), \register
    cmp \register, (%rsp)
    lea 8(%rsp), %rsp           /* flags are kept */
    je 1f
    orl $(1 << n), (%rsp)
1:  .set n, n+1
    .endm
    each_register compare
    pop %rbx
    pop %rax
    pop %rsi
    xor %edx, %edx
    xsave64 (%rsi)
    mov %ebx, %eax
    fninit
    pushq $0x1f80               /* the psABI's initial mxcsr */
    ldmxcsr (%rsp)
    pop %rcx
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size odd_state, . - odd_state
    .set .Lleaf, odd_state_leaf

    .data
    .balign 8
    .globl odd_state_middle
    .type odd_state_middle, @object
    .size odd_state_middle, 8
odd_state_middle: .quad .Lmiddle - odd_state_leaf
    .section .note.GNU-stack, "", @progbits
