/* BoringSSL's workload: handshakes between a client and a server in memory, in each version and with whatever the protocol can carry. */
#include "tls_handshakes.h"

#include <string.h>

static uint8_t received[8192];

static const struct { int version, key; const char *ciphers, *groups; int carries; } cases[] = {
    { TLS1_3, TLS_RSA, NULL, "X25519MLKEM768", CLIENT_CERTIFICATE | ALPS | OCSP_AND_SCT | COMPRESSION | CALLBACKS | KEY_UPDATE },
    { TLS1_3, TLS_EC, NULL, "X25519", EARLY_DATA | TICKET_AEAD | ECH | GREASE | SHED | RESUMED },
    { TLS1_3, TLS_RSA, NULL, "X25519Kyber768Draft00", ECH | CREDENTIAL | VERIFY | BUFFERS },
    { TLS1_2, TLS_RSA, "ECDHE-RSA-CHACHA20-POLY1305", "X25519", OCSP_AND_SCT | CALLBACKS | SRTP | TICKET_KEYS },
    { TLS1_2, TLS_RSA, "AES256-GCM-SHA384", NULL, RENEGOTIATE | TICKET_CALLBACK | RESUMED },
    { TLS1_2, TLS_RSA, "PSK-AES256-CBC-SHA", NULL, PSK | NO_TICKET | NPN | HINT | SPLIT | RESUMED | HARM },
    { TLS1_2, TLS_RSA, "DES-CBC3-SHA", NULL, PRIVATE_KEY_METHOD | SHED },
    { TLS1_0, TLS_RSA, "AES128-SHA", NULL, CLIENT_CERTIFICATE },
    { TLS1_1, TLS_RSA, "PSK-AES128-CBC-SHA", NULL, PSK | CALLBACKS },
    { TLS1_2, TLS_RSA, "ECDHE-ECDSA-AES128-GCM-SHA256", NULL, 0 },      /* no cipher in common */
    { TLS1_2, TLS_RSA, "AES128-SHA", NULL, CLIENT_CERTIFICATE | REFUSED },
};

static void show_connection(void *ssl)
{
    size_t length = 0;
    const uint8_t *bytes = NULL;
    unsigned short_length = 0;
    exam_note_text((const char *)GET(SSL_get_version, ssl));
    const void *cipher = GET(SSL_get_current_cipher, ssl);
    exam_note_text((const char *)GET(SSL_CIPHER_get_name, cipher));
    exam_note_text((const char *)GET(SSL_CIPHER_get_kx_name, cipher));
    exam_note_text((const char *)GET(SSL_CIPHER_standard_name, cipher));
    exam_note_text((const char *)GET(SSL_CIPHER_description, cipher, (char *)received, 256));
    exam_note_word((uint64_t)(unsigned)CALL(SSL_CIPHER_get_bits, cipher, NULL) << 32 | (unsigned)CALL(SSL_CIPHER_get_cipher_nid, cipher));
    exam_note_word((uint64_t)(unsigned)CALL(SSL_CIPHER_get_digest_nid, cipher) << 32 | (unsigned)CALL(SSL_CIPHER_get_kx_nid, cipher));
    exam_note_word((uint64_t)(unsigned)CALL(SSL_CIPHER_get_auth_nid, cipher) << 32 | (unsigned)CALL(SSL_CIPHER_get_prf_nid, cipher));
    NOTE(SSL_session_reused, ssl);
    NOTE(SSL_early_data_accepted, ssl);
    exam_note_text((const char *)GET(SSL_early_data_reason_string, CALL(SSL_get_early_data_reason, ssl)));
    NOTE(SSL_ech_accepted, ssl);
    CALL(SSL_get0_alpn_selected, ssl, &bytes, &short_length);
    exam_note(bytes, short_length);
    CALL(SSL_get0_next_proto_negotiated, ssl, &bytes, &short_length);
    CALL(SSL_get0_ocsp_response, ssl, &bytes, &length);
    exam_note(bytes, length);
    CALL(SSL_get0_signed_cert_timestamp_list, ssl, &bytes, &length);
    exam_note(bytes, length);
    CALL(SSL_get0_peer_application_settings, ssl, &bytes, &short_length);
    exam_note(received, (size_t)CALL(SSL_get_finished, ssl, received, sizeof received));
    exam_note(received, (size_t)CALL(SSL_get_peer_finished, ssl, received, sizeof received));
    exam_note(received, (size_t)CALL(SSL_get_client_random, ssl, received, (size_t)32));
    exam_note(received, (size_t)CALL(SSL_get_server_random, ssl, received, (size_t)32));
    NOTE(SSL_get_tls_unique, ssl, received, &length, (size_t)64);
    NOTE(SSL_export_keying_material, ssl, received, (size_t)40, "label", (size_t)5, tls_data, (size_t)9, 1);
    exam_note(received, 40);
    length = (size_t)CALL(SSL_get_key_block_len, ssl);
    if (length > 0 && length < sizeof received)
        NOTE(SSL_generate_key_block, ssl, received, length);
    NOTE(SSL_get_ivs, ssl, &bytes, &bytes, &length);
    NOTE(SSL_get_extms_support, ssl);
    NOTE(SSL_get_secure_renegotiation_support, ssl);
    NOTE(SSL_get_tls_channel_id, ssl, received, (size_t)64);
    exam_note_text((const char *)GET(SSL_get_group_name, (unsigned)CALL(SSL_get_group_id, ssl) & 0xffff));
    exam_note_text((const char *)GET(SSL_get_signature_algorithm_name, (unsigned)CALL(SSL_get_peer_signature_algorithm, ssl) & 0xffff, 1));
    tls_note(CALL(SSL_get_selected_srtp_profile, ssl) != 0);
    exam_note_text((const char *)GET(SSL_get_psk_identity, ssl));
    CALL(X509_free, GET(SSL_get_peer_certificate, ssl));
    tls_note(CALL(SSL_get_peer_cert_chain, ssl) != 0);
    tls_note(CALL(SSL_get_peer_full_cert_chain, ssl) != 0);
    NOTE(SSL_get_verify_result, ssl);
    CALL(SSL_get0_certificate_types, ssl, &bytes);
    CALL(SSL_get0_peer_verify_algorithms, ssl, &bytes);
    tls_note(CALL(SSL_get_client_CA_list, ssl) != 0);
    tls_note(CALL(SSL_get0_server_requested_CAs, ssl) != 0);
    exam_note_word((uint64_t)CALL(SSL_get_read_sequence, ssl) * 31 + (uint64_t)CALL(SSL_get_write_sequence, ssl));
    NOTE(SSL_can_release_private_key, ssl);
}

