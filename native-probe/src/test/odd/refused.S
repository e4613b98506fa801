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
    odd odd_nothing
    ret
    end odd_nothing
    odd odd_five_bytes          /* +1 lies inside the instruction */
    mov $0x11223344, %eax
    ret
    end odd_five_bytes
    .section .note.GNU-stack, "", @progbits
