/* BoringSSL's workload: big numbers and elliptic curves, below the keys that are made of them. */
#include "tls.h"

#include <string.h>

static uint8_t bytes[1024];

static void *number(size_t length, int seed)
{
    return GET(BN_bin2bn, tls_data + 17 * seed, length, NULL);
}

static void note_number(const void *n)
{
    char *hex = GET(BN_bn2hex, n);
    exam_note_text(hex);
    CALL(OPENSSL_free, hex);
}

static void arithmetic(void *ctx, size_t length)
{
    void *a = number(length, 1), *b = number(length - length / 3, 2), *m = number(length, 3), *r = GET(BN_new), *q = GET(BN_new);
    CALL(BN_set_bit, m, 0);
#define SHOW(function, ...) do { NOTE(function, __VA_ARGS__); note_number(r); } while (0)
    SHOW(BN_add, r, a, b);
    SHOW(BN_sub, r, b, a);
    SHOW(BN_mul, r, a, b, ctx);
    SHOW(BN_mul, r, a, a, ctx);
    SHOW(BN_sqr, r, a, ctx);
    SHOW(BN_div, r, q, a, b, ctx);
    SHOW(BN_gcd, r, a, b, ctx);
    SHOW(BN_nnmod, r, a, b, ctx);
    SHOW(BN_mod_add, r, a, b, m, ctx);
    SHOW(BN_mod_sub, r, b, a, m, ctx);
    SHOW(BN_mod_mul, r, a, b, m, ctx);
    SHOW(BN_mod_sqr, r, a, m, ctx);
    SHOW(BN_mod_lshift, r, b, 9, m, ctx);
    SHOW(BN_mod_lshift1, r, b, m, ctx);
    CALL(BN_nnmod, a, a, m, ctx);
    CALL(BN_nnmod, b, b, m, ctx);
    SHOW(BN_mod_add_quick, r, a, b, m);
    SHOW(BN_mod_sub_quick, r, b, a, m);
    SHOW(BN_mod_lshift_quick, r, b, 3, m);
    SHOW(BN_mod_lshift1_quick, r, b, m);
    CALL(BN_mod_inverse, r, a, m, ctx);
    note_number(r);
    int no_inverse = 0;
    SHOW(BN_mod_inverse_odd, r, &no_inverse, a, m, ctx);
    CALL(BN_clear_bit, q, 0);
    CALL(BN_set_bit, q, 200);
    CALL(BN_nnmod, a, a, q, ctx);
    CALL(BN_mod_inverse, r, a, q, ctx);
    note_number(r);
    SHOW(bn_mod_inverse_consttime, r, &no_inverse, a, m, ctx);
    SHOW(bn_lcm_consttime, r, a, b, ctx);
    int prime_to = 0;
    NOTE(bn_is_relatively_prime, &prime_to, a, m, ctx);
    exam_note_word((uint64_t)prime_to);
    SHOW(BN_lshift, r, a, 77);
    SHOW(BN_rshift, r, a, 33);
    SHOW(BN_lshift1, r, a);
    SHOW(BN_rshift1, r, a);
    SHOW(BN_sqrt, r, a, ctx);
    SHOW(BN_mod_pow2, r, a, (size_t)70);
    CALL(BN_set_negative, a, 1);
    SHOW(BN_nnmod_pow2, r, a, (size_t)70);
    SHOW(BN_add, r, a, b);
    SHOW(BN_sub, r, a, b);
    SHOW(BN_sub, r, b, a);
    CALL(BN_set_negative, a, 0);
    CALL(BN_mask_bits, a, 40);
    CALL(BN_copy, r, a);
    note_number(r);
    exam_note_word((uint64_t)CALL(BN_mod_word, b, 65537ul));
    exam_note_word((uint64_t)CALL(BN_div_word, b, 1000003ul));
    exam_note_word((uint64_t)(unsigned)CALL(bn_mod_u16_consttime, b, (unsigned)251));
    for (int word = 0; word < 3; word++) {
        SHOW(BN_set_word, r, 0ul);
        SHOW(BN_add_word, r, word * 7ul);
        SHOW(BN_sub_word, r, 9ul);
        SHOW(BN_mul_word, r, 0xfffffffffffffff1ul);
        SHOW(BN_add_word, r, 0xfffffffffffffff1ul);
    }
    exam_note_word((uint64_t)(int)CALL(bn_jacobi, b, m, ctx));
    exam_note_word((uint64_t)(unsigned)CALL(BN_count_low_zero_bits, a));
    NOTE(BN_equal_consttime, a, b);
    NOTE(BN_is_pow2, a);
    NOTE(BN_is_word, a, 3ul);
    NOTE(BN_abs_is_word, a, 3ul);
    NOTE(BN_is_one, a);
    NOTE(BN_is_zero, a);
    exam_note_word((uint64_t)CALL(BN_get_word, b));
    uint64_t u = 0;
    NOTE(BN_get_u64, b, &u);
    void *copy = GET(BN_dup, b);
    CALL(BN_clear, copy);
    CALL(BN_clear_free, copy);
    CALL(BN_free, a);
    CALL(BN_free, b);
    CALL(BN_free, m);
    CALL(BN_free, r);
    CALL(BN_free, q);
}

