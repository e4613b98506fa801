/* BoringSSL's workload: digests, ciphers, AEADs and what is made of them, by whatever implementation the capabilities choose. */
#include "tls.h"

#include <string.h>

static uint8_t out[2 * TLS_DATA], back[2 * TLS_DATA];

void tls_digests(int most)
{
    const void *kinds[] = {
        GET(EVP_sha256), GET(EVP_sha384), GET(EVP_sha512), GET(EVP_sha1), GET(EVP_md5), GET(EVP_sha224), GET(EVP_sha512_256), GET(EVP_md4),
        GET(EVP_md5_sha1), GET(EVP_blake2b256)
    };
    for (int k = 0; k < (int)COUNT(kinds) && k < most; k++)
        for (size_t n = 0; n < 400; n += most < 5 ? 390 : 195) {
            unsigned length = 0;
            memset(out, 0, 64);
            NOTE(EVP_Digest, tls_data, n, out, &length, kinds[k], NULL);
            exam_note(out, 64);
            CALL(HMAC, kinds[k], tls_data + 7, (size_t)20, tls_data, n, out, &length);
            exam_note(out, 64);
        }
}

static void streamed_digests(void)
{
    static const char *const names[] = { "sha256", "SHA1", "sha384", "md4", "sha224", "MD5", "nothing" };
    for (size_t i = 0; i < COUNT(names); i++) {
        void *kind = GET(EVP_get_digestbyname, names[i]), *hash, *copy;
        if (!kind)
            continue;
        exam_note_word((uint64_t)CALL(EVP_MD_type, kind) << 32 | (uint64_t)CALL(EVP_MD_size, kind) << 8 | (uint64_t)CALL(EVP_MD_block_size, kind));
        hash = GET(EVP_MD_CTX_new);
        copy = GET(EVP_MD_CTX_create);
        unsigned length = 0;
        NOTE(EVP_DigestInit, hash, kind);
        for (size_t n = 0; n < 1200; n += n / 2 + 9)
            NOTE(EVP_DigestUpdate, hash, tls_data + n, n);
        NOTE(EVP_MD_CTX_copy, copy, hash);
        NOTE(EVP_DigestFinal, hash, out, &length);
        NOTE(EVP_DigestFinal_ex, copy, back, &length);
        exam_note(out, length);
        exam_note_word((uint64_t)memcmp(out, back, length));
        NOTE(EVP_DigestInit_ex, hash, kind, NULL);
        NOTE(EVP_DigestFinalXOF, hash, out, (size_t)length);
        CALL(EVP_MD_CTX_move, copy, hash);
        CALL(EVP_MD_CTX_cleanse, copy);
        NOTE(EVP_MD_CTX_reset, copy);
        CALL(EVP_MD_CTX_free, hash);
        CALL(EVP_MD_CTX_destroy, copy);
    }
    CALL(MD4, tls_data, (size_t)300, out);
    CALL(MD5, tls_data, (size_t)300, out + 20);
    CALL(SHA1, tls_data, (size_t)300, out + 40);
    CALL(SHA224, tls_data, (size_t)300, out + 80);
    CALL(SHA256, tls_data, (size_t)300, out + 120);
    CALL(SHA384, tls_data, (size_t)300, out + 160);
    CALL(SHA512, tls_data, (size_t)300, out + 240);
    CALL(SHA512_256, tls_data, (size_t)300, out + 320);
    CALL(BLAKE2B256, tls_data, (size_t)300, out + 360);
    exam_note(out, 400);
    /* States that hold less than a block, by way of the digests' own contexts. */
    uint64_t context[64];
    CALL(SHA256_Init, context);
    for (size_t n = 1; n < 200; n += 37)
        NOTE(SHA256_Update, context, tls_data, n);
    NOTE(SHA256_Final, out, context);
    CALL(SHA224_Init, context);
    NOTE(SHA224_Update, context, tls_data, (size_t)100);
    NOTE(SHA224_Final, out + 32, context);
    CALL(SHA512_Init, context);
    for (size_t n = 1; n < 400; n += 77)
        NOTE(SHA512_Update, context, tls_data, n);
    NOTE(SHA512_Final, out + 64, context);
    CALL(SHA1_Init, context);
    NOTE(SHA1_Update, context, tls_data, (size_t)100);
    NOTE(SHA1_Final, out + 128, context);
    CALL(SHA1_Transform, context, tls_data);
    CALL(SHA256_Transform, context, tls_data);
    CALL(SHA256_TransformBlocks, context, tls_data, (size_t)2);
    CALL(SHA512_Transform, context, tls_data);
    exam_note(out, 160);
    exam_note(context, 64);
    uint64_t siphash = (uint64_t)CALL(SIPHASH_24, tls_data, tls_data + 16, (size_t)101);
    exam_note_word(siphash);
    CALL(CRYPTO_fips_186_2_prf, out, (size_t)50, tls_data);
    exam_note(out, 50);
    for (int kind = 0; kind < 4; kind++) {      /* SHAKE and SHA-3, boringssl_keccak_config_t */
        CALL(BORINGSSL_keccak, out, (size_t)(kind == 1 ? 64 : 32), tls_data, (size_t)333, kind);
        exam_note(out, 64);
    }
}

