/* BoringSSL's workload: certificates, their extensions and names, lists of the revoked, requests, and paths. */
#include "tls.h"

#include <string.h>

static uint8_t out[8192];

static const struct { const char *name, *value; } extensions[] = {
    { "basicConstraints", "critical,CA:TRUE,pathlen:3" }, { "keyUsage", "critical,keyCertSign,cRLSign,digitalSignature" }, { "extendedKeyUsage",
    "serverAuth,clientAuth,1.2.3.4" },
    { "subjectKeyIdentifier", "hash" }, { "authorityKeyIdentifier", "keyid,issuer" }, { "subjectAltName",
    "DNS:localhost,DNS:*.example.com,email:a@example.com,IP:127.0.0.1,IP:::1,"
        "URI:http://example.com/,RID:1.2.3.4,otherName:1.2.3;UTF8:x,dirName:dn" }, { "issuerAltName", "issuer:copy" }, { "certificatePolicies",
        "1.2.3.4,2.5.29.32.0,@policy" },
    { "policyConstraints", "requireExplicitPolicy:3,inhibitPolicyMapping:1" }, { "policyMappings", "1.2.3.4:1.2.3.5" }, { "inhibitAnyPolicy", "2" },
    { "nameConstraints", "permitted;DNS:localhost,permitted;DNS:example.com,permitted;email:example.com,permitted;IP:127.0.0.0/255.0.0.0,excluded;DNS:bad.example.com,"
        "excluded;URI:.bad,permitted;dirName:dn" }, { "crlDistributionPoints", "URI:http://example.com/crl,cdp" }, { "authorityInfoAccess",
        "OCSP;URI:http://ocsp,caIssuers;URI:http://ca" },
    { "nsComment", "a comment" }, { "nsCertType", "client,server" }, { "noCheck", "ignored" }, { "1.2.3.4.5", "DER:0500" }, { "1.2.3.4.6",
    "ASN1:UTF8:text" },
    { "issuingDistributionPoint", "onlyuser:TRUE,onlysomereasons:keyCompromise,fullname:URI:http://x" }, { "crlNumber", "17" }, { "CRLReason",
    "keyCompromise" },
    { "invalidityDate", "DER:180f32303236303130313030303030305a" },
    /* refused */
    { "basicConstraints", "CA:MAYBE" }, { "keyUsage", "flying" }, { "subjectAltName", "IP:1.2.3" }, { "nameConstraints", "DNS:x" },
    { "certificatePolicies", "@none" }, { "unknown", "x" },
    { "policyConstraints", "x:y" }, { "extendedKeyUsage", "a b" }, { "subjectKeyIdentifier", "0102zz" }, { "inhibitAnyPolicy", "x" },
    { "crlDistributionPoints", "none" }
};
static const char section[] =
    "[dn]\nC = DE\nO = Example\nCN = localhost\n[policy]\npolicyIdentifier = 1.2.3.9\nCPS.1 = http://cps\nuserNotice.1 = @notice\n"
    "[notice]\nexplicitText = UTF8:some text\norganization = Example\nnoticeNumbers = 1,2,3\n[cdp]\nfullname = URI:http://y\nreasons = keyCompromise,CACompromise\nCRLissuer = dirName:dn\n"
    "[part]\na = INT:1\n";

static void *own_name(const char *common, int more)
{
    void *name = GET(X509_NAME_new);
    NOTE(X509_NAME_add_entry_by_txt, name, "C", 0x1001, "DE", -1, -1, 0);
    NOTE(X509_NAME_add_entry_by_txt, name, "O", 0x1000, "Ex\xc3\xa4mple, Ltd.", -1, -1, 0);
    NOTE(X509_NAME_add_entry_by_NID, name, 13 /* commonName */, 0x1000, common, -1, -1, 0);
    if (more) {
        NOTE(X509_NAME_add_entry_by_txt, name, "emailAddress", 0x1001, "b@example.com", -1, -1, 0);
        NOTE(X509_NAME_add_entry_by_txt, name, "OU", 0x1001, "joined", -1, -1, -1);
    }
    return name;
}