static void powers(void *ctx, size_t length)
{
    void *a = number(length - 1, 1), *e = number((size_t)5, 2), *m = number(length, 3), *r = GET(BN_new);
    CALL(BN_set_bit, m, 0);
    void *mont = GET(BN_MONT_CTX_new_for_modulus, m, ctx), *secret = GET(BN_MONT_CTX_new_consttime, m, ctx), *other = GET(BN_MONT_CTX_new);
    CALL(BN_MONT_CTX_copy, other, mont);
    NOTE(BN_MONT_CTX_set, other, m, ctx);
    SHOW(BN_mod_exp, r, a, e, m, ctx);
    SHOW(BN_mod_exp_mont, r, a, e, m, ctx, mont);
    SHOW(BN_mod_exp_mont_consttime, r, a, e, m, ctx, secret);
    SHOW(BN_mod_exp_mont_word, r, 3ul, e, m, ctx, mont);
    SHOW(BN_mod_exp2_mont, r, a, e, a, e, m, ctx, mont);
    SHOW(BN_to_montgomery, r, a, mont, ctx);
    SHOW(BN_mod_mul_montgomery, r, r, r, mont, ctx);
    SHOW(BN_from_montgomery, r, r, mont, ctx);
    CALL(BN_clear_bit, m, 0);
    CALL(BN_set_word, e, 5ul);
    SHOW(BN_mod_exp, r, a, e, m, ctx);
    SHOW(BN_exp, r, a, e, ctx);
    CALL(BN_MONT_CTX_free, mont);
    CALL(BN_MONT_CTX_free, secret);
    CALL(BN_MONT_CTX_free, other);
    CALL(BN_free, a);
    CALL(BN_free, e);
    CALL(BN_free, m);
    CALL(BN_free, r);
}

/* The parts of RSAZ_1024_mod_exp_avx2, whose exponent has always 1024 bits: numbers of 16 words, and of 40 with 29 bits in each while it works. */
static void vectors_of_29_bits(void)
{
    static uint64_t table[32 * 18] __attribute__((aligned(64))), a[40] __attribute__((aligned(64))), b[40] __attribute__((aligned(64)));
    static uint64_t m[40] __attribute__((aligned(64))), words[16] __attribute__((aligned(64)));
    uint64_t k = 0x123456789abcdef1;
    memcpy(words, tls_data, sizeof words);
    words[0] |= 1;
    CALL(rsaz_1024_norm2red_avx2, m, words);
    memcpy(words, tls_data + 200, sizeof words);
    CALL(rsaz_1024_norm2red_avx2, a, words);
    CALL(rsaz_1024_mul_avx2, b, a, a, m, k);
    CALL(rsaz_1024_sqr_avx2, a, b, m, k, 3);
    CALL(rsaz_1024_scatter5_avx2, table, a, 5);
    CALL(rsaz_1024_gather5_avx2, b, table, 5);
    CALL(rsaz_1024_red2norm_avx2, words, b);
    exam_note(words, sizeof words);
}

