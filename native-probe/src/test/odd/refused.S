/* First instructions that can not be displaced, or are none. None of these functions is ever called. */
    .macro odd name
    .globl \name
    .type \name, @function
\name:
    .endm
    .macro end name
    .size \name, . - \name
    .endm
    .text
    odd odd_int3                /* a breakpoint of somebody's is already there */
    int3
    ret
    end odd_int3
    odd odd_ud2
    ud2
    end odd_ud2
    odd odd_hlt
    hlt
    ret
    end odd_hlt
    odd odd_no_instruction
    .byte 0x06                  /* push es: not in 64-bit mode */
    ret
    end odd_no_instruction
    odd odd_calls_first
    call odd_nothing@PLT
    ret
    end odd_calls_first
    odd odd_syscalls_first
    syscall
    ret
    end odd_syscalls_first
    odd odd_loops_first
1:  loop 1b
    ret
    end odd_loops_first
    odd odd_begins_transaction
    xbegin 1f
1:  ret
    end odd_begins_transaction
    odd odd_table_in_text       /* +0: jumps over the table; +7: behind the jump, the table from +10 on */
    lea 1f(%rip), %rax
    jmp *%rax
    nop
1:  .quad 0x1706000000000001, 0x0606060606060606
    ret
    end odd_table_in_text
    /* They look at their return address; the last one only at its argument on the stack. */
    odd odd_reads_return
    mov (%rsp), %rax
    ret
    end odd_reads_return
    odd odd_reads_return_later
    push %rbx
    sub $32, %rsp
    test %edi, %edi
    je 1f
    mov 40(%rsp), %rax
1:  add $32, %rsp
    pop %rbx
    ret
    end odd_reads_return_later
    odd odd_reads_return_framed
    push %rbp
    mov %rsp, %rbp
    mov 8(%rbp), %rax
    pop %rbp
    ret
    end odd_reads_return_framed
    odd odd_pops_return
    pop %rdx
    jmp *%rdx
    end odd_pops_return
    odd odd_reads_stack_argument
    push %rbx
    mov 16(%rsp), %rax
    mov (%rsp), %rbx
    pop %rbx
    ret
    end odd_reads_stack_argument
    /* A fence on top of the stack, and the other that compilers write: the return address stays what it is. */
    odd odd_fences_first
    lock addl $0, (%rsp)
    lock orq $0, (%rsp)
    lea (%rdi,%rdi,2), %rax
    ret
    end odd_fences_first
    odd odd_adds_to_return      /* by nothing that counts as a fence */
    lock addl $0, 4(%rsp)
    addl $1, (%rsp)
    subl $1, (%rsp)
    ret
    end odd_adds_to_return
    /* A part that the compiler moved away: the return address lies deeper. */
    odd odd_moved_part
    .cfi_startproc
    .cfi_def_cfa_offset 32
    add $24, %rsp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    end odd_moved_part
    .type odd_whole.cold, @function
odd_whole.cold:
    ret
    .size odd_whole.cold, . - odd_whole.cold
    odd odd_restartable         /* +3 up to +6 is a restartable sequence, +6 its end */
    nopl (%rax)
1:  mov (%rdi), %rax
2:  ret
3:  ret                         /* where it would be aborted */
    end odd_restartable
    .section __rseq_cs, "aw"
    .balign 32
4:  .long 0, 0
    .quad 1b, 2b - 1b, 3b
    .section __rseq_cs_ptr_array, "aw"
    .quad 4b
    .text
    odd odd_nothing
    ret
    end odd_nothing
    odd odd_five_bytes          /* +1 lies inside the instruction */
    mov $0x11223344, %eax
    ret
    end odd_five_bytes
    .section .note.GNU-stack, "", @progbits
