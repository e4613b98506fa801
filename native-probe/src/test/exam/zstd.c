/* zstd: through the JNI functions of zstd-jni; the JNIEnv is ours: an array is a struct exam_array. What Java cannot choose (which match finder, with
 * which kind of dictionary) is chosen by ZSTD_CCtx_setParameter, which .symtab still tells. The long form goes through every match finder, over short
 * inputs: each instruction that runs costs the exam four traps. Never run are threads (ZSTDMT, POOL) and what needs gigabytes of input. */
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
    F(ZstdInputStreamNoFinalizer_decompressStream) F(Zstd_loadDictCompress) F(Zstd_loadFastDictCompress) F(Zstd_loadDictDecompress) \
    F(Zstd_loadFastDictDecompress) F(ZstdCompressCtx_loadCDictFast0) F(ZstdDecompressCtx_loadDDictFast0) F(ZstdCompressCtx_setContentSize0) \
    F(ZstdCompressCtx_setDictID0) F(ZstdCompressCtx_getFrameProgression0) F(ZstdDecompressCtx_decompressByteArrayToDirectByteBuffer0) \
    F(ZstdDecompressCtx_decompressDirectByteBufferToByteArray0) F(ZstdDictCompress_init) F(ZstdDictCompress_initDirect) F(ZstdDictCompress_free) \
    F(ZstdDictDecompress_init) F(ZstdDictDecompress_initDirect) F(ZstdDictDecompress_free) F(Zstd_compressFastDict0) F(Zstd_decompressFastDict0) \
    F(Zstd_compressDirectByteBufferFastDict0) F(Zstd_decompressDirectByteBufferFastDict0) F(Zstd_decompressedSize0) \
    F(Zstd_decompressedDirectByteBufferSize) F(Zstd_findDirectByteBufferFrameCompressedSize) F(Zstd_getDirectByteBufferFrameContentSize) \
    F(Zstd_getDictIdFromDictDirect) F(Zstd_getDictIdFromFrameBuffer) F(Zstd_trainFromBuffer0) F(Zstd_getBuiltinSequenceProducer) \
    F(Zstd_getStubSequenceProducer) F(Zstd_registerSequenceProducer) F(Zstd_setSequenceProducerFallback) F(Zstd_setDecompressionLongMax) \
    F(Zstd_setDecompressionMagicless) F(Zstd_setRefMultipleDDicts) F(Zstd_setCompressionJobSize) F(Zstd_setCompressionOverlapLog) \
    F(Zstd_setCompressionWorkers) F(ZstdDirectBufferCompressingStreamNoFinalizer_createCStream) \
    F(ZstdDirectBufferCompressingStreamNoFinalizer_initCStream) F(ZstdDirectBufferCompressingStreamNoFinalizer_initCStreamWithDict) \
    F(ZstdDirectBufferCompressingStreamNoFinalizer_initCStreamWithFastDict) F(ZstdDirectBufferCompressingStreamNoFinalizer_compressDirectByteBuffer) \
    F(ZstdDirectBufferCompressingStreamNoFinalizer_flushStream) F(ZstdDirectBufferCompressingStreamNoFinalizer_endStream) \
    F(ZstdDirectBufferCompressingStreamNoFinalizer_freeCStream) F(ZstdDirectBufferDecompressingStreamNoFinalizer_createDStreamNative) \
    F(ZstdDirectBufferDecompressingStreamNoFinalizer_initDStreamNative) F(ZstdDirectBufferDecompressingStreamNoFinalizer_decompressStreamNative) \
    F(ZstdDirectBufferDecompressingStreamNoFinalizer_freeDStreamNative) F(ZstdBufferDecompressingStreamNoFinalizer_createDStreamNative) \
    F(ZstdBufferDecompressingStreamNoFinalizer_initDStreamNative) F(ZstdBufferDecompressingStreamNoFinalizer_decompressStreamNative) \
    F(ZstdBufferDecompressingStreamNoFinalizer_freeDStreamNative)

typedef long (*native)();
#define DECLARE(name) static native name;
JNI_FUNCTIONS(DECLARE)

/* Those that take nothing and tell a number. */
static const char *const numbers[] = {
    "errNoError", "errGeneric", "errPrefixUnknown", "errVersionUnsupported", "errFrameParameterUnsupported", "errFrameParameterWindowTooLarge",
    "errCorruptionDetected", "errChecksumWrong", "errDictionaryCorrupted", "errDictionaryWrong", "errDictionaryCreationFailed",
    "errParameterUnsupported", "errParameterOutOfBound",
    "errTableLogTooLarge", "errMaxSymbolValueTooLarge", "errMaxSymbolValueTooSmall", "errStageWrong", "errInitMissing",
    "errMemoryAllocation", "errWorkSpaceTooSmall", "errDstSizeTooSmall", "errSrcSizeWrong", "errDstBufferNull", "magicNumber", "windowLogMin",
    "windowLogMax", "chainLogMin", "chainLogMax", "hashLogMin", "hashLogMax", "searchLogMin", "searchLogMax", "blockSizeMax", "defaultCompressionLevel",
    "minCompressionLevel", "maxCompressionLevel"
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };
static native number[NUMBERS];

/* zstd.h, version 1.5.7: the values of ZSTD_cParameter that Java has no setter for. */
enum parameter {
    RSYNCABLE = 500, FORMAT = 10, WINDOW_LOG = 101, HASH_LOG, CHAIN_LOG, SEARCH_LOG, MIN_MATCH, TARGET_LENGTH, STRATEGY, TARGET_BLOCK_SIZE = 130,
    LDM = 160, LDM_HASH_LOG, LDM_MIN_MATCH, LDM_BUCKET_LOG, LDM_HASH_RATE_LOG, FORCE_WINDOW = 1000, FORCE_ATTACH, LITERALS, SOURCE_HINT = 1004,
    DEDICATED_SEARCH, STABLE_IN, STABLE_OUT, DELIMITERS, SPLIT_SEQUENCES = 1010, ROWS, MAX_BLOCK = 1015, SPLITTER_LEVEL = 1017, LEVEL = 100,
    CONTENT_SIZE = 200, CHECKSUM
};
enum { FAST = 1, DOUBLE_FAST, GREEDY, LAZY, LAZY2, BINARY_LAZY2, OPTIMAL, ULTRA, ULTRA2 };
static size_t (*set_parameter)(void *context, int parameter, int value);

