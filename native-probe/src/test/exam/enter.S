/* exam_return_to(stack, function, flags, xsave): calls function on this stack, with every register the same each time. The flags are the last that
 * is loaded, so that with TF among them the first step is the call itself. */
        .text
        .globl  exam_return_to
        .hidden exam_return_to
        .type   exam_return_to, @function
exam_return_to:
        push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, old_stack(%rip)
        mov     %rdi, %rsp
        mov     %rsi, function(%rip)
        push    %rdx
        mov     $0xfffffdff, %eax       /* all components but PKRU, bit 9 */
        xor     %edx, %edx
        xrstor64 (%rcx)
        xor     %eax, %eax
        xor     %ecx, %ecx
        xor     %ebx, %ebx
        xor     %esi, %esi
        xor     %edi, %edi
        xor     %ebp, %ebp
        xor     %r8d, %r8d
        xor     %r9d, %r9d
        xor     %r10d, %r10d
        xor     %r11d, %r11d
        xor     %r12d, %r12d
        xor     %r13d, %r13d
        xor     %r14d, %r14d
        xor     %r15d, %r15d
        popfq
        call    *function(%rip)
        mov     old_stack(%rip), %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret
        .size   exam_return_to, . - exam_return_to

/* The kernel's way back from a handler (rt_sigreturn), our own: libc's may be what is examined. */
        .globl  exam_restorer
        .hidden exam_restorer
        .type   exam_restorer, @function
exam_restorer:
        mov     $15, %eax
        syscall
        .size   exam_restorer, . - exam_restorer

        .local  old_stack, function
        .comm   old_stack, 8, 8
        .comm   function, 8, 8
        .section .note.GNU-stack, "", @progbits