/* Signed by the issuer's key; which extensions of the table it has by bits. */
static void *issue(void *key, const char *subject, void *issuer_certificate, void *issuer_key, long serial, uint64_t chosen, void *conf)
{
    void *certificate = GET(X509_new), *name = own_name(subject, chosen != 0);
    uint64_t context[8] = { 0 };
    NOTE(X509_set_version, certificate, 2L);
    void *number = GET(ASN1_INTEGER_new);
    CALL(ASN1_INTEGER_set, number, serial);
    NOTE(X509_set_serialNumber, certificate, number);
    CALL(ASN1_STRING_free, number);
    CALL(X509_time_adj_ex, GET(X509_getm_notBefore, certificate), -1, 0L, NULL);
    CALL(X509_time_adj_ex, GET(X509_getm_notAfter, certificate), 30, 5L, NULL);
    NOTE(X509_set_subject_name, certificate, name);
    NOTE(X509_set_issuer_name, certificate, issuer_certificate ? GET(X509_get_subject_name, issuer_certificate) : name);
    NOTE(X509_set_pubkey, certificate, key);
    CALL(X509V3_set_ctx, context, issuer_certificate ? issuer_certificate : certificate, certificate, NULL, NULL, 0);
    CALL(X509V3_set_nconf, context, conf);
    for (size_t e = 0; e < COUNT(extensions); e++) {
        if (!(chosen >> e & 1))
            continue;
        void *extension = GET(X509V3_EXT_nconf, conf, context, extensions[e].name, extensions[e].value);
        tls_note(extension != NULL);
        if (extension)
            NOTE(X509_add_ext, certificate, extension, -1);
        CALL(X509_EXTENSION_free, extension);
    }
    NOTE(X509_sign, certificate, issuer_key, (int)CALL(EVP_PKEY_id, issuer_key) == 949 ? NULL : GET(EVP_sha256));
    CALL(X509_NAME_free, name);
    return certificate;
}

static int accept_all;
static int on_verify(int fine, void *context)
{
    exam_note_word((uint64_t)(int)CALL(X509_STORE_CTX_get_error, context) << 8 | (uint64_t)(int)CALL(X509_STORE_CTX_get_error_depth, context));
    return accept_all || fine;
}

