/* BoringSSL, linked into netty's library with its symbols in .symtab: hashes, ciphers, signatures, certificates, and handshakes between a client and a
 * server in memory, for each version and cipher suite. Random numbers are ours (object.c), RDRAND is not used (OPENSSL_ia32cap). */
#include "object.h"

#include <stdlib.h>
#include <string.h>

typedef long (*native)();

#define FUNCTIONS(F) \
    F(SSL_CTX_new) F(SSL_CTX_free) F(TLS_method) F(SSL_new) F(SSL_free) F(SSL_set_connect_state) F(SSL_set_accept_state) F(SSL_set_bio) \
    F(SSL_do_handshake) F(SSL_read) F(SSL_write) F(SSL_shutdown) F(SSL_get_error) F(SSL_CTX_use_certificate) F(SSL_CTX_use_PrivateKey) \
    F(SSL_CTX_set_min_proto_version) F(SSL_CTX_set_max_proto_version) F(SSL_CTX_set_cipher_list) F(SSL_get_current_cipher) F(SSL_CIPHER_get_name) \
    F(SSL_CTX_set1_groups_list) F(SSL_CTX_set_verify) F(SSL_get_version) F(SSL_get_session) F(SSL_set_session) F(SSL_SESSION_free) F(SSL_session_reused) \
    F(SSL_CTX_set_alpn_protos) F(SSL_set_tlsext_host_name) F(BIO_up_ref) F(BIO_free) F(BIO_new) F(BIO_s_mem) F(ERR_get_error) \
    F(ERR_error_string_n) F(ERR_clear_error) F(EVP_PKEY_new) F(EVP_PKEY_free) F(EVP_PKEY_assign_EC_KEY) F(BIO_new_mem_buf) \
    F(EC_KEY_new_by_curve_name) F(EC_KEY_generate_key) F(X509_new) F(X509_free) \
    F(X509_set_version) F(X509_set_pubkey) F(X509_sign) F(X509_verify) F(X509_get_serialNumber) F(ASN1_INTEGER_set) F(X509_gmtime_adj) \
    F(X509_get_subject_name) F(X509_set_issuer_name) F(X509_NAME_add_entry_by_txt) F(i2d_X509) F(d2i_X509) F(PEM_write_bio_X509) F(PEM_read_bio_X509) \
    F(X509_getm_notBefore) F(X509_getm_notAfter) F(SSL_get1_session) F(EVP_sha256) F(EVP_sha384) F(EVP_sha512) F(EVP_sha1) F(EVP_md5) F(EVP_Digest) F(HMAC) F(PEM_write_bio_PrivateKey) F(PEM_read_bio_PrivateKey)
#define DECLARE(name) static native name;
FUNCTIONS(DECLARE)

extern char **environ;

int exam_boringssl_prepare(void)
{
    int missing = 0;
#define FIND(name) missing |= !(name = (native)exam_symbol(#name));
    FUNCTIONS(FIND)
    return missing ? -1 : 0;
}

