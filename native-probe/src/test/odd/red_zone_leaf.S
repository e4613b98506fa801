/* A leaf that keeps live data below rsp (psABI 3.2.2) across the probed instruction. odd_red_zone(x) = x + 16 words of 1..16 = x + 136. */
    .text
    .globl odd_red_zone
    .type odd_red_zone, @function
odd_red_zone:
    .set i, 1
    .rept 16
    movq $i, -8*i(%rsp)
    .set i, i+1
    .endr
.Lsite:
    mov %rdi, %rax
    .set i, 1
    .rept 16
    add -8*i(%rsp), %rax
    .set i, i+1
    .endr
    ret
    .size odd_red_zone, . - odd_red_zone
    .data
    .balign 8
    .globl odd_red_zone_site
    .type odd_red_zone_site, @object
    .size odd_red_zone_site, 8
odd_red_zone_site: .quad .Lsite - odd_red_zone
    .section .note.GNU-stack, "", @progbits