static void show(void *memory, void *certificate)
{
    NOTE(X509_print, memory, certificate);
    NOTE(X509_print_ex, memory, certificate, 0x2b9ul, 0x10000ul);
    for (int e = 0; e < (int)CALL(X509_get_ext_count, certificate); e++)
        NOTE(X509V3_EXT_print, memory, GET(X509_get_ext, certificate, e), 2ul << 16, 4);
    void *name = GET(X509_get_subject_name, certificate);
    static const unsigned long flags[] = { 0, 0x82031f, 0x1108 | 0x800000, 0x2b9 | 4 << 16 | 1 << 21, 0x30000 | 3 << 21, 0x20000 | 2 << 21 };
    for (size_t f = 0; f < COUNT(flags); f++)
        NOTE(X509_NAME_print_ex, memory, name, 2, flags[f]);
    NOTE(X509_NAME_print, memory, name, 3);
    char *line = GET(X509_NAME_oneline, name, NULL, 0);
    exam_note_text(line);
    CALL(OPENSSL_free, line);
    exam_note_text((const char *)GET(X509_NAME_oneline, name, (char *)out, 20));
    NOTE(X509_NAME_get_text_by_NID, name, 13, (char *)out, 99);
    exam_note_word((uint64_t)CALL(X509_NAME_hash, name) ^ (uint64_t)CALL(X509_NAME_hash_old, name));
    exam_note_word((uint64_t)CALL(X509_issuer_name_hash, certificate) ^ (uint64_t)CALL(X509_subject_name_hash_old, certificate));
    unsigned length = 0;
    NOTE(X509_digest, certificate, GET(EVP_sha256), out, &length);
    NOTE(X509_pubkey_digest, certificate, GET(EVP_sha256), out, &length);
    NOTE(X509_NAME_digest, name, GET(EVP_sha256), out, &length);
    exam_note(out, 32);
    exam_note_word((uint64_t)(unsigned)CALL(X509_get_key_usage, certificate) << 32 | (unsigned)CALL(X509_get_extended_key_usage, certificate));
    exam_note_word((uint64_t)(unsigned)CALL(X509_get_extension_flags, certificate) << 32 | (unsigned)CALL(X509_get_pathlen, certificate));
    tls_note(CALL(X509_get0_subject_key_id, certificate) != 0);
    tls_note(CALL(X509_get0_authority_key_id, certificate) != 0);
    tls_note(CALL(X509_get0_authority_issuer, certificate) != 0);
    tls_note(CALL(X509_get0_authority_serial, certificate) != 0);
    static const char *const hosts[] = { "localhost", "www.example.com", "a.b.example.com", "nowhere", "example.com.", "*.example.com" };
    for (size_t h = 0; h < COUNT(hosts); h++)
        NOTE(X509_check_host, certificate, hosts[h], strlen(hosts[h]), h % 3u, NULL);
    NOTE(X509_check_email, certificate, "a@example.com", (size_t)13, 0u);
    NOTE(X509_check_email, certificate, "b@EXAMPLE.com", (size_t)13, 0u);
    NOTE(X509_check_ip_asc, certificate, "127.0.0.1", 0u);
    NOTE(X509_check_ip_asc, certificate, "1::2:127.0.0.1", 0u);
    NOTE(X509_check_ip_asc, certificate, "junk", 0u);
    for (int purpose = -1; purpose < 10; purpose++) {
        NOTE(X509_check_purpose, certificate, purpose, 0);
        NOTE(X509_check_purpose, certificate, purpose, 1);
        NOTE(X509_check_trust, certificate, purpose, 0);
    }
    NOTE(X509_check_ca, certificate);
    CALL(X509_email_free, GET(X509_get1_email, certificate));
    CALL(X509_email_free, GET(X509_get1_ocsp, certificate));
    void *aux = GET(X509_dup, certificate);
    NOTE(X509_alias_set1, aux, "alias", -1L);
    NOTE(X509_keyid_set1, aux, "key", 3L);
    NOTE(X509_add1_trust_object, aux, GET(OBJ_nid2obj, 129));
    NOTE(X509_add1_reject_object, aux, GET(OBJ_nid2obj, 130));
    for (int trust = 1; trust < 9; trust++)
        NOTE(X509_check_trust, aux, trust, 0);
    uint8_t *der = NULL;
    long n = (int)CALL(i2d_X509_AUX, aux, &der);
    const uint8_t *at = der;
    CALL(X509_free, GET(d2i_X509_AUX, NULL, &at, n));
    tls_note_der(der, n);
    NOTE(PEM_write_bio_X509_AUX, memory, aux);
    CALL(X509_free, GET(PEM_read_bio_X509_AUX, memory, NULL, NULL, NULL));
    CALL(X509_trust_clear, aux);
    CALL(X509_reject_clear, aux);
    CALL(X509_free, aux);
    int critical = 0;
    for (size_t e = 0; e < 960; e += 3)
        if (CALL(X509V3_EXT_get_nid, (int)e))
            tls_note(CALL(X509_get_ext_d2i, certificate, (int)e, &critical, NULL) != 0);
    NOTE(X509_get_ext_by_critical, certificate, 1, -1);
    NOTE(X509_get_ext_by_OBJ, certificate, GET(OBJ_nid2obj, 85), -1);
    tls_note_bio(memory);
    CALL(ERR_clear_error);
}