/* Where contexts keep whether the processor has BMI2 (struct ZSTD_CCtx_s and ZSTD_DCtx_s of the version that the parent pom names): without it they
 * take the plain variants of the coders. ZSTD_d_disableHuffmanAssembly stands there too, for which Java has no setter. */
enum { COMPRESSOR_BMI2 = 8, DECOMPRESSOR_BMI2 = 0x75e4, DECOMPRESSOR_NO_ASSEMBLY = 0x7614 };
static int *field_of(jlong context, size_t offset)
{
    return (int *)((uintptr_t)context + offset);
}

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
    for (int i = 0; i < NUMBERS; i++) {
        char symbol[64] = "Java_com_github_luben_zstd_Zstd_";
        missing |= !(number[i] = (native)exam_symbol(strcat(symbol, numbers[i])));
    }
    missing |= !(set_parameter = (size_t (*)(void *, int, int))exam_symbol("ZSTD_CCtx_setParameter"));
    if (missing)
        return -1;
    jlong c = ZstdCompressCtx_init(env, NULL), d = ZstdDecompressCtx_init(env, NULL);
    int has = !!__builtin_cpu_supports("bmi2");     /* zstd asks for BMI1 as well; no processor has one of them alone */
    missing = *field_of(c, COMPRESSOR_BMI2) != has || *field_of(d, DECOMPRESSOR_BMI2) != has;
    ZstdCompressCtx_free(env, NULL, c);
    ZstdDecompressCtx_free(env, NULL, d);
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

/* The input to packed, and what is packed to unpacked: the size that comes of it, 0 for an error. */
static long pack(size_t length, int level, int checksum)
{
    return checked(Zstd_compressUnsafe(env, NULL, (jlong)(intptr_t)packed, (jlong)OUTPUT, (jlong)(intptr_t)input, (jlong)length, level, checksum));
}

static long unpack(size_t room, const uint8_t *from, long size)
{
    return checked(Zstd_decompressUnsafe(env, NULL, (jlong)(intptr_t)unpacked, (jlong)room, (jlong)(intptr_t)from, (jlong)size));
}

static void there_and_back(size_t length, int level, int checksum)
{
    long size = pack(length, level, checksum);
    exam_note(packed, (size_t)size);
    long n = unpack(OUTPUT, packed, size);
    exam_note(unpacked, (size_t)n);
    exam_note_word((uint64_t)(n == (long)length && memcmp(input, unpacked, length) == 0));
}

