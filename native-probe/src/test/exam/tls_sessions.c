/* BoringSSL's workload: what is set and asked of contexts and connections outside of handshakes: lists of ciphers, groups and algorithms, sessions
 * as bytes, messages that no client of ours would send, and QUIC's side of TLS. */
#include "tls.h"

#include <string.h>

static uint8_t out[8192];

static void lists(void *context, void *ssl)
{
    static const char *const ciphers[] = {
        "ALL:!aNULL", "HIGH:-AES256:+CHACHA20:@STRENGTH", "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:AES128-SHA", "kRSA+AES:!SHA1",
        "TLSv1.2+ECDHE", "junk", "[a|b", "ALL:@x",
        "", "ECDHE:!PSK:-kRSA", "DEFAULT"
    };
    for (size_t i = 0; i < COUNT(ciphers); i++) {
        NOTE(SSL_CTX_set_cipher_list, context, ciphers[i]);
        NOTE(SSL_CTX_set_strict_cipher_list, context, ciphers[i]);
        NOTE(SSL_set_cipher_list, ssl, ciphers[i]);
        NOTE(SSL_set_strict_cipher_list, ssl, ciphers[i]);
    }
    for (int i = 0; i < 40; i += 7)
        exam_note_text((const char *)GET(SSL_get_cipher_list, ssl, i));
    for (unsigned id = 0; id < 0xd000; id += id > 0x100 && id < 0xc000 ? 0x3001 : 1) {
        const void *cipher = GET(SSL_get_cipher_by_value, id);
        if (!cipher)
            continue;
        exam_note_text((const char *)GET(SSL_CIPHER_standard_name, cipher));
        exam_note_text((const char *)GET(SSL_CIPHER_get_kx_name, cipher));
        exam_note_text((const char *)GET(SSL_CIPHER_description, cipher, (char *)out, 256));
        exam_note_word((uint64_t)(unsigned)CALL(SSL_CIPHER_get_cipher_nid, cipher) << 32 | (unsigned)CALL(SSL_CIPHER_get_prf_nid, cipher));
        if (id > 0x1400)
            id += 0x20;
    }
    static const char *const sigalgs[] = { "ECDSA+SHA256:RSA+SHA384:RSA-PSS+SHA512", "rsa_pss_rsae_sha256:ed25519:ecdsa_secp384r1_sha384",
            "PSS+SHA256", "RSA+MD5", "x", "a:b:", "RSA+SHA256:RSA+SHA256" };
    for (size_t i = 0; i < COUNT(sigalgs); i++) {
        NOTE(SSL_CTX_set1_sigalgs_list, context, sigalgs[i]);
        NOTE(SSL_set1_sigalgs_list, ssl, sigalgs[i]);
    }
    static const int pairs[] = { 672, 408, 673, 6, 674, 912, 1, 2 };
    NOTE(SSL_CTX_set1_sigalgs, context, pairs, (size_t)6);
    NOTE(SSL_set1_sigalgs, ssl, pairs, (size_t)6);
    NOTE(SSL_CTX_set1_sigalgs, context, pairs, (size_t)8);
    static const uint16_t algorithms[] = { 0x403, 0x804, 0x807 };
    NOTE(SSL_CTX_set_signing_algorithm_prefs, context, algorithms, COUNT(algorithms));
    NOTE(SSL_set_signing_algorithm_prefs, ssl, algorithms, COUNT(algorithms));
    NOTE(SSL_CTX_set_verify_algorithm_prefs, context, algorithms, COUNT(algorithms));
    NOTE(SSL_set_verify_algorithm_prefs, ssl, algorithms, COUNT(algorithms));
    for (unsigned a = 0x200; a < 0x900; a += a % 0x100 == 0xb ? 0xf5 : 1) {
        exam_note_text((const char *)GET(SSL_get_signature_algorithm_name, a, 0));
        NOTE(SSL_get_signature_algorithm_key_type, a);
        tls_note(CALL(SSL_get_signature_algorithm_digest, a) != 0);
        NOTE(SSL_is_signature_algorithm_rsa_pss, a);
    }
    static const char *const groups[] = { "P-256:X25519", "prime256v1:secp384r1:x25519", "X25519MLKEM768:P-521", "nothing", ":" };
    for (size_t i = 0; i < COUNT(groups); i++) {
        NOTE(SSL_CTX_set1_groups_list, context, groups[i]);
        NOTE(SSL_set1_groups_list, ssl, groups[i]);
        NOTE(SSL_CTX_set1_curves_list, context, groups[i]);
    }
    static const int nids[] = { 415, 715, 948 };
    static const uint16_t ids[] = { 23, 29, 4588 };
    NOTE(SSL_CTX_set1_groups, context, nids, COUNT(nids));
    NOTE(SSL_set1_groups, ssl, nids, COUNT(nids));
    NOTE(SSL_CTX_set1_group_ids, context, ids, COUNT(ids));
    NOTE(SSL_set1_group_ids, ssl, ids, COUNT(ids));
    static const unsigned policies[] = { 0, 1, 2, 3, 9 };
    for (size_t i = 0; i < COUNT(policies); i++) {
        NOTE(SSL_CTX_set_compliance_policy, context, policies[i]);
        NOTE(SSL_set_compliance_policy, ssl, policies[i]);
    }
    for (int version = 0x2ff; version < 0x307; version++) {
        NOTE(SSL_CTX_set_min_proto_version, context, version);
        NOTE(SSL_set_min_proto_version, ssl, version);
        NOTE(SSL_set_max_proto_version, ssl, version);
    }
    NOTE(SSL_set_min_proto_version, ssl, 0);
    NOTE(SSL_set_max_proto_version, ssl, 0);
    static const char *names[400];
    exam_note_word((uint64_t)CALL(SSL_get_all_cipher_names, names, (size_t)400));
    exam_note_word((uint64_t)CALL(SSL_get_all_group_names, names, (size_t)400));
    exam_note_word((uint64_t)CALL(SSL_get_all_signature_algorithm_names, names, (size_t)400));
    exam_note_word((uint64_t)CALL(SSL_get_all_version_names, names, (size_t)400));
    NOTE(SSL_CTX_set_srtp_profiles, context, "SRTP_AES128_CM_SHA1_80:none");
    NOTE(SSL_set_srtp_profiles, ssl, "SRTP_AEAD_AES_256_GCM");
    for (int error = 0; error < 20; error++)
        exam_note_text((const char *)GET(SSL_error_description, error));
    for (int reason = 0; reason < 17; reason++)
        exam_note_text((const char *)GET(SSL_early_data_reason_string, reason));
}

