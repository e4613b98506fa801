/* BoringSSL, linked into netty's library with its symbols in .symtab: hashes, ciphers, keys, certificates, and handshakes between a client and a
 * server in memory; the short form is here, tls_*.c have the parts of the long one. Random numbers are ours (object.c), RDRAND is not used
 * (OPENSSL_ia32cap). */
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern struct tls_function __start_tls_functions[], __stop_tls_functions[];
static uint32_t *capabilities, all_capabilities[4];

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct tls_function *const *)a)->name, (*(struct tls_function *const *)b)->name);
}

/* Sorted, so that each name is looked up once. */
int exam_boringssl_prepare(void)
{
    enum { MOST = 8192 };
    static struct tls_function *mentioned[MOST];
    size_t count = (size_t)(__stop_tls_functions - __start_tls_functions);
    if (count > MOST)
        return -1;
    for (size_t i = 0; i < count; i++)
        mentioned[i] = &__start_tls_functions[i];
    qsort(mentioned, count, sizeof *mentioned, by_name);
    int missing = 0;
    for (size_t i = 0; i < count; i++) {
        int same = i > 0 && strcmp(mentioned[i]->name, mentioned[i - 1]->name) == 0;
        mentioned[i]->address = same ? mentioned[i - 1]->address : (tls_native)exam_symbol(mentioned[i]->name);
        if (!mentioned[i]->address && !same)
            missing = -1, dprintf(2, "no function %s\n", mentioned[i]->name);
    }
    capabilities = exam_symbol("OPENSSL_ia32cap_P");
    return capabilities ? missing : -1;
}

/* Words as crypto/internal.h of BoringSSL has them: CPUID leaf 1 EDX, ECX, leaf 7 EBX, ECX; bit 30 of the first says that the processor is Intel's,
 * for which some functions are chosen that run anywhere. */
void tls_capabilities(int set)
{
    enum {
        INTEL = 1 << 30, PCLMUL = 1 << 1, SSSE3 = 1 << 9, SSE4_1 = 1 << 19, MOVBE = 1 << 22, AES = 1 << 25, AVX = 1 << 28,
        BMI1 = 1 << 3, AVX2 = 1 << 5, BMI2 = 1 << 8, ADX = 1 << 19, SHA = 1 << 29
    };
    CALL(OPENSSL_init_cpuid);
    if (!all_capabilities[0])
        memcpy(all_capabilities, capabilities, sizeof all_capabilities);
    memcpy(capabilities, all_capabilities, sizeof all_capabilities);
    if (set >= TLS_NO_SHA)
        capabilities[2] &= ~(uint32_t)SHA;
    if (set == TLS_INTEL)
        capabilities[0] |= INTEL;
    if (set >= TLS_INTEL)
        capabilities[2] = capabilities[3] = 0;
    if (set >= TLS_NO_AVX)
        capabilities[1] &= ~(uint32_t)(AVX | MOVBE);
    if (set >= TLS_SSSE3)
        capabilities[1] &= ~(uint32_t)(AES | PCLMUL);
    if (set >= TLS_NONE)
        capabilities[1] &= ~(uint32_t)(SSSE3 | SSE4_1);
}

int tls_has_avx2(void)
{
    return (capabilities[2] & 1 << 5) != 0;
}

