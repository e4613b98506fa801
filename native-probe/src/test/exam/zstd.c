/* zstd: through the JNI functions of zstd-jni, as its other symbols are hidden. The JNIEnv is ours: an array is a struct exam_array. */
#include "object.h"

#include <jni.h>
#include <string.h>

struct exam_array {
    jsize length;
    void *data;
    int64_t fields[16];
};

static jsize JNICALL get_length(JNIEnv *env, jarray array)
{
    (void)env;
    return ((struct exam_array *)array)->length;
}

static void *JNICALL get_critical(JNIEnv *env, jarray array, jboolean *copy)
{
    (void)env;
    if (copy)
        *copy = 0;
    return ((struct exam_array *)array)->data;
}

static void JNICALL release_critical(JNIEnv *env, jarray array, void *data, jint mode)
{
    (void)env; (void)array; (void)data; (void)mode;
}

static void *JNICALL get_address(JNIEnv *env, jobject buffer)
{
    (void)env;
    return ((struct exam_array *)buffer)->data;
}

static jlong JNICALL get_capacity(JNIEnv *env, jobject buffer)
{
    (void)env;
    return ((struct exam_array *)buffer)->length;
}

static jobject JNICALL get_element(JNIEnv *env, jobjectArray array, jsize index)
{
    (void)env;
    return ((jobject *)((struct exam_array *)array)->data)[index];
}

static void JNICALL get_region(JNIEnv *env, jbyteArray array, jsize start, jsize length, jbyte *into)
{
    (void)env;
    memcpy(into, (jbyte *)((struct exam_array *)array)->data + start, (size_t)length);
}

static jclass JNICALL get_class(JNIEnv *env, jobject object)
{
    (void)env;
    return object;
}

/* A field's id is a place among the fields of its object, by name. */
static jfieldID JNICALL get_field(JNIEnv *env, jclass clazz, const char *name, const char *type)
{
    (void)env; (void)clazz; (void)type;
    static char names[16][24];
    for (int i = 0; i < 16; i++) {
        if (!names[i][0])
            strncpy(names[i], name, sizeof names[i] - 1);
        if (strncmp(names[i], name, sizeof names[i] - 1) == 0)
            return (jfieldID)(intptr_t)(i + 1);
    }
    return NULL;
}

static jlong JNICALL get_long(JNIEnv *env, jobject object, jfieldID field)
{
    (void)env;
    return ((struct exam_array *)object)->fields[(intptr_t)field - 1];
}

static jint JNICALL get_int(JNIEnv *env, jobject object, jfieldID field)
{
    return (jint)get_long(env, object, field);
}

static void JNICALL set_long(JNIEnv *env, jobject object, jfieldID field, jlong value)
{
    (void)env;
    ((struct exam_array *)object)->fields[(intptr_t)field - 1] = value;
}

static void JNICALL set_int(JNIEnv *env, jobject object, jfieldID field, jint value)
{
    set_long(env, object, field, value);
}

static jstring JNICALL new_string(JNIEnv *env, const char *text)
{
    (void)env;
    return (jstring)text;
}

static jboolean JNICALL no_exception(JNIEnv *env)
{
    (void)env;
    return 0;
}

static long JNICALL nothing(void)
{
    return 0;
}

static struct JNINativeInterface_ functions;
static const struct JNINativeInterface_ *environment = &functions;
static JNIEnv *env = (JNIEnv *)&environment;