static void exchange(void *from, void *to, size_t length)
{
    NOTE(SSL_write, from, tls_data, (int)length);
    int n = (int)CALL(SSL_peek, to, received, 10);
    tls_note(n);
    n = (int)CALL(SSL_read, to, received, (int)sizeof received);
    tls_note(n);
    tls_note(CALL(SSL_pending, to));
    exam_note(received, (size_t)(n > 0 ? n : 0));
}

static int step(void *ssl, int *retries)
{
    int result = (int)CALL(SSL_do_handshake, ssl);
    if (result == 1)
        return 1;
    int error = (int)CALL(SSL_get_error, ssl, result);
    exam_note_text((const char *)GET(SSL_error_description, error));
    if (error == 15 /* SSL_ERROR_EARLY_DATA_REJECTED */)
        CALL(SSL_reset_early_data_reject, ssl);
    if (error == 1)
        *retries += 4;
    return 0;
}

/* The records in flight, one bit wrong: what the other side has to refuse. */
static void damage(void *bio, int at)
{
    const uint8_t *contents = NULL;
    size_t length = 0;
    NOTE(BIO_mem_contents, bio, &contents, &length);
    if (length > 0)
        ((uint8_t *)contents)[(size_t)at % length] ^= 0x10;
}

static void connect(void *server_context, void *client_context, int carries, int harm)
{
    void *session = NULL;
    for (int round = 0; round < (harm >= 0 || !(carries & RESUMED) ? 1 : 2); round++) {
        void *server = GET(SSL_new, server_context), *client = GET(SSL_new, client_context), *up, *down;
        up = GET(BIO_new, GET(BIO_s_mem));
        down = GET(BIO_new, GET(BIO_s_mem));
        CALL(BIO_up_ref, up);
        CALL(BIO_up_ref, down);
        CALL(SSL_set_bio, server, up, down);
        CALL(SSL_set_bio, client, down, up);
        CALL(SSL_set_accept_state, server);
        CALL(SSL_set_connect_state, client);
        NOTE(SSL_set_tlsext_host_name, client, "localhost");
        if (session)
            NOTE(SSL_set_session, client, session);
        if (carries & ECH) {
            CALL(SSL_set_enable_ech_grease, client, 1);
            if (!(carries & GREASE))
                NOTE(SSL_set1_ech_config_list, client, tls_ech_list, tls_ech_list_length);
        }
        if (carries & ALPS) {
            NOTE(SSL_add_application_settings, client, "h2", (size_t)2, "settings", (size_t)8);
            NOTE(SSL_add_application_settings, server, "h2", (size_t)2, "others", (size_t)6);
            CALL(SSL_set_alps_use_new_codepoint, client, round);
            CALL(SSL_set_alps_use_new_codepoint, server, round);
        }
        if (carries & SHED)
            CALL(SSL_set_shed_handshake_config, client, 1);
        if (carries & RENEGOTIATE)
            CALL(SSL_set_renegotiate_mode, client, 2);
        if (carries & SPLIT)
            CALL(SSL_set_mode, client, 0x100ul);        /* SSL_MODE_CBC_RECORD_SPLITTING */
        tls_verify_result = carries & VERIFY ? 2 : 0;
        int done_client = 0, done_server = 0, failures = 0, early = 0;
        for (int turn = 0; turn < 24 && failures < 8 && !(done_client && done_server); turn++) {
            if (!done_client)
                done_client = step(client, &failures);
            if (harm >= 0 && turn == harm % 3)
                damage(harm % 2 ? up : down, harm);
            if (done_client && CALL(SSL_in_early_data, client) & 0xff && !early++)
                NOTE(SSL_write, client, tls_data, 100);
            if (!done_server)
                done_server = step(server, &failures);
            if (done_server && CALL(SSL_in_early_data, server) & 0xff) {
                NOTE(SSL_read, server, received, 100);
                done_server = 0;
            }
        }
        tls_note(done_client + 2 * done_server);
        if (done_client && done_server && harm < 0) {
            if (!(carries & (SHED | BUFFERS))) {    /* most of what is asked asserts that the configuration and X509 objects are there */
                show_connection(client);
                if (round == 0)
                    show_connection(server);
            }
            exchange(client, server, 300);
            exchange(server, client, 100);
            if (carries & KEY_UPDATE) {
                NOTE(SSL_key_update, client, 1);
                exchange(client, server, 20);
                exchange(server, client, 30);
            }
            if (carries & RENEGOTIATE)
                NOTE(SSL_renegotiate, client);
            exchange(client, server, 700);
            exchange(server, client, 1);
            NOTE(SSL_shutdown, client);
            NOTE(SSL_shutdown, server);
            NOTE(SSL_shutdown, client);
            if (!session)
                session = tls_kept_session ? tls_kept_session : GET(SSL_get1_session, client);
            if (tls_kept_session)
                tls_kept_session = NULL;
        } else if (harm < 0) {
            NOTE(SSL_send_fatal_alert, client, 40u);
            NOTE(SSL_read, server, received, 10);
        }
        CALL(SSL_free, server);
        CALL(SSL_free, client);
    }
    if (session)
        CALL(SSL_SESSION_free, session);
    if (tls_kept_session)
        CALL(SSL_SESSION_free, tls_kept_session);
    tls_kept_session = NULL;
    CALL(ERR_clear_error);
}

void tls_handshakes(void)
{
    void *keys[TLS_KEYS], *certificates[TLS_KEYS];
    for (int k = 0; k < TLS_KEYS; k++) {
        keys[k] = tls_key(k);
        certificates[k] = tls_certificate(keys[k], k == TLS_ED25519 ? NULL : GET(EVP_sha256));
    }
    tls_make_ech();
    for (size_t c = 0; c < COUNT(cases); c++) {
        void *key = keys[cases[c].key], *certificate = certificates[cases[c].key];
        exam_note_word(c);
        void *contexts[2];
        for (int server = 0; server < 2; server++)
            contexts[server] = tls_context(cases[c].version, cases[c].ciphers, cases[c].groups, cases[c].carries, server, key, certificate);
        connect(contexts[1], contexts[0], cases[c].carries, -1);
        for (int harm = 7; cases[c].carries & HARM && harm < 70; harm += 61)
            connect(contexts[1], contexts[0], cases[c].carries, harm);
        CALL(SSL_CTX_free, contexts[0]);
        CALL(SSL_CTX_free, contexts[1]);
    }
    for (int k = 0; k < TLS_KEYS; k++) {
        CALL(X509_free, certificates[k]);
        CALL(EVP_PKEY_free, keys[k]);
    }
}