/* Made for this test, 528 bits: the least that PSS with SHA-256 fits in. Making one takes ten million instructions and more. */
const char tls_rsa_key[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIBRAIBAAJDALmyPV+K+dRHRr6yzBsqwDFiTemJj7jn1ssxuZc1/gT0OPkwhXD+\n"
    "mlWSfA4zN7GrWuOGl5BvBj1k4IR62LrQXA+t+wIDAQABAkIEDIvkCm66Hze+rr1e\n"
    "lkcMjJ0wS2yT1pJLafEnB+lbCEwwM+KxSPSzloj4MBHcFZaWrVjyDo24HbAr3dHZ\n"
    "UPUXqFkCIgDoIZRyICHwwlmBR5v9t02cuX0QvbS9CfHI5B+FT1/PJH8CIgDMylje\n"
    "r4lQtM4LCENbMhhWCkKOHTRcGD0Zdocz7R3SSIUCIgDDhW1Ex33vDbRYKRniFaBg\n"
    "zvfhvvhadeLa5BMMtXOsxT8CIgCSrauRc/DKGXYqeLSlsO+1UIvy9f/2pnW8sySL\n"
    "kJ33a3ECIRjnzKjIzLzXB57CPET/QvMe5t6MnAuPDgvR/OWaGApJbg==\n"
    "-----END RSA PRIVATE KEY-----\n";

uint8_t tls_data[TLS_DATA];

/* Errors as numbers: making text of one takes two thousand instructions, and tls_support.c does it. */
void tls_note(long result)
{
    exam_note_word((uint64_t)(int)result);
    for (unsigned error; (error = (unsigned)CALL(ERR_get_error)) != 0;)
        exam_note_word(error);
}

void tls_note_der(uint8_t *der, long length)
{
    exam_note_word((uint64_t)(int)length);
    if ((int)length <= 0)
        return;
    exam_note(der, (size_t)(int)length);
    CALL(OPENSSL_free, der);
}

void tls_note_bio(void *bio)
{
    const uint8_t *contents = NULL;
    size_t length = 0;
    NOTE(BIO_mem_contents, bio, &contents, &length);
    exam_note(contents, length);
    CALL(BIO_reset, bio);
}

void *tls_key(int kind)
{
    if (kind == TLS_RSA) {
        static void *rsa;       /* checking one that is read is dear, so all have the same */
        if (!rsa) {
            void *bio = GET(BIO_new_mem_buf, tls_rsa_key, -1);
            rsa = GET(PEM_read_bio_PrivateKey, bio, NULL, NULL, NULL);
            CALL(BIO_free, bio);
        }
        CALL(EVP_PKEY_up_ref, rsa);
        return rsa;
    }
    if (kind == TLS_ED25519)
        return GET(EVP_PKEY_new_raw_private_key, 949 /* NID_ED25519 */, NULL, tls_data, (size_t)32);
    void *key = GET(EVP_PKEY_new), *ec = GET(EC_KEY_new_by_curve_name, 415 /* P-256 */);
    NOTE(EC_KEY_generate_key, ec);
    NOTE(EVP_PKEY_assign_EC_KEY, key, ec);
    return key;
}

void *tls_certificate(void *key, const void *digest)
{
    static void *of_rsa;        /* its signature is dear, and nobody changes it */
    int rsa = (int)CALL(EVP_PKEY_id, key) == 6 /* EVP_PKEY_RSA */;
    if (rsa && of_rsa) {
        CALL(X509_up_ref, of_rsa);
        return of_rsa;
    }
    void *certificate = GET(X509_new), *name;
    NOTE(X509_set_version, certificate, 2L);
    CALL(ASN1_INTEGER_set, GET(X509_get_serialNumber, certificate), 77L);
    CALL(X509_gmtime_adj, GET(X509_getm_notBefore, certificate), 0L);
    CALL(X509_gmtime_adj, GET(X509_getm_notAfter, certificate), 86400L);
    name = GET(X509_get_subject_name, certificate);
    NOTE(X509_NAME_add_entry_by_txt, name, "CN", 0x1001, "localhost", -1, -1, 0);
    NOTE(X509_set_issuer_name, certificate, name);
    NOTE(X509_set_pubkey, certificate, key);
    NOTE(X509_sign, certificate, key, digest);
    if (rsa) {
        CALL(X509_up_ref, certificate);
        of_rsa = certificate;
    }
    return certificate;
}

/* Verified, and written and read in each form. */
void tls_check_certificate(void *certificate, void *key)
{
    NOTE(X509_verify, certificate, key);
    uint8_t *der = NULL;
    int length = (int)CALL(i2d_X509, certificate, &der);
    exam_note(der, (size_t)(length > 0 ? length : 0));
    const uint8_t *at = der;
    void *again = GET(d2i_X509, NULL, &at, (long)length);
    exam_note_word(again != NULL);
    void *bio = GET(BIO_new, GET(BIO_s_mem));
    NOTE(PEM_write_bio_X509, bio, certificate);
    void *third = GET(PEM_read_bio_X509, bio, NULL, NULL, NULL);
    exam_note_word(third != NULL);
    NOTE(PEM_write_bio_PrivateKey, bio, key, NULL, NULL, 0, NULL, NULL);
    void *second_key = GET(PEM_read_bio_PrivateKey, bio, NULL, NULL, NULL);
    exam_note_word(second_key != NULL);
    CALL(EVP_PKEY_free, second_key);
    CALL(BIO_free, bio);
    CALL(X509_free, third);
    CALL(X509_free, again);
}

void exam_boringssl(void)
{
    exam_fill(tls_data, sizeof tls_data, EXAM_TEXT, 21);
    if (!exam_shared->full) {
        tls_digests(5);
        void *key = tls_key(TLS_EC);
        tls_check_certificate(tls_certificate(key, GET(EVP_sha256)), key);
        return;
    }
    tls_ciphers();
    tls_numbers();
    tls_curves();
    tls_keys();
    tls_exchanges();
    tls_asn1();
    tls_x509();
    tls_containers();
    tls_handshakes();
    tls_sessions();
    tls_support();
}
