/* What BoringSSL's handshakes and their contexts share. */
#ifndef EXAM_TLS_HANDSHAKES_H
#define EXAM_TLS_HANDSHAKES_H

#include "tls.h"

enum {
    TLS1_0 = 0x301, TLS1_1, TLS1_2, TLS1_3,
    /* what a handshake is to carry */
    CLIENT_CERTIFICATE = 1 << 0, OCSP_AND_SCT = 1 << 1, PSK = 1 << 2, NO_TICKET = 1 << 3, TICKET_KEYS = 1 << 4, CALLBACKS = 1 << 5,
    EARLY_DATA = 1 << 6, ECH = 1 << 7, GREASE = 1 << 8, COMPRESSION = 1 << 9, SRTP = 1 << 10, ALPS = 1 << 11, NPN = 1 << 12,
    KEY_UPDATE = 1 << 13, RENEGOTIATE = 1 << 14, PRIVATE_KEY_METHOD = 1 << 15, VERIFY = 1 << 16, HINT = 1 << 17, BUFFERS = 1 << 18,
    CREDENTIAL = 1 << 19, TICKET_CALLBACK = 1 << 20, TICKET_AEAD = 1 << 21, REFUSED = 1 << 22, SPLIT = 1 << 23, RESUMED = 1 << 24,
    SHED = 1 << 25, HARM = 1 << 26
};

extern int tls_verify_result;           /* of the next custom verification: ssl_verify_ok, _invalid, _retry */
extern void *tls_kept_session;          /* the last one that a client was given */
extern void *tls_ech_list;
extern size_t tls_ech_list_length;

/* Keys and configurations of ECH, for contexts and clients that carry it. */
void tls_make_ech(void);
/* An SSL_CTX; ciphers and groups may be NULL. */
void *tls_context(int version, const char *ciphers, const char *groups, int carries, int server, void *key, void *certificate);

#endif