/* A prime needs some thirty rounds, each an exponentiation: the search is ended by its callback after the first of them. */
static int one_round(int event, int n, void *callback)
{
    (void)callback;
    exam_note_word((uint64_t)event);
    return event != 1 /* BN_GENCB_PRIME_TEST */ || n < 1;
}

static void primes(void *ctx)
{
    void *p = GET(BN_new), *r = GET(BN_new), *add = GET(BN_new), *rem = GET(BN_new), *callback = GET(BN_GENCB_new), *rsa = GET(RSA_new);
    CALL(BN_GENCB_set, callback, one_round, NULL);
    NOTE(BN_generate_prime_ex, p, 20, 0, NULL, NULL, callback);
    note_number(p);
    NOTE(BN_is_prime_fasttest_ex, p, 1, ctx, 1, callback);
    CALL(BN_set_word, add, 12ul);
    CALL(BN_set_word, rem, 5ul);
    NOTE(BN_generate_prime_ex, p, 20, 0, add, rem, callback);
    note_number(p);
    NOTE(BN_generate_prime_ex, p, 1, 0, NULL, NULL, NULL);
    CALL(BN_set_word, add, 65537ul);
    NOTE(RSA_generate_key_ex, rsa, 256, add, callback);
    NOTE(RSA_generate_key_ex, rsa, 100, add, callback);
    /* 3, 5 and 1 modulo 8, and one that is no prime: roots, where there are any. */
    static const unsigned long moduli[] = { 103, 101, 113, 119 };
    for (size_t i = 0; i < COUNT(moduli); i++) {
        CALL(BN_set_word, p, moduli[i]);
        NOTE(BN_is_prime_ex, p, 1, ctx, callback);
        int result = 0;
        if (i >= 2)
            NOTE(BN_enhanced_miller_rabin_primality_test, &result, p, 1, ctx, callback);
        exam_note_word((uint64_t)result);
        for (unsigned long square = 2; square < 5; square += 2) {
            CALL(BN_set_word, r, square);
            void *root = GET(BN_mod_sqrt, NULL, r, p, ctx);
            exam_note_word(root != NULL);
            CALL(BN_free, root);
            CALL(ERR_clear_error);
        }
    }
    NOTE(BN_rand_range, r, p);
    note_number(r);
    NOTE(BN_pseudo_rand_range, r, p);
    NOTE(BN_rand, r, 77, 1, 1);
    note_number(r);
    NOTE(BN_pseudo_rand, r, 77, -1, 0);
    NOTE(BN_rand, r, 0, 1, 1);
    CALL(BN_free, p);
    CALL(BN_free, r);
    CALL(BN_free, add);
    CALL(BN_free, rem);
    CALL(BN_GENCB_free, callback);
    CALL(RSA_free, rsa);
}

