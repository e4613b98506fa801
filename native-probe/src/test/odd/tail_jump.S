/* A function that ends with a jump to another: both return through the same word, so both wait for the same return. odd_tail_first(x) = 10x + 7.
 * And two that jump to each other until rdi is 0: the number of waiting entries must not grow with their number. */
    .text
    .globl odd_tail_first, odd_tail_second, odd_ping, odd_pong
    .type odd_tail_first, @function
    .type odd_tail_second, @function
    .type odd_ping, @function
    .type odd_pong, @function
odd_tail_first:
    lea (%rdi,%rdi,4), %rdi
    jmp .Lsecond
    .size odd_tail_first, . - odd_tail_first
odd_tail_second:
.Lsecond:
    lea 7(%rdi,%rdi), %rax
    ret
    .size odd_tail_second, . - odd_tail_second
odd_ping:
.Lping:
    mov $1, %eax
    sub $1, %rdi
    jg .Lpong
    ret
    .size odd_ping, . - odd_ping
odd_pong:
.Lpong:
    mov $2, %eax
    sub $1, %rdi
    jg .Lping
    ret
    .size odd_pong, . - odd_pong
    .section .note.GNU-stack, "", @progbits
