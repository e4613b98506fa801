/* BoringSSL's workload: what the library is built upon, and what else is linked into it: APR and the C++ runtime's demangler. netty's JNI functions
 * are not called. */
#include "tls.h"

#include <string.h>

static uint8_t out[8192];

/* ---- byte strings, streams, stacks, errors ---- */

static void byte_strings(void)
{
    uint64_t writer[8], child[8], inner[8], reader[2], contents[2];
    uint8_t *der = NULL;
    size_t length = 0;
    CALL(CBB_init, writer, (size_t)0);
    NOTE(CBB_add_asn1, writer, child, 0x20000010u);
    NOTE(CBB_add_asn1_uint64, child, 0x8000000000000001ul);
    NOTE(CBB_add_asn1_int64, child, -129L);
    NOTE(CBB_add_asn1_bool, child, 1);
    NOTE(CBB_add_asn1_octet_string, child, tls_data, (size_t)200);
    NOTE(CBB_add_asn1_oid_from_text, child, "1.2.840.113549.1.1.11", (size_t)21);
    NOTE(CBB_add_asn1_oid_from_text, child, "1.2.x", (size_t)5);
    NOTE(CBB_add_asn1, child, inner, 0x20000011u);
    NOTE(CBB_add_asn1_uint64, inner, 7ul);
    NOTE(CBB_add_asn1_uint64, inner, 3ul);
    NOTE(CBB_flush_asn1_set_of, inner);
    NOTE(CBB_flush, writer);
    NOTE(CBB_add_u8_length_prefixed, writer, child);
    NOTE(CBB_add_u16, child, 77u);
    NOTE(CBB_add_u16le, child, 77u);
    NOTE(CBB_add_u24, child, 77u);
    NOTE(CBB_add_u32, child, 77u);
    NOTE(CBB_add_u32le, child, 77u);
    NOTE(CBB_add_u64, child, 77ul);
    NOTE(CBB_add_u64le, child, 77ul);
    NOTE(CBB_add_zeros, child, (size_t)9);
    NOTE(CBB_add_u24_length_prefixed, writer, child);
    CALL(CBB_discard_child, writer);
    uint8_t *space = NULL;
    NOTE(CBB_reserve, writer, &space, (size_t)3);
    NOTE(CBB_add_utf8, writer, 0x20acu);
    NOTE(CBB_add_latin1, writer, 0xe9u);
    NOTE(CBB_add_ucs2_be, writer, 0x20acu);
    NOTE(CBB_add_utf32_be, writer, 0x1f600u);
    NOTE(CBB_finish, writer, &der, &length);
    exam_note(der, length);
    for (size_t start = 0; start < length; start += 3) {
        uint64_t value = 0;
        unsigned small = 0;
        int flag = 0;
#define FROM(function, ...) (reader[0] = (uint64_t)(der + start), reader[1] = length - start, NOTE(function, reader, __VA_ARGS__))
        FROM(CBS_get_u64, &value);
        FROM(CBS_get_u64le, &value);
        FROM(CBS_get_u32le, &small);
        FROM(CBS_get_u24, &small);
        FROM(CBS_get_u16le, &small);
        FROM(CBS_get_last_u8, &small);
        FROM(CBS_get_utf8, &small);
        FROM(CBS_get_latin1, &small);
        FROM(CBS_get_ucs2_be, &small);
        FROM(CBS_get_utf32_be, &small);
        FROM(CBS_get_asn1_uint64, &value);
        FROM(CBS_get_asn1_int64, &value);
        FROM(CBS_get_asn1_bool, &flag);
        FROM(CBS_get_until_first, contents, 7);
        FROM(CBS_get_u64_decimal, &value);
        FROM(CBS_copy_bytes, out, (size_t)4);
        FROM(CBS_get_any_asn1, contents, &small);
        FROM(CBS_get_any_ber_asn1_element, contents, &small, &value, &flag, &flag);
        FROM(CBS_get_optional_asn1_octet_string, contents, &flag, 0x80u);
        FROM(CBS_get_optional_asn1_uint64, &value, 0x80u, 5ul);
        FROM(CBS_get_optional_asn1_bool, &flag, 0x80u, 0);
        FROM(CBS_is_valid_asn1_bitstring, 0);
        FROM(CBS_is_unsigned_asn1_integer, &flag);
        FROM(CBS_parse_utc_time, NULL, 1);
        FROM(CBS_parse_generalized_time, NULL, 1);
        uint8_t *converted = NULL;
        FROM(CBS_asn1_ber_to_der, contents, &converted);
        CALL(OPENSSL_free, converted);
        reader[0] = (uint64_t)(der + start), reader[1] = length - start < 12 ? length - start : 12;
        char *text = GET(CBS_asn1_oid_to_text, reader);
        exam_note_text(text);
        CALL(OPENSSL_free, text);
    }
    CALL(OPENSSL_free, der);
    static const uint8_t indefinite[] = { 0x30, 0x80, 0x24, 0x80, 4, 1, 'a', 4, 1, 'b', 0, 0, 2, 1, 1, 0, 0 };
    uint8_t *converted = NULL;
    reader[0] = (uint64_t)indefinite, reader[1] = sizeof indefinite;
    NOTE(CBS_asn1_ber_to_der, reader, contents, &converted);
    CALL(OPENSSL_free, converted);
    uint64_t tm[8];
    for (long when = -99999999999; when < 99999999999; when += 7777777777) {
        tls_note(CALL(OPENSSL_gmtime, &when, tm) != 0);
        NOTE(OPENSSL_timegm, tm, &length);
        NOTE(OPENSSL_tm_to_posix, tm, &length);
        int days = 0, seconds = 0;
        NOTE(OPENSSL_gmtime_adj, tm, 40, 99999L);
        NOTE(OPENSSL_gmtime_diff, &days, &seconds, tm, tm);
    }
    CALL(ERR_clear_error);
}