static void texts(void)
{
    static const char *const written[] = { "0", "-12345678901234567890123456789", "0xfeedfacecafebeef0123456789", "-0X1f", "77", "junk", "" };
    void *memory = GET(BIO_new, GET(BIO_s_mem));
    for (size_t i = 0; i < COUNT(written); i++) {
        void *n = NULL;
        NOTE(BN_asc2bn, &n, written[i]);
        NOTE(BN_dec2bn, &n, written[i]);
        NOTE(BN_hex2bn, &n, written[i]);
        if (n) {
            char *decimal = GET(BN_bn2dec, n);
            exam_note_text(decimal);
            CALL(OPENSSL_free, decimal);
            note_number(n);
            NOTE(BN_print, memory, n);
            size_t length = (size_t)CALL(BN_bn2mpi, n, bytes);
            exam_note(bytes, length);
            void *again = GET(BN_mpi2bn, bytes, length, NULL);
            NOTE(BN_cmp, n, again);
            NOTE(BN_ucmp, n, again);
            NOTE(BN_bn2le_padded, bytes, (size_t)40, n);
            NOTE(BN_bn2lebinpad, n, bytes, 40);
            NOTE(BN_bn2binpad, n, bytes + 40, 40);
            NOTE(BN_bn2bin, n, bytes + 80);
            NOTE(BN_bn2bin_padded, bytes, (size_t)3, n);
            exam_note(bytes, 100);
            CALL(BN_le2bn, bytes, (size_t)40, again);
            CALL(BN_lebin2bn, bytes, (size_t)40, again);
            void *integer = GET(BN_to_ASN1_INTEGER, n, NULL);
            note_number(GET(ASN1_INTEGER_to_BN, integer, again));
            CALL(ASN1_STRING_free, integer);
            CALL(BN_free, again);
            CALL(BN_free, n);
        }
    }
    tls_note_bio(memory);
    CALL(BIO_free, memory);
    CALL(ERR_clear_error);
}

void tls_numbers(void)
{
    void *ctx = GET(BN_CTX_new);
    arithmetic(ctx, 16);
    if (tls_has_avx2())
        vectors_of_29_bits();
    powers(ctx, 128);
    tls_capabilities(TLS_NONE);
    powers(ctx, 128);
    tls_capabilities(TLS_ALL);
    for (size_t length = 64; length < 400; length += 72) {      /* multiplication has a way of its own for each of these */
        void *a = number(length, 1), *b = number(length - 4, 2), *r = GET(BN_new);
        SHOW(BN_mul, r, a, b, ctx);
        SHOW(BN_sqr, r, a, ctx);
        SHOW(BN_sqr, r, b, ctx);
        SHOW(BN_mul, r, a, a, ctx);
        CALL(BN_free, a);
        CALL(BN_free, b);
        CALL(BN_free, r);
    }
    primes(ctx);
    texts();
    CALL(BN_CTX_free, ctx);
    CALL(ERR_clear_error);
}

/* ---- curves ---- */

