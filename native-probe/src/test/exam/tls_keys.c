/* BoringSSL's workload: keys of all kinds by their common interface, and how they are written. */
#include "tls.h"

static uint8_t out[8192], back[8192];

enum {
    NID_RSA = 6, NID_EC = 408, NID_X25519 = 948, NID_ED25519 = 949, NID_DH = 28, P256 = 415,
    PKCS1 = 1, NO_PADDING = 3, OAEP = 4, PSS = 6
};

/* Written in each way, read again, and read with some bits flipped. Sealed PKCS#8 costs thousands of hashes, so one key does for it. */
static void write_and_read(void *key, int sealed_too)
{
    void *memory = GET(BIO_new, GET(BIO_s_mem));
    NOTE(EVP_PKEY_print_public, memory, key, 3, NULL);
    NOTE(EVP_PKEY_print_private, memory, key, 0, NULL);
    NOTE(EVP_PKEY_print_params, memory, key, 200, NULL);
    tls_note_bio(memory);
    exam_note_word((uint64_t)(unsigned)CALL(EVP_PKEY_bits, key) << 32 | (uint64_t)(unsigned)CALL(EVP_PKEY_size, key) << 16
            | (unsigned)CALL(EVP_PKEY_id, key));
    NOTE(EVP_PKEY_is_opaque, key);
    NOTE(EVP_PKEY_missing_parameters, key);
    for (int pkcs8 = 0; pkcs8 < 2; pkcs8++) {
        if (pkcs8)
            NOTE(PEM_write_bio_PKCS8PrivateKey, memory, key, NULL, NULL, 0, NULL, NULL);
        else
            NOTE(PEM_write_bio_PrivateKey, memory, key, NULL, NULL, 0, NULL, NULL);
        if (!pkcs8)
            tls_note_bio(memory);
    }
    void *again = GET(PEM_read_bio_PrivateKey, memory, NULL, NULL, NULL);
    if (again)
        NOTE(EVP_PKEY_cmp, key, again);
    CALL(EVP_PKEY_free, again);
    CALL(BIO_reset, memory);
    NOTE(PEM_write_bio_PUBKEY, memory, key);
    void *public = GET(PEM_read_bio_PUBKEY, memory, NULL, NULL, NULL);
    if (public)
        NOTE(EVP_PKEY_cmp, key, public);
    CALL(EVP_PKEY_free, public);
    NOTE(i2d_PKCS8PrivateKey_bio, memory, key, NULL, NULL, 0, NULL, NULL);
    if (sealed_too)
        CALL(EVP_PKEY_free, GET(d2i_PKCS8PrivateKey_bio, memory, NULL, NULL, NULL));
    CALL(BIO_reset, memory);
    NOTE(i2d_PKCS8PrivateKeyInfo_bio, memory, key);
    NOTE(i2d_PUBKEY_bio, memory, key);
    NOTE(i2d_PrivateKey_bio, memory, key);
    tls_note_bio(memory);
    CALL(BIO_free, memory);
    uint8_t *ders[3] = { NULL, NULL, NULL };
    long lengths[3] = { (int)CALL(i2d_PrivateKey, key, &ders[0]), (int)CALL(i2d_PUBKEY, key, &ders[1]), (int)CALL(i2d_PublicKey, key, &ders[2]) };
    int type = (int)CALL(EVP_PKEY_id, key);
    for (int form = 0; form < 3; form++) {
        if (lengths[form] <= 0 || !ders[form])
            continue;
        long step = lengths[form] / 2 + 1;
        for (long flip = form == 0 ? step - 1 : -1; flip < lengths[form]; flip += step) {
            if (flip >= 0)
                ders[form][flip] ^= (uint8_t)(1 << flip % 8);
            const uint8_t *at = ders[form];
            void *read = form == 0 ? GET(d2i_PrivateKey, type, NULL, &at, lengths[0]) : form == 1 ? GET(d2i_PUBKEY, NULL, &at, lengths[1])
                    : GET(d2i_PublicKey, type, NULL, &at, lengths[2]);
            tls_note(read != NULL);
            CALL(EVP_PKEY_free, read);
            at = ders[form];
            if (form == 0 && flip >= 0) {
                read = GET(d2i_AutoPrivateKey, NULL, &at, lengths[0]);
                CALL(EVP_PKEY_free, read);
                CALL(ERR_clear_error);
            }
            if (flip >= 0)
                ders[form][flip] ^= (uint8_t)(1 << flip % 8);
        }
        tls_note_der(ders[form], lengths[form]);
    }
    void *info = GET(EVP_PKEY2PKCS8, key);
    if (info) {
        if (sealed_too)
            CALL(EVP_PKEY_free, GET(EVP_PKCS82PKEY, info));
        /* PBES1 of PKCS#12 (NIDs), and PBES2 */
        static const int schemes[] = { 144, 146, 149, -1 };
        for (size_t i = 0; i < COUNT(schemes) && sealed_too; i++) {
            void *sealed = GET(PKCS8_encrypt, schemes[i], schemes[i] < 0 ? GET(EVP_aes_256_cbc) : NULL, "pass", 4, tls_data, (size_t)8, 2, info);
            tls_note(sealed != NULL);
            if (!sealed)
                continue;
            void *opened = GET(PKCS8_decrypt, sealed, "pass", 4);
            tls_note(opened != NULL);
            CALL(PKCS8_PRIV_KEY_INFO_free, opened);
            opened = GET(PKCS8_decrypt, sealed, "past", 4);
            tls_note(opened != NULL);
            CALL(PKCS8_PRIV_KEY_INFO_free, opened);
            CALL(X509_SIG_free, sealed);
        }
        CALL(PKCS8_PRIV_KEY_INFO_free, info);
    }
    size_t length = sizeof out;
    NOTE(EVP_PKEY_get_raw_private_key, key, out, &length);
    length = sizeof out;
    NOTE(EVP_PKEY_get_raw_public_key, key, out, &length);
    uint8_t *point = NULL;
    exam_note_word((uint64_t)CALL(EVP_PKEY_get1_tls_encodedpoint, key, &point));
    CALL(OPENSSL_free, point);
    CALL(ERR_clear_error);
}