static void streams(void)
{
    void *memory = GET(BIO_new, GET(BIO_s_mem));
    NOTE(BIO_printf, memory, "%d %s %*.*f %lx", 5, "text", 9, 2, 2.5, 77l);
    char *long_text = GET(OPENSSL_malloc, (size_t)900);
    memset(long_text, 'x', 899);
    long_text[899] = 0;
    NOTE(BIO_printf, memory, "%s", long_text);
    CALL(OPENSSL_free, long_text);
    NOTE(BIO_hexdump, memory, tls_data, (size_t)45, 3u);
    NOTE(BIO_indent, memory, 9u, 5u);
    NOTE(BIO_write_all, memory, tls_data, (size_t)20);
    NOTE(BIO_puts, memory, "\nline two\n");
    NOTE(BIO_gets, memory, (char *)out, 20);
    NOTE(BIO_pending, memory);
    NOTE(BIO_ctrl_pending, memory);
    NOTE(BIO_wpending, memory);
    NOTE(BIO_eof, memory);
    NOTE(BIO_number_read, memory);
    NOTE(BIO_set_close, memory, 1);
    tls_note(CALL(BIO_find_type, memory, 1025) != 0);
    for (int command = 0; command < 130; command++)
        if (command != 114 && command != 106 && command != 115 && command != 108 && command != 120)       /* those that take over a pointer */
            NOTE(BIO_ctrl, memory, command, 0L, out);
    tls_note_bio(memory);
    NOTE(BIO_write, memory, "\x30\x03\x02\x01\x05", 5);
    uint8_t *read = NULL;
    size_t length = 0;
    NOTE(BIO_read_asn1, memory, &read, &length, (size_t)100);
    tls_note_der(read, (long)length);
    NOTE(BIO_write, memory, "\x30\x80\x02\x01\x05\x00\x00", 7);
    NOTE(BIO_read_asn1, memory, &read, &length, (size_t)100);
    void *file = GET(BIO_new_file, "/exam/none", "r");
    tls_note(file != NULL);
    void *sink = GET(BIO_new_fd, -1, 0);
    NOTE(BIO_write, sink, out, 5);
    NOTE(BIO_read, sink, out, 5);
    NOTE(BIO_gets, sink, (char *)out, 5);
    for (int command = 1; command < 14; command++)
        NOTE(BIO_ctrl, sink, command, 0L, NULL);
    CALL(BIO_free, sink);
    sink = GET(BIO_new_socket, -1, 0);
    NOTE(BIO_write, sink, out, 5);
    NOTE(BIO_read, sink, out, 5);
    NOTE(BIO_ctrl, sink, 105, 0L, NULL);
    CALL(BIO_free, sink);
    uint8_t text[600];
    uint64_t encoder[16];
    int n = 0, total = 0;
    CALL(EVP_EncodeInit, encoder);
    for (int i = 1; i < 130; i += 23, total += n)
        CALL(EVP_EncodeUpdate, encoder, text + total, &n, tls_data, (size_t)i);
    CALL(EVP_EncodeFinal, encoder, text + total, &n);
    exam_note(text, (size_t)(total += n));
    CALL(EVP_DecodeInit, encoder);
    NOTE(EVP_DecodeUpdate, encoder, out, &n, text, (size_t)total);
    NOTE(EVP_DecodeFinal, encoder, out, &n);
    NOTE(EVP_DecodeBlock, out, "QUJDRA==", (size_t)8);
    NOTE(EVP_DecodeBase64, out, &length, sizeof out, "QUJD=EQ=", (size_t)8);
    NOTE(EVP_EncodeBlock, out, tls_data, (size_t)31);
    NOTE(EVP_EncodedLength, &length, (size_t)31);
    for (int e = 0; e < 5; e++)
        CALL(ERR_put_error, 11 + e, 0, 100 + e, "file.c", 77u);
    CALL(ERR_add_error_data, 3u, "one", "two", "three");
    CALL(ERR_add_error_dataf, "%d", 5);
    NOTE(ERR_set_mark);
    CALL(ERR_put_error, 2, 0, 2, "file.c", 78u);
    const char *at = NULL, *data = NULL;
    int line = 0, flags = 0;
    tls_native const looks[] = { FUNCTION(ERR_peek_error_line_data), FUNCTION(ERR_peek_last_error_line_data), FUNCTION(ERR_get_error_line_data) };
    for (size_t l = 0; l < COUNT(looks); l++) {
        unsigned long error = (unsigned)looks[l](&at, &line, &data, &flags);
        exam_note_text((const char *)GET(ERR_reason_error_string, error));
        exam_note_text((const char *)GET(ERR_lib_error_string, error));
        exam_note_text((const char *)GET(ERR_func_error_string, error));
        exam_note_text((const char *)GET(ERR_error_string, error, NULL));
    }
    void *kept = GET(ERR_save_state);
    NOTE(ERR_pop_to_mark);
    CALL(ERR_print_errors, memory);
    CALL(ERR_restore_state, kept);
    CALL(ERR_SAVE_STATE_free, kept);
    exam_note_word((uint64_t)(unsigned)CALL(ERR_peek_last_error) ^ (uint64_t)(unsigned)CALL(ERR_peek_error_line, &at, &line)
            ^ (uint64_t)(unsigned)CALL(ERR_get_error_line, &at, &line) ^ (uint64_t)(unsigned)CALL(ERR_peek_last_error_line, &at, &line));
    CALL(ERR_clear_error);
    CALL(BIO_free, memory);
    void *pool = GET(CRYPTO_BUFFER_POOL_new), *a = GET(CRYPTO_BUFFER_new, tls_data, (size_t)60, pool), *b = GET(CRYPTO_BUFFER_new, tls_data,
            (size_t)60, pool);
    NOTE(CRYPTO_BUFFER_cmp, a, b);
    tls_note(a == b);
    void *constant = GET(CRYPTO_BUFFER_new_from_static_data_unsafe, tls_rsa_key, (size_t)60, pool);
    CALL(CRYPTO_BUFFER_free, a);
    CALL(CRYPTO_BUFFER_free, b);
    CALL(CRYPTO_BUFFER_free, constant);
    CALL(CRYPTO_BUFFER_POOL_free, pool);
}