static void points(const void *group, void *ctx)
{
    const void *generator = GET(EC_GROUP_get0_generator, group);
    void *p = GET(EC_POINT_new, group), *q = GET(EC_POINT_new, group), *x = GET(BN_new), *y = GET(BN_new), *k = number(20, 4), *l = number(19, 5);
    NOTE(EC_POINT_mul, group, p, k, NULL, NULL, ctx);
    NOTE(EC_POINT_mul, group, q, k, p, l, ctx);
    NOTE(EC_POINT_add, group, q, q, p, ctx);
    NOTE(EC_POINT_add, group, q, q, q, ctx);
    NOTE(EC_POINT_dbl, group, q, q, ctx);
    NOTE(EC_POINT_cmp, group, p, q, ctx);
    NOTE(EC_POINT_cmp, group, p, generator, ctx);
    NOTE(EC_POINT_is_on_curve, group, q, ctx);
    NOTE(EC_POINT_get_affine_coordinates_GFp, group, q, x, y, ctx);
    note_number(x);
    NOTE(EC_POINT_set_affine_coordinates_GFp, group, p, x, y, ctx);
    NOTE(EC_POINT_set_affine_coordinates_GFp, group, p, x, x, ctx);
    for (int form = 2; form < 6; form += 2) {       /* compressed, uncompressed */
        size_t n = (size_t)CALL(EC_POINT_point2oct, group, q, form, bytes, sizeof bytes, ctx);
        exam_note(bytes, n);
        NOTE(EC_POINT_oct2point, group, p, bytes, n, ctx);
        bytes[0] ^= form == 4;
        if (form == 4)
            NOTE(EC_POINT_oct2point, group, p, bytes, n, ctx);
        uint8_t *made = NULL;
        exam_note_word((uint64_t)CALL(EC_POINT_point2buf, group, q, form, &made, ctx));
        CALL(OPENSSL_free, made);
    }
    NOTE(EC_POINT_set_compressed_coordinates_GFp, group, p, x, 1, ctx);
    NOTE(EC_POINT_invert, group, q, ctx);
    NOTE(EC_POINT_add, group, p, q, generator, ctx);
    void *copy = GET(EC_POINT_dup, p, group);
    NOTE(EC_POINT_copy, copy, q);
    NOTE(EC_POINT_set_to_infinity, group, p);
    NOTE(EC_POINT_is_at_infinity, group, p);
    NOTE(EC_POINT_get_affine_coordinates_GFp, group, p, x, y, ctx);
    NOTE(EC_POINT_dbl, group, p, p, ctx);
    NOTE(EC_POINT_add, group, p, p, q, ctx);
    NOTE(EC_GROUP_get_order, group, x, ctx);
    NOTE(EC_GROUP_get_cofactor, group, y, ctx);
    NOTE(EC_GROUP_get_curve_GFp, group, x, y, k, ctx);
    note_number(k);
    exam_note_word((uint64_t)(unsigned)CALL(EC_GROUP_get_degree, group) << 32 | (unsigned)CALL(EC_GROUP_order_bits, group));
    CALL(EC_POINT_free, p);
    CALL(EC_POINT_clear_free, q);
    CALL(EC_POINT_free, copy);
    CALL(BN_free, x);
    CALL(BN_free, y);
    CALL(BN_free, k);
    CALL(BN_free, l);
    CALL(ERR_clear_error);
}

/* What only methods of other curves use, or nobody: EC_JACOBIAN is three field elements of 72 bytes, EC_SCALAR one
 * (crypto/fipsmodule/ec/internal.h). */
struct felem { uint64_t word[9]; };
struct jacobian { struct felem x, y, z; };

static void field_methods(const void *group)
{
    struct jacobian p = { 0 }, q = { 0 }, r = { 0 };
    struct felem k = { { 0x123456789, 77, 0x1234567812345678, 5 } }, l = { { 9, 8, 7 } };
    const uint8_t *generator = GET(EC_GROUP_get0_generator, group);     /* struct ec_point_st: the group, then the jacobian */
    memcpy(&p, generator + 8, sizeof p);
    CALL(ec_GFp_mont_dbl, group, &q, &p);
    CALL(ec_GFp_mont_add, group, &q, &q, &p);
    exam_note(&q, sizeof q);
    NOTE(ec_GFp_mont_mul_public_batch, group, &r, &k, &p, &l, (size_t)1);
    exam_note(&r, sizeof r);
    NOTE(ec_GFp_mont_cmp_x_coordinate, group, &r, &k);
    NOTE(ec_GFp_simple_cmp_x_coordinate, group, &r, &k);
    uint64_t affine[36] = { 0 };
    struct jacobian two[2] = { r, q };
    NOTE(ec_GFp_mont_jacobian_to_affine_batch, group, affine, two, (size_t)2);
    exam_note(affine, sizeof affine);
    struct felem x = { { 0 } }, y = x;
    NOTE(ec_GFp_mont_point_get_affine_coordinates, group, &r, &x, &y);
    exam_note(&x, 32);
    CALL(ec_scalar_neg, group, &x, &k);
    NOTE(ec_scalar_is_zero, group, &x);
    CALL(ec_simple_scalar_inv0_montgomery, group, &x, &k);
    NOTE(ec_simple_scalar_to_montgomery_inv_vartime, group, &y, &k);
    exam_note(&x, 32);
    memcpy(&p, generator + 8, sizeof p);
    CALL(ec_GFp_nistp256_dbl, group, &q, &p);
    CALL(ec_GFp_nistp256_add, group, &q, &q, &p);
    CALL(ec_GFp_nistp256_add, group, &q, &q, &q);
    exam_note(&q, sizeof q);
    CALL(ec_GFp_nistp256_point_mul_public, group, &r, &k, &q, &l);
    exam_note(&r, sizeof r);
    NOTE(ec_GFp_nistp256_point_get_affine_coordinates, group, &r, &x, &y);
    exam_note(&x, 32);
    NOTE(ec_GFp_nistp256_cmp_x_coordinate, group, &r, &x);
}