static void verify(void *store, void *certificate, void *chain, void *crls, unsigned long flags, int purpose, const char *host)
{
    void *context = GET(X509_STORE_CTX_new);
    NOTE(X509_STORE_CTX_init, context, store, certificate, chain);
    CALL(X509_STORE_CTX_set_verify_cb, context, on_verify);
    CALL(X509_STORE_CTX_set0_crls, context, crls);
    CALL(X509_STORE_CTX_set_flags, context, flags);
    if (purpose)
        NOTE(X509_STORE_CTX_set_purpose, context, purpose);
    void *parameters = GET(X509_STORE_CTX_get0_param, context);
    NOTE(X509_VERIFY_PARAM_set1_host, parameters, host, strlen(host));
    NOTE(X509_VERIFY_PARAM_add1_host, parameters, "other.example.com", (size_t)17);
    NOTE(X509_VERIFY_PARAM_set1_email, parameters, "a@example.com", (size_t)13);
    NOTE(X509_VERIFY_PARAM_set1_ip_asc, parameters, "127.0.0.1");
    if (flags & 0x80)
        NOTE(X509_VERIFY_PARAM_add0_policy, parameters, GET(OBJ_txt2obj, "1.2.3.4", 1));
    NOTE(X509_verify_cert, context);
    exam_note_word((uint64_t)(int)CALL(X509_STORE_CTX_get_error, context));
    void *built = GET(X509_STORE_CTX_get1_chain, context);
    exam_note_word(built ? (uint64_t)CALL(OPENSSL_sk_num, built) : 99);
    CALL(OPENSSL_sk_pop_free_ex, built, FUNCTION(sk_X509_call_free_func), FUNCTION(X509_free));
    CALL(X509_STORE_CTX_free, context);
    CALL(ERR_clear_error);
}

static void requests(void *memory, void *key, void *conf)
{
    void *request = GET(X509_REQ_new), *name = own_name("request", 0);
    uint64_t context[8] = { 0 };
    /* Their setters are not linked. struct X509_req_info_st: an ASN1_ENCODING of three words, version, subject, pubkey. */
    void **info = *(void ***)request;
    CALL(ASN1_INTEGER_set, info[3], 0L);
    NOTE(X509_NAME_set, &info[4], name);
    NOTE(X509_PUBKEY_set, &info[5], key);
    NOTE(X509_REQ_add1_attr_by_txt, request, "challengePassword", 0x1001, "pass", -1);
    NOTE(X509_REQ_add1_attr_by_NID, request, 49 /* unstructuredName */, 0x1001, "name", -1);
    void *stack = GET(OPENSSL_sk_new_null);
    CALL(X509V3_set_ctx, context, NULL, NULL, request, NULL, 0);
    CALL(X509V3_set_nconf, context, conf);
    for (int e = 0; e < 6; e++) {
        void *extension = GET(X509V3_EXT_nconf, conf, context, extensions[e].name, extensions[e].value);
        if (extension)
            CALL(OPENSSL_sk_push, stack, extension);
    }
    NOTE(X509_REQ_add_extensions, request, stack);
    CALL(OPENSSL_sk_pop_free_ex, stack, FUNCTION(sk_X509_EXTENSION_call_free_func), FUNCTION(X509_EXTENSION_free));
    NOTE(X509_REQ_sign, request, key, GET(EVP_sha256));
    NOTE(X509_REQ_verify, request, key);
    NOTE(X509_REQ_check_private_key, request, key);
    CALL(OPENSSL_sk_pop_free_ex, GET(X509_REQ_get_extensions, request), FUNCTION(sk_X509_EXTENSION_call_free_func), FUNCTION(X509_EXTENSION_free));
    CALL(X509_email_free, GET(X509_REQ_get1_email, request));
    NOTE(X509_REQ_get_attr_by_NID, request, 54, -1);
    NOTE(X509_REQ_get_attr_count, request);
    CALL(X509_ATTRIBUTE_free, GET(X509_REQ_delete_attr, request, 0));
    NOTE(PEM_write_bio_X509_REQ, memory, request);
    void *again = GET(PEM_read_bio_X509_REQ, memory, NULL, NULL, NULL);
    uint8_t *der = NULL;
    long n = (int)CALL(i2d_X509_REQ, again, &der);
    for (long flip = 0; flip < n; flip += 31) {
        der[flip] ^= 16;
        const uint8_t *at = der;
        CALL(X509_REQ_free, GET(d2i_X509_REQ, NULL, &at, n));
        CALL(ERR_clear_error);
        der[flip] ^= 16;
    }
    tls_note_der(der, n);
    CALL(X509_REQ_free, again);
    CALL(X509_REQ_free, request);
    CALL(X509_NAME_free, name);
    tls_note_bio(memory);
}