/* Made for this test: making one takes a hundred million instructions. */
static const char rsa_key[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXAIBAAKBgQCopin6tQ7VbeRQCO1dI0Aa/3JW7xxeFFf7aqj1WO/PoGKPELMy\n"
    "jZMbl6Pg43mEODgoNXLRSZBj0LYn0jk3aMNXPKiidcJL2bAa9p7Vo7FrkQjig5Hg\n"
    "Y1OJYDEgwkwDVBfbAXgjB5KZIDzw+kVi4mWoN7jHHYhoDzhX8SBa9Fa9wQIDAQAB\n"
    "AoGAMDQuU4Zk0wQx+d5TWge1TwIsgESf6xQNgcMev+HHyaSiBxpS3eQxY/WX1bOv\n"
    "C+e1xWhhhQhtyNni9sbTq8655kKJVKB7YvsJ9RFeavnycqgv6pqD+Tj77/Qt1eml\n"
    "gs2tu5DW9hLQwCMuE6YYoBi+kG8zSISuQd1atYAah+sP5AECQQDXRMa8/G50rNMD\n"
    "YnUcK7WySU4nHd6fTAL1WH2K4vivyvgY0alskfm9r3D+nqwklnSB+6ClAwrdfFwn\n"
    "bvLU8texAkEAyI84Pwguikg2k1vqHkVqSTPCyzm8mbPDpDiMJ5CrCtiYXTfKpo2Q\n"
    "vEijE3tVeOTjYbir6Rg3Xu9ik2jPa1LbEQJAJe9Tymf9mwf9o4INOyqkuUdbw17r\n"
    "JU1C1DOE5B29T1VIRS9lWOGcjgXFtskFcukknOdX1txjZMaOgtB1cHte8QJBAIbO\n"
    "lZzwj+/M2Do2dug/+lAX5aAaP+YEScWRaMuTVxSkP82wmZtX3mhgXpTSusHW/+uI\n"
    "aKz15Qn/1/+DXKAkAjECQCRZPfIOnqGwaY+vUAVdN6RunoCWSV4l+kVY3VB3YYq9\n"
    "QWAn/P2reOK1VIprf4Q9KneVxEy9PBLpYqEu/3N4iww=\n"
    "-----END RSA PRIVATE KEY-----\n";

static uint8_t data[4096], received[8192];

/* Return values may be ints with anything in the upper half. */
static void noted(long result)
{
    exam_note_word((uint64_t)(int)result);
    char text[256];
    for (unsigned long e; (e = (unsigned int)ERR_get_error()) != 0;) {
        ERR_error_string_n(e, text, sizeof text);
        exam_note_text(text);
    }
}

static void *key_of(int kind)
{
    if (kind == 0) {
        void *bio = (void *)BIO_new_mem_buf(rsa_key, -1), *rsa = (void *)PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        BIO_free(bio);
        return rsa;
    }
    void *key = (void *)EVP_PKEY_new(), *ec = (void *)EC_KEY_new_by_curve_name(415 /* P-256 */);
    noted(EC_KEY_generate_key(ec));
    noted(EVP_PKEY_assign_EC_KEY(key, ec));
    return key;
}

static void *certificate_of(void *key, const void *digest)
{
    void *certificate = (void *)X509_new(), *name;
    noted(X509_set_version(certificate, 2L));
    ASN1_INTEGER_set((void *)X509_get_serialNumber(certificate), 77L);
    X509_gmtime_adj((void *)X509_getm_notBefore(certificate), 0L);
    X509_gmtime_adj((void *)X509_getm_notAfter(certificate), 86400L);
    name = (void *)X509_get_subject_name(certificate);
    noted(X509_NAME_add_entry_by_txt(name, "CN", 0x1001, "localhost", -1, -1, 0));
    noted(X509_set_issuer_name(certificate, name));
    noted(X509_set_pubkey(certificate, key));
    noted(X509_sign(certificate, key, digest));
    noted(X509_verify(certificate, key));
    uint8_t *der = NULL;
    int length = (int)i2d_X509(certificate, &der);
    exam_note(der, (size_t)(length > 0 ? length : 0));
    const uint8_t *at = der;
    void *again = (void *)d2i_X509(NULL, &at, (long)length);
    exam_note_word(again != NULL);
    void *bio = (void *)BIO_new((void *)BIO_s_mem());
    noted(PEM_write_bio_X509(bio, certificate));
    void *third = (void *)PEM_read_bio_X509(bio, NULL, NULL, NULL);
    exam_note_word(third != NULL);
    noted(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
    void *second_key = (void *)PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    exam_note_word(second_key != NULL);
    EVP_PKEY_free(second_key);
    BIO_free(bio);
    X509_free(third);
    X509_free(again);
    return certificate;
}

static void handshake(void *key, void *certificate, int version, const char *ciphers, const char *groups)
{
    void *server_context = (void *)SSL_CTX_new((void *)TLS_method()), *client_context = (void *)SSL_CTX_new((void *)TLS_method());
    void *contexts[] = { server_context, client_context };
    for (int i = 0; i < 2; i++) {
        noted(SSL_CTX_set_min_proto_version(contexts[i], version));
        noted(SSL_CTX_set_max_proto_version(contexts[i], version));
        if (ciphers)
            noted(SSL_CTX_set_cipher_list(contexts[i], ciphers));
        if (groups)
            noted(SSL_CTX_set1_groups_list(contexts[i], groups));
    }
    noted(SSL_CTX_use_certificate(server_context, certificate));
    noted(SSL_CTX_use_PrivateKey(server_context, key));
    noted(SSL_CTX_set_alpn_protos(client_context, "\x02h2\x08http/1.1", 12));
    void *session = NULL;
    for (int round = 0; round < 2; round++) {
        void *server = (void *)SSL_new(server_context), *client = (void *)SSL_new(client_context), *up, *down;
        up = (void *)BIO_new((void *)BIO_s_mem());
        down = (void *)BIO_new((void *)BIO_s_mem());
        BIO_up_ref(up);
        BIO_up_ref(down);
        SSL_set_bio(server, up, down);
        SSL_set_bio(client, down, up);
        SSL_set_accept_state(server);
        SSL_set_connect_state(client);
        SSL_set_tlsext_host_name(client, "localhost");
        if (session)
            noted(SSL_set_session(client, session));
        int done_client = 0, done_server = 0;
        for (int turn = 0; turn < 12 && !(done_client && done_server); turn++) {
            if (!done_client)
                done_client = (int)SSL_do_handshake(client) == 1;
            if (!done_server)
                done_server = (int)SSL_do_handshake(server) == 1;
        }
        noted(done_client + 2 * done_server);
        if (done_client && done_server) {
            exam_note_text((const char *)SSL_get_version(client));
            exam_note_text((const char *)SSL_CIPHER_get_name((void *)SSL_get_current_cipher(client)));
            noted(SSL_session_reused(client));
            noted(SSL_write(client, data, 1500));
            int n = (int)SSL_read(server, received, sizeof received);
            noted(n);
            exam_note(received, (size_t)(n > 0 ? n : 0));
            noted(SSL_write(server, data + 100, 700));
            n = (int)SSL_read(client, received, sizeof received);
            exam_note(received, (size_t)(n > 0 ? n : 0));
            noted(SSL_shutdown(client));
            noted(SSL_shutdown(server));
            if (!session)
                session = (void *)SSL_get1_session(client);
        }
        SSL_free(server);
        SSL_free(client);
    }
    if (session)
        SSL_SESSION_free(session);
    SSL_CTX_free(server_context);
    SSL_CTX_free(client_context);
    ERR_clear_error();
}

static void digests(void)
{
    const void *kinds[] = { (void *)EVP_sha256(), (void *)EVP_sha384(), (void *)EVP_sha512(), (void *)EVP_sha1(), (void *)EVP_md5() };
    for (int k = 0; k < 5; k++)
        for (size_t n = 0; n < 400; n += 130) {
            uint8_t out[64] = { 0 };
            unsigned length = 0;
            noted(EVP_Digest(data, n, out, &length, kinds[k], NULL));
            exam_note(out, sizeof out);
            HMAC(kinds[k], data + 7, (size_t)20, data, n, out, &length);
            exam_note(out, sizeof out);
        }
}

void exam_boringssl(void)
{
    enum { TLS1_0 = 0x301, TLS1_1, TLS1_2, TLS1_3 };
    exam_fill(data, sizeof data, EXAM_TEXT, 21);
    digests();
    int full = exam_shared->full;
    void *keys[2], *certificates[2];
    keys[1] = key_of(1);
    certificates[1] = certificate_of(keys[1], (void *)EVP_sha256());
    if (!full)
        return;
    keys[0] = key_of(0);
    certificates[0] = certificate_of(keys[0], (void *)EVP_sha384());
    handshake(keys[1], certificates[1], TLS1_3, NULL, NULL);
    handshake(keys[1], certificates[1], TLS1_2, "ECDHE-ECDSA-AES128-GCM-SHA256", "P-256");
    handshake(keys[1], certificates[1], TLS1_2, "ECDHE-ECDSA-CHACHA20-POLY1305", "X25519");
    handshake(keys[0], certificates[0], TLS1_2, "AES128-SHA", NULL);
    handshake(keys[0], certificates[0], TLS1_2, "AES256-GCM-SHA384", NULL);
    handshake(keys[0], certificates[0], TLS1_0, "ECDHE-RSA-AES128-SHA", "P-256");
    handshake(keys[1], certificates[1], TLS1_1, "ECDHE-ECDSA-AES256-SHA", "X25519");
    handshake(keys[0], certificates[0], TLS1_2, "ECDHE-ECDSA-AES128-GCM-SHA256", NULL);    /* no cipher in common */
    handshake(keys[0], certificates[0], TLS1_3, NULL, "P-256");
}