static void own_curve(void *ctx)
{
    /* y^2 = x^3 - 3x + b over P-256's field, as a curve of unknown name. */
    void *p = GET(BN_new), *a = GET(BN_new), *b = GET(BN_new), *named = GET(EC_GROUP_new_by_curve_name, 415), *order = GET(BN_new), *x = GET(BN_new),
            *y = GET(BN_new);
    NOTE(EC_GROUP_get_curve_GFp, named, p, a, b, ctx);
    NOTE(EC_GROUP_get_order, named, order, ctx);
    NOTE(EC_POINT_get_affine_coordinates_GFp, named, GET(EC_GROUP_get0_generator, named), x, y, ctx);
    void *group = GET(EC_GROUP_new_curve_GFp, p, a, b, ctx), *generator = group ? GET(EC_POINT_new, group) : NULL;
    if (group) {
        NOTE(EC_POINT_set_affine_coordinates_GFp, group, generator, x, y, ctx);
        NOTE(EC_GROUP_set_generator, group, generator, order, GET(BN_value_one));
        NOTE(EC_GROUP_cmp, group, named, ctx);
        NOTE(EC_POINT_dbl, group, generator, generator, ctx);
        NOTE(EC_POINT_is_on_curve, group, generator, ctx);
        void *copy = GET(EC_GROUP_dup, group);
        CALL(EC_GROUP_free, copy);
        CALL(EC_POINT_free, generator);
        CALL(EC_GROUP_free, group);
    }
    CALL(BN_set_word, p, 9ul);
    exam_note_word(CALL(EC_GROUP_new_curve_GFp, p, a, b, ctx) != 0);
    CALL(BN_free, p);
    CALL(BN_free, a);
    CALL(BN_free, b);
    CALL(BN_free, order);
    CALL(BN_free, x);
    CALL(BN_free, y);
    CALL(ERR_clear_error);
}

void tls_curves(void)
{
    static const int curves[] = { 713 /* P-224 */, 415, 715, 716 /* P-521 */ };     /* the last two are too dear for more than their names */
    void *ctx = GET(BN_CTX_new);
    for (size_t c = 0; c < COUNT(curves); c++) {
        const void *group = GET(EC_GROUP_new_by_curve_name, curves[c]);
        exam_note_text((const char *)GET(EC_curve_nid2nist, curves[c]));
        if (curves[c] == 415) {
            points(group, ctx);
            field_methods(group);
            tls_capabilities(TLS_NONE);
            void *p = GET(EC_POINT_new, group), *k = number((size_t)20, 4);
            NOTE(EC_POINT_mul, group, p, k, GET(EC_GROUP_get0_generator, group), k, ctx);
            NOTE(EC_POINT_get_affine_coordinates_GFp, group, p, k, NULL, ctx);
            note_number(k);
            CALL(EC_POINT_free, p);
            CALL(BN_free, k);
            tls_capabilities(TLS_ALL);
        }
    }
    CALL(EC_GROUP_new_by_curve_name, 1);
    NOTE(EC_curve_nist2nid, "P-384");
    NOTE(EC_curve_nist2nid, "P-77");
    uint64_t builtin[16];
    exam_note_word((uint64_t)CALL(EC_get_builtin_curves, builtin, (size_t)4));
    own_curve(ctx);
    CALL(BN_CTX_free, ctx);
    CALL(ERR_clear_error);
}
