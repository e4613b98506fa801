/* What the parts of BoringSSL's workload share. */
#ifndef EXAM_TLS_H
#define EXAM_TLS_H

#include "object.h"

/* Functions of the library are called by their names, without prototypes: FUNCTION(SSL_new)(context). Each mention leaves an entry in a section, and
 * exam_boringssl_prepare finds them all before the first run. Integers are passed as they are: give wide ones wide (-1L, (size_t)9). */
typedef long (*tls_native)();
struct tls_function {
    const char *name;
    tls_native address;
};
#define FUNCTION(function) (*({ \
    static struct tls_function mention_ __attribute__((section("tls_functions"), used)) = { #function, NULL }; \
    &mention_.address; }))
#define CALL(function, ...) (FUNCTION(function)(__VA_ARGS__))
#define GET(function, ...) ((void *)CALL(function, __VA_ARGS__))
#define NOTE(function, ...) tls_note(CALL(function, __VA_ARGS__))
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* An int, with anything in the upper half, and the library's queue of errors. Not for pointers, which differ from process to process. */
void tls_note(long result);
/* Notes and frees what i2d gave; length as i2d returned it. */
void tls_note_der(uint8_t *der, long length);
#define NOTE_DER(function, object, ...) do { \
    uint8_t *der_ = NULL; \
    long length_ = (int)CALL(function, object, &der_, ##__VA_ARGS__); \
    tls_note_der(der_, length_); \
} while (0)
/* What a memory BIO holds by now. */
void tls_note_bio(void *bio);

enum { TLS_DATA = 4096, TLS_RSA = 0, TLS_EC, TLS_ED25519, TLS_KEYS };
extern uint8_t tls_data[TLS_DATA];      /* text */
extern const char tls_rsa_key[];        /* PEM, 528 bits */
void *tls_key(int kind);
void *tls_certificate(void *key, const void *digest);
void tls_check_certificate(void *certificate, void *key);

/* Which of its implementations the library chooses (OPENSSL_ia32cap_P, crypto/internal.h). */
enum { TLS_ALL, TLS_NO_SHA, TLS_INTEL, TLS_NO_AVX, TLS_SSSE3, TLS_NONE, TLS_CAPABILITIES };
void tls_capabilities(int set);
int tls_has_avx2(void);

/* Parts of tls_keys, which owns the keys. */
void tls_rsa(void *key);
void *tls_elliptic(int curve);
void *tls_dsa(void);
void *tls_diffie_hellman(void);

/* The parts, for the long form of the workload. */
void tls_digests(int most);
void tls_ciphers(void);
void tls_numbers(void);
void tls_curves(void);
void tls_keys(void);
void tls_exchanges(void);
void tls_asn1(void);
void tls_x509(void);
void tls_containers(void);
void tls_handshakes(void);
void tls_sessions(void);
void tls_support(void);

#endif