static int compare(const void **a, const void **b)
{
    return *(const long **)*a < *(const long **)*b ? -1 : *(const long **)*a > *(const long **)*b;
}

static void containers_of_pointers(void)
{
    static long numbers[40];
    void *stack = GET(OPENSSL_sk_new, compare);
    for (int i = 0; i < 40; i++) {
        numbers[i] = i * 7919 % 41;
        NOTE(OPENSSL_sk_insert, stack, &numbers[i], (size_t)(i / 2));
    }
    size_t index = 0;
    tls_native call = FUNCTION(sk_ASN1_OBJECT_call_cmp_func);
    NOTE(OPENSSL_sk_find, stack, &index, &numbers[9], call);
    CALL(OPENSSL_sk_sort, stack, call);
    NOTE(OPENSSL_sk_is_sorted, stack);
    NOTE(OPENSSL_sk_find, stack, &index, &numbers[9], call);
    void *copy = GET(OPENSSL_sk_dup, stack);
    CALL(OPENSSL_sk_delete_ptr, copy, &numbers[3]);
    CALL(OPENSSL_sk_delete, copy, (size_t)5);
    CALL(OPENSSL_sk_shift, copy);
    CALL(OPENSSL_sk_pop, copy);
    CALL(OPENSSL_sk_set, copy, (size_t)2, &numbers[1]);
    exam_note_word((uint64_t)CALL(OPENSSL_sk_num, copy));
    CALL(OPENSSL_sk_zero, copy);
    CALL(OPENSSL_sk_free, copy);
    CALL(OPENSSL_sk_free, stack);
    char text[40];
    uint8_t *made = NULL;
    exam_note_word((uint64_t)(unsigned)CALL(OPENSSL_strhash, "text") ^ (uint64_t)(unsigned)CALL(OPENSSL_hash32, tls_data, (size_t)33));
    CALL(OPENSSL_free, GET(OPENSSL_strdup, "text"));
    CALL(OPENSSL_free, GET(OPENSSL_strndup, "text", (size_t)2));
    CALL(OPENSSL_free, GET(OPENSSL_memdup, tls_data, (size_t)50));
    CALL(OPENSSL_clear_free, GET(OPENSSL_calloc, (size_t)5, (size_t)9), (size_t)45);
    CALL(OPENSSL_secure_clear_free, GET(OPENSSL_secure_malloc, (size_t)9), (size_t)9);
    NOTE(OPENSSL_strlcpy, text, "some text", sizeof text);
    NOTE(OPENSSL_strlcat, text, "some text", (size_t)12);
    NOTE(OPENSSL_strcasecmp, "TeXt", "tExT");
    NOTE(OPENSSL_strncasecmp, "TeXt", "tExZ", (size_t)4);
    NOTE(BIO_snprintf, text, sizeof text, "%d", 5);
    NOTE(OPENSSL_asprintf, &made, "%d %s", 5, "text");
    exam_note_text((char *)made);
    CALL(OPENSSL_free, made);
}

