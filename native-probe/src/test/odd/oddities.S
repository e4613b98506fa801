/* One function for each oddity of displaced instructions
 * ------------------------------------------------------
 * OddityScenarios runs each with every mechanism and compares all general registers, the flags, the stack and memory with the run without a probe.
 * odd_table tells it where the sites are and which mechanisms must take them: 1 boost, 2 emulate, 4 step; 8: not by boost from a far slot.
 *
 * Functions get: rdi, rsi two buffers of 256 bytes; rcx a small number; the other registers patterns. They may change every register but rsp. */
    .set BOOST, 1
    .set EMULATE, 2
    .set STEP, 4
    .set NO_FAR_BOOST, 8

    .macro oddity name, mechanisms
    .section .rodata.names, "aMS", @progbits, 1
.Lname_\name: .asciz "\name"
    .section .data.rel.ro.table, "aw", @progbits
    .quad .Lname_\name, \name, .Lsite_\name - \name, \mechanisms
    .text
    .balign 16
    .globl \name
    .type \name, @function
\name:
    .endm
    .macro site name
.Lsite_\name:
    .endm
    .macro end name
    .size \name, . - \name
    .endm

    .section .data.rel.ro.table, "aw", @progbits
    .balign 8
    .globl odd_table
    .type odd_table, @object
odd_table:

/* odd_run(in, out, function): general registers and flags (in[16]) from in[], call, and all of them into out[]; out[4] is how far rsp moved,
 * out[17] the word below the return address's place, which pushes and calls write. */
    .text
    .globl odd_run
    .type odd_run, @function
odd_run:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    sub $8, %rsp
    mov %rsp, saved_rsp(%rip)
    mov %rsi, saved_out(%rip)
    mov %rdx, function(%rip)
    movq $0, -16(%rsp)
    mov %rdi, %rax
    pushq 128(%rax)
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
    mov (%rax), %rax
    popfq
    call *function(%rip)
    mov %rax, saved_rax(%rip)
    mov saved_out(%rip), %rax
    mov %rcx, 8(%rax)
    mov %rdx, 16(%rax)
    mov %rbx, 24(%rax)
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
    mov -16(%rsp), %rcx
    mov %rcx, 136(%rax)
    pushfq
    pop 128(%rax)
    mov saved_rax(%rip), %rcx
    mov %rcx, (%rax)
    mov saved_rsp(%rip), %rcx
    sub %rsp, %rcx
    mov %rcx, 32(%rax)
    mov saved_rsp(%rip), %rsp
    cld
    add $8, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size odd_run, . - odd_run
    .local saved_rsp, saved_out, saved_rax, function
    .comm saved_rsp, 8, 8
    .comm saved_out, 8, 8
    .comm saved_rax, 8, 8
    .comm function, 8, 8

/* ---- rip-relative operands ---- */
    oddity rip_load, BOOST|STEP
    site rip_load
    mov oddity_number(%rip), %rax
    ret
    end rip_load
    oddity rip_store_high_byte, BOOST|STEP          /* ah: no register but the four first can be encoded so */
    site rip_store_high_byte
    mov %ah, oddity_scratch(%rip)
    movzbl oddity_scratch(%rip), %edx
    ret
    end rip_store_high_byte
    oddity rip_compare_immediate, BOOST|STEP
    site rip_compare_immediate
    cmpl $0x7e57, oddity_number(%rip)
    ret
    end rip_compare_immediate
    oddity rip_lea, BOOST|EMULATE|STEP
    site rip_lea
    lea oddity_number(%rip), %r13
    ret
    end rip_lea
    oddity rip_lea_32, BOOST|EMULATE|STEP           /* writes 32 bits and clears the rest */
    site rip_lea_32
    lea oddity_number(%rip), %r9d
    ret
    end rip_lea_32
    oddity rip_lea_16, BOOST|STEP
    site rip_lea_16
    lea oddity_number(%rip), %bx
    ret
    end rip_lea_16
    oddity rip_lea_itself, BOOST|EMULATE|STEP
    site rip_lea_itself