/* Ed25519, which takes all at once. */
static void sign_and_verify(void *key)
{
    uint64_t hash[8] = { 0 };
    void *context = NULL;
    size_t length = sizeof out;
    CALL(EVP_MD_CTX_init, hash);
    NOTE(EVP_DigestSignInit, hash, &context, NULL, NULL, key);
    NOTE(EVP_DigestSign, hash, out, &length, tls_data, (size_t)500);
    exam_note(out, length);
    CALL(EVP_MD_CTX_cleanup, hash);
    CALL(EVP_MD_CTX_init, hash);
    NOTE(EVP_DigestVerifyInit, hash, &context, NULL, NULL, key);
    NOTE(EVP_DigestVerify, hash, out, length, tls_data, (size_t)500);
    CALL(EVP_MD_CTX_cleanup, hash);
}

/* RSA's; what it has no method for is refused. */
static void contexts(void *key)
{
    void *context = GET(EVP_PKEY_CTX_new, key, NULL);
    const void *digest = GET(EVP_sha256);
    size_t n = sizeof out, m = sizeof back;
    static const int paddings[] = { PKCS1, OAEP, NO_PADDING, PSS };
    for (size_t i = 0; i < COUNT(paddings); i++) {
        n = sizeof out;
        NOTE(EVP_PKEY_encrypt_init, context);
        NOTE(EVP_PKEY_CTX_set_rsa_padding, context, paddings[i]);
        if (paddings[i] == OAEP) {
            NOTE(EVP_PKEY_CTX_set_rsa_oaep_md, context, digest);
            NOTE(EVP_PKEY_CTX_set0_rsa_oaep_label, context, GET(OPENSSL_strdup, "label"), (size_t)5);
        }
        NOTE(EVP_PKEY_encrypt, context, out, &n, tls_data, (size_t)CALL(EVP_PKEY_size, key) - (paddings[i] == NO_PADDING ? 0 : 66));
        exam_note(out, n);
        NOTE(EVP_PKEY_decrypt_init, context);
        NOTE(EVP_PKEY_CTX_set_rsa_padding, context, paddings[i]);
        m = sizeof back;
        out[9] ^= paddings[i] == OAEP;
        if (paddings[i] == OAEP)        /* the others are in tls_algorithms.c */
            NOTE(EVP_PKEY_decrypt, context, back, &m, out, n);
        CALL(EVP_PKEY_CTX_free, GET(EVP_PKEY_CTX_dup, context));
    }
    int padding = 0, salt = 0;
    const void *got = NULL;
    NOTE(EVP_PKEY_CTX_get_rsa_padding, context, &padding);
    NOTE(EVP_PKEY_CTX_get_rsa_oaep_md, context, &got);
    NOTE(EVP_PKEY_CTX_get0_rsa_oaep_label, context, &got);
    NOTE(EVP_PKEY_sign_init, context);
    NOTE(EVP_PKEY_CTX_set_signature_md, context, digest);
    NOTE(EVP_PKEY_CTX_get_signature_md, context, &got);
    NOTE(EVP_PKEY_CTX_get_rsa_mgf1_md, context, &got);
    NOTE(EVP_PKEY_CTX_get_rsa_pss_saltlen, context, &salt);
    n = sizeof out;
    NOTE(EVP_PKEY_CTX_set_rsa_padding, context, PKCS1);
    NOTE(EVP_PKEY_sign, context, out, &n, tls_data, (size_t)32);
    NOTE(EVP_PKEY_verify_init, context);
    NOTE(EVP_PKEY_CTX_set_signature_md, context, digest);
    NOTE(EVP_PKEY_verify, context, out, n, tls_data, (size_t)32);
    NOTE(EVP_PKEY_verify_recover_init, context);
    NOTE(EVP_PKEY_CTX_set_signature_md, context, digest);
    m = sizeof back;
    NOTE(EVP_PKEY_verify_recover, context, back, &m, out, n);
    NOTE(EVP_PKEY_derive_init, context);
    NOTE(EVP_PKEY_derive_set_peer, context, key);
    m = sizeof back;
    NOTE(EVP_PKEY_derive, context, back, &m);
    NOTE(EVP_PKEY_keygen_init, context);
    NOTE(EVP_PKEY_CTX_set_ec_paramgen_curve_nid, context, P256);
    NOTE(EVP_PKEY_CTX_set_ec_param_enc, context, 1);
    NOTE(EVP_PKEY_CTX_set_dh_pad, context, 1);
    NOTE(EVP_PKEY_CTX_set_rsa_keygen_bits, context, 100);
    void *made = NULL;      /* no key: the search for its primes is dear, and begun in tls_numbers.c */
    NOTE(EVP_PKEY_paramgen_init, context);
    NOTE(EVP_PKEY_CTX_set_ec_paramgen_curve_nid, context, P256);
    NOTE(EVP_PKEY_paramgen, context, &made);
    CALL(EVP_PKEY_CTX_free, context);
    CALL(ERR_clear_error);
}