static void *revocations(void *memory, void *issuer, void *key, long serial, void *conf)
{
    void *list = GET(X509_CRL_new), *time = GET(ASN1_TIME_set, NULL, 1699990000L), *next = GET(ASN1_TIME_set, NULL, 1700990000L);
    uint64_t context[8] = { 0 };
    NOTE(X509_CRL_set_version, list, 1L);
    NOTE(X509_CRL_set_issuer_name, list, GET(X509_get_subject_name, issuer));
    NOTE(X509_CRL_set1_lastUpdate, list, time);
    NOTE(X509_CRL_set1_nextUpdate, list, next);
    CALL(X509V3_set_ctx, context, issuer, NULL, NULL, list, 0);
    CALL(X509V3_set_nconf, context, conf);
    for (int i = 0; i < 3; i++) {
        void *revoked = GET(X509_REVOKED_new), *number = GET(ASN1_INTEGER_new), *reason = GET(ASN1_ENUMERATED_new);
        CALL(ASN1_INTEGER_set, number, serial + i);
        NOTE(X509_REVOKED_set_serialNumber, revoked, number);
        NOTE(X509_REVOKED_set_revocationDate, revoked, time);
        CALL(ASN1_ENUMERATED_set, reason, i == 2 ? 8L : 1L);
        NOTE(X509_REVOKED_add1_ext_i2d, revoked, 141 /* CRL reason */, reason, 0, 0ul);
        NOTE(X509_CRL_add0_revoked, list, revoked);
        CALL(ASN1_STRING_free, number);
        CALL(ASN1_STRING_free, reason);
    }
    static const int of_lists[] = { 4, 20 };
    for (size_t e = 0; e < COUNT(of_lists); e++) {
        void *extension = GET(X509V3_EXT_nconf, conf, context, extensions[of_lists[e]].name, extensions[of_lists[e]].value);
        if (extension)
            NOTE(X509_CRL_add_ext, list, extension, -1);
        CALL(X509_EXTENSION_free, extension);
    }
    NOTE(X509_CRL_sort, list);
    NOTE(X509_CRL_sign, list, key, GET(EVP_sha256));
    NOTE(X509_CRL_verify, list, key);
    NOTE(PEM_write_bio_X509_CRL, memory, list);
    void *again = GET(PEM_read_bio_X509_CRL, memory, NULL, NULL, NULL), *found = NULL;
    NOTE(X509_CRL_cmp, list, again);
    NOTE(X509_CRL_match, list, again);
    NOTE(X509_CRL_get0_by_cert, again, &found, issuer);
    uint8_t *der = NULL;
    long n = (int)CALL(i2d_X509_CRL, again, &der);
    for (long flip = 0; flip < n; flip += 41) {
        der[flip] ^= 16;
        const uint8_t *at = der;
        CALL(X509_CRL_free, GET(d2i_X509_CRL, NULL, &at, n));
        CALL(ERR_clear_error);
        der[flip] ^= 16;
    }
    tls_note_der(der, n);
    CALL(ASN1_STRING_free, time);
    CALL(ASN1_STRING_free, next);
    CALL(X509_CRL_free, list);
    tls_note_bio(memory);
    return again;
}

static void pss(void *memory, const void *certificate, void *key)
{
    void *copy = GET(X509_dup, certificate), *context = NULL;
    uint64_t hash[8] = { 0 };
    CALL(EVP_MD_CTX_init, hash);
    NOTE(EVP_DigestSignInit, hash, &context, GET(EVP_sha256), NULL, key);
    NOTE(EVP_PKEY_CTX_set_rsa_padding, context, 6);
    NOTE(EVP_PKEY_CTX_set_rsa_pss_saltlen, context, -1);
    NOTE(X509_sign_ctx, copy, hash);
    NOTE(X509_verify, copy, key);
    NOTE(X509_print, memory, copy);
    CALL(X509_free, copy);
    tls_note_bio(memory);
}