#define JNI_FUNCTIONS(F) \
    F(Zstd_compressUnsafe) F(Zstd_decompressUnsafe) F(Zstd_compressBound) F(Zstd_getErrorName) F(Zstd_getErrorCode) F(Zstd_isError) \
    F(Zstd_getFrameContentSize0) F(Zstd_findFrameCompressedSize0) F(Zstd_trainFromBufferDirect0) F(Zstd_setCompressionLevel) F(Zstd_setCompressionLong) \
    F(Zstd_setCompressionWindowLog) F(Zstd_setCompressionHashLog) F(Zstd_setCompressionChainLog) F(Zstd_setCompressionSearchLog) \
    F(Zstd_setCompressionMinMatch) F(Zstd_setCompressionTargetLength) F(Zstd_setCompressionStrategy) F(Zstd_setCompressionChecksums) \
    F(Zstd_setEnableLongDistanceMatching) F(Zstd_setSearchForExternalRepcodes) F(Zstd_setValidateSequences) F(Zstd_setCompressionMagicless) \
    F(Zstd_getDictIdFromDict) F(Zstd_getDictIdFromFrame) F(ZstdCompressCtx_init) F(ZstdCompressCtx_free) F(ZstdCompressCtx_reset0) \
    F(ZstdCompressCtx_setLevel0) F(ZstdCompressCtx_setChecksum0) F(ZstdCompressCtx_setPledgedSrcSize0) F(ZstdCompressCtx_compressDirectByteBuffer0) \
    F(ZstdCompressCtx_compressDirectByteBufferStream0) F(ZstdCompressCtx_compressByteArray0) F(ZstdCompressCtx_loadCDict0) \
    F(ZstdDecompressCtx_init) F(ZstdDecompressCtx_free) F(ZstdDecompressCtx_reset0) F(ZstdDecompressCtx_decompressDirectByteBuffer0) \
    F(ZstdDecompressCtx_decompressDirectByteBufferStream0) F(ZstdDecompressCtx_decompressByteArray0) F(ZstdDecompressCtx_loadDDict0) \
    F(ZstdOutputStreamNoFinalizer_createCStream) F(ZstdOutputStreamNoFinalizer_freeCStream) F(ZstdOutputStreamNoFinalizer_resetCStream) \
    F(ZstdOutputStreamNoFinalizer_compressStream) F(ZstdOutputStreamNoFinalizer_flushStream) F(ZstdOutputStreamNoFinalizer_endStream) \
    F(ZstdInputStreamNoFinalizer_createDStream) F(ZstdInputStreamNoFinalizer_freeDStream) F(ZstdInputStreamNoFinalizer_initDStream) \
    F(ZstdInputStreamNoFinalizer_decompressStream)

typedef long (*native)();
#define DECLARE(name) static native name;
JNI_FUNCTIONS(DECLARE)

int exam_zstd_prepare(void)
{
    for (size_t i = 0; i < sizeof functions / sizeof(void *); i++)
        ((void **)&functions)[i] = (void *)nothing;
    functions.GetArrayLength = get_length;
    functions.GetPrimitiveArrayCritical = get_critical;
    functions.ReleasePrimitiveArrayCritical = release_critical;
    functions.GetDirectBufferAddress = get_address;
    functions.GetDirectBufferCapacity = get_capacity;
    functions.GetObjectArrayElement = get_element;
    functions.GetByteArrayRegion = get_region;
    functions.GetObjectClass = get_class;
    functions.GetFieldID = get_field;
    functions.GetLongField = get_long;
    functions.GetIntField = get_int;
    functions.SetLongField = set_long;
    functions.SetIntField = set_int;
    functions.NewStringUTF = new_string;
    functions.ExceptionCheck = no_exception;
    functions.GetByteArrayElements = (jbyte *(JNICALL *)(JNIEnv *, jbyteArray, jboolean *))get_critical;
    functions.GetIntArrayElements = (jint *(JNICALL *)(JNIEnv *, jintArray, jboolean *))get_critical;
    int missing = 0;
#define FIND(name) missing |= !(name = (native)exam_symbol("Java_com_github_luben_zstd_" #name));
    JNI_FUNCTIONS(FIND)
    return missing ? -1 : 0;
}

enum { INPUT = 1 << 18, OUTPUT = INPUT + 4096 };
static uint8_t input[INPUT], packed[OUTPUT], unpacked[OUTPUT], dictionary[4096], samples[64 << 10];
static struct exam_array in = { INPUT, input, { 0 } }, out = { OUTPUT, packed, { 0 } }, back = { OUTPUT, unpacked, { 0 } };
static struct exam_array dict = { sizeof dictionary, dictionary, { 0 } };
static uint64_t seed = 1;

static long checked(long result)
{
    exam_note_word((uint64_t)result);
    if (Zstd_isError(env, NULL, (jlong)result)) {
        exam_note_text((const char *)Zstd_getErrorName(env, NULL, (jlong)result));
        exam_note_word((uint64_t)Zstd_getErrorCode(env, NULL, (jlong)result));
        return 0;
    }
    return result;
}

