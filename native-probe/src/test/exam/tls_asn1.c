/* BoringSSL's workload: ASN.1's types, each offered DER of many kinds, and values by themselves. */
#include "tls.h"

#define TYPES(T) \
    T(ACCESS_DESCRIPTION) T(ASN1_ANY) T(ASN1_BIT_STRING) T(ASN1_BMPSTRING) T(ASN1_ENUMERATED) T(ASN1_GENERALIZEDTIME) \
    T(ASN1_GENERALSTRING) T(ASN1_IA5STRING) \
    T(ASN1_INTEGER) T(ASN1_NULL) T(ASN1_OBJECT) T(ASN1_OCTET_STRING) T(ASN1_PRINTABLE) T(ASN1_PRINTABLESTRING) T(ASN1_SEQUENCE_ANY) T(ASN1_SET_ANY) \
    T(ASN1_T61STRING) T(ASN1_TIME) T(ASN1_UNIVERSALSTRING) T(ASN1_UTCTIME) T(ASN1_UTF8STRING) T(ASN1_VISIBLESTRING) T(AUTHORITY_INFO_ACCESS) \
    T(AUTHORITY_KEYID) T(BASIC_CONSTRAINTS) T(CERTIFICATEPOLICIES) T(CRL_DIST_POINTS) T(DIRECTORYSTRING) T(DISPLAYTEXT) T(DIST_POINT) \
    T(EXTENDED_KEY_USAGE) T(GENERAL_NAME) T(GENERAL_NAMES) T(ISSUING_DIST_POINT) T(NAME_CONSTRAINTS) T(NETSCAPE_SPKI) T(POLICY_CONSTRAINTS) \
    T(POLICY_MAPPINGS) T(PKCS8_PRIV_KEY_INFO) T(RSA_PSS_PARAMS) T(X509_ALGOR) T(X509_ATTRIBUTE) T(X509_CERT_AUX) T(X509_CRL) T(X509_EXTENSION) \
    T(X509_EXTENSIONS) T(X509_NAME) T(X509_PUBKEY) T(X509_REQ) T(X509_REVOKED) T(X509_SIG) T(X509_VAL) T(X509)

/* DER of many kinds: each is offered to each type. */
static const struct { const char *der; int length; } samples[] = {
#define DER(bytes) { bytes, sizeof(bytes) - 1 }
    DER("\x02\x01\x05"), DER("\x02\x02\xff\x00"), DER("\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff"), DER("\x0a\x01\x02"), DER("\x01\x01\xff"),
    DER("\x05\x00"),
    DER("\x03\x03\x04\xab\xc0"), DER("\x04\x03" "abc"), DER("\x06\x03\x55\x04\x03"), DER("\x06\x02\x80\x01"), DER("\x0c\x05h\xc3\xa9llo"),
    DER("\x13\x03" "Abc"),
    DER("\x16\x03" "i@5"), DER("\x1e\x04\x00" "a\x00" "b"), DER("\x1c\x04\x00\x00\x00" "z"), DER("\x14\x02\xe9" "x"), DER("\x17\x0d" "260101000000Z"),
    DER("\x17\x11" "260101000000+0100"), DER("\x18\x0f" "20260101000000Z"), DER("\x1a\x02" "vi"), DER("\x30\x00"), DER("\x31\x00"),
    DER("\x30\x80\x02\x01\x01\x00\x00"),
    DER("\x24\x80\x04\x01" "a\x04\x01" "b\x00\x00"), DER("\x30\x06\x01\x01\xff\x02\x01\x03"), DER("\x30\x0a\x30\x08\x06\x06\x2b\x06\x01\x05\x05\x07"),
    DER("\x30\x08\x06\x06\x2b\x06\x01\x05\x05\x07"), DER("\x30\x0c\x82\x03" "a.b\x81\x05" "a@b.c"), DER("\x30\x06\x87\x04\x7f\x00\x00\x01"),
    DER("\x82\x03" "a.b"),
    DER("\x87\x04\x7f\x00\x00\x01"), DER("\x86\x08" "http://x"), DER("\x88\x03\x55\x04\x03"),
            DER("\xa0\x0c\x06\x03\x55\x04\x03\xa0\x05\x0c\x03" "abc"),
    DER("\xa4\x0f\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02" "DE"), DER("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02" "DE"),
    DER("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"), DER("\x30\x09\x30\x07\xa0\x05\xa0\x03\x86\x01" "u"),
    DER("\x30\x06\x80\x04" "akey"),
    DER("\x30\x06\x80\x01\x01\x81\x01\x02"), DER("\x30\x08\xa0\x06\x30\x04\x82\x02" "ab"), DER("\xa2\x05\xa0\x03\x02\x01\x01"),
    DER("\x1f\x83\x7f\x01" "a"),
    DER("\x0c\x02\xff\xfe"), DER("\x1e\x03" "abc"), DER("\x30\x81\x03\x02\x01\x01"), DER("\x02\x00"), DER("\x03\x00"), DER("\x03\x02\x09\x00"),
    DER("\x05\x01\x00"), DER("\x30")
};