static void derivations(void)
{
    void *sha256 = GET(EVP_sha256), *sha512 = GET(EVP_sha512);
    NOTE(HKDF, out, (size_t)77, sha256, tls_data, (size_t)22, tls_data + 30, (size_t)13, tls_data + 50, (size_t)10);
    exam_note(out, 77);
    NOTE(PKCS5_PBKDF2_HMAC, "password", (size_t)8, tls_data, (size_t)16, 3, sha512, (size_t)80, out);
    NOTE(PKCS5_PBKDF2_HMAC_SHA1, "password", (size_t)8, tls_data, (size_t)16, 2, (size_t)30, out + 80);
    exam_note(out, 110);
    NOTE(EVP_BytesToKey, GET(EVP_aes_256_cbc), sha256, tls_data, tls_data + 9, (size_t)30, 3, out, out + 64);
    exam_note(out, 80);
    NOTE(CRYPTO_tls1_prf, sha256, out, (size_t)90, tls_data, (size_t)48, "master secret", (size_t)13, tls_data, (size_t)32, tls_data + 32,
            (size_t)32);
    exam_note(out, 90);
    NOTE(CRYPTO_tls1_prf, GET(EVP_md5_sha1), out, (size_t)50, tls_data, (size_t)47, "key expansion", (size_t)13, tls_data, (size_t)32, NULL,
            (size_t)0);
    exam_note(out, 50);
    NOTE(CRYPTO_tls13_hkdf_expand_label, out, (size_t)40, sha256, tls_data, (size_t)32, "exp master", (size_t)10, tls_data, (size_t)32);
    exam_note(out, 40);
    void *mac = GET(CMAC_CTX_new), *copy = GET(CMAC_CTX_new);
    for (int bits = 128; bits <= 256; bits += 128) {
        size_t length = 0;
        NOTE(CMAC_Init, mac, tls_data, (size_t)(bits / 8), bits == 128 ? GET(EVP_aes_128_cbc) : GET(EVP_aes_256_cbc), NULL);
        for (size_t n = 1; n < 70; n += 19)
            NOTE(CMAC_Update, mac, tls_data, n);
        NOTE(CMAC_CTX_copy, copy, mac);
        NOTE(CMAC_Final, mac, out, &length);
        exam_note(out, length);
        NOTE(CMAC_Final, copy, out, &length);
        exam_note(out, length);
        NOTE(CMAC_Reset, mac);
    }
    CALL(CMAC_CTX_free, mac);
    CALL(CMAC_CTX_free, copy);
    NOTE(AES_CMAC, out, tls_data, (size_t)16, tls_data, (size_t)100);
    NOTE(AES_CMAC, out, tls_data, (size_t)15, tls_data, (size_t)100);
    exam_note(out, 16);
    void *hmac = GET(HMAC_CTX_new), *other = GET(HMAC_CTX_new);
    unsigned length = 0;
    NOTE(HMAC_Init, hmac, tls_data, 200, sha256);
    NOTE(HMAC_Init_ex, hmac, tls_data, (size_t)20, sha512, NULL);
    NOTE(HMAC_Update, hmac, tls_data, (size_t)99);
    NOTE(HMAC_CTX_copy, other, hmac);
    NOTE(HMAC_CTX_copy_ex, other, hmac);
    exam_note_word((uint64_t)CALL(HMAC_size, hmac));
    NOTE(HMAC_Final, other, out, &length);
    exam_note(out, length);
    CALL(HMAC_CTX_cleanse, hmac);
    CALL(HMAC_CTX_reset, other);
    CALL(HMAC_CTX_free, hmac);
    CALL(HMAC_CTX_free, other);
}