/* Parameters one by one, with and without dictionary. */
static void tuned(size_t length)
{
    for (int strategy = 1; strategy <= 9; strategy += 4)
        for (int variant = exam_shared->full; variant <= exam_shared->full; variant++) {
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


/* ---- the long form ---- */

/* Copies from a dictionary and from what came before, at old and new distances, with few literals between: all that match finders tell apart. */
static void weave(uint8_t *into, size_t length, const uint8_t *dictionary_, size_t dictionary_length, uint64_t seed_)
{
    size_t at = 0, distance = 1;
    while (at < length) {
        uint64_t r = exam_random(&seed_);
        for (size_t literals = r & 8 ? r & 3 : r >> 8 & 15; literals > 0 && at < length; literals--)
            into[at++] = (uint8_t)("etaoinsh rdlu\n0x"[exam_random(&seed_) >> 60] + (r >> 20 & 1));
        size_t copy = 3 + ((r >> 24 & 7) == 7 ? r >> 32 & 127 : r >> 32 & 15);
        if ((r >> 40 & 3) != 0 && at + dictionary_length > 0)
            distance = 1 + (size_t)(r >> 44) % (at + dictionary_length);
        for (; copy > 0 && at < length && distance <= at + dictionary_length; copy--, at++)
            into[at] = distance <= at ? into[at - distance] : dictionary_[dictionary_length + at - distance];
    }
}

/* Noise of few values, unevenly: literals that Huffman codes with weights so few that they stand plain in the table, as 0.4 and 0.5 can read them. */
static void uneven(uint8_t *into, size_t length, int mask, uint64_t seed_)
{
    for (size_t i = 0; i < length; i++) {
        uint64_t r = exam_random(&seed_);
        into[i] = (uint8_t)(r >> 50 & r >> 40 & (r >> 30 | r >> 20) & (uint64_t)mask);
    }
}

enum { WOVEN = EXAM_KINDS, MIXED, EMPTY, VALUES /* and a mask of them */, FEWER = VALUES + 7, FEW = VALUES + 31 };
static void fill(uint8_t *into, size_t length, int kind, uint64_t seed_)
{
    if (kind < EXAM_KINDS)
        exam_fill(into, length, kind, seed_);
    else if (kind == WOVEN)
        weave(into, length, dictionary, 0, seed_);
    else if (kind == EMPTY) {       /* runs that differ, for the splitter of blocks to find where */
        memset(into, 0, length);
        memset(into + length / 2 + 20000, 'x', 60000);
    } else if (kind == MIXED) {     /* more literals than their buffer takes, with matches before and after */
        weave(into, 4000, dictionary, 0, seed_);
        uneven(into + 4000, length - 8000, 31, seed_);
        weave(into + length - 4000, 4000, into + length - 8000, 2000, seed_ + 1);
    } else
        uneven(into, length, kind - VALUES, seed_);
}

static void set(jlong context, enum parameter parameter, int value)
{
    size_t result = set_parameter((void *)context, (int)parameter, value);
    exam_note_word(result);
}

static long compress(jlong c, size_t length)
{
    long size = checked(ZstdCompressCtx_compressDirectByteBuffer0(env, NULL, c, &out, 0, OUTPUT, &in, 0, (jint)length));
    exam_note(packed, (size_t)size);
    return size;
}

/* Almost all as literals, coded by Huffman. */
static long compress_literals(size_t length)
{
    jlong c = ZstdCompressCtx_init(env, NULL);
    set(c, STRATEGY, FAST);
    set(c, MIN_MATCH, 7);
    set(c, HASH_LOG, 6);
    set(c, LITERALS, 1);
    long size = compress(c, length);
    ZstdCompressCtx_free(env, NULL, c);
    return size;
}

static void decompress(jlong d, long size, size_t length)
{
    long n = checked(ZstdDecompressCtx_decompressDirectByteBuffer0(env, NULL, d, &back, 0, (jint)length, &out, 0, (jint)size));
    exam_note_word((uint64_t)(n == (long)length && memcmp(input, unpacked, length) == 0));
}

/* The size is not told before: parameters stay as they were set. */
static long compress_stream(jlong c, size_t length, size_t piece)
{
    jint from = 0, to = 0;
    for (int guard = 0; guard < 1000; guard++) {
        int last = (size_t)from + piece >= length;
        jint limit = last ? (jint)length : from + (jint)piece;
        long at = ZstdCompressCtx_compressDirectByteBufferStream0(env, NULL, c, &out, to, OUTPUT, &in, from, limit, last ? 2 : guard & 1);
        exam_note_word((uint64_t)at);
        if (at >> 31 & 1)       /* an error; else both positions, and whether all is done */
            break;
        from = (jint)(at & 0x7fffffff);
        to = (jint)(at >> 32 & 0x7fffffff);
        if (at < 0 && last)
            break;
    }
    exam_note(packed, (size_t)to);
    return to;
}

enum dictionary_mode { NO_DICTIONARY, ATTACHED, COPIED, DEDICATED, DICTIONARY_MODES };

static void something_to_find(size_t length, int index, int gap)
{
    weave(input, length, dictionary, (size_t)dict.length, 71 + (uint64_t)index);
    if (gap)        /* without matches finders take longer steps */
        exam_fill(input + 150 + index % 3 * 60, 300, EXAM_NOISE, 71);
    /* Long matches, and at the very end a match after few literals and one to the last byte: copies near an end go other ways. */
    size_t tail = 26 + (size_t)index % 9, first = 12 + (size_t)index % 4;
    uint8_t *end = input + length - tail;
    memcpy(input + length / 3, input + 8, 40 + (size_t)index % 30);
    memcpy(end, "=#", 2);
    memcpy(end + 2, input + 10, first);
    end[2 + first] = '@';
    memcpy(end + 3 + first, input + (index & 1 ? 11 + first : 40), tail - 3 - first);
}

/* A dictionary that is attached stays a table of its own, a copied one becomes a segment of the window ("extDict"), a dedicated one has its own
 * layout. */
static void match_finder(jlong c, jlong d, int strategy, enum dictionary_mode mode, int rows, int min_match, int search_log, int target_length,
        int index)
{
    size_t length = strategy <= DOUBLE_FAST ? 650 : strategy >= OPTIMAL ? 220 : strategy > GREEDY && (min_match > 4 || search_log > 4) ? 120 : 280;
    something_to_find(length, index, strategy <= DOUBLE_FAST);
    checked(ZstdCompressCtx_reset0(env, NULL, c));
    set(c, STRATEGY, strategy);
    set(c, WINDOW_LOG, 12);
    set(c, HASH_LOG, mode == DEDICATED ? 11 : 9);
    set(c, CHAIN_LOG, mode == DEDICATED ? 8 : 9);
    set(c, SEARCH_LOG, search_log);
    set(c, MIN_MATCH, min_match);
    set(c, TARGET_LENGTH, target_length);
    set(c, ROWS, rows ? 1 : 2);
    set(c, LITERALS, index % 8 ? 2 : 0);
    set(c, FORCE_ATTACH, mode == COPIED ? 2 : mode == ATTACHED ? 1 : 0);
    set(c, DEDICATED_SEARCH, mode == DEDICATED);
    if (mode != NO_DICTIONARY)
        checked(ZstdCompressCtx_loadCDict0(env, NULL, c, &dict));
    long size = compress(c, length);
    decompress(d, size, length);
}

static void match_finders(void)
{
    dict.length = 300;
    exam_fill(dictionary, (size_t)dict.length, EXAM_TEXT, 6);
    jlong c = ZstdCompressCtx_init(env, NULL), d = ZstdDecompressCtx_init(env, NULL);
    int index = 0;
    for (int mode = NO_DICTIONARY; mode < DICTIONARY_MODES; mode++) {
        checked(ZstdDecompressCtx_reset0(env, NULL, d));
        if (mode != NO_DICTIONARY)
            checked(ZstdDecompressCtx_loadDDict0(env, NULL, d, &dict));
        for (int strategy = FAST; strategy <= ULTRA2; strategy++) {
            int lazy = strategy >= GREEDY && strategy <= LAZY2;
            if (mode == DEDICATED && !lazy)
                continue;
            int shortest = strategy >= OPTIMAL ? 3 : 4, longest = strategy <= DOUBLE_FAST ? 7 : 6;
            for (int min_match = shortest; min_match <= longest; min_match++) {
                if (strategy > OPTIMAL && min_match != 4)
                    continue;       /* they share their searches with the strategy before */
                for (int rows = 0; rows <= lazy; rows++)
                    for (int log = 4; log <= (rows ? 6 : 4); log++)
                        match_finder(c, d, strategy, mode, rows, min_match, log, 24, index++);
                for (int more = 0; more < (strategy <= DOUBLE_FAST ? 4 : min_match == 4 && strategy <= LAZY2); more++)
                    match_finder(c, d, strategy, mode, more & lazy, min_match, 1, 0, index++);
            }
        }
    }
    /* Windows of 2^19 and more are searched by another variant, over inputs of unknown size. */
    for (int min_match = 4; min_match <= 7; min_match++)
        for (int step = 0; step < 4; step++) {
            something_to_find(1000, index++, step > 1);
            checked(ZstdCompressCtx_reset0(env, NULL, c));
            set(c, STRATEGY, FAST);
            set(c, WINDOW_LOG, 19);
            set(c, HASH_LOG, 9);
            set(c, MIN_MATCH, min_match);
            set(c, TARGET_LENGTH, step % 2 * 4);
            set(c, LITERALS, 2);
            compress_stream(c, 1000, 500);
        }
    ZstdCompressCtx_free(env, NULL, c);
    ZstdDecompressCtx_free(env, NULL, d);
}

/* What a frame may be made of, and the coders for processors without BMI2. */
static void frames(int bmi2)
{
    jlong c = ZstdCompressCtx_init(env, NULL), d = ZstdDecompressCtx_init(env, NULL);
    static const struct { int length, kind; struct { enum parameter parameter; int value; } set[6]; } shapes[] = {
        { 3500, EXAM_TEXT, { { STRATEGY, LAZY }, { TARGET_BLOCK_SIZE, 1340 }, { CHECKSUM, 1 } } },
        { 2000, EXAM_RECORDS, { { STRATEGY, FAST } } },
        { 9000, WOVEN, { { STRATEGY, DOUBLE_FAST }, { SPLIT_SEQUENCES, 1 }, { HASH_LOG, 10 }, { MIN_MATCH, 4 } } },
        { 4000, FEW, { { STRATEGY, FAST }, { LITERALS, 1 }, { MIN_MATCH, 7 }, { HASH_LOG, 6 } } },
        { 9000, FEWER, { { STRATEGY, FAST }, { LITERALS, 1 }, { MIN_MATCH, 7 }, { HASH_LOG, 6 } } },
        { 1500, FEW, { { STRATEGY, FAST }, { LITERALS, 1 } } },
        { 700, EXAM_TEXT, { { STRATEGY, FAST }, { LITERALS, 1 }, { MIN_MATCH, 7 } } },
        { 300, FEW, { { STRATEGY, FAST }, { LITERALS, 1 } } },
        { 4000, FEW, { { STRATEGY, FAST }, { LITERALS, 1 }, { MIN_MATCH, 7 }, { HASH_LOG, 6 }, { MAX_BLOCK, 1024 } } },
        { 75000, MIXED, { { STRATEGY, FAST }, { LITERALS, 1 }, { TARGET_LENGTH, 3 }, { MIN_MATCH, 7 }, { HASH_LOG, 6 } } },
        { 3000, EXAM_NOISE, { { STRATEGY, FAST }, { TARGET_BLOCK_SIZE, 1340 }, { LITERALS, 1 } } },
        { 4000, WOVEN, { { STRATEGY, LAZY }, { SPLIT_SEQUENCES, 2 }, { MAX_BLOCK, 2048 } } },
        { 3000, WOVEN, { { STRATEGY, FAST }, { LDM, 1 }, { LDM_HASH_LOG, 8 }, { LDM_MIN_MATCH, 16 }, { LDM_HASH_RATE_LOG, 2 }, { HASH_LOG, 8 } } },
        { 1200, WOVEN, { { STRATEGY, OPTIMAL }, { LDM, 1 }, { LDM_HASH_LOG, 8 }, { LDM_MIN_MATCH, 16 }, { LDM_HASH_RATE_LOG, 2 }, { SEARCH_LOG, 1 } } },
        { 2000, EXAM_RUNS, { { STRATEGY, GREEDY }, { ROWS, 1 }, { CONTENT_SIZE, 0 } } },
        { 1000, EXAM_TEXT, { { STRATEGY, FAST }, { FORMAT, 1 }, { FORCE_WINDOW, 1 } } },
        { INPUT, EMPTY, { { STRATEGY, FAST }, { SPLITTER_LEVEL, 2 }, { CHECKSUM, 1 } } },
        { INPUT, EMPTY, { { STRATEGY, FAST }, { SPLITTER_LEVEL, 5 } } },
    };
    *field_of(c, COMPRESSOR_BMI2) = bmi2 && *field_of(c, COMPRESSOR_BMI2);
    *field_of(d, DECOMPRESSOR_BMI2) = bmi2 && *field_of(d, DECOMPRESSOR_BMI2);
    for (unsigned i = 0; i < (bmi2 ? sizeof shapes / sizeof *shapes : 10); i++) {
        size_t length = (size_t)shapes[i].length;
        fill(input, length, shapes[i].kind, 5 + i);
        checked(ZstdCompressCtx_reset0(env, NULL, c));
        checked(ZstdDecompressCtx_reset0(env, NULL, d));
        int magicless = 0;
        for (int k = 0; k < 6 && shapes[i].set[k].parameter; k++) {
            set(c, shapes[i].set[k].parameter, shapes[i].set[k].value);
            magicless |= shapes[i].set[k].parameter == FORMAT;
        }
        if (magicless)
            checked(Zstd_setDecompressionMagicless(env, NULL, d, 1));
        long size = compress(c, length);
        decompress(d, size, length);
    }
    ZstdCompressCtx_free(env, NULL, c);
    ZstdDecompressCtx_free(env, NULL, d);
}

/* Every parameter, in and out of its bounds. */
static void parameters(void)
{
    static const int values[] = { -1, 0, 1, 9, 64, 1 << 20, 0x7fffffff };
    jlong c = ZstdCompressCtx_init(env, NULL);
    for (int i = 0; i < 7; i++) {
        for (int p = 100; p < 108; p++)
            set(c, (enum parameter)p, values[i]);
        for (int p = LDM; p <= LDM_HASH_RATE_LOG; p++)
            set(c, (enum parameter)p, values[i]);
        for (int p = CONTENT_SIZE; p <= 202; p++)
            set(c, (enum parameter)p, values[i]);
        for (int p = FORCE_WINDOW; p <= SPLITTER_LEVEL + 1; p++)
            set(c, (enum parameter)p, values[i]);
        set(c, FORMAT, values[i]);
        set(c, RSYNCABLE, values[i]);
        set(c, TARGET_BLOCK_SIZE, values[i]);
        exam_note_word((uint64_t)Zstd_setCompressionLong(env, NULL, c, values[i]));
        exam_note_word((uint64_t)Zstd_setCompressionJobSize(env, NULL, c, values[i]));
        exam_note_word((uint64_t)Zstd_setCompressionOverlapLog(env, NULL, c, values[i]));
        exam_note_word((uint64_t)Zstd_setCompressionMagicless(env, NULL, c, values[i] > 0));
        exam_note_word((uint64_t)Zstd_setCompressionChecksums(env, NULL, c, values[i] > 0));
        exam_note_word((uint64_t)Zstd_compressBound(env, NULL, (jlong)values[i]));
        exam_note_word((uint64_t)ZstdCompressCtx_setPledgedSrcSize0(env, NULL, c, (jlong)values[i]));
        ZstdCompressCtx_setLevel0(env, NULL, c, values[i]);
        ZstdCompressCtx_setContentSize0(env, NULL, c, values[i] > 0);
        ZstdCompressCtx_setDictID0(env, NULL, c, values[i] > 0);
    }
    exam_note_word((uint64_t)Zstd_setCompressionWorkers(env, NULL, c, 0));
    ZstdCompressCtx_free(env, NULL, c);
}

static void numbers_of_all(void)
{
    for (int i = 0; i < NUMBERS; i++)
        exam_note_word((uint64_t)number[i](env, NULL));
}

/* Dictionaries that were digested before, by Java's classes for them. */
static void digested(int trained, int bmi2)
{
    struct exam_array compressing = { 0, NULL, { 0 } }, decompressing = { 0, NULL, { 0 } };
    size_t length = 2500;
    weave(input, length, dictionary, (size_t)dict.length, 3);
    for (int direct = 0; direct < 2; direct++) {
        if (direct) {
            ZstdDictCompress_initDirect(env, &compressing, &dict, 0, dict.length, 5, 0);
            ZstdDictDecompress_initDirect(env, &decompressing, &dict, 0, dict.length, 0);
        } else {
            ZstdDictCompress_init(env, &compressing, &dict, 0, dict.length, 1 + trained);
            ZstdDictDecompress_init(env, &decompressing, &dict, 0, dict.length);
        }
        long size = checked(Zstd_compressFastDict0(env, NULL, &out, 0, &in, 0, (jint)length, &compressing));
        exam_note(packed, (size_t)size);
        exam_note_word((uint64_t)Zstd_getDictIdFromFrameBuffer(env, NULL, &out));
        checked(Zstd_decompressFastDict0(env, NULL, &back, 0, &out, 0, (jint)size, &decompressing));
        exam_note(unpacked, length);
        size = checked(Zstd_compressDirectByteBufferFastDict0(env, NULL, &out, 0, OUTPUT, &in, 0, (jint)length, &compressing));
        checked(Zstd_decompressDirectByteBufferFastDict0(env, NULL, &back, 0, OUTPUT, &out, 0, (jint)size, &decompressing));
        exam_note_word((uint64_t)Zstd_decompressedSize0(env, NULL, &out, 0, (jint)size, 0));
        exam_note_word((uint64_t)Zstd_decompressedDirectByteBufferSize(env, NULL, &out, 0, (jint)size, 0));
        exam_note_word((uint64_t)Zstd_findDirectByteBufferFrameCompressedSize(env, NULL, &out, 0, (jint)size));
        exam_note_word((uint64_t)Zstd_findFrameCompressedSize0(env, NULL, &out, 0, (jint)size));
        exam_note_word((uint64_t)Zstd_getDirectByteBufferFrameContentSize(env, NULL, &out, 0, (jint)size, 1));
        exam_note_word((uint64_t)Zstd_getFrameContentSize0(env, NULL, &out, 0, (jint)size, 0));
        exam_note_word((uint64_t)Zstd_getDictIdFromDictDirect(env, NULL, &dict, 0, dict.length));
        jlong c = ZstdCompressCtx_init(env, NULL), d = ZstdDecompressCtx_init(env, NULL);
        *field_of(d, DECOMPRESSOR_BMI2) &= bmi2;
        checked(ZstdCompressCtx_loadCDictFast0(env, NULL, c, &compressing));
        checked(Zstd_setRefMultipleDDicts(env, NULL, d, 1));
        checked(ZstdDecompressCtx_loadDDictFast0(env, NULL, d, &decompressing));
        checked(Zstd_setDecompressionLongMax(env, NULL, d, 20));
        size = compress(c, length);
        exam_note_word((uint64_t)ZstdDecompressCtx_decompressDirectByteBufferStream0(env, NULL, d, &back, 0, 900, &out, 0, (jint)size));
        checked(ZstdDecompressCtx_reset0(env, NULL, d));
        checked(ZstdDecompressCtx_loadDDictFast0(env, NULL, d, &decompressing));
        checked(ZstdDecompressCtx_decompressByteArrayToDirectByteBuffer0(env, NULL, d, &back, 0, OUTPUT, &out, 0, (jint)size));
        checked(ZstdDecompressCtx_decompressDirectByteBufferToByteArray0(env, NULL, d, &back, 0, OUTPUT, &out, 0, (jint)size));
        exam_note(unpacked, length);
        checked(ZstdCompressCtx_reset0(env, NULL, c));
        checked(Zstd_loadDictCompress(env, NULL, c, &dict, dict.length));
        checked(Zstd_loadFastDictCompress(env, NULL, c, &compressing));
        checked(Zstd_loadFastDictDecompress(env, NULL, d, &decompressing));
        checked(ZstdDirectBufferCompressingStreamNoFinalizer_initCStreamWithFastDict(env, NULL, c, &compressing));
        ZstdCompressCtx_free(env, NULL, c);
        ZstdDecompressCtx_free(env, NULL, d);
        ZstdDictCompress_free(env, &compressing);
        ZstdDictDecompress_free(env, &decompressing);
    }
}

/* A digested dictionary is taken to be far away, in no cache: other decoders, which fetch ahead. More literals than their buffer takes, as well. */
static void far_dictionary(void)
{
    struct exam_array decompressing = { 0, NULL, { 0 } };
    size_t length = 75000;
    fill(input, length, MIXED, 3);
    jlong c = ZstdCompressCtx_init(env, NULL);
    set(c, STRATEGY, FAST);
    set(c, MIN_MATCH, 7);
    set(c, HASH_LOG, 6);
    set(c, LITERALS, 1);
    checked(ZstdCompressCtx_loadCDict0(env, NULL, c, &dict));
    long size = compress(c, length);
    ZstdCompressCtx_free(env, NULL, c);
    for (int bmi2 = 0; bmi2 < 2; bmi2++) {
        ZstdDictDecompress_init(env, &decompressing, &dict, 0, dict.length);
        jlong d = ZstdDecompressCtx_init(env, NULL);
        *field_of(d, DECOMPRESSOR_BMI2) &= bmi2;
        checked(ZstdDecompressCtx_loadDDictFast0(env, NULL, d, &decompressing));
        decompress(d, size, length);
        ZstdDecompressCtx_free(env, NULL, d);
        ZstdDictDecompress_free(env, &decompressing);
    }
}

/* Input and output in pieces of these sizes. */
static void pieces(int level, int window_log, jint give, jint take, int with_dictionary)
{
    struct exam_array object = { 0, NULL, { 0 } };
    jfieldID consumed = get_field(env, NULL, "consumed", "I"), produced = get_field(env, NULL, "produced", "I");
    jint length = 1800, at = 0, written = 0;
    weave(input, (size_t)length, dictionary, (size_t)dict.length, (uint64_t)level + 50);
    jlong c = ZstdDirectBufferCompressingStreamNoFinalizer_createCStream(env, &object);
    if (with_dictionary)
        checked(ZstdDirectBufferCompressingStreamNoFinalizer_initCStreamWithDict(env, &object, c, &dict, dict.length, level));
    else
        checked(ZstdDirectBufferCompressingStreamNoFinalizer_initCStream(env, &object, c, level));
    set(c, WINDOW_LOG, window_log);
    for (int guard = 0; at < length && guard < 4000; guard++) {
        jint n = length - at < give ? length - at : give;
        checked(ZstdDirectBufferCompressingStreamNoFinalizer_compressDirectByteBuffer(env, &object, c, &out, written, take, &in, at, n));
        at += get_int(env, (jobject)&object, consumed);
        written += get_int(env, (jobject)&object, produced);
        if (guard % 5 == 2) {
            checked(ZstdDirectBufferCompressingStreamNoFinalizer_flushStream(env, &object, c, &out, written, take));
            written += get_int(env, (jobject)&object, produced);
        }
    }
    for (int guard = 0; guard < 4000; guard++) {
        long left = checked(ZstdDirectBufferCompressingStreamNoFinalizer_endStream(env, &object, c, &out, written, take));
        written += get_int(env, (jobject)&object, produced);
        if (left == 0)
            break;
    }
    ZstdDirectBufferCompressingStreamNoFinalizer_freeCStream(env, &object, c);
    exam_note(packed, (size_t)written);
    jlong d = ZstdDirectBufferDecompressingStreamNoFinalizer_createDStreamNative(env, &object);
    checked(ZstdDirectBufferDecompressingStreamNoFinalizer_initDStreamNative(env, &object, d));
    if (with_dictionary)
        checked(Zstd_loadDictDecompress(env, NULL, d, &dict, dict.length));
    jint from = 0, to = 0;
    for (int guard = 0; guard < 6000; guard++) {
        jint n = written - from < give ? written - from : give, room = OUTPUT - to < take ? OUTPUT - to : take;
        long left = checked(ZstdDirectBufferDecompressingStreamNoFinalizer_decompressStreamNative(env, &object, d, &back, to, room, &out, from, n));
        from += get_int(env, (jobject)&object, consumed);
        to += get_int(env, (jobject)&object, produced);
        if (left == 0)
            break;
    }
    exam_note_word((uint64_t)to);
    exam_note(unpacked, (size_t)to);
    ZstdDirectBufferDecompressingStreamNoFinalizer_freeDStreamNative(env, &object, d);
}

/* Sequences that somebody else found: zstd-jni's own finder and its stub that always fails. */
static void producers(void)
{
    weave(input, 1500, dictionary, 0, 8);
    for (int fallback = 0; fallback < 2; fallback++)
        for (int stub = 0; stub < 2; stub++) {
            jlong c = ZstdCompressCtx_init(env, NULL), finder = ZstdCompressCtx_init(env, NULL);
            jlong producer = stub ? Zstd_getStubSequenceProducer(env, NULL) : Zstd_getBuiltinSequenceProducer(env, NULL);
            Zstd_registerSequenceProducer(env, NULL, c, finder, producer);
            checked(Zstd_setSequenceProducerFallback(env, NULL, c, fallback));
            checked(Zstd_setValidateSequences(env, NULL, c, 1));
            checked(Zstd_setSearchForExternalRepcodes(env, NULL, c, 1));
            checked(Zstd_setCompressionLevel(env, NULL, c, 1));
            compress(c, 1500);
            ZstdCompressCtx_free(env, NULL, c);
            ZstdCompressCtx_free(env, NULL, finder);
        }
}

/* Flipped bits, at all places of a frame. */
static void damaged(int level, size_t length, int kind, int times)
{
    fill(input, length, kind, 9);
    long size = pack(length, level, 1);
    for (int i = 0; i < times && size > 0; i++) {
        uint64_t r = exam_random(&seed);
        uint8_t *byte = &packed[i < times / 2 ? (size_t)i % (size_t)size : r % (uint64_t)size], kept = *byte;
        *byte ^= (uint8_t)(1 << (r >> 32 & 7));
        unpack(i % 5 ? OUTPUT : length / 2, packed, i % 7 ? size : size - i % size);
        *byte = kept;
    }
}

/* ---- frames of the formats 0.4 to 0.7, which the library still reads and nothing writes any more ---- */

static size_t put(uint8_t *to, uint64_t value, int bytes, int big_endian)
{
    for (int i = 0; i < bytes; i++)
        to[big_endian ? bytes - 1 - i : i] = (uint8_t)(value >> 8 * i);
    return (size_t)bytes;
}

static uint64_t get(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

/* Bits that will be read from the last to the first, as FSE's are. */
struct bits { uint8_t *at; uint64_t held; int count; };

static void put_bits(struct bits *b, uint64_t value, int count)
{
    b->held |= value << b->count;
    for (b->count += count; b->count >= 8; b->count -= 8, b->held >>= 8)
        *b->at++ = (uint8_t)b->held;
}

/* Sequences for 0.4 and 0.5, by flat tables: 6 bits of literal length, 5 of offset code, 7 of match length. They take at most so many literals. The
 * decoder reads the three states, then for each sequence the offset's own bits and the next states; 0.4 reads two of the states before these bits. */
static size_t flat_sequences(uint8_t *to, int version, size_t literals)
{
    enum { MOST = 40 };
    struct { uint32_t literals, code, extra, match; } s[MOST + 1] = { { 0 } };
    int n = 0;
    uint64_t r = 0x1234567 + literals;
    for (size_t done = 0, used = 0; n < MOST && used + 20 < literals; n++) {
        exam_random(&r);
        s[n].literals = n == 0 ? 17 : r >> 20 & 15;
        used += s[n].literals;
        done += s[n].literals;
        int code = 1 + (int)(r >> 30 & 7);
        while ((size_t)2 << code > done)
            code--;
        s[n].code = n > 2 && (r >> 50 & 7) == 0 ? 0 : (uint32_t)code;
        s[n].extra = s[n].code == 0 ? 0 : (uint32_t)(r >> 40) & ((1u << (code - 1)) - 1);
        s[n].match = r >> 55 & 63;
        done += s[n].match + 4;
    }
    s[n] = s[0];
    uint8_t *at = to;
    at += put(at, (uint64_t)n, version == 4 ? 2 : 1, 0);
    at += put(at, version == 4 ? 0x54 : 0, 2, 0);       /* three flat tables, and no long lengths ("dumps") */
    struct bits b = { at, 0, 0 };
    for (int i = n - 1; i >= 0; i--) {
        int own = s[i].code > 1 ? (int)s[i].code - 1 : 0;
        put_bits(&b, s[i + 1].match, 7);
        if (version == 4) {
            put_bits(&b, s[i].extra, own);
            put_bits(&b, s[i + 1].code, 5);
            put_bits(&b, s[i + 1].literals, 6);
        } else {
            put_bits(&b, s[i + 1].literals, 6);
            put_bits(&b, s[i + 1].code, 5);
            put_bits(&b, s[i].extra, own);
        }
    }
    put_bits(&b, s[0].match, 7);
    put_bits(&b, s[0].code, 5);
    put_bits(&b, s[0].literals, 6);
    put_bits(&b, 1, 1);
    if (b.count > 0)
        put_bits(&b, 0, 8 - b.count);
    return (size_t)(b.at - to);
}

/* A compressed block of today's format (RFC 8878, 3.1.1.3) in that of a version: Huffman and FSE streams are the same, the headers around them are
 * not. */
static size_t legacy_block(uint8_t *to, const uint8_t *from, size_t size, int version)
{
    uint8_t *at = to;
    int type = from[0] & 3, format = from[0] >> 2 & 3, header, streams_ = format != 0;
    size_t literals, coded;
    if (type < 2) {
        header = format == 1 ? 2 : format == 3 ? 3 : 1;
        literals = get(from, header) >> (header == 1 ? 3 : 4);
        coded = type == 0 ? literals : 1;
        if (version == 4)
            at += put(at, literals << 2 | (uint64_t)(1 + type), 3, 0);
        else
            at += put(at, (uint64_t)(2 + type) << 22 | (uint64_t)3 << 20 | literals, 3, 1);
    } else {
        header = format < 2 ? 3 : format == 2 ? 4 : 5;
        int width = format < 2 ? 10 : format == 2 ? 14 : 18;
        uint64_t value = get(from, header) >> 4;
        literals = value & (((size_t)1 << width) - 1);
        coded = value >> width;
        if (version == 4)
            at += put(at, (uint64_t)literals << 2 | (uint64_t)coded << 21, 5, 0);
        else
            at += put(at, (uint64_t)(type - 2) << (2 * width + 2) | (uint64_t)(format < 2 ? !streams_ : format) << 2 * width
                    | (uint64_t)literals << width | coded, header, 1);
    }
    memcpy(at, from + header, coded);
    at += coded;
    from += (size_t)header + coded;
    size -= (size_t)header + coded;
    if (version < 6)
        return (size_t)(at - to) + flat_sequences(at, version, literals);
    memcpy(at, from, size);
    if (size > 1) {     /* the ways to code a table: 2 and 3 changed places */
        uint8_t *modes = at + (from[0] < 128 ? 1 : from[0] < 255 ? 2 : 3);
        for (int shift = 2; shift < 8; shift += 2)
            if (*modes >> shift & 2)
                *modes ^= (uint8_t)(1 << shift);
    }
    return (size_t)(at - to) + size;
}

static size_t legacy_frame(uint8_t *to, const uint8_t *from, size_t size, int version)
{
    const uint8_t *end = from + size;
    uint8_t *at = to;
    at += put(at, 0xfd2fb520u + (unsigned)version, 4, 0);
    if (version == 7)
        at += put(at, 0x38 << 8, 2, 0);     /* no content size; a window of 2^17 bytes */
    else
        at += put(at, version == 6 ? 5 : 6, 1, 0);
    int descriptor = from[4], single = descriptor >> 5 & 1;
    from += 5 + !single + (1 << (descriptor >> 6)) - (descriptor >> 6 == 0 && !single);
    for (int last = 0; !last && from + 3 <= end;) {
        uint64_t header = get(from, 3);
        size_t length = header >> 3;
        int type = header >> 1 & 3;
        last = header & 1;
        from += 3;
        uint8_t *block = at + 3;
        size_t stored = type == 1 ? 1 : length, written = stored;
        if (type == 2)
            written = legacy_block(block, from, stored, version);
        else
            memcpy(block, from, stored);
        put(at, (uint64_t)(type == 2 ? 0 : type + 1) << 22 | (type == 1 ? length : written), 3, 1);
        at = block + written;
        from += stored;
    }
    at += put(at, 0xc0, 3, 0);
    return (size_t)(at - to);
}

static void stream_in(const uint8_t *frame, size_t size, jint give, jint take)
{
    struct exam_array object = { 0, NULL, { 0 } }, part = { (jsize)size, (void *)(uintptr_t)frame, { 0 } };
    jfieldID consumed = get_field(env, NULL, "consumed", "I"), produced = get_field(env, NULL, "produced", "I");
    jlong d = ZstdBufferDecompressingStreamNoFinalizer_createDStreamNative(env, &object);
    checked(ZstdBufferDecompressingStreamNoFinalizer_initDStreamNative(env, &object, d));
    jint from = 0, to = 0;
    for (int guard = 0; guard < 3000; guard++) {
        jint n = (jint)size - from < give ? (jint)size - from : give, room = OUTPUT - to < take ? OUTPUT - to : take;
        long left = checked(ZstdBufferDecompressingStreamNoFinalizer_decompressStreamNative(env, &object, d, &back, to, room, &part, from, n));
        from += get_int(env, (jobject)&object, consumed);
        to += get_int(env, (jobject)&object, produced);
        if (left == 0)
            break;
    }
    exam_note(unpacked, (size_t)to);
    ZstdBufferDecompressingStreamNoFinalizer_freeDStreamNative(env, &object, d);
}

static void legacy_formats(void)
{
    static uint8_t frame[8192];
    static const struct { int level, kind, length; } contents[] = {
        { 3, EXAM_TEXT, 1800 }, { 1, EXAM_RECORDS, 600 }, { 5, WOVEN, 3000 }, { 1, EXAM_NOISE, 300 }, { 1, EXAM_RUNS, 2000 }, { -5, EXAM_TEXT, 700 },
        { 9, EXAM_TEXT, 200 }, { 1, FEW, 250 }, { 1, FEW, 800 }, { 1, FEW, 3000 }, { 1, FEWER, 6500 },
        { 1, VALUES + 1, 500 }, { 1, VALUES + 127, 1500 }, { 1, VALUES + 3, 8000 }, { 19, WOVEN, 1500 }, { 1, VALUES + 15, 9000 }
    };
    for (unsigned i = 0; i < sizeof contents / sizeof *contents; i++) {
        size_t length = (size_t)contents[i].length;
        fill(input, length, contents[i].kind, 11);
        long size = contents[i].kind > VALUES ? compress_literals(length)
                : pack(length, contents[i].level, 0);
        for (int version = 4; version <= 7; version++) {
            size_t n = legacy_frame(frame, packed, (size_t)size, version);
            struct exam_array whole = { (jsize)n, frame, { 0 } };
            long result = unpack(OUTPUT, frame, n);
            exam_note(unpacked, (size_t)result);
            exam_note_word((uint64_t)Zstd_findFrameCompressedSize0(env, NULL, &whole, 0, (jint)n));
            exam_note_word((uint64_t)Zstd_getFrameContentSize0(env, NULL, &whole, 0, (jint)n, 0));
            if (i < 4)
                stream_in(frame, n, 100 + (jint)i, i & 1 ? 50 : 1000);
            for (int k = 0; k < 2; k++) {
                uint64_t r = exam_random(&seed);
                frame[5 + r % (n - 5)] ^= (uint8_t)(1 << (r >> 32 & 7));
                unpack(length + 1000, frame, n);
            }
        }
    }
}

/* Streams of literals too short for the fast loops over four of them: where the table of their lengths stands, some attempt writes 4. */
static void short_streams(void)
{
    for (int i = 0; i < 2; i++) {
        size_t length = i ? 6000 : 600;
        uneven(input, length, 7, 5);
        long size = compress_literals(length);
        for (long at = 13; at < 20 && at + 2 < size; at++) {
            uint8_t kept[2] = { packed[at], packed[at + 1] };
            packed[at] = 4;
            packed[at + 1] = 0;
            unpack(length, packed, size);
            memcpy(packed + at, kept, 2);
        }
    }
}

/* Too few to learn from; and what a context tells of its progress. */
static void few_samples(void)
{
    struct exam_array parts[8], *of[8], all = { 8, of, { 0 } }, small = { 600, dictionary, { 0 } };
    for (int i = 0; i < 8; i++) {
        parts[i] = (struct exam_array){ 64, samples + 64 * i, { 0 } };
        of[i] = &parts[i];
    }
    checked(Zstd_trainFromBuffer0(env, NULL, &all, &small, 1, 3));
    jlong c = ZstdCompressCtx_init(env, NULL);
    ZstdCompressCtx_getFrameProgression0(env, NULL, c);
    ZstdCompressCtx_free(env, NULL, c);
}

/* One frame of each format, with skippable ones (RFC 8878, 3.1.2) between. */
static void frame_after_frame(void)
{
    static uint8_t frames_[16384];
    size_t at = 0, length = 900;
    exam_fill(input, length, EXAM_RECORDS, 2);
    long size = pack(length, 1, 1);
    for (int version = 7; version >= 4; version--) {
        size_t own = 4 + (size_t)version;
        at += put(frames_ + at, 0x184d2a50u + (unsigned)version, 4, 0);
        at += put(frames_ + at, own, 4, 0);
        memset(frames_ + at, version, own);
        at += own;
        if (version > 5)
            at += legacy_frame(frames_ + at, packed, (size_t)size, version);
        memcpy(frames_ + at, packed, (size_t)size);
        at += (size_t)size;
    }
    unpack(OUTPUT, frames_, at);
    stream_in(frames_, at, 1, 1 << 16);
    stream_in(frames_, at, 50, 13);
    struct exam_array whole = { (jsize)at, frames_, { 0 } };
    for (jint from = 0, n; from < (jint)at; from += n) {
        n = (jint)checked(Zstd_findFrameCompressedSize0(env, NULL, &whole, from, (jint)at - from));
        exam_note_word((uint64_t)Zstd_getFrameContentSize0(env, NULL, &whole, from, (jint)at - from, 0));
        if (n <= 0)
            break;
    }
}

/* Huffman tables of all shapes, for one symbol at a time and for two. */
static void literals(int bmi2, int assembly)
{
    static const int masks[] = { 1, 3, 15, 63, 255 };
    jlong d = ZstdDecompressCtx_init(env, NULL);
    *field_of(d, DECOMPRESSOR_BMI2) &= bmi2;
    for (int i = 0; i < 5; i++)
        for (int k = 2 * !assembly; k < 3; k++) {
            size_t length = k == 0 ? 330 : k == 1 ? 1400 : 6000;
            uneven(input, length, masks[i], (uint64_t)i + 9);
            long size = compress_literals(length);
            *field_of(d, DECOMPRESSOR_NO_ASSEMBLY) = !assembly;
            decompress(d, size, length);
            if (bmi2 && assembly && k < 2)
                stream_in(packed, (size_t)size, 600, 1 << 16);
        }
    ZstdDecompressCtx_free(env, NULL, d);
}

static void long_form(void)
{
    numbers_of_all();
    parameters();
    match_finders();
    frames(1);
    frames(0);
    digested(0, 1);
    digested(1, 0);
    far_dictionary();
    producers();
    pieces(1, 10, 1, 1 << 17, 0);
    pieces(3, 10, 700, 11, 0);
    pieces(5, 11, 300, 400, 1);
    legacy_formats();
    short_streams();
    literals(0, 1);
    literals(1, 1);
    literals(1, 0);
    frame_after_frame();
    damaged(1, 600, EXAM_TEXT, 60);
    damaged(9, 500, EXAM_RECORDS, 40);
    damaged(1, 300, EXAM_RUNS, 20);
    damaged(5, 1500, WOVEN, 60);
    few_samples();
}

void exam_zstd(void)
{
    int full = exam_shared->full;
    size_t length = 700;
    for (int kind = 0; kind < EXAM_KINDS; kind++) {
        exam_fill(input, length, kind, 40 + (uint64_t)kind);
        for (int level = -5; level <= (full ? 13 : 22); level += full && kind == EXAM_TEXT ? 2 : 13)
            there_and_back(length, level, level & 1);
    }
    if (full)
        long_form();
    exam_fill(input, INPUT, EXAM_TEXT, 77);
    there_and_back(200, 3, 0);
    there_and_back(0, 3, 1);
    there_and_back(2000, 1, 1);
    jint sizes[64];     /* training tries many parameters on all samples: dear */
    exam_fill(samples, sizeof samples, EXAM_TEXT, 5);
    if (full) {     /* much to sort for who sorts suffixes */
        uneven(samples + 600, 500, 1, 4);
        memset(samples + 1100, 'q', 200);
        memcpy(samples + 1300, samples + 300, 200);
    }
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
        tuned(500);
    }
    streams(1000, 3, 500);
    if (full) {
        streams(700, 9, 100);
    }
    for (int damage = 0; damage < 3; damage++) {
        long size = pack(800, 1 + damage % 19, 1);
        packed[exam_random(&seed) % (uint64_t)(size > 0 ? size : 1)] ^= (uint8_t)(1 << damage % 8);
        unpack(damage % 3 ? OUTPUT : 100, packed, size);
    }
}
