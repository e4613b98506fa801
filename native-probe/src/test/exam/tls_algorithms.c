/* BoringSSL's workload: RSA, elliptic curves, DSA and Diffie-Hellman by their own interfaces. */
#include "tls.h"

#include <string.h>

static uint8_t out[8192], back[8192];

enum { NID_DH = 28, P256 = 415, PKCS1 = 1, NO_PADDING = 3, OAEP = 4 };

void tls_rsa(void *key)
{
    void *rsa = GET(EVP_PKEY_get1_RSA, key);
    size_t n = 0;
    unsigned length = 0;
    uint8_t digest[64];
    memcpy(digest, tls_data, 64);
    static const size_t lengths[] = { 32, 9 };      /* one is refused */
    for (size_t i = 0; i < COUNT(lengths); i++) {
        NOTE(RSA_sign, 672 /* NID_sha256 */, digest, lengths[i], out, &length, rsa);
        NOTE(RSA_verify, 672, digest + i, (size_t)32, out, (size_t)length, rsa);
    }
    static const int paddings[] = { PKCS1, OAEP, NO_PADDING };
    for (size_t i = 0; i < COUNT(paddings); i++) {
        size_t size = (size_t)CALL(RSA_size, rsa), plain = paddings[i] == NO_PADDING ? size : 30;
        NOTE(RSA_encrypt, rsa, &n, out, sizeof out, tls_data, plain, paddings[i]);
        NOTE(RSA_public_encrypt, plain, tls_data, out, rsa, paddings[i]);
        if (paddings[i] == PKCS1)
            NOTE(RSA_private_decrypt, size, out, back, rsa, paddings[i]);
        NOTE(RSA_public_decrypt, size, out, back, rsa, paddings[i]);
    }
    NOTE(RSA_sign_pss_mgf1, rsa, &n, out, sizeof out, digest, (size_t)32, GET(EVP_sha256), NULL, 20);
    for (int salt = -2; salt < 30; salt += 11)
        NOTE(RSA_verify_pss_mgf1, rsa, digest, (size_t)32, GET(EVP_sha256), NULL, salt, out, n);
    exam_note_word((uint64_t)(unsigned)CALL(RSA_bits, rsa) << 16 | (unsigned)CALL(RSA_size, rsa));
    void *copy = GET(RSAPublicKey_dup, rsa);
    CALL(RSA_free, copy);
    copy = GET(RSAPrivateKey_dup, rsa);
    CALL(RSA_free, copy);
    const void *N, *e, *d, *p, *q, *dp, *dq, *qi;
    CALL(RSA_get0_key, rsa, &N, &e, &d);
    CALL(RSA_get0_factors, rsa, &p, &q);
    CALL(RSA_get0_crt_params, rsa, &dp, &dq, &qi);
    void *forms[] = {
        GET(RSA_new_public_key, N, e), GET(RSA_new_private_key, N, e, d, p, q, dp, dq, qi), GET(RSA_new_private_key_no_crt, N, e, d),
        GET(RSA_new_private_key_no_e, N, d), GET(RSA_new_public_key_large_e, N, e),
    };
    for (size_t i = 0; i < COUNT(forms); i++) {
        tls_note(forms[i] != NULL);
        CALL(RSA_free, forms[i]);
    }
    void *empty = GET(RSA_new);
    NOTE(RSA_set0_key, empty, GET(BN_dup, N), GET(BN_dup, e), GET(BN_dup, d));
    NOTE(RSA_set0_factors, empty, GET(BN_dup, p), GET(BN_dup, q));
    NOTE(RSA_set0_crt_params, empty, GET(BN_dup, dp), GET(BN_dup, dq), GET(BN_dup, qi));
    NOTE(RSA_check_key, empty);
    CALL(RSA_free, empty);
    uint8_t *der = NULL;
    NOTE(RSA_private_key_to_bytes, &der, &n, rsa);
    for (size_t flip = 0; flip < n; flip += 231) {
        der[flip] ^= 2;
        void *read = GET(RSA_private_key_from_bytes, der, n);
        tls_note(read != NULL);
        CALL(RSA_free, read);
        der[flip] ^= 2;
    }
    CALL(OPENSSL_free, der);
    der = NULL;
    NOTE(RSA_public_key_to_bytes, &der, &n, rsa);
    CALL(RSA_free, GET(RSA_public_key_from_bytes, der, n));
    CALL(OPENSSL_free, der);
    CALL(RSA_free, rsa);
    CALL(ERR_clear_error);
}