static void cipher(const void *kind, int most)
{
    if (!kind)
        return;
    void *context = GET(EVP_CIPHER_CTX_new), *copy = GET(EVP_CIPHER_CTX_new);
    int n = 0, m = 0;
    unsigned mode = (unsigned)CALL(EVP_CIPHER_mode, kind);
    exam_note_word((uint64_t)(unsigned)CALL(EVP_CIPHER_nid, kind) << 32 | (uint64_t)(unsigned)CALL(EVP_CIPHER_key_length, kind) << 16
            | (uint64_t)(unsigned)CALL(EVP_CIPHER_iv_length, kind) << 8 | (uint64_t)(unsigned)CALL(EVP_CIPHER_block_size, kind));
    for (int encrypt = 1; encrypt >= 0; encrypt--)
        for (int padding = encrypt; padding < 2; padding++) {
            NOTE(EVP_CipherInit_ex, context, kind, NULL, tls_data, tls_data + 64, encrypt);
            NOTE(EVP_CIPHER_CTX_set_padding, context, padding);
            exam_note_word((uint64_t)(unsigned)CALL(EVP_CIPHER_CTX_iv_length, context));
            if (mode == 6 /* GCM */)
                NOTE(EVP_CipherUpdate, context, NULL, &n, tls_data + 5, 37);
            int total = 0;
            for (int step = 1; step < (mode == 5 || mode == 6 ? 700 : most); step = step * 3 + 5) {
                n = 0;
                NOTE(EVP_CipherUpdate, context, out + total, &n, encrypt ? tls_data : back, step);
                total += n;
            }
            NOTE(EVP_CIPHER_CTX_copy, copy, context);
            n = 0;
            NOTE(EVP_CipherFinal_ex, context, out + total, &n);
            total += n;
            exam_note(out, (size_t)total);
            if (mode == 6)
                NOTE(EVP_CIPHER_CTX_ctrl, context, 16 /* EVP_CTRL_AEAD_GET_TAG */, 16, out);
            NOTE(EVP_CipherFinal, copy, out, &m);
            if (encrypt)
                memcpy(back, out, sizeof back);
        }
    NOTE(EVP_EncryptInit, context, kind, tls_data, tls_data + 64);
    NOTE(EVP_EncryptUpdate, context, out, &n, tls_data, 90);
    NOTE(EVP_EncryptFinal, context, out + n, &m);
    exam_note(out, (size_t)(n + m));
    NOTE(EVP_DecryptInit, context, kind, tls_data, tls_data + 64);
    NOTE(EVP_DecryptUpdate, context, back, &n, out, n + m);
    NOTE(EVP_DecryptFinal_ex, context, back + n, &m);
    NOTE(EVP_DecryptFinal, context, back + n, &m);
    NOTE(EVP_CipherInit, context, kind, NULL, NULL, 1);
    for (int command = 0; command < (mode == 6 ? 24 : 3); command++)    /* EVP_CTRL_*: lengths and tags that GCM takes, and all that it refuses */
        if (command != 0x8)     /* EVP_CTRL_COPY, the library's own business */
            NOTE(EVP_CIPHER_CTX_ctrl, context, command, command == 9 ? 16 : 12, tls_data);
    NOTE(EVP_CIPHER_CTX_set_key_length, context, (unsigned)9);
    NOTE(EVP_CIPHER_CTX_reset, context);
    CALL(EVP_CIPHER_CTX_free, context);
    CALL(EVP_CIPHER_CTX_free, copy);
}