static void keys_and_chains(void *context, void *ssl)
{
    void *keys[2] = { tls_key(TLS_RSA), tls_key(TLS_EC) }, *certificates[2];
    for (int k = 0; k < 2; k++)
        certificates[k] = tls_certificate(keys[k], GET(EVP_sha256));
    for (int k = 0; k < 2; k++) {
        uint8_t *der = NULL, *key_der = NULL;
        int n = (int)CALL(i2d_X509, certificates[k], &der), m = (int)CALL(i2d_PrivateKey, keys[k], &key_der);
        NOTE(SSL_CTX_use_certificate, context, certificates[k]);
        NOTE(SSL_use_certificate, ssl, certificates[k]);
        NOTE(SSL_CTX_use_PrivateKey, context, keys[!k]);
        NOTE(SSL_use_PrivateKey, ssl, keys[!k]);
        NOTE(SSL_use_certificate_ASN1, ssl, der, n);
        NOTE(SSL_CTX_use_certificate_ASN1, context, (size_t)n, der);
        if (k == 1) {
            NOTE(SSL_use_PrivateKey_ASN1, 408 /* EVP_PKEY_EC */, ssl, key_der, (size_t)m);
            NOTE(SSL_CTX_use_PrivateKey_ASN1, 408, context, key_der, (long)m);
        }
        NOTE(SSL_check_private_key, ssl);
        NOTE(SSL_CTX_check_private_key, context);
        if (k == 0) {
            NOTE(SSL_CTX_use_RSAPrivateKey_ASN1, context, key_der, (size_t)m);
            NOTE(SSL_use_RSAPrivateKey_ASN1, ssl, key_der, (size_t)m);
            NOTE(SSL_CTX_use_RSAPrivateKey, context, GET(EVP_PKEY_get0_RSA, keys[0]));
            NOTE(SSL_use_RSAPrivateKey, ssl, GET(EVP_PKEY_get0_RSA, keys[0]));
        }
        tls_note(CALL(SSL_get_certificate, ssl) != 0);
        tls_note(CALL(SSL_CTX_get0_certificate, context) != 0);
        tls_note(CALL(SSL_get_privatekey, ssl) != 0);
        NOTE(SSL_add1_chain_cert, ssl, certificates[k]);
        NOTE(SSL_add0_chain_cert, ssl, GET(X509_dup, certificates[k]));
        NOTE(SSL_CTX_add_extra_chain_cert, context, GET(X509_dup, certificates[k]));
        NOTE(SSL_CTX_add0_chain_cert, context, GET(X509_dup, certificates[k]));
        void *chain = NULL;
        NOTE(SSL_CTX_get0_chain_certs, context, &chain);
        NOTE(SSL_CTX_get_extra_chain_certs, context, &chain);
        NOTE(SSL_get0_chain_certs, ssl, &chain);
        void *stack = GET(OPENSSL_sk_new_null);
        CALL(OPENSSL_sk_push, stack, GET(X509_dup, certificates[k]));
        NOTE(SSL_CTX_set1_chain, context, stack);
        NOTE(SSL_set1_chain, ssl, stack);
        NOTE(SSL_set0_chain, ssl, stack);
        NOTE(SSL_clear_chain_certs, ssl);
        NOTE(SSL_CTX_clear_chain_certs, context);
        NOTE(SSL_CTX_clear_extra_chain_certs, context);
        NOTE(SSL_add_client_CA, ssl, certificates[k]);
        NOTE(SSL_CTX_add_client_CA, context, certificates[k]);
        tls_note(CALL(SSL_get_client_CA_list, ssl) != 0);
        tls_note(CALL(SSL_CTX_get_client_CA_list, context) != 0);
        void *names = GET(OPENSSL_sk_new_null);
        CALL(OPENSSL_sk_push, names, GET(X509_NAME_dup, GET(X509_get_subject_name, certificates[k])));
        CALL(SSL_set_client_CA_list, ssl, names);
        void *store = GET(X509_STORE_new);
        NOTE(SSL_CTX_set1_verify_cert_store, context, store);
        NOTE(SSL_set1_verify_cert_store, ssl, store);
        NOTE(SSL_set0_verify_cert_store, ssl, store);
        CALL(OPENSSL_free, der);
        CALL(OPENSSL_free, key_der);
    }
    NOTE(SSL_CTX_set1_groups_list, context, "P-256");   /* the key of another is dear */
    void *again = GET(SSL_new, context);
    tls_note(CALL(SSL_set_SSL_CTX, again, context) != 0);
    NOTE(SSL_set_session_id_context, again, "some", (size_t)4);
    NOTE(SSL_set_ocsp_response, again, "response", (size_t)8);
    NOTE(SSL_set_signed_cert_timestamp_list, again, "\x00\x03\x00\x01x", (size_t)5);
    NOTE(SSL_use_psk_identity_hint, again, "hint");
    NOTE(SSL_set_alpn_protos, again, "\x02h2", 3u);
    NOTE(SSL_set_alpn_protos, again, "\x09h2", 3u);
    NOTE(SSL_set1_host, again, "localhost");
    NOTE(SSL_set_fd, again, -1);
    NOTE(SSL_set_rfd, again, -1);
    NOTE(SSL_set_wfd, again, -1);
    NOTE(SSL_connect, again);
    NOTE(SSL_get_shutdown, again);
    CALL(SSL_set_shutdown, again, 3);
    NOTE(SSL_clear, again);
    NOTE(SSL_accept, again);
    CALL(SSL_free, again);
    for (int k = 0; k < 2; k++) {
        CALL(X509_free, certificates[k]);
        CALL(EVP_PKEY_free, keys[k]);
    }
}

