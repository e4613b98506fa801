/* Two libraries of one layout whose functions differ in their first instruction already: one takes the place of the other. */
#define ODD __attribute__((noipa, visibility("default")))

#ifdef VARIANT_a
ODD long odd_variant(long n);
__asm__(".text; .balign 64; .globl odd_variant; .type odd_variant, @function\n"
        "odd_variant: lea 1(%rdi), %rax; ret\n"
        ".size odd_variant, 64; .balign 64");
#else
ODD long odd_variant(long n);
__asm__(".text; .balign 64; .globl odd_variant; .type odd_variant, @function\n"
        "odd_variant: lea (%rdi,%rdi,2), %rax; add $2000, %rax; ret\n"
        ".size odd_variant, 64; .balign 64");
#endif
