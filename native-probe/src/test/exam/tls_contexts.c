/* BoringSSL's workload: contexts for handshakes, and what they call back: each call is noted, all answer the same each time. */
#include "tls_handshakes.h"

#include <string.h>

/* ---- callbacks ---- */

static void on_info(const void *ssl, int type, int value)
{
    (void)ssl;
    exam_note_word((uint64_t)type << 32 | (uint32_t)value);
}

static void on_message(int write, int version, int type, const void *bytes, size_t length, void *ssl, void *argument)
{
    (void)version, (void)ssl, (void)argument;
    exam_note_word((uint64_t)(write + 2 * type));
    exam_note(bytes, length);
}

static void on_key(const void *ssl, const char *line)
{
    (void)ssl;
    exam_note_text(line);
}

static unsigned on_psk_client(void *ssl, const char *hint, char *identity, unsigned most, uint8_t *key, unsigned most_key)
{
    (void)ssl, (void)most, (void)most_key;
    exam_note_text(hint);
    strcpy(identity, "somebody");
    memcpy(key, "0123456789abcdef", 16);
    return 16;
}

static unsigned on_psk_server(void *ssl, const char *identity, uint8_t *key, unsigned most_key)
{
    (void)ssl, (void)most_key;
    exam_note_text(identity);
    memcpy(key, "0123456789abcdef", 16);
    return 16;
}

static int on_alpn(void *ssl, const uint8_t **out, uint8_t *length, const uint8_t *in, unsigned in_length, void *argument)
{
    (void)ssl, (void)argument;
    return (int)CALL(SSL_select_next_proto, out, length, "\x08http/1.1\x02h2", 12u, in, in_length) == 1 ? 0 /* SSL_TLSEXT_ERR_OK */ : 3;
}

static int on_npn_offer(void *ssl, const uint8_t **out, unsigned *length, void *argument)
{
    (void)ssl, (void)argument;
    *out = (const uint8_t *)"\x02h2\x08http/1.1";
    *length = 12;
    return 0;
}

static int on_npn_choice(void *ssl, uint8_t **out, uint8_t *length, const uint8_t *in, unsigned in_length, void *argument)
{
    (void)ssl, (void)argument;
    CALL(SSL_select_next_proto, out, length, in, in_length, "\x02h2", 3u);
    return 0;
}

static int on_name(void *ssl, int *alert, void *argument)
{
    (void)alert, (void)argument;
    exam_note_text((const char *)GET(SSL_get_servername, ssl, 0));
    return 0;
}

static int on_verify(int fine, void *context)
{
    exam_note_word((uint64_t)(int)CALL(X509_STORE_CTX_get_error, context));
    return fine >= 0;
}

int tls_verify_result;
static int on_custom_verify(void *ssl, uint8_t *alert)
{
    void *chain = GET(SSL_get0_peer_certificates, ssl);
    exam_note_word(chain ? (uint64_t)CALL(OPENSSL_sk_num, chain) : 0);
    *alert = 42;
    int result = tls_verify_result;
    if (result == 2)
        tls_verify_result = 0;
    return result;
}

static int compress(void *ssl, void *out, const uint8_t *in, size_t length)
{
    (void)ssl;
    return (int)CALL(CBB_add_bytes, out, in, length);
}

static int decompress(void *ssl, void **out, size_t length, const uint8_t *in, size_t in_length)
{
    (void)ssl;
    uint8_t *bytes = NULL;
    *out = GET(CRYPTO_BUFFER_alloc, &bytes, length);
    memcpy(bytes, in, in_length < length ? in_length : length);
    return 1;
}

static void *late_key;
static uint8_t decrypted[256];
static size_t decrypted_length;
static int decrypt_later(void *ssl, uint8_t *out, size_t *length, size_t most, const uint8_t *in, size_t in_length)
{
    (void)ssl, (void)out, (void)length, (void)most;
    void *rsa = GET(EVP_PKEY_get0_RSA, late_key);
    NOTE(RSA_decrypt, rsa, &decrypted_length, decrypted, sizeof decrypted, in, in_length, 3 /* RSA_NO_PADDING */);
    return 1;       /* ssl_private_key_retry */
}

static int complete(void *ssl, uint8_t *out, size_t *length, size_t most)
{
    (void)ssl;
    if (most < decrypted_length)
        return 2;       /* ssl_private_key_failure */
    memcpy(out, decrypted, decrypted_length);
    *length = decrypted_length;
    return 0;
}
/* For ciphers whose key exchange is RSA. */
static const struct { void *sign, *decrypt, *complete; } key_method = { NULL, decrypt_later, complete };

static int on_ticket(void *ssl, uint8_t *name, uint8_t *iv, void *cipher, void *mac, int encrypt)
{
    (void)ssl;
    if (encrypt) {
        memcpy(name, tls_data, 16);
        memcpy(iv, tls_data + 16, 16);
    }
    NOTE(HMAC_Init_ex, mac, tls_data + 32, (size_t)32, GET(EVP_sha256), NULL);
    if (encrypt)
        NOTE(EVP_EncryptInit_ex, cipher, GET(EVP_aes_128_cbc), NULL, tls_data + 64, iv);
    else
        NOTE(EVP_DecryptInit_ex, cipher, GET(EVP_aes_128_cbc), NULL, tls_data + 64, iv);
    return encrypt ? 1 : 2;     /* 2: renew it */
}