static void there_and_back(size_t length, int level, int checksum)
{
    long size = checked(Zstd_compressUnsafe(env, NULL, (jlong)(intptr_t)packed, (jlong)OUTPUT, (jlong)(intptr_t)input, (jlong)length, level, checksum));
    exam_note(packed, (size_t)size);
    long n = checked(Zstd_decompressUnsafe(env, NULL, (jlong)(intptr_t)unpacked, (jlong)OUTPUT, (jlong)(intptr_t)packed, (jlong)size));
    exam_note(unpacked, (size_t)n);
    exam_note_word((uint64_t)(n == (long)length && memcmp(input, unpacked, length) == 0));
}

/* Parameters one by one, with and without dictionary. */
static void tuned(size_t length)
{
    for (int strategy = 1; strategy <= 9; strategy += exam_shared->full ? 1 : 4)
        for (int variant = 0; variant < (exam_shared->full ? 3 : 1); variant++) {
            jlong c = ZstdCompressCtx_init(env, NULL), d = ZstdDecompressCtx_init(env, NULL);
            checked(Zstd_setCompressionStrategy(env, NULL, c, strategy));
            checked(Zstd_setCompressionWindowLog(env, NULL, c, 10 + variant * 4));
            checked(Zstd_setCompressionHashLog(env, NULL, c, 8 + variant * 2));
            checked(Zstd_setCompressionChainLog(env, NULL, c, 8 + variant * 3));
            checked(Zstd_setCompressionSearchLog(env, NULL, c, 1 + variant * 2));
            checked(Zstd_setCompressionMinMatch(env, NULL, c, 3 + (strategy + variant) % 5));
            checked(Zstd_setCompressionTargetLength(env, NULL, c, 8 << variant));
            checked(Zstd_setEnableLongDistanceMatching(env, NULL, c, variant == 2));
            ZstdCompressCtx_setChecksum0(env, NULL, c, variant & 1);
            if (variant == 1) {
                checked(ZstdCompressCtx_loadCDict0(env, NULL, c, &dict));
                checked(ZstdDecompressCtx_loadDDict0(env, NULL, d, &dict));
            }
            long size = checked(ZstdCompressCtx_compressDirectByteBuffer0(env, NULL, c, &out, 0, OUTPUT, &in, 0, (jint)length));
            exam_note(packed, (size_t)size);
            exam_note_word((uint64_t)Zstd_getDictIdFromFrame(env, NULL, &out));
            checked(ZstdDecompressCtx_decompressDirectByteBuffer0(env, NULL, d, &back, 0, OUTPUT, &out, 0, (jint)size));
            exam_note(unpacked, length);
            checked(ZstdCompressCtx_reset0(env, NULL, c));
            size = checked(ZstdCompressCtx_compressByteArray0(env, NULL, c, &out, 0, OUTPUT, &in, 7, (jint)length / 2));
            checked(ZstdDecompressCtx_reset0(env, NULL, d));
            checked(ZstdDecompressCtx_decompressByteArray0(env, NULL, d, &back, 0, OUTPUT, &out, 0, (jint)size));
            exam_note(unpacked, length / 2);
            ZstdCompressCtx_free(env, NULL, c);
            ZstdDecompressCtx_free(env, NULL, d);
        }
}