void tls_keys(void)
{
    static const int curves[] = { P256, 713 /* P-224 */ }, generated[] = { NID_X25519, 1 };
    void *keys[16];
    int n = 0;
    keys[n++] = tls_key(TLS_RSA);
    tls_rsa(keys[0]);
    for (size_t c = 0; c < COUNT(curves); c++)
        keys[n++] = tls_elliptic(curves[c]);
    keys[n++] = tls_key(TLS_ED25519);
    for (size_t g = 0; g < COUNT(generated); g++) {
        void *context = GET(EVP_PKEY_CTX_new_id, generated[g], NULL), *key = NULL;
        tls_note(context != NULL);
        if (!context)
            continue;
        NOTE(EVP_PKEY_keygen_init, context);
        NOTE(EVP_PKEY_CTX_set_ec_paramgen_curve_nid, context, P256);
        NOTE(EVP_PKEY_keygen, context, &key);
        if (key)
            keys[n++] = key;
        CALL(EVP_PKEY_CTX_free, context);
    }
    keys[n++] = GET(EVP_PKEY_new_raw_public_key, NID_ED25519, NULL, tls_data, (size_t)32);
    keys[n++] = GET(EVP_PKEY_new_raw_public_key, NID_X25519, NULL, tls_data, (size_t)32);
    keys[n++] = tls_dsa();
    keys[n++] = tls_diffie_hellman();
    for (int i = 0; i < n; i++) {
        if (!keys[i])
            continue;
        int type = (int)CALL(EVP_PKEY_id, keys[i]), another = 0;
        for (int j = 0; j < i; j++)
            if (keys[j]) {
                NOTE(EVP_PKEY_cmp, keys[i], keys[j]);
                another |= (int)CALL(EVP_PKEY_id, keys[j]) == type;
            }
        if (another)
            continue;
        /* Each of these is dear: only what no other kind, tls_algorithms.c or a handshake runs. */
        if (type != NID_DH && type != NID_ED25519)
            write_and_read(keys[i], type == NID_EC);
        if (type == NID_RSA)
            contexts(keys[i]);
        if (type == NID_ED25519)
            sign_and_verify(keys[i]);
    }
    for (int i = 0; i < n; i++)
        CALL(EVP_PKEY_free, keys[i]);
}