1:  lea 1b(%rip), %rax
    ret
    end rip_lea_itself
    oddity rip_push, BOOST|STEP|NO_FAR_BOOST
    site rip_push
    push oddity_number(%rip)
    pop %r8
    ret
    end rip_push
    oddity rip_pop, BOOST|STEP|NO_FAR_BOOST
    push %r11
    site rip_pop
    pop oddity_scratch(%rip)
    mov oddity_scratch(%rip), %rdx
    ret
    end rip_pop
    oddity rip_compare_rsp, BOOST|STEP|NO_FAR_BOOST
    mov %rsp, oddity_stack(%rip)                    /* whose low bits, and so PF, would depend on how deep the caller is */
    and $-4096, %rsp
    site rip_compare_rsp
    cmp oddity_number(%rip), %rsp
    mov oddity_stack(%rip), %rsp
    ret
    end rip_compare_rsp
    oddity rip_cmpxchg16b, BOOST|STEP               /* rax, rbx, rcx, rdx are all its own */
    movq $0, oddity_sixteen(%rip)
    movq $0, 8+oddity_sixteen(%rip)
    xor %eax, %eax
    xor %edx, %edx
    site rip_cmpxchg16b
    lock cmpxchg16b oddity_sixteen(%rip)
    mov oddity_sixteen(%rip), %r8
    ret
    end rip_cmpxchg16b
    oddity rip_vex2, BOOST|STEP
    site rip_vex2
    vmovups oddity_sixteen(%rip), %xmm3
    vmovq %xmm3, %rax
    ret
    end rip_vex2
    oddity rip_vex3, BOOST|STEP                     /* blsr writes its VEX.vvvv register */
    site rip_vex3
    blsr oddity_number(%rip), %rsi
    ret
    end rip_vex3
    oddity rip_fsgsbase_like_segment, BOOST|STEP    /* a segment override before rip-relative: ds is ignored */
    site rip_fsgsbase_like_segment
    .byte 0x3e
    mov oddity_number(%rip), %rax
    ret
    end rip_fsgsbase_like_segment
    oddity rip_rex_with_b, BOOST|STEP               /* REX.B set, which rip ignores: it must not name r8..r15 afterwards */
    site rip_rex_with_b
    .byte 0x49, 0x8b, 0x05
    .long oddity_number - . - 4
    ret
    end rip_rex_with_b
    oddity rip_x87, BOOST|STEP
    site rip_x87
    fldl oddity_number(%rip)
    fstpl (%rdi)
    ret
    end rip_x87
    oddity rip_jump_through, BOOST|STEP|NO_FAR_BOOST
    site rip_jump_through
    jmp *oddity_pointer(%rip)
    hlt
    end rip_jump_through

/* ---- calls ---- */
    oddity call_near, BOOST|EMULATE|STEP            /* the callee sees the original's return address */
    site call_near
    call odd_returns_its_caller
    ret
    end call_near
    oddity call_with_padding, BOOST|EMULATE|STEP    /* as a TLS sequence begins its call: data16, rex.W */
    site call_with_padding
    .byte 0x66, 0x66, 0x48, 0xe8
    .long odd_returns_its_caller - . - 4
    ret
    end call_with_padding
    oddity call_register, BOOST|EMULATE|STEP
    lea odd_returns_its_caller(%rip), %r14
    site call_register
    call *%r14
    ret
    end call_register
    oddity call_notrack, BOOST|EMULATE|STEP
    lea odd_returns_its_caller(%rip), %rbx
    site call_notrack
    notrack call *%rbx
    ret
    end call_notrack
    oddity call_memory, BOOST|STEP
    lea oddity_pointer_to_caller(%rip), %r12
    site call_memory
    call *(%r12)
    ret
    end call_memory
    oddity call_rip_memory, BOOST|STEP|NO_FAR_BOOST
    site call_rip_memory
    call *oddity_pointer_to_caller(%rip)
    ret
    end call_rip_memory
    oddity call_stack, BOOST|STEP                   /* operand counted from rsp, before the push */
    push oddity_pointer_to_caller(%rip)
    site call_stack
    call *(%rsp)
    pop %rdx
    ret
    end call_stack
    oddity call_stack_disp8, BOOST|STEP
    push oddity_pointer_to_caller(%rip)
    push %rbx
    site call_stack_disp8
    call *8(%rsp)
    pop %rdx
    pop %rdx
    ret
    end call_stack_disp8
    oddity call_stack_disp8_full, BOOST|STEP        /* 124 + 8 needs a longer displacement */
    lea -136(%rsp), %rsp
    mov oddity_pointer_to_caller(%rip), %rax
    mov %rax, 124(%rsp)
    site call_stack_disp8_full
    call *124(%rsp)
    lea 136(%rsp), %rsp                          /* flags of an addition would depend on how deep the caller is */
    ret
    end call_stack_disp8_full
    oddity call_stack_indexed, BOOST|STEP
    lea -136(%rsp), %rsp
    mov oddity_pointer_to_caller(%rip), %rax
    mov $2, %ecx
    mov %rax, 16(%rsp)
    site call_stack_indexed
    call *(%rsp,%rcx,8)
    lea 136(%rsp), %rsp
    ret
    end call_stack_indexed
    oddity call_r12, BOOST|STEP                     /* base r12 has rsp's number with an extension bit */
    lea oddity_pointer_to_caller-8(%rip), %r12
    site call_r12
    call *8(%r12)
    ret
    end call_r12
    oddity call_rsp, EMULATE|STEP                     /* goes to the stack itself, which is not executable: probed, never run */
    jmp 1f
    site call_rsp
    call *%rsp
