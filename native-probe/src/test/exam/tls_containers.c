/* BoringSSL's workload: PKCS#12, PKCS#7 and PEM. */
#include "tls.h"

void tls_containers(void)
{
    void *memory = GET(BIO_new, GET(BIO_s_mem)), *key = tls_key(TLS_EC), *certificate = tls_certificate(key, GET(EVP_sha256));
    void *chain = GET(OPENSSL_sk_new_null);
    CALL(OPENSSL_sk_push, chain, GET(X509_dup, certificate));
    /* PBES1 with RC2 and 3DES, PBES2, plain; two rounds of hashing. */
    static const struct { int key, certificate; } schemes[] = { { 146, 149 }, { 144, -1 } };
    for (size_t s = 0; s < COUNT(schemes); s++) {
        void *made = GET(PKCS12_create, "password", "fr\xc3\xa4iend", key, certificate, chain, schemes[s].key, schemes[s].certificate, 2, 2, 0);
        tls_note(made != NULL);
        if (!made)
            continue;
        if (s == 0)
            NOTE(PKCS12_verify_mac, made, "guess", 5);
        uint8_t *der = NULL;
        long n = (int)CALL(i2d_PKCS12, made, &der);
        for (long flip = -1; flip < n; flip += n / (s == 0 ? 6 : 1)) {
            if (flip >= 0)
                der[flip] ^= 4;
            const uint8_t *at = der;
            void *read = GET(d2i_PKCS12, NULL, &at, n), *got_key = NULL, *got = NULL, *others = NULL;
            if (read)
                NOTE(PKCS12_parse, read, "password", &got_key, &got, &others);
            tls_note(got != NULL);
            CALL(EVP_PKEY_free, got_key);
            CALL(X509_free, got);
            CALL(OPENSSL_sk_pop_free_ex, others, FUNCTION(sk_X509_call_free_func), FUNCTION(X509_free));
            CALL(PKCS12_free, read);
            CALL(ERR_clear_error);
            if (flip >= 0)
                der[flip] ^= 4;
        }
        CALL(BIO_write, memory, der, (int)n);
        CALL(PKCS12_free, GET(d2i_PKCS12_bio, memory, NULL));
        CALL(BIO_reset, memory);
        CALL(OPENSSL_free, der);
        CALL(PKCS12_free, made);
    }
    static const int flags[] = { 0x40 | 0x100 /* PKCS7_DETACHED, NOATTR, BINARY */ | 0x80 | 0x2, 0x40 };
    void *rsa = tls_key(TLS_RSA), *signer = tls_certificate(rsa, GET(EVP_sha256));
    tls_check_certificate(signer, rsa);
    for (size_t f = 0; f < COUNT(flags); f++) {
        void *content = GET(BIO_new_mem_buf, "content", 7);
        void *signed_data = GET(PKCS7_sign, f ? NULL : signer, f ? NULL : rsa, chain, content, flags[f] & ~(f ? 0x40 : 0));
        tls_note(signed_data != NULL);
        if (signed_data) {
            uint8_t *der = NULL;
            long n = (int)CALL(i2d_PKCS7, signed_data, &der);
            for (long flip = -1; flip < n && n > 0; flip += n / 12) {
                if (flip >= 0)
                    der[flip] ^= 1;
                const uint8_t *at = der;
                CALL(PKCS7_free, GET(d2i_PKCS7, NULL, &at, n));
                uint64_t reader[2] = { (uint64_t)der, (uint64_t)n };
                void *stack = GET(OPENSSL_sk_new_null);
                NOTE(PKCS7_get_certificates, stack, reader);
                reader[0] = (uint64_t)der, reader[1] = (uint64_t)n;
                NOTE(PKCS7_get_CRLs, stack, reader);
                CALL(OPENSSL_sk_pop_free_ex, stack, FUNCTION(sk_X509_call_free_func), FUNCTION(X509_free));
                CALL(ERR_clear_error);
                if (flip >= 0)
                    der[flip] ^= 1;
            }
            tls_note_der(der, n);
            NOTE(PKCS7_type_is_signed, signed_data);
            CALL(PKCS7_free, signed_data);
        }
        CALL(BIO_free, content);
    }
    CALL(X509_free, signer);
    uint64_t writer[8];
    uint8_t *der = NULL;
    size_t length = 0;
    CALL(CBB_init, writer, (size_t)64);
    NOTE(PKCS7_bundle_certificates, writer, chain);
    NOTE(CBB_finish, writer, &der, &length);
    uint64_t reader[2] = { (uint64_t)der, length };
    void *raw = GET(OPENSSL_sk_new_null);
    NOTE(PKCS7_get_raw_certificates, raw, reader, NULL);
    CALL(OPENSSL_sk_pop_free_ex, raw, FUNCTION(sk_CRYPTO_BUFFER_call_free_func), FUNCTION(CRYPTO_BUFFER_free));
    tls_note_der(der, (long)length);
    NOTE(PEM_write_bio_X509, memory, certificate);
    NOTE(PEM_write_bio_PrivateKey, memory, key, NULL, NULL, 0, NULL, NULL);
    void *infos = GET(PEM_X509_INFO_read_bio, memory, NULL, NULL, NULL);
    exam_note_word(infos ? (uint64_t)CALL(OPENSSL_sk_num, infos) : 0);
    CALL(OPENSSL_sk_pop_free_ex, infos, FUNCTION(sk_X509_INFO_call_free_func), FUNCTION(X509_INFO_free));
    static const char *const broken[] = {
        "-----BEGIN X-----\nQUJD\n-----END X-----\n",
                "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,0123456789ABCDEF\n\nQUJD\n-----END X-----\n",
        "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: NONE,01\n\nQUJD\n-----END X-----\n", "-----BEGIN X-----\nQUJ!\n-----END Y-----\n",
        "junk\n-----BEGIN X----"
    };
    for (size_t b = 0; b < COUNT(broken); b++) {
        char *name = NULL, *header = NULL;
        uint8_t *bytes = NULL;
        long n = 0;
        CALL(BIO_puts, memory, broken[b]);
        tls_note(CALL(PEM_read_bio, memory, &name, &header, &bytes, &n));
        if (header) {
            uint64_t cipher[8] = { 0 };
            NOTE(PEM_get_EVP_CIPHER_INFO, header, cipher);
            CALL(OPENSSL_free, name);
            CALL(OPENSSL_free, header);
            CALL(OPENSSL_free, bytes);
        }
        CALL(BIO_reset, memory);
    }
    tls_native const writers[] = { FUNCTION(PEM_write_bio_RSAPrivateKey), FUNCTION(PEM_write_bio_ECPrivateKey) };
    for (size_t w = 0; w < COUNT(writers); w++) {
        void *plain = w ? GET(EVP_PKEY_get1_EC_KEY, key) : GET(EVP_PKEY_get1_RSA, rsa);
        tls_note(writers[w](memory, plain, GET(EVP_aes_128_cbc), "secret", 6, NULL, NULL));
        if (w)
            CALL(EC_KEY_free, plain);
        else
            CALL(RSA_free, plain);
        CALL(EVP_PKEY_free, GET(PEM_read_bio_PrivateKey, memory, NULL, NULL, (void *)(w ? "wrong" : "secret")));
        CALL(ERR_clear_error);
        CALL(BIO_reset, memory);
    }
    CALL(EVP_PKEY_free, rsa);
    CALL(OPENSSL_sk_pop_free_ex, chain, FUNCTION(sk_X509_call_free_func), FUNCTION(X509_free));
    CALL(X509_free, certificate);
    CALL(EVP_PKEY_free, key);
    CALL(BIO_free, memory);
}