/* SSL_SESSION as ASN.1, each of its fields damaged in turn. */
static void sessions(void *context)
{
    void *session = GET(SSL_SESSION_new, context);
    NOTE(SSL_SESSION_set_protocol_version, session, 0x303);
    NOTE(SSL_SESSION_set1_id, session, tls_data, (size_t)32);
    NOTE(SSL_SESSION_set1_id_context, session, "context", (size_t)7);
    NOTE(SSL_SESSION_set_ticket, session, tls_data, (size_t)60);
    CALL(SSL_SESSION_set_time, session, 1699999999ul);
    CALL(SSL_SESSION_set_timeout, session, 7200u);
    exam_note_word((uint64_t)CALL(SSL_SESSION_get_master_key, session, out, (size_t)48));
    exam_note_text((const char *)GET(SSL_SESSION_get_version, session));
    const uint8_t *bytes = NULL;
    size_t length = 0;
    CALL(SSL_SESSION_get0_ocsp_response, session, &bytes, &length);
    CALL(SSL_SESSION_get0_signed_cert_timestamp_list, session, &bytes, &length);
    NOTE(SSL_CTX_add_session, context, session);
    NOTE(SSL_CTX_add_session, context, session);
    exam_note_word((uint64_t)CALL(SSL_CTX_sess_number, context));
    CALL(SSL_CTX_flush_sessions, context, 1600000000ul);
    NOTE(SSL_CTX_remove_session, context, session);
    NOTE(SSL_CTX_remove_session, context, session);
    CALL(SSL_CTX_flush_sessions, context, 2000000000ul);
    CALL(SSL_SESSION_free, session);
    static const uint8_t written[] = {
        0x30, 0x81, 0x99, 0x02, 0x01, 0x01, 0x02, 0x02, 0x03, 0x03, 0x04, 0x02, 0x00, 0x2f, 0x04, 0x04, 1, 2, 3, 4, 0x04, 0x30,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,
                38, 39, 40, 41, 42, 43, 44, 45,
        46, 47,
        0xa1, 0x06, 0x02, 0x04, 0x65, 0x53, 0xf0, 0xff, 0xa2, 0x04, 0x02, 0x02, 0x1c, 0x20, 0xa4, 0x04, 0x04, 0x02, 'i', 'd', 0xa5, 0x03, 0x02, 0x01,
                0x00,
        0xa9, 0x05, 0x02, 0x03, 0x01, 0x00, 0x00, 0xaa, 0x04, 0x04, 0x02, 't', 'k', 0xb1, 0x03, 0x01, 0x01, 0xff, 0xaf, 0x04, 0x04, 0x02, 'o', 'k',
                0xb2, 0x03, 0x02, 0x01, 0x17,
    };
    static uint8_t copy[256];
    memcpy(copy, written, sizeof written);
    copy[2] = (uint8_t)(sizeof written - 3);
    for (size_t flip = 0; flip <= sizeof written; flip += flip < 20 || flip > 70 ? 1 : 9) {
        if (flip)
            copy[flip - 1] ^= 1;
        void *read = GET(SSL_SESSION_from_bytes, copy, sizeof written, context);
        tls_note(read != NULL);
        if (read) {
            uint8_t *der = NULL;
            NOTE(SSL_SESSION_to_bytes, read, &der, &length);
            tls_note_der(der, (long)length);
            der = NULL;
            NOTE(SSL_SESSION_to_bytes_for_ticket, read, &der, &length);
            tls_note_der(der, (long)length);
            CALL(SSL_SESSION_free, GET(SSL_SESSION_copy_without_early_data, read));
            NOTE_DER(i2d_SSL_SESSION, read);
            CALL(SSL_SESSION_free, read);
        }
        if (flip)
            copy[flip - 1] ^= 1;
    }
}