static void ciphers(int set)
{
    const void *kinds[] = {
        GET(EVP_aes_128_ecb), GET(EVP_aes_128_cbc), GET(EVP_aes_128_ctr), GET(EVP_aes_128_ofb), GET(EVP_aes_128_gcm), GET(EVP_aes_192_ecb),
        GET(EVP_aes_192_cbc), GET(EVP_aes_192_ctr), GET(EVP_aes_192_ofb), GET(EVP_aes_192_gcm), GET(EVP_aes_256_ecb), GET(EVP_aes_256_cbc),
        GET(EVP_aes_256_ctr), GET(EVP_aes_256_ofb), GET(EVP_aes_256_gcm), GET(EVP_des_ecb), GET(EVP_des_cbc), GET(EVP_des_ede), GET(EVP_des_ede_cbc),
        GET(EVP_des_ede3), GET(EVP_des_ede3_cbc), GET(EVP_des_ede3_ecb), GET(EVP_rc4), GET(EVP_rc2_cbc), GET(EVP_rc2_40_cbc)
    };
    /* None but AES has more than one implementation: then ECB, OFB, CBC, GCM and CTR, with keys of each length. */
    for (size_t i = 0; i < (set == TLS_ALL ? COUNT(kinds) : 15); i += set == TLS_ALL ? 1 : set == TLS_NONE ? 6 : 3)
        cipher(kinds[i], set == TLS_ALL ? 90 : 20);
}