1:  ret
    end call_rsp
    oddity call_below_rsp, STEP
    mov oddity_pointer_to_caller(%rip), %rax
    mov %rax, -32(%rsp)
    site call_below_rsp
    call *-32(%rsp)
    ret
    end call_below_rsp

/* ---- branches ---- */
    oddity jump_short, BOOST|EMULATE|STEP
    site jump_short
    jmp 1f
    mov $99, %eax
1:  ret
    end jump_short
    oddity jump_near, BOOST|EMULATE|STEP
    site jump_near
    .byte 0xe9
    .long 1f - . - 4
    mov $99, %eax
1:  ret
    end jump_near
    oddity jump_bnd, BOOST|EMULATE|STEP
    site jump_bnd
    .byte 0xf2, 0xe9
    .long 1f - . - 4
    mov $99, %eax
1:  ret
    end jump_bnd
    oddity jump_register, BOOST|EMULATE|STEP
    lea 1f(%rip), %r15
    site jump_register
    jmp *%r15
    mov $99, %eax
1:  ret
    end jump_register
    oddity jump_table, BOOST|STEP
    lea oddity_pointer(%rip), %rax
    xor %ecx, %ecx
    site jump_table
    notrack jmp *(%rax,%rcx,8)
    hlt
    end jump_table
    /* Each of the sixteen conditions, in its short and its long form; the flags come from outside. */
    .irp cc, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
    oddity jump_if_\cc, BOOST|EMULATE|STEP
    site jump_if_\cc
    j\cc 1f
    mov $99, %eax
1:  ret
    end jump_if_\cc
    oddity jump_if_far_\cc, BOOST|EMULATE|STEP
    site jump_if_far_\cc
    j\cc .Lfar_\cc
    mov $99, %eax
    ret
    .zero 200, 0x90
.Lfar_\cc:
    ret
    end jump_if_far_\cc
    .endr
    oddity jump_if_hinted, BOOST|EMULATE|STEP
    site jump_if_hinted
    .byte 0x3e
    je 1f
    mov $99, %eax
1:  ret
    end jump_if_hinted
    .irp l, loop, loope, loopne, jrcxz, jecxz
    oddity \l\()_taken_or_not, BOOST|EMULATE|STEP    /* rcx comes from outside: 0, 1, more */
    site \l\()_taken_or_not
    \l 1f
    mov $99, %eax
1:  ret
    end \l\()_taken_or_not
    .endr
    oddity loop_32, BOOST|EMULATE|STEP              /* counts ecx and clears the upper half of rcx */
    site loop_32
    .byte 0x67
    loop 1f
    mov $99, %eax
1:  ret
    end loop_32
    oddity loop_many, BOOST|EMULATE|STEP
    mov $5, %ecx
1:  inc %rdx
    site loop_many
    loop 1b
    ret
    end loop_many