static void streams(size_t length, int level, size_t piece)
{
    struct exam_array object = { 0, NULL, { 0 } }, room = { 300, unpacked, { 0 } }, part = { 0, NULL, { 0 } };
    jlong c = ZstdOutputStreamNoFinalizer_createCStream(env, NULL);
    checked(ZstdOutputStreamNoFinalizer_resetCStream(env, &object, c));
    checked(Zstd_setCompressionLevel(env, NULL, c, level));
    size_t written = 0;
    jfieldID source = get_field(env, NULL, "srcPos", "J"), target = get_field(env, NULL, "dstPos", "J");
    for (size_t at = 0; at < length; at += piece) {
        part.data = input + at;
        part.length = (jsize)piece;
        set_long(env, (jobject)&object, source, 0);
        for (int guard = 0; guard < 100 && get_long(env, (jobject)&object, source) < (jlong)piece; guard++) {
            checked(ZstdOutputStreamNoFinalizer_compressStream(env, &object, c, &room, 300, &part, (jint)piece));
            size_t n = (size_t)get_long(env, (jobject)&object, target);
            memcpy(packed + written, unpacked, n);
            written += n;
        }
        if (at / piece % 3 == 0) {
            checked(ZstdOutputStreamNoFinalizer_flushStream(env, &object, c, &room, 300));
            size_t n = (size_t)get_long(env, (jobject)&object, target);
            memcpy(packed + written, unpacked, n);
            written += n;
        }
    }
    long left = 1;
    for (int guard = 0; left > 0 && guard < 1000; guard++) {
        left = checked(ZstdOutputStreamNoFinalizer_endStream(env, &object, c, &room, 300));
        size_t n = (size_t)get_long(env, (jobject)&object, target);
        memcpy(packed + written, unpacked, n);
        written += n;
    }
    exam_note(packed, written);
    ZstdOutputStreamNoFinalizer_freeCStream(env, NULL, c);
    jlong d = ZstdInputStreamNoFinalizer_createDStream(env, NULL);
    checked(ZstdInputStreamNoFinalizer_initDStream(env, &object, d));
    part.data = packed;
    part.length = (jsize)written;
    set_long(env, (jobject)&object, source, 0);
    for (int guard = 0; guard < 4000 && get_long(env, (jobject)&object, source) < (jlong)written; guard++) {
        set_long(env, (jobject)&object, target, 0);
        room.length = 500;
        if (ZstdInputStreamNoFinalizer_decompressStream(env, &object, d, &room, 500, &part, (jint)written) == 0)
            break;
        exam_note(unpacked, (size_t)get_long(env, (jobject)&object, target));
    }
    ZstdInputStreamNoFinalizer_freeDStream(env, NULL, d);
}

void exam_zstd(void)
{
    int full = exam_shared->full;
    size_t length = full ? 2500 : 700;
    for (int kind = 0; kind < EXAM_KINDS; kind++) {
        exam_fill(input, length, kind, 40 + (uint64_t)kind);
        for (int level = -5; level <= 22; level += full ? kind == EXAM_TEXT ? 2 : 7 : 13)
            there_and_back(length, level, level & 1);
    }
    exam_fill(input, INPUT, EXAM_TEXT, 77);
    there_and_back(200, 3, 0);
    there_and_back(0, 3, 1);
    there_and_back(full ? 20000 : 2000, 1, 1);
    jint sizes[64];     /* training tries many parameters on all samples: dear */
    exam_fill(samples, sizeof samples, EXAM_TEXT, 5);
    for (int i = 0; i < 64; i++)
        sizes[i] = 64;
    struct exam_array all = { 24 * sizes[0], samples, { 0 } }, lengths = { 24, sizes, { 0 } };
    for (int legacy = 0; legacy < (full ? 2 : 1); legacy++) {
        dict.length = 300;
        exam_fill(dictionary, sizeof dictionary, EXAM_TEXT, 6);
        long n = !full ? 0 : checked(Zstd_trainFromBufferDirect0(env, NULL, &all, &lengths, &dict, legacy, 3));
        exam_note(dictionary, (size_t)n);
        if (n > 0)
            dict.length = (jsize)n;
        exam_note_word((uint64_t)Zstd_getDictIdFromDict(env, NULL, &dict));
        tuned(full ? 2000 : 500);
    }
    streams(full ? 5000 : 1000, 3, 500);
    if (full) {
        streams(2000, 9, 100);
        streams(2000, 19, 1000);
    }
    for (int damage = 0; damage < (full ? 30 : 3); damage++) {
        long size = checked(Zstd_compressUnsafe(env, NULL, (jlong)(intptr_t)packed, (jlong)OUTPUT, (jlong)(intptr_t)input, (jlong)800, 1 + damage % 19, 1));
        packed[exam_random(&seed) % (uint64_t)(size > 0 ? size : 1)] ^= (uint8_t)(1 << damage % 8);
        checked(Zstd_decompressUnsafe(env, NULL, (jlong)(intptr_t)unpacked, (jlong)(damage % 3 ? OUTPUT : 100), (jlong)(intptr_t)packed, (jlong)size));
    }
}