/* The functions below EVP. */
static void blocks(int set)
{
    uint64_t key[64], key2[64];
    uint8_t iv[32], count[16] = { 0 };
    unsigned used = 0;
    int position = 0;
    for (unsigned bits = 128; bits <= (set == TLS_NONE ? 128 : 256); bits += 64) {
        NOTE(AES_set_encrypt_key, tls_data, bits, key);
        NOTE(AES_set_decrypt_key, tls_data, bits, key2);
        CALL(AES_encrypt, tls_data, out, key);
        CALL(AES_decrypt, out, out + 16, key2);
        CALL(AES_ecb_encrypt, tls_data, out + 32, key, 1);
        CALL(AES_ecb_encrypt, tls_data, out + 48, key2, 0);
        exam_note(out, 64);
        memcpy(iv, tls_data, sizeof iv);
        CALL(AES_cbc_encrypt, tls_data, out, (size_t)160, key, iv, 1);
        CALL(AES_cbc_encrypt, out, back, (size_t)160, key2, iv, 0);
        CALL(AES_ofb128_encrypt, tls_data, out + 160, (size_t)99, key, iv, &position);
        CALL(AES_cfb128_encrypt, tls_data, out + 300, (size_t)99, key, iv, &position, 1);
        CALL(AES_cfb128_encrypt, tls_data, out + 400, (size_t)99, key, iv, &position, 0);
        CALL(AES_ctr128_encrypt, tls_data, out + 500, (size_t)333, key, iv, count, &used);
        exam_note(out, 850);
        if (set != TLS_ALL)
            continue;
        exam_note_word((uint64_t)(int)CALL(AES_wrap_key, key, NULL, out, tls_data, (size_t)40));
        exam_note_word((uint64_t)(int)CALL(AES_unwrap_key, key2, NULL, back, out, (size_t)48));
        exam_note_word((uint64_t)(int)CALL(AES_unwrap_key, key2, NULL, back, out + 1, (size_t)48));
        size_t length = 0;
        NOTE(AES_wrap_key_padded, key, out, &length, (size_t)80, tls_data, (size_t)37);
        NOTE(AES_unwrap_key_padded, key2, back, &length, (size_t)80, out, (size_t)48);
        NOTE(AES_unwrap_key_padded, key2, back, &length, (size_t)80, out + 8, (size_t)40);
        NOTE(AES_wrap_key_padded, key, out, &length, (size_t)80, tls_data, (size_t)7);
        NOTE(AES_unwrap_key_padded, key2, back, &length, (size_t)80, out, (size_t)16);
        exam_note(back, 37);
    }
    if (set != TLS_ALL)
        return;
    position = 0;
    used = 0;
    tls_native block = FUNCTION(aes_nohw_encrypt);
    CALL(aes_nohw_set_encrypt_key, tls_data, 128, key);
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        CALL(CRYPTO_cfb128_encrypt, tls_data, out, (size_t)75, key, iv, &used, encrypt, block);
        CALL(CRYPTO_cfb128_8_encrypt, tls_data, out + 100, (size_t)5, key, iv, &position, encrypt, block);
        CALL(CRYPTO_cfb128_1_encrypt, tls_data, out + 200, (size_t)9, key, iv, &position, encrypt, block);
    }
    used = 0;
    CALL(CRYPTO_ctr128_encrypt, tls_data, out + 300, (size_t)77, key, iv, count, &used, block);
    used = 0;
    CALL(CRYPTO_ofb128_encrypt, tls_data, out + 400, (size_t)77, key, iv, &used, block);
    CALL(CRYPTO_cbc128_encrypt, tls_data, out + 500, (size_t)77, key, iv, block);
    CALL(CRYPTO_cbc128_decrypt, tls_data, out + 600, (size_t)77, key, iv, FUNCTION(aes_nohw_decrypt));
    CALL(CRYPTO_cbc128_decrypt, out + 500, out + 500, (size_t)77, key, iv, FUNCTION(aes_nohw_decrypt));
    exam_note(out, 700);
    uint64_t des[3][16];
    for (int i = 0; i < 3; i++)
        CALL(DES_set_key, tls_data + 8 * i, des[i]);
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        CALL(DES_ecb_encrypt, tls_data, out, des[0], encrypt);
        CALL(DES_ecb3_encrypt, tls_data, out + 8, des[0], des[1], des[2], encrypt);
        CALL(DES_ncbc_encrypt, tls_data, out + 16, (size_t)37, des[0], iv, encrypt);
        CALL(DES_ede3_cbc_encrypt, tls_data, out + 64, (size_t)37, des[0], des[1], des[2], iv, encrypt);
        CALL(DES_ede2_cbc_encrypt, tls_data, out + 128, (size_t)40, des[0], des[1], iv, encrypt);
        exam_note(out, 170);
    }
    CALL(DES_set_odd_parity, iv);
    uint32_t rc4[2 + 256];
    CALL(RC4_set_key, rc4, (unsigned)9, tls_data);
    CALL(RC4, rc4, (size_t)99, tls_data, out);
    exam_note(out, 99);
}

static void streams(void)
{
    uint64_t state[128] __attribute__((aligned(64)));
    for (size_t n = 1; n < 1000; n = n * 2 + 7) {
        CALL(CRYPTO_chacha_20, out, tls_data, n, tls_data + 40, tls_data + 80, 5);
        exam_note(out, n);
        void *mac = (void *)(((uintptr_t)state + 63) & ~(uintptr_t)63);
        CALL(CRYPTO_poly1305_init, mac, tls_data + 3);
        CALL(CRYPTO_poly1305_update, mac, tls_data, n);
        CALL(CRYPTO_poly1305_update, mac, tls_data + 1, (size_t)17);
        CALL(CRYPTO_poly1305_finish, mac, out);
        exam_note(out, 16);
    }
    CALL(CRYPTO_hchacha20, out, tls_data, tls_data + 32);
    CALL(CRYPTO_POLYVAL_init, state, tls_data);
    CALL(CRYPTO_POLYVAL_update_blocks, state, tls_data, (size_t)64);
    CALL(CRYPTO_POLYVAL_finish, state, out + 32);
    exam_note(out, 48);
}