/* ---- what else is linked ---- */

static void apr(void)
{
    void *pool = NULL, *child = NULL;
    char text[300];
    NOTE(apr_initialize);
    NOTE(apr_pool_create_ex, &pool, NULL, NULL, NULL);
    NOTE(apr_pool_create_ex, &child, pool, NULL, NULL);
    for (size_t n = 1; n < 20000; n = n * 3 + 1)
        tls_note(CALL(apr_palloc, child, n) != 0);
    static const char *const formats[] = { "%d|%5d|%-5d|%05d|%+d", "%u|%o|%x|%X|%#x", "%ld|%lu|%lx|%hd|%qd", "%s|%10s|%-10s|%.2s|%c",
            "%p|%pm|%%|%n%k" };
    for (size_t f = 0; f < COUNT(formats) - 2; f++) {
        NOTE(apr_snprintf, text, sizeof text, formats[f], 12345L, -77L, 9L, 42L, -3L);
        exam_note_text(text);
    }
    NOTE(apr_snprintf, text, sizeof text, formats[3], "one", "two", "three", "four", 'x');
    exam_note_text(text);
    union { double number; uint64_t bits; } doubles[] = { { 2.5 }, { 1e15 }, { -0.001 }, { .bits = 0x7ff0000000000000 },
            { .bits = 0x7ff8000000000000 } };
    for (size_t d = 0; d < COUNT(doubles); d++) {
        double x = doubles[d].number;
        NOTE(apr_snprintf, text, sizeof text, "%f|%e|%g|%.3f|%10.2E|%G", x, x, x, x, x, x);
        exam_note_text(text);
    }
    exam_note_text((const char *)GET(apr_psprintf, pool, "%s %d %300s", "text", 5, "wide"));
    exam_note_text((const char *)GET(apr_pstrcat, pool, "a", "b", "c", NULL));
    exam_note_text((const char *)GET(apr_pstrndup, pool, "abcdef", (size_t)3));
    exam_note_text((const char *)GET(apr_itoa, pool, -77));
    exam_note_text((const char *)GET(apr_ltoa, pool, 77777777l));
    exam_note_text((const char *)GET(apr_off_t_toa, pool, -77777777l));
    for (long size = 5; size < 1L << 60; size *= 1001)
        exam_note_text((const char *)GET(apr_strfsize, size, text));
    char **words = NULL;
    NOTE(apr_tokenize_to_argv, "one \"two three\" 'four' fi\\ ve", &words, pool);
    exam_note_text(words[1]);
    CALL(apr_collapse_spaces, text, "a b c");
    for (int code = 0; code < 140; code += 3)
        exam_note_text((const char *)GET(apr_strerror, code, text, sizeof text));
    for (int code = 20000; code < 20030; code++)
        exam_note_text((const char *)GET(apr_strerror, code, text, sizeof text));
    for (int code = 70000; code < 70030; code++)
        exam_note_text((const char *)GET(apr_strerror, code, text, sizeof text));
    exam_note_text((const char *)GET(apr_strerror, 720001, text, sizeof text));
    void *hash = GET(apr_hash_make, pool);
    static const char *const keys[] = { "a", "b", "c", "a", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r" };
    for (size_t k = 0; k < COUNT(keys); k++)
        CALL(apr_hash_set, hash, keys[k], k % 2 ? -1L : 1L, keys[k]);
    exam_note_text((const char *)GET(apr_hash_get, hash, "b", -1L));
    CALL(apr_hash_set, hash, "c", 1L, NULL);
    exam_note_word((uint64_t)(unsigned)CALL(apr_hash_count, hash));
    void *joined = GET(apr_hash_overlay, pool, hash, GET(apr_hash_copy, pool, hash));
    size_t lengths = 0;     /* their order depends on addresses */
    for (void *i = GET(apr_hash_first, pool, joined); i; i = GET(apr_hash_next, i)) {
        const void *key = NULL, *value = NULL;
        long length = 0;
        CALL(apr_hash_this, i, &key, &length, &value);
        lengths += strlen(value);
    }
    exam_note_word(lengths);
    CALL(apr_hash_clear, hash);
    uint8_t address[16] = { 0 };
    static const char *const addresses[] = { "127.0.0.1", "1::2", "::ffff:1.2.3.4", "300.1.1.1", "fe80::1:2:3:4", "junk", "1:2:3:4:5:6:7:8" };
    for (size_t a = 0; a < COUNT(addresses); a++)
        for (int family = 2; family <= 10; family += 8) {
            NOTE(apr_inet_pton, family, addresses[a], address);
            exam_note_text((const char *)GET(apr_inet_ntop, family, address, text, (size_t)sizeof text));
        }
    char *host = NULL, *scope = NULL;
    uint16_t port = 0;
    static const char *const hosts[] = { "host:80", "[::1]:80", "[fe80::1%eth0]:8", "99", "host", ":x", "host:99999" };
    for (size_t h = 0; h < COUNT(hosts); h++)
        NOTE(apr_parse_addr_port, &host, &scope, &port, hosts[h], pool);
    void *subnet = NULL;
    NOTE(apr_ipsubnet_create, &subnet, "10.0.0.0", "255.0.0.0", pool);
    NOTE(apr_ipsubnet_create, &subnet, "10.1", NULL, pool);
    NOTE(apr_ipsubnet_create, &subnet, "10.0.0.0", "33", pool);
    NOTE(apr_ipsubnet_create, &subnet, "fe80::", "64", pool);
    uint64_t state[200];
    CALL(apr__SHA256_Init, state);
    CALL(apr__SHA256_Update, state, tls_data, (size_t)150);
    CALL(apr__SHA256_Final, text, state);
    exam_note(text, 32);
    uint64_t time[10];
    for (long when = 0; when < 4000000000000000; when += 777777777777777) {
        NOTE(apr_time_exp_gmt, time, when);
        exam_note(time, 32);
        NOTE(apr_time_exp_tz, time, when, 3600);
        NOTE(apr_time_exp_gmt_get, &state, time);
    }
    void *mutex = NULL;
    for (unsigned kind = 0; kind < 3; kind++) {
        NOTE(apr_thread_mutex_create, &mutex, kind, pool);
        NOTE(apr_thread_mutex_lock, mutex);
        NOTE(apr_thread_mutex_trylock, mutex);
        NOTE(apr_thread_mutex_unlock, mutex);
        NOTE(apr_thread_mutex_destroy, mutex);
    }
    NOTE(apr_pool_userdata_set, "value", "key", NULL, pool);
    NOTE(apr_pool_userdata_get, &mutex, "key", pool);
    NOTE(apr_pool_is_ancestor, pool, child);
    CALL(apr_pool_clear, child);
    CALL(apr_pool_destroy, child);
    CALL(apr_pool_destroy, pool);
}

/* Names of each production of the Itanium C++ ABI's grammar. */
static void demangler(void)
{
    static const char *const mangled[] = {
        "_Z1fv", "_Z3foo3bar", "_ZN5outer5inner4funcEiPKcRS1_", "_ZNSt6vectorIiSaIiEE9push_backERKi",
        "_ZNKSt3mapISsiSt4lessISsESaISt4pairIKSsiEEE4findERS3_", "_ZN1AC1Ev",
        "_ZN1AD0Ev", "_ZN1AD2Ev", "_ZplRK1AS1_", "_ZN1AcvT_IiEEv", "_ZTV1A", "_ZTI1A", "_ZTS1A", "_ZTT1A", "_ZGVZ1fvE1x", "_ZThn8_N1A1fEv",
        "_ZTv0_n24_N1A1fEv",
        "_ZTch0_h16_N1A1fEv", "_Z1fIiEvT_", "_Z1fIJidEEvDpT_", "_Z1fILi5EEvv", "_Z1fILb1EEvv", "_Z1fIXadL_Z1gvEEEvv", "_Z1fIXplT_Li1EEEvv",
        "_Z1fPFivE", "_Z1fM1AFivE", "_Z1fM1Ai",
        "_Z1fA10_i", "_Z1fPA5_A3_i", "_Z1fDn", "_Z1fOi", "_Z1fDpT_", "_ZZ1fvE1x_0", "_ZZ1fvENKUlvE_clEv", "_ZZ1fvENKUlT_E0_clIiEEDaS_",
        "_ZN12_GLOBAL__N_11fEv", "_Z1fB5cxx11v",
        "_ZNSs3fooEv", "_ZSt4cout", "_ZNSolsEi", "_ZNSi3getEv", "_ZNSd3getEv", "_Z1fRVKi", "_Z1fCd", "_Z1fGf", "_Z1fU3vecDv4_f", "_Z1fDv4_i",
        "_ZN1AUt_C1Ev", "_Z1fIiEDTplfp_Li1EET_",
        "_Z1fIiEDTcvT_fp_ES0_", "_Z1fIiEDTnw_T_piLi1EEES0_", "_Z1fIXsZT_EEvv", "_Z1fIXstiEEvv", "_Z1fIXszLi1EEEvv", "_Z1fIXquLb1ELi2ELi3EEEvv",
        "_Z1fIXcl1gLi1EEEEvv",
        "_Z1fIXsr1AIiE1bEEvv", "_Z1fIXsr1A1bEEvv", "_Z1fIXdtL_Z1aE1bEEvv", "_Z1fIXntLb1EEEvv", "_Z1fIXtlA_iLi1EEEEvv", "_Z1fIXflplT_EEvv",
        "_Z1fIXfrplT_EEvv", "_Z1fIXfLplLi1ET_EEvv",
        "_ZNR1A1fEv", "_ZNO1A1fEv", "_ZNVK1A1fEv", "_Z1fILf3f800000EEvv", "_Z1fILd3ff0000000000000EEvv", "_Z1fILin5EEvv", "_Z1fIXaaLb1ELb0EEEvv",
        "_ZTAXtl1AEE", "_ZGR1x_", "_ZGTt1fv",
        "_ZGA1f", "_ZTWx", "_ZTH1x", "_ZTW1x", "_Z1fILPKc0EEvv", "_Z1fIL_Z1gEEvv", "_Z1fIXtw_EEvv", "_Z1fIXrsE", "_Z1fPDoFvvE", "_Z1fDOLi1EE",
        "_Z1fDw", "_ZN1A1BIiE1CIdE1fEv", "_Zli2_wPKc",
        "_ZN1AnwEm", "_ZN1AixEi", "_ZN1AclEv", "_ZN1AptEv", "_Z1fDTL_Z1xEE", "_Z1fDtfp_E", "_Z1fz", "_Z1fn", "_Z1fo", "_Z1fe", "_Z1fg", "_Z1fw",
        "_Z1fDi", "_Z1fDs", "_Z1fDu", "_Z1fDd", "_Z1fDf",
        "_Z1fDh", "_Z1fDe", "_Z1fu6custom", "_ZN1A1BC2ERKS0_", "_ZdlPv", "_Z", "_ZN", "_Z1fI", "_Zjunk", "_Z999f", "notmangled", "i", "PKc",
        "St6vectorIiE", "A_i", "FivE", "M1AKFivE",
        "_Z1fITnDaXtlA2_iEEEEvv", "_ZN1x1yMUlvE_E", "_Z1fIiLi3E1AIdEJcS1_EEvDpRKT2_", "_ZZN1A1fEvEN1B1gEv", "_ZZ1fvEs", "_ZZ1fvEs_1", "_ZN1A1xE",
        "_ZL1x", "_ZNL1A1xE",
        "_Z1fIXgtLi1ELi2EEEvv", "_Z1fIXspT_EEvv", "_Z1fIXscPcLi0EEEvv", "_Z1fIXdcPcLi0EEEvv", "_Z1fIXccPcLi0EEEvv", "_Z1fIXpp_Li0EEEvv",
        "_Z1fIXgs2nwELi0EEEvv", "_Z1fIXgsnw_iEEEvv",
        "_Z1fIXalignofiEEvv", "_Z1fIXatiEEvv", "_Z1fIXnxLi1EEEvv", "_Z1fIXtrEEvv", "_Z1fIXsPLi1EEEvv", "_Z1fIXdePcEEvv", "_Z1fIXonplLi1EEEvv",
        "_Z1fIXdsPcLi0EEEvv"
    };
    int status = 0;
    for (size_t m = 0; m < COUNT(mangled); m++) {
        size_t length = 0;
        char *plain = GET(__cxa_demangle, mangled[m], NULL, &length, &status);
        tls_note(status);
        exam_note_text(plain);
    }
}

void tls_support(void)
{
    byte_strings();
    streams();
    containers_of_pointers();
    apr();
    demangler();
}
