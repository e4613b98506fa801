/* Functions whose loop begins at their first instruction, as gcc makes of `while (p->next) p = p->next;`: each iteration comes by a probe at the entry.
 *
 * odd_loop_sum(n, sum)         n iterations; sum + n + .. + 1
 * odd_loop_tree(n)             calls itself in its loop: 2^n calls
 * odd_loop_there(n, turns)     n iterations, then jumps to odd_loop_back, which jumps to it until the turns are done; so many calls of each */
    .text
    .globl odd_loop_sum, odd_loop_tree, odd_loop_there, odd_loop_back
    .type odd_loop_sum, @function
    .type odd_loop_tree, @function
    .type odd_loop_there, @function
    .type odd_loop_back, @function
odd_loop_sum:
.Lsum:
    add %rdi, %rsi
    sub $1, %rdi
    jnz .Lsum
    mov %rsi, %rax
    ret
    .size odd_loop_sum, . - odd_loop_sum
odd_loop_tree:
.Ltree:
    test %rdi, %rdi
    jz 1f
    push %rdi
    sub $1, %rdi
    call .Ltree
    pop %rdi
    sub $1, %rdi
    jmp .Ltree
1:  mov $7, %eax
    ret
    .size odd_loop_tree, . - odd_loop_tree
odd_loop_there:
.Lthere:
    sub $1, %rdi
    jg .Lthere
    mov $3, %edi
    jmp .Lback
    .size odd_loop_there, . - odd_loop_there
odd_loop_back:
.Lback:
    sub $1, %rsi
    jg .Lthere
    mov $5, %eax
    ret
    .size odd_loop_back, . - odd_loop_back
    .section .note.GNU-stack, "", @progbits
