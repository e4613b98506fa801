/* BoringSSL's workload: Curve25519, key encapsulation and what is built on them. */
#include "tls.h"

#include <string.h>

static uint8_t out[8192], back[8192];

static void twisted(void)
{
    uint64_t p[20], q[20], scalar[4] = { 12345, 678, 9, 0 };
    CALL(ED25519_keypair_from_seed, out, out + 32, tls_data);
    exam_note(out, 96);
    memset(back, 0, 32);
    NOTE(X25519, out + 64, tls_data + 64, back);
    exam_note(out, 96);
    /* Of SPAKE2, which is not linked: what it shares with Ed25519. */
    memset(p, 0, sizeof p);
    memset(q, 0, sizeof q);
    CALL(x25519_ge_scalarmult_base, p, scalar, 0);
    CALL(x25519_ge_scalarmult, q, scalar, p);
    exam_note(q, sizeof q);
    memset(p, 0, sizeof p);
    CALL(x25519_ge_scalarmult_small_precomp, p, scalar, tls_data);
}

static void kems(void)
{
    static uint64_t private[2400], public[2400];
    static uint8_t encoded[4096], secret[2][32];
    enum { MORE = 1568 };
    uint64_t reader[2], writer[8];
#define KEM(name, bytes_of_public, bytes_of_private, cipher) do { \
        CALL(name##_public_from_private, public, private); \
        CALL(name##_encap, out, secret[0], public); \
        CALL(name##_decap, secret[1], out, (size_t)cipher, private); \
        exam_note(out, cipher); \
        exam_note_word((uint64_t)memcmp(secret[0], secret[1], 32)); \
        reader[0] = (uint64_t)encoded; \
        reader[1] = bytes_of_public; \
        NOTE(name##_parse_public_key, public, reader); \
        CALL(CBB_init, writer, (size_t)4000); \
        NOTE(name##_marshal_public_key, writer, public); \
        CALL(CBB_cleanup, writer); \
    } while (0)
    CALL(MLKEM1024_generate_key, encoded, out, private);
    KEM(MLKEM1024, MORE, 3168, 1568);
}

static void hpke(void)
{
    const void *kems[] = { GET(EVP_hpke_x25519_hkdf_sha256), GET(EVP_hpke_p256_hkdf_sha256) };
    const void *aeads[] = { GET(EVP_hpke_chacha20_poly1305), GET(EVP_hpke_aes_256_gcm) };
    const void *kdf = GET(EVP_hpke_hkdf_sha256);
    static const struct { int kem, authenticated; } uses[] = { { 0, 1 }, { 1, 0 } };
    for (size_t u = 0; u < COUNT(uses); u++) {
        void *key = GET(EVP_HPKE_KEY_new), *moved = GET(EVP_HPKE_KEY_new), *sender = GET(EVP_HPKE_CTX_new), *recipient = GET(EVP_HPKE_CTX_new);
        const void *kem = kems[uses[u].kem], *aead = aeads[u];
        size_t n = 0, m = 0, encapsulated = 0;
        static uint8_t public[100], enc[100];
        NOTE(EVP_HPKE_KEY_generate, key, kem);
        NOTE(EVP_HPKE_KEY_public_key, key, public, &n, sizeof public);
        NOTE(EVP_HPKE_KEY_private_key, key, out, &m, sizeof out);
        if (u == 0)
            NOTE(EVP_HPKE_KEY_init, moved, kem, out, m);
        NOTE(EVP_HPKE_KEY_copy, moved, key);
        CALL(EVP_HPKE_KEY_move, moved, key);
        if (uses[u].authenticated) {
            NOTE(EVP_HPKE_CTX_setup_auth_sender, sender, enc, &encapsulated, sizeof enc, moved, kdf, aead, public, n, tls_data, (size_t)9);
            NOTE(EVP_HPKE_CTX_setup_auth_recipient, recipient, moved, kdf, aead, enc, encapsulated, tls_data, (size_t)9, public, n);
        } else {
            NOTE(EVP_HPKE_CTX_setup_sender, sender, enc, &encapsulated, sizeof enc, kem, kdf, aead, public, n, tls_data, (size_t)9);
            NOTE(EVP_HPKE_CTX_setup_recipient, recipient, moved, kdf, aead, enc, encapsulated, tls_data, (size_t)9);
        }
        exam_note(enc, encapsulated);
        NOTE(EVP_HPKE_CTX_seal, sender, out, &m, sizeof out, tls_data, (size_t)200, tls_data, (size_t)5);
        exam_note(out, m);
        NOTE(EVP_HPKE_CTX_open, recipient, back, &m, sizeof back, out, m, tls_data, (size_t)5);
        NOTE(EVP_HPKE_CTX_open, recipient, back, &m, sizeof back, out, m, tls_data, (size_t)5);
        NOTE(EVP_HPKE_CTX_export, sender, out, (size_t)33, tls_data, (size_t)7);
        exam_note(out, 33);
        CALL(EVP_HPKE_KEY_free, key);
        CALL(EVP_HPKE_KEY_free, moved);
        CALL(EVP_HPKE_CTX_free, sender);
        CALL(EVP_HPKE_CTX_free, recipient);
    }
    CALL(ERR_clear_error);
}

static void hkdf_context(void)
{
    void *context = GET(EVP_PKEY_CTX_new_id, 963 /* NID_hkdf */, NULL);
    for (int mode = 0; mode < 3; mode++) {
        NOTE(EVP_PKEY_derive_init, context);
        NOTE(EVP_PKEY_CTX_hkdf_mode, context, mode);
        NOTE(EVP_PKEY_CTX_set_hkdf_md, context, GET(EVP_sha256));
        NOTE(EVP_PKEY_CTX_set1_hkdf_key, context, tls_data, (size_t)32);
        NOTE(EVP_PKEY_CTX_set1_hkdf_salt, context, tls_data + 40, (size_t)11);
        NOTE(EVP_PKEY_CTX_add1_hkdf_info, context, "info", (size_t)4);
        void *copy = GET(EVP_PKEY_CTX_dup, context);
        size_t n = 32;
        NOTE(EVP_PKEY_derive, context, out, &n);
        exam_note(out, n);
        NOTE(EVP_PKEY_derive, copy, NULL, &n);
        CALL(EVP_PKEY_CTX_free, copy);
    }
    CALL(EVP_PKEY_CTX_free, context);
    CALL(ERR_clear_error);
}

void tls_exchanges(void)
{
    twisted();
    tls_capabilities(TLS_NONE);
    NOTE(X25519, out, tls_data, tls_data + 64);
    CALL(X25519_public_from_private, out + 32, tls_data);
    exam_note(out, 64);
    tls_capabilities(TLS_ALL);
    kems();
    hpke();
    hkdf_context();
}