static void aead(const void *kind, size_t stride)
{
    static const size_t lengths[] = { 0, 1, 15, 16, 64, 130, 300, 777, 1500 };
    size_t key = (size_t)CALL(EVP_AEAD_key_length, kind), nonce = (size_t)CALL(EVP_AEAD_nonce_length, kind), n = 0, m = 0;
    exam_note_word(key << 16 | nonce << 8 | (size_t)CALL(EVP_AEAD_max_overhead, kind));
    for (size_t i = 0; i < COUNT(lengths); i += stride) {
        void *seal = GET(EVP_AEAD_CTX_new, kind, tls_data, key, (size_t)0), *open = seal;
        if (!seal) {    /* those of TLS go in one direction */
            CALL(ERR_clear_error);
            uint64_t contexts[2][128];
            seal = contexts[0], open = contexts[1];
            NOTE(EVP_AEAD_CTX_init_with_direction, seal, kind, tls_data, key, (size_t)0, 1);
            NOTE(EVP_AEAD_CTX_init_with_direction, open, kind, tls_data, key, (size_t)0, 0);
            size_t ad = 11;
            NOTE(EVP_AEAD_CTX_seal, seal, out, &n, sizeof out, tls_data + 99, nonce, tls_data, lengths[i], tls_data + 50, ad);
            exam_note(out, n);
            NOTE(EVP_AEAD_CTX_open, open, back, &m, sizeof back, tls_data + 99, nonce, out, n, tls_data + 50, ad);
            exam_note_word(m);
            out[n / 2] ^= 1;
            NOTE(EVP_AEAD_CTX_open, open, back, &m, sizeof back, tls_data + 99, nonce, out, n, tls_data + 50, ad);
            const uint8_t *iv = NULL;
            NOTE(EVP_AEAD_CTX_get_iv, seal, &iv, &n);
            n = 0;
            NOTE(EVP_AEAD_CTX_tag_len, seal, &n, lengths[i], (size_t)0);
            CALL(EVP_AEAD_CTX_cleanup, seal);
            CALL(EVP_AEAD_CTX_cleanup, open);
            continue;
        }
        for (size_t ad = i % 2 * 41; ad < 60; ad += 99) {
            NOTE(EVP_AEAD_CTX_seal, seal, out, &n, sizeof out, tls_data + 99, nonce, tls_data, lengths[i], tls_data + 50, ad);
            exam_note(out, n);
            NOTE(EVP_AEAD_CTX_open, open, back, &m, sizeof back, tls_data + 99, nonce, out, n, tls_data + 50, ad);
            exam_note(back, m);
            if (n > 0)
                out[n - 1] ^= 4;
            NOTE(EVP_AEAD_CTX_open, open, back, &m, sizeof back, tls_data + 99, nonce, out, n, tls_data + 50, ad);
        }
        memcpy(back, tls_data, lengths[i]);
        NOTE(EVP_AEAD_CTX_seal_scatter, seal, back, out, &n, (size_t)40, tls_data + 99, nonce, back, lengths[i], NULL, (size_t)0, NULL, (size_t)0);
        NOTE(EVP_AEAD_CTX_open_gather, open, back, tls_data + 99, nonce, back, lengths[i], out, n, NULL, (size_t)0);
        NOTE(EVP_AEAD_CTX_seal, seal, out, &n, (size_t)3, tls_data + 99, nonce, tls_data, lengths[i], NULL, (size_t)0);
        NOTE(EVP_AEAD_CTX_seal, seal, out, &n, sizeof out, tls_data + 99, nonce + 1, tls_data, lengths[i], NULL, (size_t)0);
        NOTE(EVP_AEAD_CTX_open, open, back, &m, sizeof back, tls_data + 99, nonce + 1, out, (size_t)3, NULL, (size_t)0);
        CALL(EVP_AEAD_CTX_free, seal);
    }
    CALL(EVP_AEAD_CTX_new, kind, tls_data, key + 1, (size_t)0);
    CALL(EVP_AEAD_CTX_new, kind, tls_data, key, (size_t)99);
    CALL(ERR_clear_error);
}