void tls_asn1(void)
{
    const void *items[] = {
#define ITEM(type) FUNCTION(type##_it),
        TYPES(ITEM)
    };
    void *memory = GET(BIO_new, GET(BIO_s_mem));
    for (size_t i = 0; i < COUNT(items); i++) {
        void *made = GET(ASN1_item_new, items[i]);
        NOTE_DER(ASN1_item_i2d, made, items[i]);
        CALL(ASN1_item_free, made, items[i]);
        for (size_t s = i % 2; s < COUNT(samples); s += 2) {    /* half to one, half to the next */
            const uint8_t *at = (const uint8_t *)samples[s].der;
            void *read = GET(ASN1_item_d2i, NULL, &at, (long)samples[s].length, items[i]);
            tls_note(read != NULL);
            if (!read)
                continue;
            NOTE_DER(ASN1_item_i2d, read, items[i]);
            void *copy = GET(ASN1_item_dup, items[i], read);
            CALL(ASN1_item_free, copy, items[i]);
            void *packed = GET(ASN1_item_pack, read, items[i], NULL);
            if (packed)
                CALL(ASN1_item_free, GET(ASN1_item_unpack, packed, items[i]), items[i]);
            CALL(ASN1_STRING_free, packed);
            CALL(ASN1_item_free, read, items[i]);
        }
    }
    /* Strings, numbers and times by themselves. */
    static const struct { int type; const char *text; } strings[] = {
        { 12, "h\xc3\xa9llo, \"w\xc3\xb6rld\" <+;#\\ " }, { 19, "Plain Text" }, { 22, "ia5@text" }, { 30, "\0a\1b" }, { 20, "t61 \xe9" }, { 4,
        "\1\2\3" }, { 28, "\0\0\0x" }
    };
    for (size_t s = 0; s < COUNT(strings); s++) {
        void *string = GET(ASN1_STRING_type_new, strings[s].type);
        NOTE(ASN1_STRING_set, string, strings[s].text, strings[s].type == 30 || strings[s].type == 28 ? 4 : -1);
        static const unsigned long flags[] = { 0, 1 | 2 | 4, 0x10 | 0x40, 0x80 | 0x100, 0x200, 0x2b9 };     /* ASN1_STRFLGS_* */
        for (size_t f = 0; f < COUNT(flags); f++)
            NOTE(ASN1_STRING_print_ex, memory, string, flags[f]);
        NOTE(ASN1_STRING_print, memory, string);
        uint8_t *utf8 = NULL;
        long converted_length = (int)CALL(ASN1_STRING_to_UTF8, &utf8, string);
        tls_note_der(utf8, converted_length);
        void *copy = GET(ASN1_STRING_dup, string), *other = GET(ASN1_STRING_new);
        NOTE(ASN1_STRING_copy, other, string);
        NOTE(ASN1_STRING_cmp, copy, other);
        CALL(ASN1_STRING_free, copy);
        CALL(ASN1_STRING_free, other);
        CALL(ASN1_STRING_free, string);
        for (int in = 0; in < 2; in++) {
            void *converted = NULL;
            NOTE(ASN1_mbstring_ncopy, &converted, strings[s].text, 4, in ? 0x1000 : 0x1001 /* MBSTRING_UTF8, _ASC */, 0x2806ul, 1L, 90L);
            CALL(ASN1_STRING_free, converted);
        }
    }
    void *integer = GET(ASN1_INTEGER_new), *enumerated = GET(ASN1_ENUMERATED_new);
    for (long value = -5; value < 1000000000000; value = value < 0 ? value + 5 : value * 77 + 3) {
        NOTE(ASN1_INTEGER_set_int64, integer, value);
        NOTE(ASN1_ENUMERATED_set_int64, enumerated, value);
        NOTE(ASN1_INTEGER_set_uint64, integer, value);
        NOTE(ASN1_ENUMERATED_set_uint64, enumerated, value);
        NOTE(ASN1_ENUMERATED_set, enumerated, value);
        NOTE(ASN1_INTEGER_cmp, integer, enumerated);
        uint64_t got = 0;
        NOTE(ASN1_INTEGER_get_uint64, &got, integer);
        NOTE(ASN1_ENUMERATED_get_uint64, &got, enumerated);
        NOTE(ASN1_INTEGER_get_int64, &got, integer);
        NOTE(ASN1_ENUMERATED_get_int64, &got, enumerated);
        exam_note_word((uint64_t)CALL(ASN1_INTEGER_get, integer) + (uint64_t)CALL(ASN1_ENUMERATED_get, enumerated));
        NOTE(i2a_ASN1_INTEGER, memory, integer);
        void *number = GET(ASN1_ENUMERATED_to_BN, enumerated, NULL);
        CALL(ASN1_STRING_free, GET(BN_to_ASN1_ENUMERATED, number, NULL));
        CALL(BN_free, number);
    }
    CALL(ASN1_STRING_free, integer);
    CALL(ASN1_STRING_free, enumerated);
    static const char *const times[] = { "20250229120000Z", "20240229120000Z", "991231235959Z", "700101000000Z", "20500101000000Z", "bad",
            "19991331000000Z" };
    for (size_t t = 0; t < COUNT(times); t++) {
        void *a = GET(ASN1_TIME_new), *utc = GET(ASN1_UTCTIME_new), *general = GET(ASN1_GENERALIZEDTIME_new);
        NOTE(ASN1_TIME_set_string, a, times[t]);
        NOTE(ASN1_TIME_set_string_X509, a, times[t]);
        NOTE(ASN1_UTCTIME_set_string, utc, times[t]);
        NOTE(ASN1_GENERALIZEDTIME_set_string, general, times[t]);
        long posix = 0;
        NOTE(ASN1_TIME_to_posix, a, &posix);
        NOTE(ASN1_TIME_to_time_t, a, &posix);
        NOTE(ASN1_TIME_print, memory, a);
        NOTE(ASN1_UTCTIME_print, memory, utc);
        NOTE(ASN1_GENERALIZEDTIME_print, memory, general);
        NOTE(ASN1_UTCTIME_cmp_time_t, utc, 1700000000L);
        int days = 0, seconds = 0;
        NOTE(ASN1_TIME_diff, &days, &seconds, a, NULL);
        exam_note_word((uint64_t)(unsigned)days << 32 | (unsigned)seconds);
        void *converted = GET(ASN1_TIME_to_generalizedtime, a, NULL);
        CALL(ASN1_STRING_free, converted);
        tls_note(CALL(ASN1_TIME_set, a, 4102444800L - (long)t * 99999999) != 0);
        tls_note(CALL(ASN1_TIME_set_posix, a, -4102444800L) != 0);
        tls_note(CALL(ASN1_UTCTIME_adj, utc, 1700000000L, 30, 5L) != 0);
        tls_note(CALL(ASN1_UTCTIME_set, utc, 1700000000L) != 0);
        tls_note(CALL(ASN1_GENERALIZEDTIME_adj, general, 1700000000L, -30, 5L) != 0);
        tls_note(CALL(ASN1_GENERALIZEDTIME_set, general, 1700000000L) != 0);
        NOTE(X509_cmp_time, a, &posix);
        CALL(ASN1_STRING_free, a);
        CALL(ASN1_STRING_free, utc);
        CALL(ASN1_STRING_free, general);
    }
    static const char *const objects[] = { "2.5.4.3", "1.2.840.113549.1.1.11", "commonName", "SHA256", "1.3.6.1.4.1.99999.18446744073709551615",
            "3.9", "x.y", "2.999.1" };
    for (size_t o = 0; o < COUNT(objects); o++) {
        void *object = GET(OBJ_txt2obj, objects[o], 0);
        NOTE(OBJ_txt2nid, objects[o]);
        NOTE(OBJ_sn2nid, objects[o]);
        NOTE(OBJ_ln2nid, objects[o]);
        tls_note(object != NULL);
        if (!object)
            continue;
        char text[99] = { 0 };
        NOTE(OBJ_obj2nid, object);
        NOTE(OBJ_obj2txt, text, 99, object, 1);
        NOTE(OBJ_obj2txt, text, 9, object, 0);
        exam_note_text(text);
        NOTE(i2a_ASN1_OBJECT, memory, object);
        uint8_t *der = NULL;
        long length = (int)CALL(i2d_ASN1_OBJECT, object, &der);
        const uint8_t *at = der;
        CALL(ASN1_OBJECT_free, GET(d2i_ASN1_OBJECT, NULL, &at, length));
        tls_note_der(der, length);
        CALL(ASN1_OBJECT_free, GET(OBJ_dup, object));
        CALL(ASN1_OBJECT_free, object);
    }
    for (int nid = 0; nid < 970; nid += 37) {
        exam_note_text((const char *)GET(OBJ_nid2sn, nid));
        exam_note_text((const char *)GET(OBJ_nid2ln, nid));
        tls_note(CALL(OBJ_nid2obj, nid) != 0);
    }
    NOTE(OBJ_create, "1.3.6.1.4.1.99999.7", "mine", "my own object");
    NOTE(OBJ_txt2nid, "mine");
    NOTE(OBJ_create, "1.3.6.1.4.1.99999.7", "mine", "my own object");
    NOTE(ASN1_STRING_TABLE_add, 99999, 1L, 20L, 0x2806ul, 0ul);
    void *bits = GET(ASN1_BIT_STRING_new);
    for (int bit = 0; bit < 40; bit += 3)
        NOTE(ASN1_BIT_STRING_set_bit, bits, bit, bit % 2);
    NOTE(ASN1_BIT_STRING_get_bit, bits, 9);
    uint8_t mask[2] = { 0xff, 0 };
    NOTE(ASN1_BIT_STRING_check, bits, mask, 2);
    size_t n = 0;
    NOTE(ASN1_BIT_STRING_num_bytes, bits, &n);
    CALL(ASN1_STRING_free, bits);
    /* ASN1_generate_v3 makes any type from text. */
    static const char *const generated[] = {
        "BOOL:TRUE", "INT:0x1234", "ENUM:3", "OID:1.2.3.4", "UTC:260101000000Z", "GENTIME:20260101000000Z", "OCT:text", "FORMAT:HEX,OCT:0102",
        "BITSTR:bits",
        "FORMAT:BITLIST,BITSTR:1,5,9", "UTF8:h\xc3\xa9", "FORMAT:UTF8,BMP:abc", "PRINTABLESTRING:abc", "IA5:abc", "NULL", "EXP:1,INT:3",
        "IMP:2A,OCT:x", "SEQWRAP,INT:1",
        "SETWRAP,NULL", "OCTWRAP,INT:5", "BITWRAP,INT:5", "SEQUENCE:part", "SET:part", "EXPLICIT:0U,UTF8:x", "JUNK:1", "INT:junk", "BOOL:perhaps",
        "T61:x", "UNIV:x", "GENSTR:x"
    };
    static const char configuration[] = "[part]\na = INT:1\nb = UTF8:two # comment\nc = ${part::b}\n\n[ other ]\nlong = one \\\n two\n"
        "q = \"quoted \\\"x\\\"\" 'single'\n";
    void *conf = GET(NCONF_new, NULL), *file = GET(BIO_new_mem_buf, configuration, -1);
    long line = 0;
    NOTE(NCONF_load_bio, conf, file, &line);
    exam_note_text((const char *)GET(NCONF_get_string, conf, "other", "q"));
    exam_note_text((const char *)GET(NCONF_get_string, conf, "other", "none"));
    for (size_t g = 0; g < COUNT(generated); g++) {
        uint64_t context[8] = { 0 };
        CALL(X509V3_set_ctx, context, NULL, NULL, NULL, NULL, 0);
        CALL(X509V3_set_nconf, context, conf);
        void *type = GET(ASN1_generate_v3, generated[g], context);
        tls_note(type != NULL);
        if (!type)
            continue;
        NOTE_DER(i2d_ASN1_TYPE, type);
        void *copy = GET(ASN1_TYPE_new);
        NOTE(ASN1_TYPE_set1, copy, (int)CALL(ASN1_TYPE_get, type), ((void **)type)[1]);
        NOTE(ASN1_TYPE_cmp, copy, type);
        CALL(ASN1_TYPE_free, copy);
        CALL(ASN1_TYPE_free, type);
    }
    CALL(NCONF_free, conf);
    CALL(BIO_free, file);
    tls_note_bio(memory);
    CALL(BIO_free, memory);
}