/* ---- the stack ---- */
    oddity push_register, BOOST|EMULATE|STEP
    site push_register
    push %r11
    pop %rax
    ret
    end push_register
    oddity push_rsp, BOOST|EMULATE|STEP             /* the value before the push */
    site push_rsp
    push %rsp
    pop %rax
    sub %rsp, %rax
    ret
    end push_rsp
    oddity pop_rsp, BOOST|EMULATE|STEP              /* the value read, not eight more */
    mov %rsp, %rdx
    push %rdx
    site pop_rsp
    pop %rsp
    ret
    end pop_rsp
    oddity push_imm8, BOOST|EMULATE|STEP            /* sign-extended */
    site push_imm8
    push $-5
    pop %rax
    ret
    end push_imm8
    oddity push_imm32, BOOST|EMULATE|STEP
    site push_imm32
    push $-0x12345678
    pop %rax
    ret
    end push_imm32
    oddity push_16, BOOST|STEP
    site push_16
    pushw %bx
    popw %ax
    ret
    end push_16
    oddity pushf_, BOOST|STEP                       /* without a trap flag of ours */
    site pushf_
    pushfq
    pop %rax
    ret
    end pushf_
    oddity popf_, BOOST|STEP
    push $0x8d7                                     /* CF PF AF ZF SF OF and the bit that is always 1 */
    site popf_
    popfq
    ret
    end popf_
    oddity leave_, BOOST|EMULATE|STEP
    push %rbp
    mov %rsp, %rbp
    push %r8
    site leave_
    leave
    ret
    end leave_
    oddity enter_, BOOST|STEP
    site enter_
    enter $16, $0
    leave
    ret
    end enter_
    oddity ret_, BOOST|EMULATE|STEP
    mov $21, %eax
    site ret_
    ret
    end ret_
    oddity ret_rep, BOOST|EMULATE|STEP
    mov $21, %eax
    site ret_rep
    rep ret
    end ret_rep
    oddity ret_imm, BOOST|EMULATE|STEP              /* drops its argument */
    pop %rdx
    push %r8
    push %r9
    push %rdx
    site ret_imm
    ret $16
    end ret_imm