void *tls_elliptic(int curve)
{
    void *ec = GET(EC_KEY_new_by_curve_name, curve), *peer = GET(EC_KEY_new_by_curve_name, curve), *key = GET(EVP_PKEY_new);
    uint8_t digest[64];
    memcpy(digest, tls_data + 5, 64);
    unsigned length = 0;
    uint8_t *der = NULL;
    NOTE(EC_KEY_generate_key, ec);
    void *signature = NULL;
    if (curve == P256) {
        NOTE(ECDSA_sign, 0, digest, (size_t)48, out, &length, ec);
        exam_note(out, length);
        signature = GET(ECDSA_SIG_from_bytes, out, (size_t)length);
    } else {
        NOTE(ECDH_compute_key_fips, out, (size_t)48, GET(EC_KEY_get0_public_key, ec), ec);
        exam_note(out, 48);
        signature = GET(ECDSA_do_sign, digest, (size_t)28, ec);
        NOTE(ECDSA_do_verify, digest, (size_t)28, signature, ec);
    }
    size_t n = 0;
    NOTE(ECDSA_SIG_to_bytes, &der, &n, signature);
    CALL(ECDSA_SIG_free, GET(ECDSA_SIG_from_bytes, der, n));
    tls_note_der(der, (long)n);
    NOTE_DER(i2d_ECDSA_SIG, signature);
    CALL(ECDSA_SIG_free, signature);
    exam_note_word((uint64_t)CALL(ECDSA_SIG_max_len, (size_t)66) << 16 | (uint64_t)CALL(ECDSA_size, ec));
    exam_note_word((uint64_t)CALL(EC_KEY_priv2oct, ec, out, sizeof out));
    NOTE(EC_KEY_oct2priv, peer, out, (size_t)CALL(EC_KEY_priv2oct, ec, out, sizeof out));
    der = NULL;
    n = (size_t)CALL(EC_KEY_priv2buf, ec, &der);
    tls_note_der(der, (long)n);
    der = NULL;
    n = (size_t)CALL(EC_KEY_key2buf, ec, 4, &der, NULL);
    NOTE(EC_KEY_oct2key, peer, der, n, NULL);
    tls_note_der(der, (long)n);
    long written = 0;
    for (unsigned without = 0; curve == P256 && without < 3; without++) {       /* EC_PKEY_NO_PARAMETERS, EC_PKEY_NO_PUBKEY */
        CALL(EC_KEY_set_enc_flags, ec, without);
        der = NULL;
        written = (int)CALL(i2d_ECPrivateKey, ec, &der);
        for (long flip = 0; flip < written; flip += 61) {
            const uint8_t *at = der;
            void *read = GET(d2i_ECPrivateKey, NULL, &at, written);
            tls_note(read != NULL);
            CALL(EC_KEY_free, read);
            der[flip] ^= 1;
        }
        tls_note_der(der, written);
    }
    CALL(EC_KEY_set_enc_flags, ec, 0u);
    der = NULL;
    written = (int)CALL(i2d_ECParameters, ec, &der);
    const uint8_t *at = der;
    CALL(EC_KEY_free, GET(d2i_ECParameters, NULL, &at, written));
    at = der;
    CALL(EC_GROUP_free, GET(d2i_ECPKParameters, NULL, &at, written));
    tls_note_der(der, written);
    der = NULL;
    written = (int)CALL(i2o_ECPublicKey, ec, &der);
    at = der;
    tls_note(CALL(o2i_ECPublicKey, &peer, &at, written) != 0);
    tls_note_der(der, written);
    void *copy = GET(EC_KEY_dup, ec);
    CALL(EC_KEY_free, copy);
    void *x = GET(BN_new), *y = GET(BN_new);
    NOTE(EC_POINT_get_affine_coordinates, GET(EC_KEY_get0_group, ec), GET(EC_KEY_get0_public_key, ec), x, y, NULL);
    if (curve == P256)
        NOTE(EC_KEY_set_public_key_affine_coordinates, peer, x, y);
    CALL(BN_free, x);
    CALL(BN_free, y);
    CALL(EC_KEY_free, peer);
    NOTE(EVP_PKEY_set1_EC_KEY, key, ec);
    CALL(EC_KEY_free, ec);
    CALL(ERR_clear_error);
    return key;
}