/* A server that gets what it should not. */
static void strangers(void *context)
{
    NOTE(SSL_CTX_set1_groups_list, context, "P-256");
    static const struct { const char *bytes; int length; } sent[] = {
#define SENT(bytes) { bytes, sizeof(bytes) - 1 }
        SENT("GET / HTTP/1.0\r\n\r\n"), SENT("CONNECT localhost:80 HTTP/1.0\r\n"), SENT("\x16\x03\x01\xff\xff" "........"),
        SENT("\x15\x03\x01\x00\x02\x01\x00"), SENT("\x15\x03\x01\x00\x02\x02\x28"),
        SENT("\x14\x03\x01\x00\x01\x01"), SENT("\x17\x03\x01\x00\x03" "abc"), SENT("\x16\x03\x01\x00\x04\x0e\x00\x00\x00"),
        SENT("\x16\x03\x01\x00\x00"), SENT("\x16\x03\x03\x00\x09\x01\x00\x00\x05\x03\x03" "abc"),
        SENT("\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10\x00\x00\x2f\x00\x00\x35\x00\x00\x0a\x01\x00\x80\x07\x00\xc0\x03\x00\x80" "0123456789abcdef"),
        SENT("\x80\x05\x01\x03\x01\x00\x15" "0123456789"), SENT("\x99\x99\x99\x99\x99\x99")
    };
    for (size_t s = 0; s < COUNT(sent); s++)
        for (int server = s % 4 != 0; server < 2; server++) {
            void *ssl = GET(SSL_new, context), *in = GET(BIO_new, GET(BIO_s_mem)), *answer = GET(BIO_new, GET(BIO_s_mem));
            CALL(SSL_set_bio, ssl, in, answer);
            if (server)
                CALL(SSL_set_accept_state, ssl);
            else
                CALL(SSL_set_connect_state, ssl);
            NOTE(BIO_write, in, sent[s].bytes, sent[s].length);
            int result = (int)CALL(SSL_do_handshake, ssl);
            tls_note(CALL(SSL_get_error, ssl, result));
            NOTE(SSL_do_handshake, ssl);
            tls_note_bio(answer);
            CALL(SSL_free, ssl);
        }
}