void tls_x509(void)
{
    void *memory = GET(BIO_new, GET(BIO_s_mem)), *file = GET(BIO_new_mem_buf, section, -1), *conf = GET(NCONF_new, NULL);
    NOTE(NCONF_load_bio, conf, file, NULL);
    CALL(BIO_free, file);
    void *keys[4] = { tls_key(TLS_RSA), tls_key(TLS_RSA), tls_key(TLS_ED25519), tls_key(TLS_EC) };
    enum { CA = 0x1f, ALL = 0x7fffffff };
    void *root = issue(keys[0], "root", NULL, keys[0], 1, CA, conf), *middle = issue(keys[1], "middle", root, keys[0], 2, CA | 0xf80 | 0x3000, conf);
    void *leaf = issue(keys[2], "localhost", middle, keys[1], 3, 0x3e | 0x80, conf), *odd = issue(keys[3], "odd", NULL, keys[3], 4, ALL, conf);
    void *stranger = issue(keys[3], "stranger", NULL, keys[3], 5, 0, conf), *constrained = issue(keys[1], "middle", root, keys[0], 6, CA, conf);
    void *all[] = { root, middle, leaf, odd, stranger, constrained };
    for (size_t i = 0; i < COUNT(all); i++) {
        if (i == 3)
            show(memory, all[i]);
        for (size_t j = 0; j < 3; j++) {
            NOTE(X509_check_issued, all[i], all[j]);
            NOTE(X509_cmp, all[i], all[j]);
            NOTE(X509_NAME_cmp, GET(X509_get_subject_name, all[i]), GET(X509_get_issuer_name, all[j]));
        }
        uint8_t *der = NULL;
        long n = (int)CALL(i2d_X509, all[i], &der);
        for (long flip = 0; i == 3 && flip < n; flip += 121) {
            der[flip] ^= (uint8_t)(1 << flip % 7);
            const uint8_t *at = der;
            void *read = GET(d2i_X509, NULL, &at, n);
            tls_note(read != NULL);
            CALL(X509_free, read);
            CALL(ERR_clear_error);
            der[flip] ^= (uint8_t)(1 << flip % 7);
        }
        tls_note_der(der, n);
    }
    void *list = revocations(memory, root, keys[0], 2, conf);
    requests(memory, keys[3], conf);
    pss(memory, stranger, keys[0]);
    void *chain = GET(OPENSSL_sk_new_null), *crls = GET(OPENSSL_sk_new_null), *fair = GET(OPENSSL_sk_new_null);
    CALL(OPENSSL_sk_push, chain, middle);
    CALL(OPENSSL_sk_push, fair, constrained);
    CALL(OPENSSL_sk_push, crls, list);
    void *store = GET(X509_STORE_new);
    NOTE(X509_STORE_add_cert, store, root);
    NOTE(X509_STORE_add_cert, store, root);
    NOTE(X509_STORE_add_crl, store, list);
    /* X509_V_FLAG_: CRL_CHECK, CRL_CHECK_ALL, POLICY_CHECK, EXPLICIT_POLICY, X509_STRICT, PARTIAL_CHAIN, CHECK_SS_SIGNATURE, EXTENDED_CRL_SUPPORT */
    static const unsigned long flags[] = { 0, 4 | 8 | 0x1000, 0x80 | 0x100 | 0x200 | 0x400, 0x80000, 0x4000 | 0x20 };
    for (size_t f = 0; f < COUNT(flags); f++)
        for (accept_all = (int)f % 2; accept_all < 2; accept_all += 2) {
            verify(store, leaf, chain, crls, flags[f], accept_all ? 0 : 2, "localhost");
            verify(store, leaf, fair, crls, flags[f], 1, "www.example.com");
            if (f < 2)
                verify(store, stranger, NULL, NULL, flags[f], 7, "nobody");
        }
    CALL(OPENSSL_sk_free, chain);
    CALL(OPENSSL_sk_free, fair);
    CALL(OPENSSL_sk_pop_free_ex, crls, FUNCTION(sk_X509_CRL_call_free_func), FUNCTION(X509_CRL_free));
    CALL(X509_STORE_free, store);
    for (size_t i = 0; i < COUNT(all); i++)
        CALL(X509_free, all[i]);
    for (size_t i = 0; i < COUNT(keys); i++)
        CALL(EVP_PKEY_free, keys[i]);
    CALL(NCONF_free, conf);
    CALL(BIO_free, memory);
}