void *tls_dsa(void)
{
    /* Made for this test: looking for primes takes ten million instructions. */
    void *dsa = GET(DSA_new), *p = NULL, *q = NULL, *g = NULL;
    NOTE(BN_hex2bn, &p, "f449462496da44cf7dde4ded8f5dfa6b65c289841dad273b5d7cb5cf12a76827cde9d334a45e148aaeda729426c0d715781c"
            "65f25a09f6514721c2c199fb77e3");
    NOTE(BN_hex2bn, &q, "9d9d9e5444d172f19acf0a3f0749242dc9eb986459d0a03618ebe469");
    NOTE(BN_hex2bn, &g, "7d195bae426b31efab3161a4652456008e5351ae44fb6784a34254578be9f08c0c73cf5291cb3ad0f1d8845ac0462725920b"
            "1ae7ffbbd8d36fbf4442878fb838");
    NOTE(DSA_set0_pqg, dsa, p, q, g);
    NOTE(DSA_generate_key, dsa);
    unsigned length = 0;
    NOTE(DSA_sign, 0, tls_data, (size_t)20, out, &length, dsa);
    NOTE(DSA_verify, 0, tls_data, (size_t)20, out, (size_t)length, dsa);
    const uint8_t *at = out;
    void *signature = GET(d2i_DSA_SIG, NULL, &at, (long)length);
    uint8_t *der = NULL;
    long n = (int)CALL(i2d_DSA_SIG, signature, &der);
    tls_note_der(der, n);
    CALL(DSA_SIG_free, signature);
    tls_native const forms[][2] = {
        { FUNCTION(i2d_DSAPublicKey), FUNCTION(d2i_DSAPublicKey) }, { FUNCTION(i2d_DSAPrivateKey), FUNCTION(d2i_DSAPrivateKey) },
        { FUNCTION(i2d_DSAparams), FUNCTION(d2i_DSAparams) }, { FUNCTION(i2d_DSA_PUBKEY), FUNCTION(d2i_DSA_PUBKEY) }
    };
    for (size_t f = 0; f < COUNT(forms); f++) {
        der = NULL;
        n = (int)forms[f][0](dsa, &der);
        for (long flip = 0; flip < n; flip += 67) {
            at = der;
            void *read = (void *)forms[f][1](NULL, &at, n);
            tls_note(read != NULL);
            CALL(DSA_free, read);
            der[flip] ^= 1;
        }
        tls_note_der(der, n);
    }
    exam_note_word((uint64_t)(unsigned)CALL(DSA_size, dsa) << 16 | (unsigned)CALL(DSA_bits, dsa));
    void *copy = GET(DSAparams_dup, dsa);
    CALL(DSA_free, copy);
    void *dh = GET(DSA_dup_DH, dsa);
    CALL(DH_free, dh);
    void *key = GET(EVP_PKEY_new);
    NOTE(EVP_PKEY_set1_DSA, key, dsa);
    CALL(DSA_free, dsa);
    CALL(ERR_clear_error);
    return key;
}

/* Groups of Diffie and Hellman: a small one from a prime, and the least of RFC 7919, of which only the number is taken. */
void *tls_diffie_hellman(void)
{
    void *dh = GET(DH_new), *peer, *p = GET(BN_new), *g = GET(BN_new);
    NOTE(BN_hex2bn, &p, "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef95"
            "19b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a3620ffffffffffffffff");
    CALL(BN_set_word, g, 2ul);
    NOTE(DH_set0_pqg, dh, p, NULL, g);
    int flags = 0;
    NOTE(DH_set_length, dh, 64u);
    NOTE(DH_generate_key, dh);
    uint8_t *der = NULL;
    long n = (int)CALL(i2d_DHparams, dh, &der);
    const uint8_t *at = der;
    peer = GET(d2i_DHparams, NULL, &at, n);
    for (long flip = 0; flip < n; flip += 11) {
        der[flip] ^= 1;
        at = der;
        CALL(DH_free, GET(d2i_DHparams, NULL, &at, n));
    }
    tls_note_der(der, n);
    size_t length = 0;
    NOTE(DH_compute_key_hashed, dh, out + 400, &length, (size_t)64, GET(DH_get0_pub_key, dh), GET(EVP_sha256));
    exam_note(out, 500);
    NOTE(DH_check_pub_key, dh, GET(DH_get0_pub_key, dh), &flags);
    NOTE(DH_check_pub_key, dh, g, &flags);
    exam_note_word((uint64_t)(unsigned)CALL(DH_size, dh) << 32 | (uint64_t)(unsigned)CALL(DH_bits, dh) << 16 | (unsigned)CALL(DH_num_bits, dh));
    void *tiny = GET(DH_new), *prime = GET(BN_new), *generator = GET(BN_new);
    CALL(BN_set_word, prime, 0xfffffb9dul);
    CALL(BN_set_word, generator, 2ul);
    NOTE(DH_set0_pqg, tiny, prime, NULL, generator);
    NOTE(DH_check, tiny, &flags);
    exam_note_word((uint64_t)flags);
    CALL(DH_free, tiny);
    void *standard = GET(DH_get_rfc7919_2048);
    exam_note_word((uint64_t)(unsigned)CALL(DH_bits, standard));
    CALL(DH_free, standard);
    void *key = GET(EVP_PKEY_new);
    NOTE(EVP_PKEY_assign, key, NID_DH, dh);
    CALL(DH_free, peer);
    CALL(ERR_clear_error);
    return key;
}