static void aeads(int set)
{
    const void *kinds[] = {
        GET(EVP_aead_aes_128_gcm), GET(EVP_aead_aes_192_gcm), GET(EVP_aead_aes_256_gcm), GET(EVP_aead_aes_128_gcm_randnonce),
        GET(EVP_aead_aes_256_gcm_randnonce), GET(EVP_aead_aes_128_gcm_tls12), GET(EVP_aead_aes_256_gcm_tls13), GET(EVP_aead_aes_128_ccm_bluetooth),
        GET(EVP_aead_aes_128_ccm_bluetooth_8), GET(EVP_aead_aes_128_ccm_matter), GET(EVP_aead_chacha20_poly1305), GET(EVP_aead_xchacha20_poly1305),
        GET(EVP_aead_aes_256_gcm_tls12), GET(EVP_aead_aes_128_gcm_tls13),
        GET(EVP_aead_aes_128_cbc_sha1_tls), GET(EVP_aead_aes_128_cbc_sha1_tls_implicit_iv), GET(EVP_aead_aes_128_cbc_sha256_tls),
        GET(EVP_aead_aes_256_cbc_sha1_tls), GET(EVP_aead_aes_256_cbc_sha1_tls_implicit_iv), GET(EVP_aead_des_ede3_cbc_sha1_tls),
        GET(EVP_aead_des_ede3_cbc_sha1_tls_implicit_iv)
    };
    enum { CHACHA20 = 10, OF_TLS = 12 };
    static const int of_sets[TLS_CAPABILITIES][4] = { [TLS_INTEL] = { CHACHA20, -1 }, [TLS_NO_AVX] = { 0, 2, CHACHA20, -1 }, [TLS_SSSE3] = { 0, -1 },
            [TLS_NONE] = { 0, 7, CHACHA20, -1 } };
    if (set == TLS_ALL)
        for (size_t i = 0; i < COUNT(kinds); i += i > OF_TLS ? 3 : 1)
            aead(kinds[i], i == CHACHA20 ? 1 : i < OF_TLS ? 4 : 5);     /* ChaCha20-Poly1305 unrolls by length; those of TLS 1.0 are dear */
    else
        for (const int *i = of_sets[set]; *i >= 0; i++)
            aead(kinds[*i], *i == CHACHA20 && set != TLS_NONE ? 1 : set == TLS_NONE ? 5 : 4);
}

/* Everything by the processor's best implementations; by the others what has one of its own. */
void tls_ciphers(void)
{
    for (int set = 0; set < TLS_CAPABILITIES; set++) {
        tls_capabilities(set);
        exam_note_word((uint64_t)set);
        if (set == TLS_ALL)
            streamed_digests();
        tls_digests(set == TLS_ALL ? 9 : 4);
        if (set == TLS_NO_SHA)
            continue;
        if (set == TLS_ALL || set == TLS_NONE)
            ciphers(set);
        if (set == TLS_ALL || set >= TLS_SSSE3)
            blocks(set);
        if (set != TLS_INTEL)
            streams();
        aeads(set);
    }
    tls_capabilities(TLS_ALL);
    derivations();
    NOTE(boringssl_self_test_fast);     /* BORINGSSL_self_test has keys of 2048 bits too */
}