/* ---- QUIC ---- */

static struct { uint8_t bytes[2][4][8192]; size_t length[2][4], taken[2][4]; } flights;
static void *sides[2];

static int side_of(void *ssl)
{
    return ssl == sides[1];
}

static int on_secret(void *ssl, int level, const void *cipher, const uint8_t *secret, size_t length)
{
    (void)cipher;
    exam_note_word((uint64_t)(side_of(ssl) * 8 + level));
    exam_note(secret, length);
    return 1;
}

static int on_handshake_data(void *ssl, int level, const uint8_t *bytes, size_t length)
{
    int side = side_of(ssl);
    if (flights.length[side][level] + length > sizeof flights.bytes[0][0])
        return 0;
    memcpy(flights.bytes[side][level] + flights.length[side][level], bytes, length);
    flights.length[side][level] += length;
    return 1;
}

static int on_flush(void *ssl)
{
    (void)ssl;
    return 1;
}

static int on_alert(void *ssl, int level, uint8_t alert)
{
    exam_note_word((uint64_t)(side_of(ssl) * 8 + level) << 8 | alert);
    return 1;
}
static const struct { void *read, *write, *data, *flush, *alert; } quic_method = { on_secret, on_secret, on_handshake_data, on_flush, on_alert };

static void quic(void)
{
    void *key = tls_key(TLS_EC), *certificate = tls_certificate(key, GET(EVP_sha256)), *context = GET(SSL_CTX_new, GET(TLS_method));
    NOTE(SSL_CTX_set1_groups_list, context, "X25519");
    NOTE(SSL_CTX_set_min_proto_version, context, 0x304);
    NOTE(SSL_CTX_set_quic_method, context, &quic_method);
    NOTE(SSL_CTX_use_certificate, context, certificate);
    NOTE(SSL_CTX_use_PrivateKey, context, key);
    for (int legacy = 0; legacy < 2; legacy++) {
        memset(&flights, 0, sizeof flights);
        for (int s = 0; s < 2; s++) {
            sides[s] = GET(SSL_new, context);
            CALL(SSL_set_quic_use_legacy_codepoint, sides[s], legacy);
            NOTE(SSL_set_quic_transport_params, sides[s], tls_data, (size_t)40);
            NOTE(SSL_set_quic_early_data_context, sides[s], "early", (size_t)5);
            NOTE(SSL_set_alpn_protos, sides[s], "\x02h3", 3u);
        }
        CALL(SSL_set_connect_state, sides[0]);
        CALL(SSL_set_accept_state, sides[1]);
        for (int turn = 0; turn < 6; turn++)
            for (int s = 0; s < 2; s++) {
                int result = (int)CALL(SSL_do_handshake, sides[s]);
                tls_note(CALL(SSL_get_error, sides[s], result));
                for (int level = 0; level < 4; level++) {
                    size_t n = flights.length[s][level] - flights.taken[s][level];
                    if (n == 0 || (int)CALL(SSL_quic_read_level, sides[!s]) != level)
                        continue;
                    exam_note_word((uint64_t)CALL(SSL_quic_max_handshake_flight_len, sides[!s], level));
                    NOTE(SSL_provide_quic_data, sides[!s], level, flights.bytes[s][level] + flights.taken[s][level], n);
                    flights.taken[s][level] += n;
                    if (!(CALL(SSL_in_init, sides[!s]) & 0xff))
                        NOTE(SSL_process_quic_post_handshake, sides[!s]);
                    else
                        NOTE(SSL_do_handshake, sides[!s]);
                }
            }
        for (int s = 0; s < 2; s++) {
            const uint8_t *bytes = NULL;
            size_t n = 0;
            CALL(SSL_get_peer_quic_transport_params, sides[s], &bytes, &n);
            exam_note(bytes, n);
            NOTE(SSL_provide_quic_data, sides[s], 0, tls_data, (size_t)5);
            CALL(SSL_free, sides[s]);
        }
    }
    CALL(SSL_CTX_free, context);
    CALL(X509_free, certificate);
    CALL(EVP_PKEY_free, key);
    CALL(ERR_clear_error);
}

void tls_sessions(void)
{
    void *context = GET(SSL_CTX_new, GET(TLS_method)), *ssl = GET(SSL_new, context);
    sessions(context);
    strangers(context);
    lists(context, ssl);
    keys_and_chains(context, ssl);
    CALL(SSL_free, ssl);
    CALL(SSL_CTX_free, context);
    quic();
    CALL(ERR_clear_error);
}