static size_t ticket_overhead(void *ssl)
{
    (void)ssl;
    return 4;
}

static int seal_ticket(void *ssl, uint8_t *out, size_t *length, size_t most, const uint8_t *in, size_t in_length)
{
    (void)ssl;
    if (most < in_length + 4)
        return 0;
    memcpy(out, "seal", 4);
    memcpy(out + 4, in, in_length);
    *length = in_length + 4;
    return 1;
}

static int ticket_opened;
static int open_ticket(void *ssl, uint8_t *out, size_t *length, size_t most, const uint8_t *in, size_t in_length)
{
    (void)ssl;
    if (ticket_opened++ % 2 == 0)
        return 1;       /* ssl_ticket_aead_retry */
    if (in_length < 4 || most < in_length - 4)
        return 2;       /* ssl_ticket_aead_ignore_ticket */
    memcpy(out, in + 4, in_length - 4);
    *length = in_length - 4;
    return 0;
}
static const struct { void *overhead, *seal, *open; } ticket_method = { ticket_overhead, seal_ticket, open_ticket };

void *tls_kept_session;
static int on_session(void *ssl, void *session)
{
    (void)ssl;
    if (tls_kept_session)
        CALL(SSL_SESSION_free, tls_kept_session);
    tls_kept_session = session;
    return 1;
}

/* ---- contexts ---- */

static void *ech_keys;
void *tls_ech_list;
size_t tls_ech_list_length;

void tls_make_ech(void)
{
    void *key = GET(EVP_HPKE_KEY_new);
    uint8_t *config = NULL;
    size_t length = 0;
    NOTE(EVP_HPKE_KEY_generate, key, GET(EVP_hpke_x25519_hkdf_sha256));
    NOTE(SSL_marshal_ech_config, &config, &length, 7u, key, "public.example.com", (size_t)32);
    ech_keys = GET(SSL_ECH_KEYS_new);
    NOTE(SSL_ECH_KEYS_add, ech_keys, 1, config, length, key);
    CALL(OPENSSL_free, config);
    NOTE(SSL_marshal_ech_config, &config, &length, 8u, key, "other.example.com", (size_t)16);
    NOTE(SSL_ECH_KEYS_add, ech_keys, 0, config, length, key);
    for (size_t flip = 0; flip < length; flip += 9) {
        config[flip] ^= 1;
        NOTE(SSL_ECH_KEYS_add, GET(SSL_ECH_KEYS_new), 1, config, length, key);
        config[flip] ^= 1;
    }
    CALL(OPENSSL_free, config);
    NOTE(SSL_marshal_ech_config, &config, &length, 8u, key, "not a name", (size_t)16);
    NOTE(SSL_ECH_KEYS_has_duplicate_config_id, ech_keys);
    NOTE(SSL_ECH_KEYS_marshal_retry_configs, ech_keys, &tls_ech_list, &tls_ech_list_length);
    CALL(EVP_HPKE_KEY_free, key);
}

static void *credential_of(void *key, void *certificate)
{
    void *credential = GET(SSL_CREDENTIAL_new_x509);
    uint8_t *der = NULL;
    int length = (int)CALL(i2d_X509, certificate, &der);
    void *buffer = GET(CRYPTO_BUFFER_new, der, (size_t)length, NULL);
    NOTE(SSL_CREDENTIAL_set1_cert_chain, credential, &buffer, (size_t)1);
    NOTE(SSL_CREDENTIAL_set1_private_key, credential, key);
    static const uint16_t algorithms[] = { 0x403, 0x804, 0x401, 0x807 };
    NOTE(SSL_CREDENTIAL_set1_signing_algorithm_prefs, credential, algorithms, COUNT(algorithms));
    CALL(SSL_CREDENTIAL_set_must_match_issuer, credential);
    CALL(SSL_CREDENTIAL_clear_must_match_issuer, credential);
    CALL(CRYPTO_BUFFER_free, buffer);
    CALL(OPENSSL_free, der);
    return credential;
}