/* ---- other instructions whose place or restart matters ---- */
    oddity endbr, BOOST|EMULATE|STEP
    site endbr
    endbr64
    ret
    end endbr
    oddity nop_long, BOOST|EMULATE|STEP
    site nop_long
    .byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0   /* data16 cs nopw 0(rax,rax) */
    ret
    end nop_long
    oddity rep_movs, BOOST|STEP                     /* restartable: a step traps once for each element */
    mov $17, %ecx
    site rep_movs
    rep movsb
    ret
    end rep_movs
    oddity rep_stos_zero, BOOST|STEP                /* no element at all */
    xor %ecx, %ecx
    site rep_stos_zero
    rep stosq
    ret
    end rep_stos_zero
    oddity repne_scas, BOOST|STEP
    mov $100, %ecx
    xor %eax, %eax
    site repne_scas
    repne scasb
    ret
    end repne_scas
    oddity syscall_, BOOST                          /* rcx is the address behind it; getppid */
    mov $110, %eax
    site syscall_
    syscall
    xor %eax, %eax
    mov %rcx, %rdx
    ret
    end syscall_
    oddity cpuid_, BOOST|STEP
    xor %eax, %eax
    site cpuid_
    cpuid
    ret
    end cpuid_
    oddity rdtsc_, BOOST|STEP
    site rdtsc_
    rdtsc
    xor %eax, %eax
    xor %edx, %edx
    ret
    end rdtsc_
    oddity lock_xadd, BOOST|STEP
    site lock_xadd
    lock xadd %rax, 8(%rdi)
    ret
    end lock_xadd
    oddity fs_load, BOOST|STEP
    site fs_load
    mov %fs:0, %rax
    ret
    end fs_load
    oddity mov_imm64, BOOST|EMULATE|STEP
    site mov_imm64
    movabs $0x1122334455667788, %r10
    ret
    end mov_imm64
    oddity mov_imm32, BOOST|EMULATE|STEP
    site mov_imm32
    mov $0x89abcdef, %r10d
    ret
    end mov_imm32
    oddity mov_imm32_sign, BOOST|EMULATE|STEP
    site mov_imm32_sign
    mov $-2, %r10
    ret
    end mov_imm32_sign
    oddity mov_32, BOOST|EMULATE|STEP               /* clears the upper half */
    site mov_32
    mov %ebx, %r12d
    ret
    end mov_32
    oddity mov_64, BOOST|EMULATE|STEP
    site mov_64
    mov %rsp, %rax
    sub %rsp, %rax
    ret
    end mov_64
    oddity lea_full, BOOST|EMULATE|STEP
    site lea_full
    lea -0x1234(%rbx,%r13,4), %rax
    ret
    end lea_full
    oddity lea_32, BOOST|EMULATE|STEP
    site lea_32
    lea 0x77(%r8,%r9,8), %eax
    ret
    end lea_32
    oddity lea_rsp, BOOST|EMULATE|STEP
    site lea_rsp
    lea 8(%rsp), %rax
    sub %rsp, %rax
    ret
    end lea_rsp
    oddity lea_absolute, BOOST|EMULATE|STEP         /* no base, no index */
    site lea_absolute
    lea 0x12345678, %rax
    ret
    end lea_absolute
    oddity lea_index_only, BOOST|EMULATE|STEP
    site lea_index_only
    lea 0(,%r11,8), %rax
    ret
    end lea_index_only
    oddity lea_address_32, BOOST|STEP               /* addr32: the sum is cut to 32 bits */
    site lea_address_32
    lea 1(%ebx), %rax
    ret
    end lea_address_32
    oddity fifteen_bytes, BOOST|STEP                /* the longest there is */
    site fifteen_bytes
    .byte 0x2e, 0x2e, 0x66, 0x48, 0x81, 0x84, 0x27, 0, 0, 0, 0, 0x78, 0x56, 0x34, 0x12
    ret
    end fifteen_bytes
    oddity xgetbv_, BOOST|STEP
    xor %ecx, %ecx
    site xgetbv_
    xgetbv
    ret
    end xgetbv_
    oddity vzeroupper_, BOOST|STEP
    site vzeroupper_
    vzeroupper
    ret
    end vzeroupper_
    oddity adc_flags, BOOST|STEP                    /* flags in, flags out */
    site adc_flags
    adc %rbx, %rax
    ret
    end adc_flags
    oddity cmov_, BOOST|STEP
    site cmov_
    cmovl %rbx, %rax
    ret
    end cmov_
    oddity red_zone, BOOST|EMULATE|STEP
    mov %rbx, -8(%rsp)
    mov %r13, -128(%rsp)
    site red_zone
    mov %rax, %rdx
    mov -8(%rsp), %rax
    mov -128(%rsp), %r8
    ret
    end red_zone
    oddity red_zone_rip, BOOST|STEP                 /* a scratch register must not be saved there */
    mov %rbx, -8(%rsp)
    mov %r13, -128(%rsp)
    site red_zone_rip
    add oddity_number(%rip), %rdx
    mov -8(%rsp), %rax
    mov -128(%rsp), %r8
    ret
    end red_zone_rip

/* ---- across the ends of cache lines and pages ---- */
    .balign 64
    .zero 61, 0x90
    .macro straddles name
    .section .rodata.names, "aMS", @progbits, 1
.Lname_\name: .asciz "\name"
    .section .data.rel.ro.table, "aw", @progbits
    .quad .Lname_\name, \name, .Lsite_\name - \name, BOOST|STEP
    .text
    .globl \name
    .type \name, @function
\name:
    site \name
    add oddity_number(%rip), %rax
    ret
    end \name
    .endm
    straddles across_a_cache_line
    .balign 4096
    .zero 4093, 0x90
    straddles across_a_page

    .section .data.rel.ro.table, "aw", @progbits
    .quad 0
    .size odd_table, . - odd_table

    .text
    .type odd_returns_its_caller, @function
odd_returns_its_caller:         /* rax: who called */
    mov (%rsp), %rax
    ret
    .size odd_returns_its_caller, . - odd_returns_its_caller
.Leighteen:
    mov $18, %eax
    ret

    .data
    .balign 16
oddity_sixteen: .quad 0, 0
oddity_number: .quad 0x400921fb54442d18
oddity_scratch: .quad 0
oddity_stack: .quad 0
oddity_pointer: .quad .Leighteen
oddity_pointer_to_caller: .quad odd_returns_its_caller
    .section .note.GNU-stack, "", @progbits