void *tls_context(int version, const char *ciphers, const char *groups, int carries, int server, void *key, void *certificate)
{
    void *context = GET(SSL_CTX_new, carries & BUFFERS && server ? GET(TLS_with_buffers_method) : GET(TLS_method));
    NOTE(SSL_CTX_set_min_proto_version, context, version);
    NOTE(SSL_CTX_set_max_proto_version, context, version);
    if (ciphers)
        NOTE(SSL_CTX_set_cipher_list, context, ciphers);
    if (groups)
        NOTE(SSL_CTX_set1_groups_list, context, groups);
    if ((server && !(carries & (PRIVATE_KEY_METHOD | CREDENTIAL))) || (!server && carries & CLIENT_CERTIFICATE)) {
        if (carries & BUFFERS) {
            uint8_t *der = NULL;
            int length = (int)CALL(i2d_X509, certificate, &der);
            NOTE(SSL_CTX_use_certificate_ASN1, context, (size_t)length, der);
            CALL(OPENSSL_free, der);
        } else {
            NOTE(SSL_CTX_use_certificate, context, certificate);
            NOTE(SSL_CTX_add1_chain_cert, context, certificate);
        }
        NOTE(SSL_CTX_use_PrivateKey, context, key);
        NOTE(SSL_CTX_check_private_key, context);
    }
    if (server && carries & PRIVATE_KEY_METHOD) {
        late_key = key;
        CALL(SSL_CTX_set_private_key_method, context, &key_method);
        NOTE(SSL_CTX_use_certificate, context, certificate);
    }
    if (server && carries & CREDENTIAL) {
        void *credential = credential_of(key, certificate);
        NOTE(SSL_CTX_add1_credential, context, credential);
        CALL(SSL_CREDENTIAL_free, credential);
    }
    if (carries & CLIENT_CERTIFICATE && server) {
        CALL(SSL_CTX_set_verify, context, 3, on_verify);
        NOTE(SSL_CTX_add_client_CA, context, certificate);
    }
    if (carries & VERIFY && !server)
        CALL(SSL_CTX_set_custom_verify, context, 1, on_custom_verify);
    if (carries & REFUSED)
        CALL(SSL_CTX_set_verify, context, 3, NULL);
    if (carries & OCSP_AND_SCT) {
        if (server) {
            NOTE(SSL_CTX_set_ocsp_response, context, tls_data, (size_t)100);
            NOTE(SSL_CTX_set_signed_cert_timestamp_list, context, "\x00\x05\x00\x03" "abc", (size_t)7);
        } else {
            CALL(SSL_CTX_enable_ocsp_stapling, context);
            CALL(SSL_CTX_enable_signed_cert_timestamps, context);
        }
    }
    if (carries & PSK) {
        CALL(SSL_CTX_set_psk_client_callback, context, on_psk_client);
        CALL(SSL_CTX_set_psk_server_callback, context, on_psk_server);
    }
    if (carries & HINT)
        NOTE(SSL_CTX_use_psk_identity_hint, context, "a hint");
    if (carries & NO_TICKET) {
        CALL(SSL_CTX_set_options, context, 0x4000u);        /* SSL_OP_NO_TICKET */
        CALL(SSL_CTX_set_session_cache_mode, context, 3);
        NOTE(SSL_CTX_set_session_id_context, context, "context", (size_t)7);
    }
    if (carries & TICKET_KEYS) {
        uint8_t keys[48];
        NOTE(SSL_CTX_set_tlsext_ticket_keys, context, tls_data, (size_t)48);
        NOTE(SSL_CTX_get_tlsext_ticket_keys, context, keys, (size_t)48);
        NOTE(SSL_CTX_set_num_tickets, context, (size_t)3);
    }
    if (carries & TICKET_CALLBACK)
        CALL(SSL_CTX_set_tlsext_ticket_key_cb, context, on_ticket);
    if (carries & TICKET_AEAD)
        CALL(SSL_CTX_set_ticket_aead_method, context, &ticket_method);
    if (carries & CALLBACKS) {
        CALL(SSL_CTX_set_info_callback, context, on_info);
        CALL(SSL_CTX_set_msg_callback, context, on_message);
        CALL(SSL_CTX_set_keylog_callback, context, on_key);
        CALL(SSL_CTX_set_tlsext_servername_callback, context, on_name);
    }
    if (carries & EARLY_DATA)
        CALL(SSL_CTX_set_early_data_enabled, context, 1);
    if (carries & GREASE) {
        CALL(SSL_CTX_set_grease_enabled, context, 1);
        CALL(SSL_CTX_set_permute_extensions, context, 1);
    }
    if (carries & ECH && server)
        NOTE(SSL_CTX_set1_ech_keys, context, ech_keys);
    if (carries & COMPRESSION)
        NOTE(SSL_CTX_add_cert_compression_alg, context, 2u, compress, decompress);
    if (carries & SRTP)
        NOTE(SSL_CTX_set_srtp_profiles, context, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM");
    if (carries & NPN) {
        CALL(SSL_CTX_set_next_protos_advertised_cb, context, on_npn_offer, NULL);
        CALL(SSL_CTX_set_next_proto_select_cb, context, on_npn_choice, NULL);
    } else if (server)
        CALL(SSL_CTX_set_alpn_select_cb, context, on_alpn, NULL);
    else
        NOTE(SSL_CTX_set_alpn_protos, context, "\x02h2\x08http/1.1", 12u);
    if (!server) {
        CALL(SSL_CTX_set_session_cache_mode, context, 1);
        CALL(SSL_CTX_sess_set_new_cb, context, on_session);
    }
    return context;
}
